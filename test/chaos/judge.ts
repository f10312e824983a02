import type { CallRecord, Stay } from "./call-record.ts";
import { LOCKED_MS } from "./operators.ts";
import { AFTERLIFE_MS } from "./player.ts";
import { APOLOGY, FULL, GOODBYE, LINE } from "./rules.ts";
import { silenceAfter, silenceBefore } from "./silence.ts";

/** What must never happen. */
export const crimes = [
  "stranded",
  "silent_over_10_s",
  "in_two_places",
  "second_relay_join",
  "sent_after_deadline",
  "wrong_conference",
  "webhook_over_5_s",
  "left_alive_after_conference",
  "ended_while_in_conference",
  "ended_by_rejoin",
  "forgotten",
  "served_twice",
  "said_and_not_done",
] as const;

export type Crime = (typeof crimes)[number];

const SILENCE_MS = 10_000;
const WEBHOOK_MS = 5_000;
/** `join_deadline_ms` of a tenant that sets none, counted from the webhook's receipt. */
const JOIN_DEADLINE_MS = 2_000;
/** A document that puts a call back where it has just been taken out does so sooner: a hold takes 3 s, and a webhook up to 5. */
const AGAIN_MS = 8_000;
/** What a caller hears who is held, by a document or by RELAY, and how often that fits into the time for which one is held. */
const HELD_RING = { document: "ring:3:us", relay: "ring:2:us" };
const HELD_RINGS = 21;
const noPin = [GOODBYE, "There were too many wrong entries.", "PINs cannot be taken right now."];
/** For the way there and for a busy machine. */
const TOLERANCE_MS = 250;
/** How much longer than they last short words are waited for if their end is lost on the way. */
const UNTOLD_MS = 6_000;

const JOIN = "calling.join_conference";
const IN_ROOM = new Set(["music", "conference"]);
const SPOKEN = new Set(["say", "audio"]);
const ENDS = new Set(["hangup", "Hangup", "Reject"]);
/** Why a call ended whose time was over. */
export const MAX_DURATION = "max_duration";

/** What one call has to complain of; each from what the carrier saw, none from what the Worker says. */
export function crimesOf(record: CallRecord): Crime[] {
  return crimes.filter((crime) => checks[crime](record));
}

const checks: Record<Crime, (record: CallRecord) => boolean> = {
  stranded,
  silent_over_10_s: isSilent,
  in_two_places: inTwoPlaces,
  second_relay_join: (record) => relayJoins(record).length > 1,
  sent_after_deadline: sentLate,
  wrong_conference: ({ stays, planned: { room, overflow = [], tenant }, operated }) => {
    const moved = operated.flatMap(({ act }) => ("to" in act ? [`${tenant}:${act.to}`] : []));
    return stays.some((stay) => stay.room !== room && ![...overflow, ...moved].includes(stay.room));
  },
  webhook_over_5_s: ({ webhooks }) => webhooks.some(({ ms }) => ms > WEBHOOK_MS),
  left_alive_after_conference: leftAlive,
  ended_while_in_conference: endedInside,
  ended_by_rejoin: endedByRejoin,
  forgotten: (record) => waited(record) && record.stays.length === 0 && isOnTheLine(record),
  served_twice: ({ planned, stays }) =>
    planned.kind === "queue" && stays.some(({ from }, index) => from > endOf(stays[index - 1]) + AGAIN_MS),
  said_and_not_done: ({ operated }) =>
    operated.some(({ act, status, was_so }) => "call_id" in act && status === 200 && was_so === false),
};

/** An operator's control goes on for a minute after its answer, should nothing be seen of it. */
const CONTROLLED_MS = 60_000;

/** Operators removed the call, or ended the conference that it was in or on its way to. */
function wasEndedByOperators({ operated, ended_at }: CallRecord): boolean {
  return operated.some(
    ({ act, asked_at, answered_at }) =>
      (act.act === "remove" || act.act === "end") &&
      ended_at !== null &&
      ended_at >= asked_at &&
      ended_at <= answered_at + CONTROLLED_MS,
  );
}

