import { pathAndQuery, type SignedJson, signedUrls, verifyJson, withFragment } from "./signature.ts";
import { spellingsOf, unlikelySpellingsOf } from "./url-spellings.ts";

export type DiagnosisCode =
  | "unsigned"
  | "malformed"
  | "no_key"
  | "sha1_only"
  | "scheme"
  | "host"
  | "port"
  | "query"
  | "escapes"
  | "trailing_slash"
  | "body"
  | "too_large"
  | "another_key";

/** Why a signature failed, as the log may show it: no key, no signature, no query. */
export interface Diagnosis {
  code: DiagnosisCode;
  sentence: string;
}

/** The URL was signed as it was pasted, and something on the way escapes its characters otherwise than we can undo. */
export const escapedOtherwise: Diagnosis = {
  code: "escapes",
  sentence:
    "The key is right, but the query that was signed has characters escaped otherwise than the one that came: keep the query of the URL pasted at SignalWire to letters, digits and - . _ ~, and percent-encode the rest in capitals (%22).",
};

export interface Unverified extends Omit<SignedJson, "urls"> {
  public_url: string;
  /** The request's own URL: its path and query are what was signed, its origin is a guess at what was pasted. */
  received_url: string;
  fragment?: string;
}

/** Bodies over this many bytes are not looked into: a diagnosis hashes the body about a hundred times. */
const bodyLimit = 65_536;

/**
 * Finds what about a webhook whose signature failed would have to be otherwise for it to be right.
 * Only for requests that {@link verifyJson} refused with the same keys and URLs.
 */
export async function diagnoseJson(request: Unverified): Promise<Diagnosis> {
  const { sha1, sha256, keys, raw } = request;
  if (!keys.some((key) => key !== "")) {
    return { code: "no_key", sentence: "No signing key is configured for this tenant's project." };
  }
  const urls = signedUrls(request.public_url, request.received_url, request.fragment);
  const verdict = await verifyJson({ ...request, urls });
  if (!verdict.ok && verdict.reason === "unsigned") {
    return { code: "unsigned", sentence: "The request carries no SignalWire signature header." };
  }
  if (!verdict.ok && verdict.reason === "malformed") {
    return { code: "malformed", sentence: "The signature header does not hold a digest in hex." };
  }
  if (raw.length > bodyLimit) {
    return {
      code: "too_large",
      sentence: `The signature is wrong; the cause is looked for only in bodies up to ${bodyLimit} bytes.`,
    };
  }
  if (sha1 !== undefined && sha256 !== undefined && (await verifyJson({ raw, urls, sha1, keys })).ok) {
    return {
      code: "sha1_only",
      sentence: "The SHA-1 signature is right and the SHA-256 signature is wrong; the latter alone counts.",
    };
  }
  for (const body of reencodings(raw)) {
    if ((await verifyJson({ ...request, raw: body, urls })).ok) {
      return {
        code: "body",
        sentence:
          "The URL is right, but the body was re-encoded on its way: something before us rewrites it.",
      };
    }
  }
  const escaped = withFragment(unlikelySpellingsOf(urls[0] ?? ""), request.fragment);
  if ((await verifyJson({ ...request, urls: escaped })).ok) return escapedOtherwise;
  for (const { url, code, sentence } of otherUrls(request)) {
    const plausible = withFragment(spellingsOf(url), request.fragment);
    if ((await verifyJson({ ...request, urls: plausible })).ok) return { code, sentence };
  }
  return {
    code: "another_key",
    sentence: "No likely URL fits: it was signed with another key, or it does not come from SignalWire.",
  };
}

/** The body as it would be had something parsed and printed it, or trimmed it, before we got it. */
function reencodings(raw: Uint8Array): Uint8Array[] {
  const text = new TextDecoder().decode(raw);
  const found = [text.trim()];
  try {
    const parsed: unknown = JSON.parse(text);
    found.push(JSON.stringify(parsed), JSON.stringify(parsed, null, 2));
  } catch {
    // Not JSON, or nested deeper than can be printed: nothing to re-encode.
  }
  return found
    .filter((candidate) => candidate !== text)
    .map((candidate) => new TextEncoder().encode(candidate));
}

interface Variation extends Diagnosis {
  url: string;
  differences: number;
}

interface Origin {
  scheme: string;
  host: string;
  /** As written: `:443` after https is a port too, for it is signed as it stands. */
  port: string;
}

/** Every URL that might have been pasted instead of the configured one, those with the fewest differences first. */
export function otherUrls({
  public_url,
  received_url,
}: Pick<Unverified, "public_url" | "received_url">): Variation[] {
  const [url = ""] = signedUrls(public_url, received_url);
  const configured = originOf(url);
  const received = originOf(received_url);
  if (configured === undefined || received === undefined) return [];
  const found: Variation[] = [];
  for (const scheme of ["https", "http"]) {
    for (const host of new Set([configured.host, received.host])) {
      for (const port of new Set(["", scheme === "https" ? "443" : "80", configured.port, received.port])) {
        for (const end of tails(pathAndQuery(url))) {
          const codes: DiagnosisCode[] = [];
          if (host !== configured.host) codes.push("host");
          if (scheme !== configured.scheme) codes.push("scheme");
          if (port !== configured.port) codes.push("port");
          if (end.code !== undefined) codes.push(end.code);
          const [code] = codes;
          if (code === undefined) continue;
          const origin = `${scheme}://${host}${port === "" ? "" : `:${port}`}`;
          const sentence = sentenceOf(codes, origin);
          found.push({ url: origin + end.text, code, differences: codes.length, sentence });
        }
      }
    }
  }
  return found.sort((a, b) => a.differences - b.differences);
}

function originOf(url: string): Origin | undefined {
  const parts = /^(https?):\/\/([^/?#:@]+|\[[^\]/]+\])(?::(\d+))?(?=[/?#]|$)/i.exec(url);
  if (parts === null) return undefined;
  const [, scheme = "", host = "", port = ""] = parts;
  return { scheme: scheme.toLowerCase(), host, port };
}

function tails(tail: string): { text: string; code?: DiagnosisCode }[] {
  const [path = ""] = tail.split("?", 1);
  const query = tail.slice(path.length);
  const toggled = path.endsWith("/") ? path.slice(0, -1) : `${path}/`;
  const found: { text: string; code?: DiagnosisCode }[] = [{ text: tail }];
  if (query !== "") found.push({ text: path, code: "query" });
  found.push({ text: toggled + query, code: "trailing_slash" });
  return found;
}

function sentenceOf(codes: readonly DiagnosisCode[], origin: string): string {
  const differences: string[] = [];
  if (codes.some((code) => code === "host" || code === "scheme" || code === "port")) {
    differences.push(`it begins with ${origin}`);
  }
  if (codes.includes("query")) differences.push("it has no query");
  if (codes.includes("trailing_slash")) differences.push("its path differs by a slash at the end");
  return `The key is right, but the URL that was signed is another than configured: ${differences.join(" and ")}. Make PUBLIC_URL (or the tenant's public_url) and the URL pasted at SignalWire the same.`;
}
