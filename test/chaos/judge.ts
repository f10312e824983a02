import { AFTERLIFE_MS } from "./player.ts";
import type { CallRecord, Stay } from "./records.ts";
import { APOLOGY, FULL, GOODBYE, LINE } from "./rules.ts";

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
  "forgotten",
  "served_twice",
] as const;

export type Crime = (typeof crimes)[number];

const SILENCE_MS = 10_000;
const WEBHOOK_MS = 5_000;
/** `join_deadline_ms` of a tenant that sets none, counted from the webhook's receipt. */
const JOIN_DEADLINE_MS = 2_000;
/** A document that puts a call back where it has just been taken out does so sooner. */
const AGAIN_MS = 4_000;
const noPin = [GOODBYE, "There were too many wrong entries.", "PINs cannot be taken right now."];
/** For the way there and for a busy machine. */
const TOLERANCE_MS = 250;

const JOIN = "calling.join_conference";
const IN_ROOM = new Set(["music", "conference"]);
const SPOKEN = new Set(["say", "audio"]);
const ENDS = new Set(["hangup", "Hangup", "Reject"]);

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
  wrong_conference: ({ stays, planned: { room, overflow = [] } }) =>
    stays.some((stay) => stay.room !== room && !overflow.includes(stay.room)),
  webhook_over_5_s: ({ webhooks }) => webhooks.some(({ ms }) => ms > WEBHOOK_MS),
  left_alive_after_conference: leftAlive,
  ended_while_in_conference: ({ commands, steps }) =>
    commands.some(({ method, in_conference }) => method === "calling.end" && in_conference) ||
    steps.some(({ step, in_conference }) => ENDS.has(step) && in_conference),
  forgotten: (record) => waited(record) && record.stays.length === 0 && isOnTheLine(record),
  served_twice: ({ planned, stays }) =>
    planned.kind === "queue" && stays.some(({ from }, index) => from > endOf(stays[index - 1]) + AGAIN_MS),
};

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
  return stays.length === 0 && hung_up_at === null && !wasToldWhy(record);
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

function isSilent(record: CallRecord): boolean {
  if (record.heard.longest_silence_ms <= SILENCE_MS) return false;
  const { call, stays, heard, ended_at } = record;
  const out_at = stays.at(-1)?.to ?? null;
  if (call.sid === call.call_id || out_at === null) return true;
  const alone_ms = Math.max(0, (ended_at ?? Number.POSITIVE_INFINITY) - knownOutAt(record));
  const out_ms = out_at - call.began_at;
  let quiet_from = 0;
  let longest_ms = alone_ms;
  for (const { from_ms, to_ms } of heard.heard) {
    if (from_ms < out_ms) longest_ms = Math.max(longest_ms, from_ms - quiet_from);
    quiet_from = Math.max(quiet_from, to_ms ?? Number.POSITIVE_INFINITY);
  }
  return longest_ms > SILENCE_MS;
}

/** In two conferences at once, or spoken to by a document while in one. */
function inTwoPlaces({ stays, heard }: CallRecord): boolean {
  if (stays.some((one, index) => stays.slice(index + 1).some((other) => overlap(one, other)))) return true;
  const spans = heard.heard.map(({ sound, from_ms, to_ms }) => ({ sound, from: from_ms, to: to_ms }));
  return spans.some(
    (one) => IN_ROOM.has(one.sound) && spans.some((other) => SPOKEN.has(other.sound) && overlap(one, other)),
  );
}

function overlap(a: Pick<Stay, "from" | "to">, b: Pick<Stay, "from" | "to">): boolean {
  return Math.max(a.from, b.from) < Math.min(endOf(a), endOf(b));
}

function endOf(stay: Pick<Stay, "to"> | undefined): number {
  return stay?.to ?? Number.POSITIVE_INFINITY;
}

function relayJoins({ commands }: CallRecord) {
  return commands.filter(({ method, by }) => method === JOIN && by === "relay");
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
  const { planned, webhooks, received_at, sounds_over, commands } = record;
  if (planned.way === "relay") {
    // Answered again: the session was lost before it had decided, and whoever took the call up places it anew.
    const [, ...again] = commands.filter((one) => one.method === "calling.answer" && one.at <= at);
    // Where RELAY could not ask for the PIN, a document did, and its webhook placed the call.
    const before = [
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
  switch (kind) {
    case "hall":
      return steps.find(({ step }) => step === "transfer")?.at ?? nothing;
    case "bridge":
      return steps.findLast((one) => one.step === "prompt" && one.at <= at)?.at ?? nothing;
    case "queue":
      return commands.findLast((one) => one.method === "calling.transfer" && one.at <= at)?.at ?? nothing;
    default:
      return nothing;
  }
}

/** It was in, left, was not put back, and its caller is on the line yet. */
function leftAlive(record: CallRecord): boolean {
  const { stays, ended_at } = record;
  if ((stays.at(-1)?.to ?? null) === null) return false;
  return (ended_at ?? Number.POSITIVE_INFINITY) > knownOutAt(record) + AFTERLIFE_MS;
}

/**
 * When the Worker can know that the call is out of its last room. Who was taken out, told by neither feed, is missed by REST's
 * list alone; and where REST has names of its own for calls, that list says how many are there and not who.
 */
function knownOutAt({ call, stays }: CallRecord): number {
  const last = stays.at(-1);
  const isListed = call.sid === call.call_id;
  return (isListed ? last?.to : last?.told_at) ?? Number.POSITIVE_INFINITY;
}
