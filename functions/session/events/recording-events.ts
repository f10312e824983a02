import type { CallbackKind, ForwardTo } from "../../../shared/callbacks.ts";
import { isWanted } from "../../../shared/callbacks.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import {
  GRACE_MS,
  isOpen,
  LOOK_MS,
  type Recording,
  type RecordingChanges,
  type RecordingState,
  type Recordings,
  TOLD,
} from "../store/recordings.ts";

/** By then the Worker has told the rule's server, in three tries if need be, and has said so. */
const CONFIRMED_MS = 25_000;
/** An event may be so late, or so early by SignalWire's clock: of two recordings in one room the nearer one is meant. */
const NEAR_MS = 300_000;

/** RELAY's word for it. */
export const BEGINNING = "record-start";

/** What an event says of a recording's state. */
const STATES: Readonly<Record<string, RecordingState>> = {
  "record-start": "in-progress",
  "record-resume": "in-progress",
  "record-pause": "paused",
  "record-stop": "completed",
  "recording-in-progress": "in-progress",
  "recording-completed": "completed",
  "recording-absent": "absent",
  "recording-failed": "failed",
};

/** How an event of a recording came. */
export interface ToldOfRecording {
  /** Absent for RELAY's own events. */
  kind?: CallbackKind;
  tenant?: string;
  /** Whether its `conference_id` is RELAY's. */
  ids_known: boolean;
  /** Whether it came before, and was answered as far as is known. */
  isRepeat?: boolean;
  /** Whether it will be confirmed when the rule's server was told. */
  confirms?: boolean;
}

/** What an event says, as far as the table keeps it. */
interface Said {
  status: string;
  state: RecordingState;
  room: string;
  at: number;
  /** Whether the event says when; `at` is when it came, else. */
  is_timed: boolean;
  conference_id: string | null;
  conference_sid: string | null;
  sid: string | null;
  url: string | null;
  duration_s: number | null;
  size_bytes: number | null;
}

/** What became of an event: whom to tell of it, and whether there was no room to write it down. */
export interface Heard {
  forward: ForwardTo | null;
  unwritten: boolean;
  /** The recording of whose end they are told, where that is to be confirmed. */
  confirm?: string;
}

/**
 * RecordingEvents — what events and callbacks change in the table of recordings: each event is laid to the recording that it means, and
 * the rule's server is told each beginning and end once. Used by EventIngest.
 */
export class RecordingEvents {
  readonly #recordings: Recordings;
  readonly #occupancy: Occupancy;
  readonly #now: () => number;

  constructor(recordings: Recordings, occupancy: Occupancy, now: () => number) {
    this.#recordings = recordings;
    this.#occupancy = occupancy;
    this.#now = now;
  }

  /** Takes an event in; null where it says nothing of a recording that is known to be ours. */
  heard(event: RelayEvent, told: ToldOfRecording): Heard | null {
    const said = saidBy(event, told, this.#now(), (ids) => this.#roomOf(ids, told.tenant));
    if (!said) return null;
    const tenant = told.tenant ?? this.#ownerOf(said);
    if (tenant === null) return null;
    const recordings = this.#recordings;
    let row = this.#find(tenant, said);
    if (!row) {
      // Nothing was recorded, and nobody here had asked for it.
      if (said.state === "absent" || said.state === "failed") return this.#untold(tenant, said, told);
      row = recordings.add({
        tenant,
        room: said.room,
        state: "expected",
        conference_id: said.conference_id ?? this.#liveIn(said.room, tenant),
        started_at: startOf(said) ?? said.at,
        forward: this.#occupancy.forwardingOf(said.room, "recording", tenant),
      });
    }
    if (!row) return { ...this.#untold(tenant, said, told), unwritten: true };
    const to = row.forward ?? this.#occupancy.forwardingOf(said.room, "recording", tenant);
    const isTold = this.#isToTell(row, said, told) && isWantedBy(to, said.status);
    const isEndTold = isTold && isEnd(said.state);
    const marks = isEndTold && told.confirms !== true && told.isRepeat !== true;
    const changes = {
      ...changesBy(row, said),
      ...(told.kind === "recording" && isBeginning(said) ? { begin_told: TOLD.byCallback } : {}),
      ...(marks ? { told: TOLD.byCallback } : {}),
    };
    const due_at = marks ? null : this.#dueAfter(row, said, isEndTold);
    const isWritten = recordings.update(row, {
      ...changes,
      due_at: this.#dueForBeginning({ ...row, ...changes, due_at }, to),
    });
    return {
      forward: isTold ? to : null,
      unwritten: !isWritten,
      ...(isEndTold && told.confirms === true ? { confirm: row.id } : {}),
    };
  }

  /** The rule's server took what SignalWire's callback said of the end. */
  confirmed(tenant: string, id: string): void {
    const row = this.#recordings.find(tenant, id);
    if (!row) return;
    const to = row.forward ?? this.#occupancy.forwardingOf(row.room, "recording", tenant);
    const due_at = this.#dueForBeginning({ ...row, due_at: null }, to);
    this.#recordings.update(row, { told: TOLD.byCallback, due_at });
  }

  /** An end is told until that is confirmed, after what was told in its place too; anything else once. */
  #isToTell(row: Recording, said: Said, { kind, isRepeat }: ToldOfRecording): boolean {
    if (kind !== "recording") return false;
    if (isEnd(said.state)) return row.told !== TOLD.byCallback;
    return isRepeat !== true && !(isBeginning(said) && row.begin_told === TOLD.inItsPlace);
  }

  /** When the row is due, where only RELAY has told that the recording began: the callback may be on its way. */
  #dueForBeginning(row: Recording, to: ForwardTo | null): number | null {
    if (!isBeginningOwed(row, to)) return row.due_at;
    const at = this.#now() + GRACE_MS;
    return isOpen(row) ? Math.min(row.due_at ?? at, at) : (row.due_at ?? at);
  }

