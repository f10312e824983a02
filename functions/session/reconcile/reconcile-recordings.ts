import type { CallbackBody } from "../../../shared/callback-body.ts";
import { type CallbackKind, type ForwardTo, isWanted } from "../../../shared/callbacks.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { notForwarded, tryForward } from "../../forward.ts";
import { describeError, log } from "../../log.ts";
import { RestBusy } from "../../rest.ts";
import { type ListedRecording, listRecordings } from "../../rest-recordings.ts";
import { CONNECTIONS, FairSlots, TooLate } from "../../slots.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Counters } from "../store/counters.ts";
import { dropOldest } from "../store/drop-oldest.ts";
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
import type { Settings } from "../store/settings.ts";

const REST_MS = 4_000;
/** Recordings that are looked at in one run. */
const AT_ONCE = 40;
/** And of one tenant. */
const OF_TENANT = 4;
/** Tenants whose recordings are looked at side by side: few, since the connections of calls' commands are as many. */
const TENANTS_AT_ONCE = 2;
/** After this a tenant's other recordings wait for the next run, and no other tenant for them. */
const TENANT_MS = 10_000;
/** Waits before a rule's server is tried again that did not take it. */
const TELL_AGAIN_MS = [1_000, 2_000] as const;
/** Recordings of which it is remembered how often that was. */
const TRIED = 1_000;
/** By then the Worker has told the rule's server, in three tries if need be, and has said so. */
const CONFIRMED_MS = 25_000;
/** Waits before REST is asked again that had no word of a recording's end; after the last nothing more is to be had. */
const ASK_AGAIN_MS = [10_000, 30_000, 120_000, 600_000, 3_600_000] as const;
/** The same while no list can be had, or one shows it as going on. */
const LASTING_MS = 3_600_000;
/** An event may be so late, or so early by SignalWire's clock: of two recordings in one room the nearer one is meant. */
const NEAR_MS = 300_000;

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

/** The status by which we tell of an end in a callback's place: RELAY has one of its own for a recording that was made alone. */
const TELLING: Partial<Record<RecordingState, string>> = {
  completed: "record-stop",
  absent: "recording-absent",
  failed: "recording-failed",
};

interface RecordingHost {
  recordings: Recordings;
  occupancy: Occupancy;
  counters: Counters;
  settings: Settings;
  relayManager: Pick<RelayManager, "rest">;
}

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
 * RecordingKeeper — keeps what events and callbacks tell of recordings, asks REST where they were lost, and then tells those whom the
 * rule wants told. Used by the session for each event, and by the dispatcher.
 */
export class RecordingKeeper {
  readonly #host: RecordingHost;
  readonly #now: () => number;
  readonly #callbacks = new FairSlots(CONNECTIONS.callbacks);
  /** How often a rule's server did not take an end, by recording. */
  readonly #tries = new Map<string, number>();
  #isRunning = false;

  constructor(host: RecordingHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Takes an event in; null where it says nothing of a recording that is known to be ours. */
  heard(event: RelayEvent, told: ToldOfRecording): Heard | null {
    const said = saidBy(event, told, this.#now(), (ids) => this.#roomOf(ids, told.tenant));
    if (!said) return null;
    const tenant = told.tenant ?? this.#ownerOf(said);
    if (tenant === null) return null;
    const { recordings } = this.#host;
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
        forward: this.#host.occupancy.forwardingOf(said.room, "recording", tenant),
      });
    }
    if (!row) return { ...this.#untold(tenant, said, told), unwritten: true };
    const to = row.forward ?? this.#host.occupancy.forwardingOf(said.room, "recording", tenant);
    const isTold = this.#isToTell(row, said, told) && isWantedBy(to, said.status);
    const isEndTold = isTold && isEnd(said.state);
    const marks = isEndTold && told.confirms !== true && told.isRepeat !== true;
    const isWritten = recordings.update(row, {
      ...changesBy(row, said),
      due_at: this.#dueAfter(row, said, isEndTold),
      ...(marks ? { told: TOLD.byCallback, due_at: null } : {}),
    });
    return {
      forward: isTold ? to : null,
      unwritten: !isWritten,
      ...(isEndTold && told.confirms === true ? { confirm: row.id } : {}),
    };
  }

  /** The rule's server took what SignalWire's callback said of the end. */
  confirmed(tenant: string, id: string): void {
    const row = this.#host.recordings.find(tenant, id);
    if (row) this.#host.recordings.update(row, { told: TOLD.byCallback, due_at: null });
  }

