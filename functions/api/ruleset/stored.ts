import { boundsProblem } from "../../../shared/rules/schema/bounds.ts";
import { notJson } from "../not-json.ts";

/** A ruleset's text as read so far that its secrets can be found, good or bad; or why that is not so. */
export type Readable = { ok: true; value: unknown } | { ok: false; why: string };

export function readText(text: string): Readable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: notJson(text) };
  }
  const bad = boundsProblem(value);
  return bad === null
    ? { ok: true, value }
    : { ok: false, why: bad.path === "" ? bad.message : `${bad.path}: ${bad.message}` };
}
