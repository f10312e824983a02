import { type Switches, switchesSchema } from "../switches/index.ts";
import type { FakeLeg } from "./fake-leg.ts";
import { type DocumentIo, runDocument } from "./runner.ts";

/** What a URL answers; an error stands for no answer at all. */
export type Answer = { status: number; body: string } | Error;
type Page = unknown[] | Answer | ((body: Record<string, unknown>) => unknown[] | Answer);

/** A web of documents by URL; a page that is an array is the `main` of one. Open questions have their first reading. */
export function web(
  pages: Record<string, Page>,
  { switches, ...options }: Partial<Omit<DocumentIo, "switches">> & { switches?: Partial<Switches> } = {},
) {
  const posts: { url: string; call: unknown; vars: unknown; params: unknown }[] = [];
  const io: DocumentIo = {
    params: {},
    is_first: true,
    max_transfers: 32,
    switches: switchesSchema.parse(switches ?? {}),
    ...options,
    fetch: async (url, body) => {
      const { call, vars, params } = structuredClone(body);
      posts.push({ url, call, vars, params });
      const page = pages[url] ?? { status: 404, body: "" };
      const answer = typeof page === "function" ? page(body) : page;
      if (answer instanceof Error) throw answer;
      return Array.isArray(answer) ? { status: 200, body: JSON.stringify(main(...answer)) } : answer;
    },
  };
  return { io, posts };
}

export function main(...steps: unknown[]) {
  return { version: "1.0.0", sections: { main: steps } };
}

/** A condition of `cond`. */
export function branch(when: string, steps: unknown[]) {
  // biome-ignore lint/suspicious/noThenProperty: SWML's own name for the key; the object is never awaited.
  return { when, then: steps };
}

/** The signal of a document that nothing replaces. */
export const live = new AbortController().signal;

export async function runInline(leg: FakeLeg, steps: unknown[], io = web({}).io) {
  const running = runDocument(leg, { document: main(...steps) }, io, live);
  await leg.clock.run();
  return await running;
}

export async function runUrl(leg: FakeLeg, url: string, io: DocumentIo) {
  const running = runDocument(leg, { url }, io, live);
  await leg.clock.run();
  return await running;
}

/** What was heard: sound, detail, from and to in ms. */
export const heard = (leg: FakeLeg) =>
  leg.ear.report().heard.map(({ sound, detail, from_ms, to_ms }) => [sound, detail, from_ms, to_ms]);