  /** Looks at those that are due. Never rejects. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      const due = Map.groupBy(
        this.#host.recordings.takeDue(AT_ONCE, OF_TENANT),
        ({ tenant }) => tenant,
      ).values();
      // Each takes the next tenant when it is done with one.
      const lane = async (): Promise<void> => {
        for (const rows of due) await this.#lookAtTenants(rows);
      };
      await Promise.all(Array.from({ length: TENANTS_AT_ONCE }, lane));
    } catch (error) {
      log("error", "recordings.broke", { error: describeError(error) });
    } finally {
      this.#isRunning = false;
    }
  }

  async #lookAtTenants(rows: readonly Recording[]): Promise<void> {
    const until = this.#now() + TENANT_MS;
    try {
      for (const row of rows) {
        if (this.#now() > until) return;
        // Its others would be tried in vain, too, and other tenants' wait for that.
        if (!(await this.#look(row))) return;
      }
    } catch (error) {
      log("error", "recordings.broke", { error: describeError(error) });
    }
  }

  /** False where the rule's server did not take what it was told. */
  async #look({ tenant, id }: Recording): Promise<boolean> {
    const { recordings } = this.#host;
    const row = recordings.find(tenant, id);
    // Told or put off while those before it were looked at.
    if (!row || row.due_at === null || row.due_at > this.#now()) return true;
    // What is not finished when we vanish is looked at again.
    recordings.update(row, { due_at: this.#now() + LOOK_MS });
    if (isOpen(row)) {
      if (this.#isLive(row)) return true;
      recordings.update(row, { ended_at: row.ended_at ?? this.#now() });
      if (!(await this.#ask(row))) return true;
    }
    const again_ms = await this.#tell(row);
    recordings.update(row, { due_at: again_ms === null ? null : this.#now() + again_ms });
    return again_ms === null;
  }

  /** Its end was not told: SignalWire's lists may have it. True where one did. */
  async #ask(row: Recording): Promise<boolean> {
    const { recordings } = this.#host;
    const ids = [...new Set([row.conference_sid, row.conference_id])].filter((id) => id !== null);
    let listed: ListedRecording[] = [];
    try {
      listed = await this.#host.relayManager.rest("list", REST_MS, (project, signal) =>
        listRecordings(project, { ids, sid: row.sid, room: row.room, live_at: row.started_at }, signal),
      );
    } catch (error) {
      log("info", "recording.not_listed", { room: row.room, error: describeError(error) });
      if (error instanceof RestBusy || error instanceof TooLate) {
        recordings.update(row, { due_at: this.#now() + error.retry_after_ms });
        return false;
      }
      if (this.#mayGoOn(row)) {
        this.#askAgain(row);
        return false;
      }
    }
    const now = recordings.find(row.tenant, row.id);
    // Deleted, or told meanwhile: then it is due as that said.
    if (!now || !isOpen(now)) return false;
    const ours = listed.filter(({ sid }) => sid === row.sid || !recordings.bySid(sid));
    const goesOn = ours.some(({ state }) => state === "in-progress");
    const over = ours.filter(({ state }) => state !== "in-progress");
    // Of several the one that was made is meant, or the one that goes on.
    const likely = over.find(({ state }) => state === "completed") ?? (goesOn ? undefined : over[0]);
    const found = over.find(({ sid }) => sid === row.sid) ?? likely;
    if (found) {
      for (const one of over) this.#madeGood(row, one, one === found);
      return true;
    }
    if ((goesOn && this.#mayGoOn(row)) || row.asked < ASK_AGAIN_MS.length) {
      this.#askAgain(row);
    } else if (row.state === "expected") {
      // Its conference never began, or was not recorded after all.
      recordings.drop(row);
    } else {
      recordings.update(row, { state: "lost", due_at: null });
      log("warn", "recording.lost", { room: row.room, conference: row.conference_id });
    }
    return false;
  }

  #askAgain(row: Recording): void {
    const wait_ms = ASK_AGAIN_MS[row.asked] ?? LASTING_MS;
    this.#host.recordings.update(row, { asked: row.asked + 1, due_at: this.#now() + wait_ms });
  }

  /** Until then a list that cannot be had, or that shows it as going on, says nothing against it. */
  #mayGoOn({ started_at }: Recording): boolean {
    return this.#now() - started_at < LONGEST_CALL_MS;
  }

  /** @param isIt false: another one of the same room, of which nothing was told either. */
  #madeGood(row: Recording, { started_at, ...facts }: ListedRecording, isIt: boolean): void {
    const { recordings, counters } = this.#host;
    const changes = { ...facts, started_at: started_at ?? row.started_at };
    if (isIt) recordings.update(row, changes);
    else {
      const { tenant, room, forward, ended_at } = row;
      recordings.add({ tenant, room, forward, ended_at, ...changes, due_at: this.#now() });
    }
    counters.add("recordings_made_good");
  }

  /** The callback was lost: what is known goes out in its place. After how long it is to be tried again, or null. */
  async #tell(row: Recording): Promise<number | null> {
    const to = row.forward ?? this.#host.occupancy.forwardingOf(row.room, "recording", row.tenant);
    const status = TELLING[row.state];
    if (row.told !== TOLD.not || to === null || status === undefined || !isWantedBy(to, status)) return null;
    const account = this.#host.settings.require("project_id");
    const body = bodyOf(row, status, account, this.#now());
    const { tenant } = row;
    const why = await this.#callbacks.run(tenant, () => tryForward(to, { kind: "recording", account, body }));
    if (why !== null) {
      const tries = this.#tries.get(row.id) ?? 0;
      const again_ms = TELL_AGAIN_MS[tries];
      if (again_ms !== undefined) {
        this.#tries.set(row.id, tries + 1);
        dropOldest(this.#tries, TRIED);
        return again_ms;
      }
      notForwarded(why, { tenant, kind: "recording" });
    }
    this.#tries.delete(row.id);
    // SignalWire's own callback may have been told meanwhile.
    const { recordings } = this.#host;
    if (recordings.find(tenant, row.id)?.told === TOLD.not) recordings.update(row, { told: TOLD.inItsPlace });
    return null;
  }

  /** An end is told until that is confirmed, after what was told in its place too; anything else once. */
  #isToTell(row: Recording, { state }: Said, { kind, isRepeat }: ToldOfRecording): boolean {
    if (kind !== "recording") return false;
    return isEnd(state) ? row.told !== TOLD.byCallback : isRepeat !== true;
  }

  #untold(tenant: string, { room, status }: Said, { kind, isRepeat }: ToldOfRecording): Heard {
    const to = this.#host.occupancy.forwardingOf(room, "recording", tenant);
    const isTold = kind === "recording" && isRepeat !== true && isWantedBy(to, status);
    return { forward: isTold ? to : null, unwritten: false };
  }

  /** The room of an event that names none, by the ids that it has; null: not known, or another tenant's. */
  #roomOf({ sid, conference_id }: Pick<Said, "sid" | "conference_id">, tenant?: string): string | null {
    const { recordings } = this.#host;
    const row =
      (sid === null ? null : recordings.bySid(sid)) ??
      (conference_id === null ? null : recordings.ofConference(conference_id)[0]);
    return row && (tenant === undefined || row.tenant === tenant) ? row.room : null;
  }

  /** RELAY's events say whose a conference is by nothing but its name. */
  #ownerOf({ conference_id, room }: Said): string | null {
    const [known] = conference_id === null ? [] : this.#host.recordings.ofConference(conference_id);
    return known?.tenant ?? this.#host.occupancy.around(room)[0]?.tenant ?? null;
  }

  /** The recording that is meant: by its own id, its conference's, or the room and the time. */
  #find(tenant: string, said: Said): Recording | null {
    const { recordings } = this.#host;
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
        .filter((one) => isTenants(one) && !hasOtherSid(one) && !isAfter(said, one));
      // An end that says how long it was tells which of a conference's recordings is meant; else the newest is.
      const [row] = startOf(said) === null ? rows : rows.sort((a, b) => distance(a) - distance(b));
      if (row) return row;
    }
    const isMeant = (row: Recording) => {
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
    const theirs = this.#host.occupancy.participants(room).filter((row) => row.tenant === tenant);
    const ids = new Set(theirs.flatMap(({ conference_id }) => conference_id ?? []));
    return ids.size === 1 ? ([...ids][0] ?? null) : null;
  }

  #isLive({ room, conference_id, ended_at }: Recording): boolean {
    if (ended_at !== null) return false;
    return this.#host.occupancy
      .participants(room)
      .some(
        (row) => conference_id === null || row.conference_id === null || row.conference_id === conference_id,
      );
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

/** What is known of an end, as RELAY tells it. */
function bodyOf(row: Recording, status: string, account: string, now: number): CallbackBody {
  const at = row.ended_at ?? now;
  const params = {
    status,
    conference_id: row.conference_id,
    name: row.room,
    recording_sid: row.sid,
    recording_url: row.url,
    recording_duration: row.duration_s,
    recording_file_size: row.size_bytes,
  };
  const body = {
    event_type: "calling.conference",
    timestamp: at / 1_000,
    project_id: account,
    params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null)),
  };
  return { kind: "json", body };
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

function isWantedBy(to: ForwardTo | null, status: string): boolean {
  return to !== null && isWanted(to, status, "recording");
}