/** The room was locked while the call was on its way there. */
function wasLockedOut({ operated, ended_at, call }: CallRecord): boolean {
  return operated.some(
    ({ act, asked_at, answered_at }) =>
      act.act === "lock" &&
      ended_at !== null &&
      asked_at <= ended_at &&
      answered_at + LOCKED_MS + TOLERANCE_MS >= call.began_at,
  );
}

/** Whether the call has stood in the line. */
export function waited({ heard }: CallRecord): boolean {
  return heard.heard.some(({ detail }) => detail === LINE);
}

/** The caller has not hung up, and the call was not ended. */
function isOnTheLine({ hung_up_at, ended_at, given_up }: CallRecord): boolean {
  return hung_up_at === null && ended_at === null && !given_up;
}

/**
 * No document could be run; or a caller who was meant for a room, and stayed, never came into it; or one who was not, or whom
 * a context's client took, was left on the line.
 */
function stranded(record: CallRecord): boolean {
  const { call, planned, stays, hung_up_at, given_up, received_at } = record;
  if (call.stranded) return true;
  // A call that no client ever got word of is nobody's: it rings until its caller gives up.
  if (given_up) return received_at !== null;
  if (planned.room === null) return isOnTheLine(record);
  if (isHeld(record) || wasEndedByOperators(record) || wasLockedOut(record)) return false;
  return stays.length === 0 && hung_up_at === null && !wasToldWhy(record);
}

/** Whose leave would end the conference is held for a minute at most while nothing says where it is: the run may end before that. */
function isHeld(record: CallRecord): boolean {
  const ring = HELD_RING[record.planned.way === "relay" ? "relay" : "document"];
  const rings = record.heard.heard.filter(({ detail }) => detail === ring);
  const last = record.heard.heard.at(-1);
  return isOnTheLine(record) && last?.detail === ring && rings.length <= HELD_RINGS;
}

/**
 * All seats are taken where nobody waits for one; a PIN was wrong, or could not be looked at. A call by context is moved by RELAY,
 * and without it by REST: where that fails as well nothing is left but to apologise. It has no document that would join.
 */
function wasToldWhy({ planned: { overflow = [], keys, way }, heard, rest_failed }: CallRecord): boolean {
  const words = [
    ...(overflow.length > 0 ? [FULL] : []),
    ...(keys ? noPin : []),
    ...(way === "relay" && rest_failed ? [APOLOGY] : []),
  ];
  return heard.heard.some(({ detail }) => words.some((one) => detail.includes(one)));
}

/** Before a room, between two, or after the last one since somebody told that the call is out of it. */
function isSilent(record: CallRecord): boolean {
  if (record.heard.longest_silence_ms <= SILENCE_MS) return false;
  const out_at = outAt(record);
  if (out_at === null) return true;
  return silenceBefore(record, out_at) > SILENCE_MS || silenceAfter(record, knownOutAt(record)) > SILENCE_MS;
}

/** By more than what a sound that is told to stop before the join goes on for the way there. */
function areBothHeard(a: Pick<Stay, "from" | "to">, b: Pick<Stay, "from" | "to">): boolean {
  return Math.min(endOf(a), endOf(b)) - Math.max(a.from, b.from) > TOLERANCE_MS;
}

/** In two conferences at once, or spoken to by a document while in one. */
function inTwoPlaces({ stays, heard }: CallRecord): boolean {
  if (stays.some((one, index) => stays.slice(index + 1).some((other) => overlap(one, other)))) return true;
  const spans = heard.heard.map(({ sound, from_ms, to_ms }) => ({ sound, from: from_ms, to: to_ms }));
  return spans.some(
    (one) =>
      IN_ROOM.has(one.sound) && spans.some((other) => SPOKEN.has(other.sound) && areBothHeard(one, other)),
  );
}

function overlap(a: Pick<Stay, "from" | "to">, b: Pick<Stay, "from" | "to">): boolean {
  return Math.max(a.from, b.from) < Math.min(endOf(a), endOf(b));
}

function endOf(stay: Pick<Stay, "to"> | undefined): number {
  return stay?.to ?? Number.POSITIVE_INFINITY;
}

