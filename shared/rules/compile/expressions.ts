import type { Match } from "../schema/match-schema.ts";
import { type Compiled, compileExpression } from "./expression.ts";

/** By the match that holds the `when`: what the checks have compiled is not compiled again for deciding. */
const compiled = new WeakMap<Match, Compiled>();

/** The match's `when` compiled, or what is wrong with it; null where it has none. */
export function compiledOf(match: Match): Compiled | null {
  if (match.when === undefined) return null;
  const known = compiled.get(match);
  if (known !== undefined) return known;
  const made = compileExpression(match.when);
  compiled.set(match, made);
  return made;
}

/** For a match in which the checks found nothing. */
export function expressionOf(match: Match): (Compiled & { ok: true }) | null {
  const found = compiledOf(match);
  return found?.ok === true ? found : null;
}
