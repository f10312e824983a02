import { FULL } from "./callers.ts";
import { AFTERLIFE_MS } from "./player.ts";
import type { CallRecord, Stay } from "./records.ts";

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
] as const;

export type Crime = (typeof crimes)[number];

const SILENCE_MS = 10_000;
const WEBHOOK_MS = 5_000;
/** `join_deadline_ms` of a tenant that sets none, counted from the webhook's receipt. */
const JOIN_DEADLINE_MS = 2_000;
/** For the way there and for a busy machine. */
const TOLERANCE_MS = 250;

const JOIN = "calling.join_conference";
const IN_ROOM = new Set(["music", "conference"]);
const SPOKEN = new Set(["say", "audio"]);

/** What one call has to complain of; each from what the carrier saw, none from what the Worker says. */
export function crimesOf(record: CallRecord): Crime[] {
  return crimes.filter((crime) => checks[crime](record));
}

const checks: Record<Crime, (record: CallRecord) => boolean> = {
  stranded,
  silent_over_10_s: ({ heard }) => heard.longest_silence_ms > SILENCE_MS,
  in_two_places: inTwoPlaces,
  second_relay_join: (record) => relayJoins(record).length > 1,
  sent_after_deadline: sentLate,
  wrong_conference: ({ stays, planned: { room, overflow = [] } }) =>
    stays.some((stay) => stay.room !== room && !overflow.includes(stay.room)),
  webhook_over_5_s: ({ webhooks }) => webhooks.some(({ ms }) => ms > WEBHOOK_MS),
  left_alive_after_conference: leftAlive,
  ended_while_in_conference: ({ commands, steps }) =>
    commands.some(({ method, in_conference }) => method === "calling.end" && in_conference) ||
    steps.some(({ step, in_conference }) => step === "hangup" && in_conference),
};

/** No document could be run; or a caller who was meant for a room, and stayed, never came into it. */
function stranded({ call, planned, stays, hung_up_at, heard }: CallRecord): boolean {
  if (call.stranded) return true;
  if (planned.overflow && heard.heard.some(({ detail }) => detail.includes(FULL))) return false;
  return planned.room !== null && stays.length === 0 && hung_up_at === null;
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
  const end = ({ to }: Pick<Stay, "to">) => to ?? Number.POSITIVE_INFINITY;
  return Math.max(a.from, b.from) < Math.min(end(a), end(b));
}

function relayJoins({ commands }: CallRecord) {
  return commands.filter(({ method, by }) => method === JOIN && by === "relay");
}

/** Commands carry no deadline on the wire: it is the placing webhook's time and what a tenant's deadline adds. */
function sentLate(record: CallRecord): boolean {
  const from = placedFrom(record);
  return relayJoins(record).some(({ at }) => at > from + JOIN_DEADLINE_MS + TOLERANCE_MS);
}

/** When the webhook went out that placed the call: its first, or the first after an announcement. */
function placedFrom({ planned, webhooks, steps }: CallRecord): number {
  const announced = planned.kind === "hall" ? steps.find(({ step }) => step === "transfer")?.at : undefined;
  const sent = webhooks
    .map(({ sent_at }) => sent_at)
    .filter((at) => announced === undefined || at >= announced)
    .sort((a, b) => a - b);
  // A webhook is journaled when it is over: while the first is still out, the command is early.
  return sent[0] ?? Number.POSITIVE_INFINITY;
}

/** It was in by RELAY, left, was not put back, and its caller is on the line yet. */
function leftAlive({ call, stays, ended_at }: CallRecord): boolean {
  const last = stays.at(-1);
  if (!last || last.to === null || call.joins.at(-1)?.by !== "relay") return false;
  return ended_at === null || ended_at > last.to + AFTERLIFE_MS;
}
