import { MASK, secretsOf } from "../functions/api/ruleset/secrets.ts";
import { parseRuleset } from "../shared/rules/check/parse.ts";
import { boundsProblem } from "../shared/rules/schema/bounds.ts";
import { type Position, readRulesetFile } from "./ruleset-file.ts";
import { type PlacedProblem, placed } from "./ruleset-problems.ts";

/** A file's ruleset as it is sent: `text` is the JSON of `value`. */
export type Prepared =
  | {
      ok: true;
      text: string;
      value: unknown;
      has_comments: boolean;
      positionOf(path: string): Position | null;
    }
  | { ok: false; unreadable: boolean; errors: PlacedProblem[]; warnings: PlacedProblem[] };

/**
 * Reads a ruleset's file and checks it as far as can be told here: what `***` stands for, and whether the tenant's
 * conferences carry a prefix, only the Worker knows.
 */
export async function prepare(file: string, tenant: string): Promise<Prepared> {
  const read = await readRulesetFile(file);
  if (!read.ok) {
    const unreadable = read.kind === "unreadable";
    const errors = unreadable ? [{ message: read.message }] : read.errors;
    return { ok: false, unreadable, errors: errors.map((error) => ({ path: "", ...error })), warnings: [] };
  }
  const bounds = boundsProblem(read.value);
  if (bounds !== null) {
    return { ok: false, unreadable: false, errors: placed([bounds], read.positionOf), warnings: [] };
  }
  const text = JSON.stringify(read.value);
  const parsed = parseRuleset(withStandIns(text), { tenant, plain: true, written: read.written });
  const { has_comments, positionOf } = read;
  if (parsed.ok) return { ok: true, text, value: JSON.parse(text), has_comments, positionOf };
  const [errors, warnings] = [parsed.errors, parsed.warnings];
  return {
    ok: false,
    unreadable: false,
    errors: placed(errors, read.positionOf),
    warnings: placed(warnings, read.positionOf),
  };
}

/** Each `***` as an HMAC of its own, which is fine for a token too. */
function withStandIns(text: string): unknown {
  const value: unknown = JSON.parse(text);
  for (const [index, { holder, key }] of secretsOf(value).found.entries()) {
    if (holder[key] === MASK) holder[key] = index.toString(16).padStart(64, "0");
  }
  return value;
}