function relayJoins({ commands }: CallRecord) {
  return commands.filter(
    ({ method, by, was_busy }) => method === JOIN && by === "relay" && was_busy !== true,
  );
}

/** Commands carry no deadline on the wire: it is the time when the call came to be placed and what a tenant's deadline adds. */
function sentLate(record: CallRecord): boolean {
  return relayJoins(record).some(({ at }) => at > placedFrom(record, at) + JOIN_DEADLINE_MS + TOLERANCE_MS);
}

/**
 * Since when the call that joined `at` could be placed: since its first webhook, or that after an announcement, after what was
 * keyed or after the line; by RELAY since it was offered or taken up again, or since the last sound before.
 */
function placedFrom(record: CallRecord, at: number): number {
  const { call, planned, heard, webhooks, received_at, sounds_over, commands, sessions } = record;
  if (planned.way === "relay") {
    // Answered again: the session was lost before it had decided, and whoever took the call up places it anew.
    const [first, ...more] = commands.filter((one) => one.method === "calling.answer" && one.at <= at);
    // The same where it was lost before it had answered.
    const isLateFirst = first && sessions.some((since) => since > (received_at ?? 0) && since < first.at);
    const again = isLateFirst ? [first, ...more] : more;
    // Words of whose end RELAY told nothing are waited for somewhat longer.
    const words = heard.heard
      .filter(({ sound, to_ms }) => sound === "say" && to_ms !== null && call.began_at + to_ms <= at)
      .map(({ to_ms }) => Math.min(at, call.began_at + (to_ms ?? 0) + UNTOLD_MS));
    // Where RELAY could not ask for the PIN, a document did, and its webhook placed the call.
    const before = [
      ...words,
      ...sounds_over.map((sound) => sound.at),
      ...webhooks.map(({ sent_at }) => sent_at),
      ...again.map((one) => one.at),
    ].filter((then) => then <= at);
    return Math.max(received_at ?? Number.POSITIVE_INFINITY, ...before);
  }
  const since = lastBefore(record, at);
  const sent = webhooks
    .map(({ sent_at }) => sent_at)
    .filter((sent_at) => sent_at >= since)
    .sort((a, b) => a - b);
  // A webhook is journaled when it is over: while the first is still out, the command is early.
  return sent[0] ?? Number.POSITIVE_INFINITY;
}

/** The last thing that the caller went through before the webhook that placed the call. */
function lastBefore({ planned: { kind }, steps, commands }: CallRecord, at: number): number {
  const nothing = Number.NEGATIVE_INFINITY;
  const lastOf = (step: string) => steps.findLast((one) => one.step === step && one.at <= at)?.at ?? nothing;
  switch (kind) {
    case "bridge":
      return Math.max(lastOf("prompt"), lastOf("transfer"));
    case "queue":
      return commands.findLast((one) => one.method === "calling.transfer" && one.at <= at)?.at ?? nothing;
    // Any of them may be told first that the room is recorded.
    default:
      return lastOf("transfer");
  }
}

/** Ended in a room by a command, by a document that says so, or by one that ran out or could not be had. */
function endedInside(record: CallRecord): boolean {
  const { commands, steps, call, ended_in_conference, hung_up_at } = record;
  if (cameUntold(record) || wasEndedByOperators(record)) return false;
  return (
    commands.some(({ method, in_conference }) => method === "calling.end" && in_conference) ||
    steps.some(({ step, in_conference }) => ENDS.has(step) && in_conference) ||
    (ended_in_conference && hung_up_at === null && call.end_reason !== MAX_DURATION)
  );
}

/**
 * The client was told that the call is out of its conference, and then RELAY carried out a join without a word to the client: it brings the
 * caller into a conference that the others have left.
 */
function cameUntold({ stays, known_in }: CallRecord): boolean {
  const last = stays.at(-1);
  const told_at = stays.at(-2)?.told_at ?? null;
  if (!last || told_at === null || last.by !== "relay") return false;
  return told_at <= last.from && !known_in.has(last.conference_id);
}

