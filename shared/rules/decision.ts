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
  /** The rule is a group whose match held: its rules, where any was looked at, are listed after it. */
  entered?: true;
  findings: Finding[];
}

export interface Reject {
  action: "reject";
  say?: Spoken;
  reason?: "busy" | "decline" | "hangup";
}

export interface HandOver {
  action: "hand_over";
  swml?: string;
  cxml?: string;
}

/** What is done where nothing else can be. */
export type Refusal = Reject | HandOver;

/** Whom a coach coaches: the one live participant that fits, looked for when joining. Exactly one of `call_from`, `role`. */
export interface Coach {
  call_from?: string;
  role?: string;
  /** listen: joins muted, and coaches nobody. */
  if_absent: "listen" | Refusal;
  if_several: "oldest" | "newest" | "listen" | Refusal;
}

/** What a caller may have to wait for, in this order. seat: where no room has one. */
export type WaitsFor = "admission" | "moderator" | "seat";

/** How a caller waits before the room; not in it, for nothing of SignalWire's ends a wait there. */
export interface Wait {
  for: [WaitsFor, ...WaitsFor[]];
  /** The longest wait, in seconds from the caller's arrival in the line: 10 to 7200. */
  max_s: number;
  /** The https URL of a sound file that is played again and again; absent: ringing. */
  music?: string;
  /** What tells callers their place in the line, again and again: `{position}` in it stands for that. Absent: nothing does. */
  position_words?: Spoken;
  /** What is heard on arrival in the line. */
  announce?: Spoken;
  /** What is done at the maximum, and where an operator does not admit the caller. */
  otherwise: Refusal;
}

/** What holds for a room from when a caller comes in on. */
export interface Policies {
  lock?: "refuse" | "lobby";
  /** Everybody is muted but for these roles. */
  mute_all?: { except: string[] };
  /** Of a moderator: what happens when the last one has left. */
  when_moderator_leaves?: {
    after_s: number;
    then: "end" | "mute_all" | "lock" | "nothing";
    say?: string;
  };
}

export interface Place {
  action: "place";
  /** Plain names (without the tenant's prefix), in the order in which to try them; never empty. */
  rooms: [string, ...string[]];
  /** As many names, with the addresses in them as they came: a conference that lives under such a name keeps it. */
  rooms_before?: [string, ...string[]];
  strategy: "first" | "emptiest";
  role: string;
  join: JoinParameters;
  /** Heard before the room, in order. `{number}` in it stands for the caller's number in the room, not known before. */
  announce?: [Spoken, ...Spoken[]];
  /** The last of `announce` says that the call is recorded: it must be heard. */
  announces_recording?: true;
  /** Heard before the room, too, if its conference is known to be recorded; by who is inside when that begins, then. */
  recording_notice?: Spoken;
  wait?: Wait;
  /** A caller who drops comes back to the same seat so long, without announcement or question; 1 to 3600. */
  rejoin_s?: number;
  /** Seats of each room; absent where nobody counts. */
  capacity?: number;
  /** What is done where no room has a seat; there whenever `capacity` is. */
  when_full?: Refusal;
  /** A caller with the same key comes back to the room they were in, if it is one of `rooms` and lives. */
  sticky_key?: string;
  coach?: Coach;
  /** Who takes the call when its conference is over; absent: it is hung up. */
  after?: HandOver;
  /** How long the call may last, 10 to 86400. */
  max_duration_s?: number;
  policies?: Policies;
  /** Operators are told who speaks. */
  speaking?: true;
}

export type Action = Place | Reject | HandOver;

/** A question, as it is to be asked now. */
export interface Prompt {
  /** The name of the answer. */
  name: string;
  /** What is heard, in order: what was wrong with the last answer, if there was one, and the question. */
  words: [Spoken, ...Spoken[]];
  min_digits: number;
  max_digits: number;
  /** The key that ends the answer; absent: the last digit does, or a pause. */
  terminator?: "#" | "*";
  /** true: what is keyed goes into no log, and only its HMAC into `Answers`. */
  secret: boolean;
  /** Which try this is, from 1; goes back into `Answers` with what comes of it. */
  try: number;
}

/** Questions that are open, in the order in which to ask them: all but the first can wait for their own document. */
export interface Ask {
  action: "ask";
  ask: [Prompt, ...Prompt[]];
}

/** Where a decision would have taken more than one may. */
export interface OverBudget {
  /** The rule that was being looked at. */
  rule: string;
  /** The value that is larger than a rule may read, e.g. `params.tags`, or `steps`. */
  what: string;
}

interface Reasons {
  /** The rule that matched, or null where the tenant's fallback spoke. */
  rule: string | null;
  /** SHA-256 of the ruleset, hex. */
  ruleset: string;
  /** Milliseconds since the epoch. */
  decided_at: number;
  looked_at: Look[];
  /**
   * The secret question that was answered wrongly: rules compared its answer, and no match on the way to what is done took
   * it. One answer is one wrong try however often it is decided on: `Answers[name].tries` tells its tries apart.
   * Absent where no secret was compared, or what was keyed is right.
   */
  after_wrong?: string;
  /** How many more rules were looked at, in vain, than `looked_at` lists; absent where it lists them all. */
  more_looked_at?: number;
  /** Why the fallback spoke before all rules were looked at; absent where they were, or one matched. */
  over_budget?: OverBudget;
}

/** What the rules say of one call. */
export type Decision = Action & Reasons;

/** What they need to know first. */
export type Question = Ask & Reasons;
