/**
 * The states of a call that we make, and the only moves between them.
 *
 * queued: waits for its turn. sending: the command is on its way, or was when we stopped. dialing: RELAY took it. ringing,
 * answered: as its leg's events say. The rest is how it ended; full: no seat was left, and nobody was called.
 */
const moves = {
  queued: ["sending", "full", "failed", "canceled"],
  sending: ["queued", "dialing", "ringing", "answered", "busy", "no_answer", "failed", "canceled"],
  dialing: ["ringing", "answered", "busy", "no_answer", "failed", "canceled"],
  ringing: ["answered", "busy", "no_answer", "failed", "canceled"],
  answered: ["ended"],
  // The outcome's event says no more than `failed`; the leg's own may say why, and come after it.
  failed: ["busy", "no_answer"],
  full: [],
  busy: [],
  no_answer: [],
  canceled: [],
  ended: [],
} as const satisfies Record<string, readonly string[]>;

export type DialState = keyof typeof moves;

export const dialStates = Object.keys(moves) as DialState[]; // The table is a constant: it has no other keys.

/** What happened to a call that we make; in any order, twice, late or never. */
export type DialEvent =
  | { on: "turn"; has_seat: boolean }
  | { on: "taken" }
  | { on: "unsent" }
  | { on: "refused"; why: string }
  | { on: "ringing" }
  | { on: "answered" }
  /** `end_reason` as SignalWire spells it. */
  | { on: "ended"; end_reason: string }
  /** calling.call.dial said so. */
  | { on: "failed"; why: string }
  /** It rings no more, and nothing was heard of how that ended. `has_leg`: the call itself is known, and can be commanded. */
  | { on: "overdue"; has_leg: boolean }
  | { on: "canceled" };

export interface DialChange {
  state: DialState;
  reason: string;
  /** send: calling.dial goes out in this turn. join: the leg is to be put into its room. end: the leg is to be hung up. */
  act: "nothing" | "send" | "join" | "end";
}

/** What an event changes; null: nothing. */
export function dialChange(was: DialState, event: DialEvent): DialChange | null {
  switch (event.on) {
    case "turn":
      return event.has_seat
        ? move(was, "sending", "sent", "send")
        : move(was, "full", "no seat is left, so nobody was called");
    case "taken":
      return move(was, "dialing", "RELAY took it");
    case "unsent":
      // It never was on the wire, or was not carried out: its turn comes again.
      return was === "sending" ? move(was, "queued", "could not be made yet") : null;
    case "refused":
      return isOpen(was) ? move(was, "failed", event.why) : null;
    case "ringing":
      return move(was, "ringing", "ringing");
    case "answered":
      if (was === "answered" || was === "ended") return null;
      // The dial is over: a callee who answers so late must not stay on the line.
      return (
        move(was, "answered", "answered", "join") ?? { state: was, reason: "answered too late", act: "end" }
      );
    case "ended":
      return ended(was, event.end_reason);
    case "failed":
      return isOpen(was) ? move(was, "failed", event.why) : null;
    case "overdue":
      // Silence is no reason to end a call that may have been answered. A join tells: one that is over is refused.
      return event.has_leg
        ? move(was, "answered", "nothing was heard of how its ringing ended", "join")
        : dialChange(was, { on: "failed", why: "nothing was heard of it" });
    case "canceled":
      return move(was, "canceled", "canceled by an operator", was === "queued" ? "nothing" : "end");
    default:
      return event satisfies never;
  }
}

/** What REST's word for a call, the compatibility API's or RELAY's, tells of one that rang when we lost sight of it; null: nothing new. */
export function dialEventOf(status: string): DialEvent | null {
  switch (status) {
    case "in-progress":
    case "answered":
      return { on: "answered" };
    case "busy":
      return { on: "ended", end_reason: "busy" };
    case "no-answer":
      return { on: "ended", end_reason: "noAnswer" };
    case "completed":
    case "ended":
    case "failed":
    case "canceled":
      return { on: "ended", end_reason: status };
    default:
      return null;
  }
}

/** Whether it may yet be answered. */
export function isOpen(state: DialState): boolean {
  return isUnderWay(state) || state === "queued";
}

/** Whether a phone rings for it, or may. */
export function isUnderWay(state: DialState): boolean {
  return state === "sending" || state === "dialing" || state === "ringing";
}

function ended(was: DialState, end_reason: string): DialChange | null {
  if (was === "answered") return move(was, "ended", end_reason);
  switch (end_reason) {
    case "busy":
      return move(was, "busy", "the line is busy");
    case "noAnswer":
      return move(was, "no_answer", "nobody answered");
    default:
      return isOpen(was) ? move(was, "failed", `the call ended: ${end_reason}`) : null;
  }
}

function move(
  was: DialState,
  to: DialState,
  reason: string,
  act: DialChange["act"] = "nothing",
): DialChange | null {
  return (moves[was] as readonly DialState[]).includes(to) ? { state: to, reason, act } : null;
}

/** When the next call may be made, so that no more than `per_s` go out in any second; ms since the epoch. */
export function nextDialAt(last_sent_at: number | null, per_s: number): number {
  return last_sent_at === null ? 0 : last_sent_at + Math.ceil(1_000 / per_s);
}
