import type { Finding } from "../../../shared/api/doctor.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { isLoopback } from "./loopback.ts";

/** The URL that was pasted, in the parts that it is written in: a signature covers it to the letter. */
export interface PastedUrl {
  scheme: string;
  /** Scheme, host and port as written, without a user and password: those are not signed. */
  origin: string;
  path: string;
  /** With its `?`; may hold a secret. */
  query: string;
  /** Without its `#`. */
  fragment: string;
}

/** Null: not a URL that a webhook could be fetched from. */
export function readPastedUrl(pasted: string): PastedUrl | null {
  const parts = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@\s]+)([^?#\s]*)(\?[^#\s]*)?(?:#(\S*))?$/i.exec(pasted);
  if (parts === null || !URL.canParse(pasted)) return null;
  const [, scheme = "", host = "", path = "", query = "", fragment = ""] = parts;
  return { scheme: scheme.toLowerCase(), origin: `${scheme}://${host}`, path, query, fragment };
}

/** The language that the number is set up for, as the pasted URL has it. */
export function languageOf({ path }: Pick<PastedUrl, "path">): "swml" | "cxml" {
  return /\/cxml\/*$/.test(path) ? "cxml" : "swml";
}

/** The path of the tenant's webhook, as SignalWire sees it: a public URL may have a path of its own before ours. */
export function webhookPath(tenant: string, public_url: string, language: "swml" | "cxml"): string {
  return `${new URL(public_url).pathname.replace(/\/+$/, "")}/hooks/${tenant}/${language}`;
}

/** What can be said of the pasted URL by itself; whether its origin is the one that signatures are checked against comes later. */
export function urlFindings(
  url: PastedUrl | null,
  id: string,
  tenant: Tenant | null,
  public_url: string,
): Finding[] {
  if (!url) {
    const message = "What was pasted is not an http(s) URL, or holds a blank.";
    return [
      wrong(
        message,
        `It should look like https://partyline.example.com${webhookPath(id, public_url, "swml")}`,
      ),
    ];
  }
  const findings = [
    ...schemeFindings(url),
    ...pathFindings(url, webhookPath(id, public_url, languageOf(url))),
    ...(tenant ? fragmentFindings(url, tenant) : []),
  ];
  if (findings.some(({ ok }) => !ok)) return findings;
  return [{ check: "url", ok: true, message: "The pasted URL leads to the tenant's webhook." }, ...findings];
}

function schemeFindings({ scheme, origin }: PastedUrl): Finding[] {
  if (scheme === "https" || isLoopback(new URL(origin).hostname)) return [];
  const message = "The pasted URL is http: calls' numbers, and all that callers send, would travel readable.";
  return [wrong(message, `Paste it with https: ${origin.replace(/^http/i, "https")}…`)];
}

function pathFindings({ path }: PastedUrl, expected: string): Finding[] {
  if (path === expected) return [];
  const message =
    path === `${expected}/`
      ? "The pasted URL's path ends in a slash, and there is nothing at that path."
      : `The pasted URL's path is ${path.slice(0, 200) || "empty"}, and the tenant's webhook is elsewhere.`;
  return [wrong(message, `Paste the path as ${expected}`)];
}

function fragmentFindings({ fragment }: PastedUrl, { tenant, record }: Tenant): Finding[] {
  const { url_fragment = "" } = record;
  if (fragment === url_fragment) return [];
  if (fragment === "") {
    const message = `The tenant's record has the url_fragment ${url_fragment}, and the pasted URL has none: SignalWire's own time limits hold.`;
    const fix = `Paste the URL with #${url_fragment} at its end, or take url_fragment out of tenant/${tenant}.`;
    return [{ check: "url", ok: true, message, fix }];
  }
  // Whether SignalWire signs the fragment is not documented: where it does, only the one in the record verifies.
  const shown = fragment.slice(0, 100);
  const message = `The pasted URL ends in #${shown}, and the tenant's record has ${url_fragment === "" ? "no url_fragment" : `the url_fragment ${url_fragment}`}: signatures may be made over a URL that is not expected.`;
  return [wrong(message, `Set "url_fragment": ${JSON.stringify(shown)} in tenant/${tenant}.`)];
}

function wrong(message: string, fix: string): Finding {
  return { check: "url", ok: false, message, fix };
}
