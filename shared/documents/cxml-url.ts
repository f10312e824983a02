import type { ResumeUrl } from "./step.ts";

/** Characters of a URL that a document sends a call to: what browsers' and telephony servers' buffers are known to hold. */
const URL_LENGTH = 4_000;

/** Our URL with the state in its query, which the signature of the fetch covers. Null where it would be too long to be relied on. */
export function cxmlUrl({ dest, params, sealed }: ResumeUrl): string | null {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of [value].flat()) if (typeof one === "string") query.append(name, one);
  }
  query.set("partyline", sealed);
  const [url = "", fragment] = dest.split("#", 2);
  const whole = `${url}${url.includes("?") ? "&" : "?"}${query}${fragment === undefined ? "" : `#${fragment}`}`;
  return whole.length <= URL_LENGTH ? whole : null;
}
