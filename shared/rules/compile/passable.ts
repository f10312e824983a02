import { answerMatchers, type Match } from "../schema/match-schema.ts";
import type { Condition, Named } from "./conditions.ts";
import { type Schedule, schedulesOf } from "./schedule.ts";
import type { TextsCompared } from "./texts-compared.ts";

/** Rules are passed over by what stands behind other conditions only where all of them together read so few things. */
const MANY_READS = 32;

/** What a rule may be passed over by, though conditions before it were not looked at. */
export interface Passable {
  compared: TextsCompared;
  /** The schedules of which one must be open; null where that is not so of any. */
  during: readonly Schedule[] | null;
}

const NOTHING: Passable = { compared: { to: null, from: null }, during: null };

/**
 * What each rule may be passed over by, and all that those rules read. Whether a value is too large is to be told as if they were
 * looked at in order. Where an answer is compared it is, for a wrong one counts.
 */
export function passableBy(
  matches: readonly Match[],
  conditionsOf: readonly (readonly Condition[])[],
  { schedules, expressionOf }: Named,
): { passable: Passable[]; reads: number[] } {
  const reads = new Set<number>();
  const passable = matches.map((match, position): Passable => {
    if (match.when === undefined && match.during === undefined) return NOTHING;
    if (comparesAnswers(match)) return NOTHING;
    const compared = expressionOf(match)?.compared ?? NOTHING.compared;
    const during = match.during === undefined ? null : schedulesOf(match.during, schedules);
    if (compared.to === null && compared.from === null && during === null) return NOTHING;
    const own = new Set(conditionsOf[position]?.flatMap(({ cost }) => cost.reads));
    const more = [...own].filter((read) => !reads.has(read));
    if (reads.size + more.length > MANY_READS) return NOTHING;
    for (const read of more) reads.add(read);
    return { compared, during };
  });
  return { passable, reads: [...reads] };
}

function comparesAnswers(match: Match): boolean {
  return answerMatchers(match).length > 0 || (match.not !== undefined && comparesAnswers(match.not));
}
