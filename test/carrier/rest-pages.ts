import type { WebAnswer } from "./http-server.ts";
import type { Switches } from "./switches/index.ts";

/** How a list comes: whole, or spoilt. */
export type ListPages = Switches["rest_list_pages"];

const page_size = 50;
const longest_page = 1000;

/** One page of a list of the compatibility API, which counts pages from 0. */
export function compatibilityPage(url: URL, key: string, found: unknown[], pages: ListPages): WebAnswer {
  const size = sizeOf(url, "PageSize");
  const number = numberOf(url, "Page");
  const uri = url.pathname + url.search;
  const next = withQuery(url, { Page: String(number + 1), PageSize: String(size) });
  const more = (number + 1) * size < found.length;
  const json = {
    [key]: pages === "empty" ? [] : found.slice(number * size, (number + 1) * size),
    page: number,
    page_size: size,
    uri,
    next_page_uri:
      pages === "repeated" ? uri : more && pages !== "empty" ? next.pathname + next.search : null,
  };
  return pages === "cut" ? cutShort(json) : { status: 200, json };
}

/** One page of a list of the newer REST APIs, whose links are whole URLs. */
export function logPage(url: URL, found: unknown[], pages: ListPages): WebAnswer {
  const size = sizeOf(url, "page_size");
  const number = numberOf(url, "page_number");
  const link = (page: number) =>
    withQuery(url, { page_number: String(page), page_size: String(size), page_token: `PA${page}` }).href;
  const more = (number + 1) * size < found.length;
  const next = pages === "repeated" ? url.href : more && pages !== "empty" ? link(number + 1) : null;
  const json = {
    links: {
      self: url.href,
      first: withQuery(url, { page_number: "0", page_size: String(size) }).href,
      ...(next === null ? {} : { next }),
      ...(number === 0 ? {} : { prev: link(number - 1) }),
    },
    data: pages === "empty" ? [] : found.slice(number * size, (number + 1) * size),
  };
  return pages === "cut" ? cutShort(json) : { status: 200, json };
}

function cutShort(json: unknown): WebAnswer {
  const text = JSON.stringify(json);
  return { status: 200, text: text.slice(0, Math.ceil(text.length / 2)) };
}

function sizeOf(url: URL, parameter: string): number {
  const asked = Number(url.searchParams.get(parameter) ?? page_size) || page_size;
  return Math.min(Math.max(asked, 1), longest_page);
}

function numberOf(url: URL, parameter: string): number {
  return Math.max(Number(url.searchParams.get(parameter) ?? 0) || 0, 0);
}

function withQuery(url: URL, parameters: Readonly<Record<string, string>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(parameters)) changed.searchParams.set(name, value);
  return changed;
}
