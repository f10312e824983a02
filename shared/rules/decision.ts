import type { JoinParameters } from "../conference.ts";

/** Words to be spoken to the caller, or media to be played: exactly one of the two. */
export type Spoken = { say: string; language?: string; voice?: string } | { play: string };

/** One condition of a rule and what came of it, in words for the person who wrote the rule. */
export interface Finding {
  /** The field as the rule names it: `to`, `headers.x-tier`, `place.room`. */
  field: string;
  holds: boolean;
  /** What was found and what was wanted, e.g. `"+15550100002" is not in list "vips"`. Never a secret. */
  why: string;
}

/** A rule that was looked at. Rules that an index ruled out without a look are not listed. */
export interface Look {
  rule: string;
  matched: boolean;
  findings: Finding[];
}

export type Action =
  | {
      action: "place";
      /** Plain names (without the tenant's prefix), in the order in which to try them; never empty. */
      rooms: [string, ...string[]];
      strategy: "first" | "emptiest";
      role: string;
      join: JoinParameters;
      announce?: Spoken;
    }
  | { action: "reject"; say?: Spoken; reason?: "busy" | "decline" | "hangup" }
  | { action: "hand_over"; swml?: string; cxml?: string };

/** What the rules say of one call. */
export type Decision = Action & {
  /** The rule that matched, or null where the tenant's fallback spoke. */
  rule: string | null;
  /** SHA-256 of the ruleset, hex. */
  ruleset: string;
  /** Milliseconds since the epoch. */
  decided_at: number;
  looked_at: Look[];
  /** How many more rules were looked at, in vain, than `looked_at` lists; absent where it lists them all. */
  more_looked_at?: number;
};
