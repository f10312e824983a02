export type Reading = boolean | number | string;

/**
 * Something that SignalWire's published material leaves open, or contradicts itself on. Nobody could try it live, so the
 * simulator has a switch for it, chaos draws its readings, and Partyline must be right under each.
 */
export interface OpenQuestion<R extends readonly [Reading, ...Reading[]] = readonly [Reading, ...Reading[]]> {
  /** The possible answers. The simulator takes the first one unless told otherwise. */
  readonly readings: R;
  /** The question, as one that begins with "Whether", "When", "What" or the like. Plain English, no full stop. */
  readonly question: string;
  /** What SignalWire publishes about it, and where; "nothing" where it publishes nothing. */
  readonly published: string;
  /**
   * harmful: under some reading a careless client strands, silences, hangs up on or wrongly records people.
   * degrading: under some reading joins get slower or go by document. harmless: tried, and no reading does harm.
   */
  readonly kind: "harmful" | "degrading" | "harmless";
  /** What Partyline does, so that it is right under every reading; and what a reading costs, if it costs anything. */
  readonly partyline: string;
}

/** Keeps the literal types of the readings. */
export function openQuestion<const R extends readonly [Reading, ...Reading[]]>(
  readings: R,
  told: Omit<OpenQuestion, "readings">,
): OpenQuestion<R> {
  return { readings, ...told };
}