  #untold(tenant: string, { room, status }: Said, { kind, isRepeat }: ToldOfRecording): Heard {
    const to = this.#occupancy.forwardingOf(room, "recording", tenant);
    const isTold = kind === "recording" && isRepeat !== true && isWantedBy(to, status);
    return { forward: isTold ? to : null, unwritten: false };
  }

  /** The room of an event that names none, by the ids that it has; null: not known, or another tenant's. */
  #roomOf({ sid, conference_id }: Pick<Said, "sid" | "conference_id">, tenant?: string): string | null {
    const recordings = this.#recordings;
    const row =
      (sid === null ? null : recordings.bySid(sid)) ??
      (conference_id === null ? null : recordings.ofConference(conference_id)[0]);
    return row && (tenant === undefined || row.tenant === tenant) ? row.room : null;
  }

  /** RELAY's events say whose a conference is by nothing but its name. */
  #ownerOf({ conference_id, room }: Said): string | null {
    const [known] = conference_id === null ? [] : this.#recordings.ofConference(conference_id);
    return known?.tenant ?? this.#occupancy.around(room)[0]?.tenant ?? null;
  }

  /** The recording that is meant: by its own id, its conference's, or the room and the time. */
  #find(tenant: string, said: Said): Recording | null {
    const recordings = this.#recordings;
    const isTenants = (row: Recording) => row.tenant === tenant;
    if (said.sid !== null) {
      const row = recordings.bySid(said.sid);
      if (row && isTenants(row)) return row;
    }
    const hasOtherSid = (row: Recording) => said.sid !== null && row.sid !== null && row.sid !== said.sid;
    const began = startOf(said) ?? said.at;
    const distance = (row: Recording) => Math.abs(row.started_at - began);
    if (said.conference_id !== null) {
      const rows = recordings
        .ofConference(said.conference_id)
        .filter((one) => one.leg === null && isTenants(one) && !hasOtherSid(one) && !isAfter(said, one));
      // An end that says how long it was tells which of a conference's recordings is meant; else the newest is.
      const [row] = startOf(said) === null ? rows : rows.sort((a, b) => distance(a) - distance(b));
      if (row) return row;
    }
    const isMeant = (row: Recording) => {
      if (row.leg !== null) return false;
      const isOther =
        said.conference_id !== null && row.conference_id !== null && row.conference_id !== said.conference_id;
      if (hasOtherSid(row) || isOther || isAfter(said, row)) return false;
      // Its end may be told by several events, of which one has its id.
      const isEndAgain = isEnd(said.state) && (row.sid === null || said.sid === null) && near(row, began);
      return isOpen(row) || isEndAgain;
    };
    const found = recordings.newestIn(tenant, said.room).filter(isMeant);
    return found.sort((a, b) => distance(a) - distance(b))[0] ?? null;
  }

  /** The conference that is live in the room, where it is one that is known. */
  #liveIn(room: string, tenant: string): string | null {
    const theirs = this.#occupancy.participants(room).filter((row) => row.tenant === tenant);
    const ids = new Set(theirs.flatMap(({ conference_id }) => conference_id ?? []));
    return ids.size === 1 ? ([...ids][0] ?? null) : null;
  }

  #dueAfter(row: Recording, { state }: Said, isEndTold: boolean): number | null {
    const now = this.#now();
    if (!isEnd(state)) return isOpen(row) ? (row.due_at ?? now + LOOK_MS) : row.due_at;
    if (row.told !== TOLD.not) return null;
    if (isEndTold) return now + CONFIRMED_MS;
    // A callback that says more of it is on its way, or the Worker tells of one.
    return Math.max(isOpen(row) ? 0 : (row.due_at ?? 0), now + GRACE_MS);
  }
}

