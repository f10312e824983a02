import type { JoinParameters } from "../conference.ts";
import type { HandOver, Prompt, Reject, Spoken, WaitsFor } from "../rules/decision.ts";

/** How a call comes back to us from one of our documents. */
export interface ResumeUrl {
  /** Our own URL, as SignalWire reaches it. */
  dest: string;
  /** The caller's own params, from `callerParams`. */
  params: Record<string, unknown>;
  /** Our sealed state. */
  sealed: string;
}

/** What is heard before a room. */
export interface Heard {
  words: readonly Spoken[];
  /** The last of the words says that the call is recorded. */
  ends_with_notice?: true;
}

/** What holds for the call while it is in its room. */
export interface Staying {
  /** SignalWire ends the call after so many seconds. */
  max_duration_s?: number;
  /** Who takes the call when its conference is over; absent: it is hung up. */
  after?: HandOver;
  /** The caller's own params, which go along to the document that takes the call. */
  params: Record<string, unknown>;
}

/** The call is held for a moment, for what becomes of its join to be seen. */
interface Hold {
  does: "hold";
  ms: number;
  /** It was held before: silence would grow long. */
  ringing?: true;
  back: ResumeUrl;
  staying: Staying;
}

/** Whether the join arrived is not known: a ring, then back to settle it. */
interface Ring {
  does: "ring";
  back: ResumeUrl;
  staying: Staying;
}

/** The caller's own document joins. */
export interface Join {
  does: "join";
  /** Wire name. */
  room: string;
  join: JoinParameters;
  staying: Staying;
  /** Heard first: the call could not come back from a document that says only these. */
  before?: Heard;
  /** Where the document's language says nothing of how a join went: it comes back with that. */
  over?: ResumeUrl;
  /** Where the language says how a join went: whom to ask what that means. */
  asks?: AsksUs;
}

/** How a call comes back to us that can do without a sealed state: the URL names its placement. */
export interface AsksUs {
  dest: string;
  /** The caller's own params, from `callerParams`. */
  params: Record<string, unknown>;
  /** Our sealed state, where what was decided is needed once more. */
  sealed?: string;
  /**
   * Whatever the join's result is: RELAY's join of the same call may stand, so that no result says that the call is in no room.
   * Else only a result that does not say that the stay is over.
   */
  always: boolean;
  /** Also where the stay is over: a seat is kept for a caller who drops, and one who comes back alive was removed. */
  over?: true;
  /** Also where the join failed: seats are limited, and the session says what a caller hears who was one too many, or where to wait. */
  failed?: true;
}

/** The call stands in a line. */
export interface Waiting {
  does: "wait";
  for: WaitsFor;
  /** The words that tell the place in the line; absent where it is not to be said. */
  position?: Spoken;
  /** What is heard on arrival in the line; absent for one who stands there already. */
  announce?: Spoken;
  /** The https URL of a sound file; absent: whatever tells the caller that the line is alive. */
  music?: string;
  /** How long the music is, in seconds; absent while it has not been played to its end yet. */
  music_s?: number;
  /** How often the document asks before the call comes back, and how long it plays before each time, in seconds. */
  rounds: number;
  round_s: number;
  /** Asks how it stands, and goes on waiting with what is returned. */
  poll: ResumeUrl;
  /** Comes from the queue for good, or asks as a call that cannot return. */
  turn: ResumeUrl;
  /** What is done where the document's language can't wait. */
  otherwise: LastStep;
}

/** What is said or done last. */
export type LastStep =
  | ({ does: "reject" } & Omit<Reject, "action">)
  | ({ does: "hand_over"; params: Record<string, unknown> } & Omit<HandOver, "action">);

/**
 * What a call is to hear and to do next, in no document's language: the way of a call ends in one of these, whichever way it
 * came, and each language has one writer.
 */
export type Step =
  /** Heard before anything is placed, so RELAY has no part in it. */
  | ({ does: "announce"; back: ResumeUrl } & Heard)
  | { does: "ask"; prompt: Prompt; back: ResumeUrl }
  | Hold
  | Ring
  /** Nothing more for the document to do: the call goes on. With `staying` it may have to be answered first. */
  | { does: "stay"; staying?: Staying }
  /** Comes back to us after a moment, by the URL that names its placement. */
  | { does: "ask_again"; ms: number; ringing?: true; asks: AsksUs }
  | Join
  | Waiting
  /** What a poll is told: to stay, and at which place of the line; or to come. */
  | { does: "return"; value: "stay" | "come"; position?: Spoken }
  | LastStep
  /** Something broke on our side. */
  | { does: "apologise" }
  /** Nothing is meant for the caller, and the tenant names no fallback of its own. */
  | { does: "refuse" };