/** It was joined again to a room that it was in, and its leave in between ended that for others: neither it nor an operator had left. */
function endedByRejoin({ stays, taken_out_at }: CallRecord): boolean {
  return stays.some(({ to, room, ended_for }, index) => {
    if (ended_for === 0 || to === null) return false;
    const next = stays[index + 1];
    const isOperators = taken_out_at !== null && Math.abs(to - taken_out_at) < TOLERANCE_MS;
    return next?.room === room && next.from < to + AGAIN_MS && !isOperators;
  });
}

/** It was in, left, was not put back, and its caller is on the line yet although somebody told of the leave. */
function leftAlive(record: CallRecord): boolean {
  return outAt(record) !== null && isAliveAfter(record, knownOutAt(record));
}

function isAliveAfter({ ended_at }: CallRecord, out_at: number): boolean {
  return (ended_at ?? Number.POSITIVE_INFINITY) > out_at + AFTERLIFE_MS;
}

/** When it left its last room; null where it is in one, or never was. */
export function outAt({ stays }: CallRecord): number | null {
  return stays.at(-1)?.to ?? null;
}

/** When the client was told so; what nobody tells is known by nobody. */
function knownOutAt({ stays }: CallRecord): number {
  return stays.at(-1)?.told_at ?? Number.POSITIVE_INFINITY;
}

/** Why a call that was left alive or in silence after its last room is no crime; null where none was. */
export function excuseOf(record: CallRecord): string | null {
  const out_at = outAt(record);
  const last = record.stays.at(-1);
  if (out_at === null || !last) return null;
  const silent_ms = silenceAfter(record, out_at);
  const isLeft = isAliveAfter(record, out_at) || silent_ms > SILENCE_MS;
  if (!isLeft || leftAlive(record) || isSilent(record)) return null;
  const told =
    last.told_at === null ? "nobody told of it" : `it was told ${seconds(last.told_at - out_at)} after it`;
  const untold = last.untold.length === 0 ? "" : ` (${last.untold.join(", ")})`;
  return `in silence for ${seconds(silent_ms)} after it left ${last.room}: ${told}${untold}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Callers who wait for a seat that the client has to count as taken: whoever had it left the room, nobody told of that, and the call
 * goes on, so that its status says nothing either.
 */
export function heldUp(records: readonly CallRecord[]): ReadonlyMap<CallRecord, string> {
  const untold = records.filter((record) => {
    const last = record.stays.at(-1);
    return last !== undefined && last.to !== null && last.told_at === null && record.ended_at === null;
  });
  const rooms = new Set(untold.map(({ stays }) => stays.at(-1)?.room));
  const isHeldUp = ({ planned: { room } }: CallRecord) => room !== null && rooms.has(room);
  return new Map(
    records
      .filter((record) => checks.forgotten(record) && isHeldUp(record))
      .map((record) => [
        record,
        `waits for a seat in ${record.planned.room} that a call has of whose leave nobody told`,
      ]),
  );
}

/** How many may be left in silence after RELAY joined them, and how long after the last of them it is tried no more. */
const SILENT_LEAVES = 3;
const SWITCH_MS = 65_000;

/**
 * Callers whom RELAY joined although, of those that it had joined before, three were left in silence, and no leave was ever told of
 * in their project: a document would have come back by itself.
 */
export function leftAfterSwitch(records: readonly CallRecord[]): ReadonlySet<CallRecord> {
  const found = new Set<CallRecord>();
  for (const mine of Map.groupBy(records, ({ planned }) => planned.project).values()) {
    if (mine.some(({ stays }) => stays.some(({ told_at }) => told_at !== null))) continue;
    const silent = mine.filter(isLeftByRelay).toSorted((a, b) => (outAt(a) ?? 0) - (outAt(b) ?? 0));
    const third = silent[SILENT_LEAVES - 1];
    const switched_at = ((third && outAt(third)) ?? Number.POSITIVE_INFINITY) + SWITCH_MS;
    for (const record of silent) {
      if (relayJoins(record).some(({ at }) => at > switched_at)) found.add(record);
    }
  }
  return found;
}

function isLeftByRelay(record: CallRecord): boolean {
  const out_at = outAt(record);
  return out_at !== null && record.stays.at(-1)?.by === "relay" && silenceAfter(record, out_at) > SILENCE_MS;
}
