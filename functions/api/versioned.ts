import { BY_HEADER } from "../../shared/api/ruleset.ts";
import type { ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { holds, type Precondition, readPrecondition } from "./ruleset/precondition.ts";

/** What the request says of the version that it writes over, or the answer that asks for it. */
export function preconditionOf(c: ApiContext): Precondition | Response {
  const precondition = readPrecondition(c.req.raw.headers);
  if (precondition !== "missing" && precondition !== "malformed") return precondition;
  const message =
    'Say which version you write over: If-Match: "<hash>" (GET answers it as ETag), If-Match: * for whichever stands, If-None-Match: * for a first one.';
  return precondition === "missing"
    ? refusal(c, 428, "no_precondition", message)
    : refusal(c, 400, "bad_precondition", message);
}

/**
 * The answer where another version stands than the one to write over; null where it is that one.
 * @param standing Its hash; null where there is none. @param what `ruleset` or `record`.
 */
export function versionRefusal(
  c: ApiContext,
  precondition: Precondition,
  standing: string | null,
  what: string,
): Response | null {
  if (holds(precondition, standing)) return null;
  if (standing !== null) c.header("etag", `"${standing}"`);
  const message =
    standing === null
      ? `There is no ${what} yet: write the first with If-None-Match: *.`
      : `Another version stands: ${standing}. Read it, and write over that one.`;
  return refusal(c, 412, "version_differs", message);
}

/**
 * Who writes: the token's name, or with ADMIN_TOKEN what the client says of itself. Null where it does not, or says it in more than 100
 * characters of printable ASCII.
 */
export function writerOf(c: ApiContext): string | null {
  const caller = c.get("caller");
  if (caller.kind !== "admin") return caller.name;
  const given = c.req.header(BY_HEADER)?.trim() ?? "";
  return /^[\x20-\x7e]{1,100}$/.test(given) ? given : null;
}
