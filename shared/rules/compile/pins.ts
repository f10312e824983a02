import { answerMatchers, type Match, wantsPins } from "../schema/match-schema.ts";
import type { Rule } from "../schema/ruleset.ts";

/** The answer that a match takes only as a PIN of KV: the one whose room `{pin.room}` is. */
export function pinTakenBy(match: Match): string | undefined {
  return answerMatchers(match).find(([, wanted]) => wantsPins(wanted))?.[0];
}

/** Whether any rule compares PINs of KV. Only what is asked is compared, so that only groups need to be searched. */
export function comparesPins(rules: readonly Rule[]): boolean {
  return rules.some(
    ({ rules: inner }) => inner?.some(({ match }) => matchesPins(match)) || comparesPins(inner ?? []),
  );
}

function matchesPins(match: Match): boolean {
  return pinTakenBy(match) !== undefined || (match.not !== undefined && matchesPins(match.not));
}
