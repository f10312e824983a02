import type { LivePlacement, LiveRows } from "../store/live-placements.ts";
import { joinCommandId } from "../store/place-reply.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import type { Recording } from "../store/recordings.ts";
import { roomsOf } from "../store/wait-terms.ts";
import {
  goingOn,
  type Happened,
  type HeadHost,
  headOf,
  participantView,
  type Seated,
  SHOWN,
  waiterView,
} from "./views.ts";

/** What else is known when a row changes. */
export interface Around extends HeadHost {
  live: Pick<LiveRows, "in">;
}

/**
 * What a placement's change means to those who follow its tenant.
 * @param before what changed, as it was; null: the row is new.
 */
export function placementNews(row: Placement, before: Changes | null, around: Around): Happened[] {
  return [
    ...lobbyNews(row, before),
    ...callNews(row, before),
    ...seatNews(row, before?.state ?? (before === null ? null : row.state), before, around),
  ];
}

/** A live row was deleted without an end. */
export function droppedNews(row: LivePlacement, around: Around): Happened[] {
  if (row.state === "waiting") {
    const { call_id, waits_for } = row;
    return [{ type: "lobby.left", data: { rooms: [...waits_for], id: joinCommandId(row), call_id } }];
  }
  return row.state === "joined" ? leaveNews(row, row.room, "not kept any longer", around) : [];
}

export function recordingNews(row: Recording, before: Pick<Recording, "state" | "url"> | null): Happened[] {
  const { room } = row;
  const was = before?.state ?? "expected";
  const recording = goingOn(row);
  const happened: Happened[] = [];
  if (row.state !== was && recording !== null) {
    const begins = was === "paused" ? ("recording.resumed" as const) : ("recording.started" as const);
    const type = row.state === "paused" ? ("recording.paused" as const) : begins;
    happened.push({ type, data: { room, recording } });
  }
  const { id, state, started_at: since, ended_at, duration_s } = row;
  const data = { room, recording: { id, state, since, ended_at, duration_s } };
  const isOver = recording === null && row.state !== "expected" && row.state !== was;
  // Nothing was recorded, and no event had said otherwise.
  const isNothing = row.state === "absent" && was === "expected";
  if (isOver && !isNothing) {
    const failed = row.state === "failed" || row.state === "lost";
    happened.push({ type: failed ? "recording.failed" : "recording.stopped", data });
  }
  if (row.state === "completed" && row.url !== null && (isOver || before?.url === null))
    happened.push({ type: "recording.available", data });
  return happened;
}

function lobbyNews(row: Placement, before: Changes | null): Happened[] {
  const was = before !== null && (before.state ?? row.state) === "waiting";
  const is = row.state === "waiting";
  const isAdmittedNow = before?.admitted !== undefined && before.admitted !== row.admitted;
  const rooms = [...roomsOf(row)];
  if (is) {
    const isNews = !was || isAdmittedNow;
    return isNews ? [{ type: "lobby.waiting", data: { rooms, waiter: waiterView(row) } }] : [];
  }
  if (!was) return [];
  const waited = { rooms, id: joinCommandId(row), call_id: row.call_id };
  if (row.state !== "failed") return [{ type: "lobby.admitted", data: { ...waited, room: row.room } }];
  if (row.turned_away === null) return [{ type: "lobby.left", data: waited }];
  return [{ type: "lobby.rejected", data: { ...waited, why: row.turned_away } }];
}

function callNews(row: Placement, before: Changes | null): Happened[] {
  const { room, call_id, from, role, rule, ingress: via, state, turned_away, reason } = row;
  if (state === "failed" && (before === null || (before.state !== undefined && before.state !== "waiting")))
    return [
      { type: "call.refused", data: { room, call_id, from, rule, why: turned_away ?? "failed", reason } },
    ];
  if (before !== null || state === "waiting") return [];
  return [{ type: "call.placed", data: { room, call_id, from, role, rule, via } }];
}

/** @param was its state before; null: there was none. */
function seatNews(
  row: Placement,
  was: Placement["state"] | null,
  before: Changes | null,
  around: Around,
): Happened[] {
  const { room } = row;
  const left = before?.room ?? room;
  const isIn = row.state === "joined";
  if (was === "joined" && (!isIn || left !== room)) {
    const gone = leaveNews(row, left, row.reason, around);
    return isIn ? [...gone, ...joinNews(row, around)] : gone;
  }
  if (!isIn) return [];
  if (was !== "joined") return joinNews(row, around);
  const isShown = Object.entries(before ?? {}).some(
    ([name, value]) => SHOWN.has(name) && value !== row[name as keyof Seated],
  );
  return isShown ? [updated(row, around)] : [];
}

function joinNews(row: Placement, around: Around): Happened[] {
  const { tenant, room } = row;
  const isFirst = ![...participantsOf(tenant, room, around)].some((other) => !isSame(other, row));
  const head: Happened[] = isFirst ? [{ type: "room.started", data: headOf(around, tenant, room) }] : [];
  return [...head, { type: "participant.joined", data: { room, participant: shownOf(row, room, around) } }];
}

function leaveNews(row: Seated, room: string, reason: string, around: Around): Happened[] {
  const { tenant, call_id } = row;
  const others = [...participantsOf(tenant, room, around)].filter((other) => !isSame(other, row));
  // It was placed there again, and that placement stays.
  if (others.some((other) => other.call_id === call_id)) return [updated(row, around, room)];
  const left: Happened = { type: "participant.left", data: { room, call_id, reason } };
  return others.length > 0 ? [left] : [left, { type: "room.ended", data: { room } }];
}

function updated(row: Seated, around: Around, room = row.room): Happened {
  return { type: "participant.updated", data: { room, participant: shownOf(row, room, around) } };
}

/** A call that was placed in the room twice is shown as it was placed last. */
function shownOf(row: Seated, room: string, around: Around) {
  return participantView(newestOf(row.call_id, participantsOf(row.tenant, room, around)) ?? row);
}

export function newestOf(call_id: string, rows: Iterable<LivePlacement>): LivePlacement | null {
  let newest: LivePlacement | null = null;
  for (const row of rows) {
    if (row.call_id !== call_id || (newest !== null && !isNewer(row, newest))) continue;
    newest = row;
  }
  return newest;
}

export function isNewer(row: LivePlacement, other: LivePlacement): boolean {
  return row.created_at > other.created_at || (row.created_at === other.created_at && row.step > other.step);
}

export function* participantsOf(
  tenant: string,
  room: string,
  { live }: Pick<Around, "live">,
): Generator<LivePlacement> {
  for (const row of live.in(room)) if (row.state === "joined" && row.tenant === tenant) yield row;
}

function isSame(one: Seated, other: Seated): boolean {
  return one.call_id === other.call_id && one.entry === other.entry && one.step === other.step;
}