/** @param roomOf says of an event that names no room which one it is about. */
function saidBy(
  event: RelayEvent,
  { ids_known }: ToldOfRecording,
  now: number,
  roomOf: (ids: Pick<Said, "sid" | "conference_id">) => string | null,
): Said | null {
  if (event.kind !== "conference") return null;
  const { status, name, conference_id, recording_url, recording_duration, recording_file_size, ...more } =
    event.params;
  const isEndOfRecorded = status === "conference-end" && recording_url !== undefined;
  const state = isEndOfRecorded ? "completed" : STATES[status];
  if (state === undefined) return null;
  const { recording_sid } = more;
  const sid = typeof recording_sid === "string" && recording_sid !== "" ? recording_sid : null;
  const ids = { sid, conference_id: ids_known ? (conference_id ?? null) : null };
  const room = name ?? roomOf(ids);
  if (room === null) return null;
  return {
    status,
    state,
    room,
    at: event.timestamp === undefined ? now : Math.round(event.timestamp * 1_000),
    is_timed: event.timestamp !== undefined,
    ...ids,
    conference_sid: ids_known ? null : (conference_id ?? null),
    url: recording_url ?? null,
    duration_s: recording_duration ?? null,
    size_bytes: recording_file_size ?? null,
  };
}

/** What is new; an end is the end, whatever comes late. */
function changesBy(row: Recording, said: Said): RecordingChanges {
  const isOver = row.state === "completed" || (isEnd(row.state) && said.state !== "completed");
  const isFirst = row.state === "expected";
  const started_at = startOf(said) ?? (said.state === "in-progress" ? said.at : null);
  return {
    ...(isOver ? {} : { state: said.state }),
    ...(isFirst && started_at !== null ? { started_at } : {}),
    ...(isEnd(said.state) && !isOver ? { ended_at: said.at } : {}),
    conference_id: row.conference_id ?? said.conference_id,
    conference_sid: row.conference_sid ?? said.conference_sid,
    sid: row.sid ?? said.sid,
    ...(isEnd(said.state)
      ? {
          url: row.url ?? said.url,
          duration_s: row.duration_s ?? said.duration_s,
          size_bytes: row.size_bytes ?? said.size_bytes,
        }
      : {}),
  };
}

/** When it began, by an end that says how long it was; ms. */
function startOf({ state, at, duration_s }: Said): number | null {
  return state === "completed" && duration_s !== null ? at - Math.round(duration_s * 1_000) : null;
}

/** Whether it tells of a beginning after the recording's end: of another recording, in the same conference. */
function isAfter({ state, at, is_timed }: Said, row: Recording): boolean {
  return state === "in-progress" && is_timed && !isOpen(row) && row.ended_at !== null && at > row.ended_at;
}

function near(row: Recording, began: number): boolean {
  return Math.abs(row.started_at - began) <= NEAR_MS;
}

function isEnd(state: RecordingState): boolean {
  return !isOpen({ state });
}

function isBeginning({ status }: Said): boolean {
  return status === BEGINNING || status === "recording-in-progress";
}

/** Whether the rule's server wants to be told that the recording began, and was not. */
export function isBeginningOwed({ state, begin_told, leg }: Recording, to: ForwardTo | null): boolean {
  const hasBegun = state === "in-progress" || state === "paused" || state === "completed";
  // Operators' recordings are told by the feed and to webhooks alone.
  return hasBegun && leg === null && begin_told === TOLD.not && isWantedBy(to, BEGINNING);
}

/** Whether the rule's server wants to be told of this. */
export function isWantedBy(to: ForwardTo | null, status: string): boolean {
  return to !== null && isWanted(to, status, "recording");
}
