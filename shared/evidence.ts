/**
 * What SignalWire can tell about a participant, and what each thing is worth: the one table by which seats are freed and calls
 * are ended. Used wherever the session learns something of a call: events, callbacks, commands, call statuses, REST lists.
 *
 * Freeing a seat and ending a call are different acts. A wrong free costs a flagged extra caller; a wrong end drops a person.
 */

export interface Verdict {
  /**
   * freed: the participant is out. released: the seat is not counted, the participant is flagged `presumed_gone`, and a join, an
   * event or a list brings the seat back. kept: nothing changes.
   */
  seat: "freed" | "released" | "kept";
  /**
   * ended: the call is ended, or goes where the rule says `after`; nothing is sent to a call whose own document joined.
   * over: recorded as over, and no command is sent. untouched: nothing is done to it.
   */
  call: "ended" | "over" | "untouched";
}

export const verdicts = {
  /** A leave or an end of this conference, newer than the join, that none of our own acts caused: by RELAY, signed, or `<Dial action>`. */
  out: { seat: "freed", call: "ended" },
  /** The call itself has ended: by its state, its status, or a refusal that can mean nothing else. */
  over: { seat: "freed", call: "over" },
  /** A leave with the tenant's token and without a signature. */
  unsigned_leave: { seat: "released", call: "untouched" },
  /** The same with a second source: a signed event, a call status, or two proved lists without it. */
  confirmed_leave: { seat: "freed", call: "ended" },
  /** The size that events tell stays below our count. */
  size_below: { seat: "released", call: "untouched" },
  /** One complete list of a proved REST without it. */
  missing: { seat: "released", call: "untouched" },
  /** There was cause for doubt, and no evidence either way for as long as the project waits (`session.seat_doubt_s`). */
  doubted_too_long: { seat: "released", call: "untouched" },
  /** A list that is empty, cut, late, paged out, refused, or of an unproved REST; any other 404. */
  nothing: { seat: "kept", call: "untouched" },
} as const satisfies Record<string, Verdict>;

export type Evidence = keyof typeof verdicts;

/** Compatibility API and voice logs: the words for a call that is no more. */
const OVER = new Set(["completed", "ended", "busy", "failed", "no-answer", "canceled"]);
/** The words for one that lives. */
const ALIVE = new Set([
  "queued",
  "initiated",
  "created",
  "ringing",
  "answered",
  "joined",
  "in-progress",
  "ending",
]);

/** What a call's status says of it; null: nothing, as of a call that the API does not know. */
export function evidenceOfStatus(status: string | null): "over" | "alive" | "nothing" {
  if (status === null) return "nothing";
  return OVER.has(status) ? "over" : ALIVE.has(status) ? "alive" : "nothing";
}

/** Which side has taken a command for this very call before. */
export interface Taken {
  /** The `protocol` of the RELAY session that took one; null: none did. */
  relay: string | null;
  rest: boolean;
}

/**
 * What the refusal of a command says of the call. A 410 says that it was there and is gone. A 404 may mean "not visible from
 * here": it counts only where that side took a command for this very call before.
 * @param protocol of the RELAY session as it is now.
 */
export function evidenceOfRefusal(
  by: "relay" | "rest",
  code: string,
  taken: Taken,
  protocol: string | null,
): "over" | "nothing" {
  if (code === "410") return "over";
  if (code !== "404") return "nothing";
  const isKnown = by === "rest" ? taken.rest : taken.relay !== null && taken.relay === protocol;
  return isKnown ? "over" : "nothing";
}

/** How a call came, and how it was joined: REST may list one kind and not another. */
export interface Kind {
  ingress: "swml" | "cxml" | "relay";
  joined_by: "relay" | "document" | null;
}

/** A participant, as far as a REST list can speak of it. */
export interface Listable extends Kind {
  call_id: string;
  /** RELAY's id of the conference that it joined; null where nobody told it. */
  conference_id: string | null;
  /** Seen to join by an event, and nothing speaks against it since. */
  isConfirmed: boolean;
  /** When it joined, or should have; ms. */
  since: number;
}

/** What REST lists under one name. Calls by the ids that we know them by; `strangers` are all others. */
export interface Listed {
  /** False where anything was cut, refused, empty, repeated or left out: what is not in it means nothing then. */
  complete: boolean;
  conferences: readonly { call_ids: ReadonlySet<string> }[];
}

/** REST may lag by so much: what happened more recently may be missing from what it lists. */
export const LIST_LAG_MS = 30_000;
/**
 * Whether a list that was asked for then may show a call in a room that it has left: it may be older than the leave.
 * @param left_ts SignalWire's time of the newest leave, seconds; null where none was told of.
 */
export function mayShowWhoLeft(left_ts: number | null, asked_at: number): boolean {
  return left_ts !== null && asked_at - left_ts * 1000 < LIST_LAG_MS;
}

/** Two lists are two only if they are so far apart. */
export const LISTS_APART_MS = 30_000;
/** A size that stays below our count for so long is believed. */
export const SIZE_BELOW_MS = 30_000;

/**
 * Whether a list says that a participant is in its room, is missing, or nothing. Missing needs proof that this list would show
 * it: the same complete answer lists another confirmed call of the same kind in the same conference.
 * @param others the room's participants, this one among them or not.
 */
export function evidenceOfList(
  listed: Listed,
  subject: Listable,
  others: readonly Listable[],
  asked_at: number,
): "present" | "missing" | "nothing" {
  if (listed.conferences.some(({ call_ids }) => call_ids.has(subject.call_id))) return "present";
  if (!listed.complete || subject.conference_id === null || subject.since > asked_at - LIST_LAG_MS) {
    return "nothing";
  }
  const isProof = (other: Listable): boolean =>
    other.call_id !== subject.call_id &&
    other.isConfirmed &&
    other.conference_id === subject.conference_id &&
    other.ingress === subject.ingress &&
    other.joined_by === subject.joined_by;
  const isProved = listed.conferences.some(({ call_ids }) =>
    others.some((other) => isProof(other) && call_ids.has(other.call_id)),
  );
  return isProved ? "missing" : "nothing";
}

/** What was found out about a participant since somebody unsigned said that it left. */
export interface Doubted {
  /** When that was said, ms. */
  unsigned_leave_at: number | null;
  /** When the first proved list without it was asked for, ms. */
  missed_at: number | null;
}

/** What one more proved list without the participant amounts to. */
export function evidenceOfMissing({ unsigned_leave_at, missed_at }: Doubted, asked_at: number): Evidence {
  if (unsigned_leave_at === null || missed_at === null || missed_at < unsigned_leave_at) return "missing";
  return asked_at - missed_at >= LISTS_APART_MS ? "confirmed_leave" : "missing";
}

/** How many of those that we count in a conference are too many, by the size that events told for {@link SIZE_BELOW_MS}. */
export function tooMany(counted: number, size: number, below_since: number, now: number): number {
  return now - below_since < SIZE_BELOW_MS ? 0 : Math.max(0, counted - size);
}
