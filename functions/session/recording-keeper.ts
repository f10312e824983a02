import { type CallbackKind, type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import { LONGEST_CALL_MS } from "../../shared/placement.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import { forward } from "../forward.ts";
import { describeError, log } from "../log.ts";
import { RestBusy } from "../rest.ts";
import { type ListedRecording, listRecordings } from "../rest-recordings.ts";
import type { Counters } from "./counters.ts";
import type { Facts } from "./facts.ts";
import type { Link } from "./link.ts";
import {
  GRACE_MS,
  isOpen,
  LOOK_MS,
  type Recording,
  type RecordingChanges,
  type RecordingState,
  type Recordings,
} from "./recordings.ts";
import type { Rooms } from "./rooms.ts";
import { TooLate } from "./slots.ts";

const REST_MS = 4_000;
/** Recordings that are looked at in one run. */
const AT_ONCE = 20;
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

interface RecordingHost {
  recordings: Recordings;
  rooms: Rooms;
  counters: Counters;
  facts: Facts;
  link: Pick<Link, "rest">;
}

/** How an event of a recording came. */
export interface ToldOfRecording {
  /** Absent for RELAY's own events. */
  kind?: CallbackKind;
  tenant?: string;
  /** Whether its `conference_id` is RELAY's. */
  ids_known: boolean;
}

/** What an event says, as far as the table keeps it. */
interface Said {
  status: string;
  state: RecordingState;
  room: string;
  at: number;
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
}

/**
 * RecordingKeeper — keeps what events and callbacks tell of recordings, asks REST where they were lost, and then tells those whom the
 * rule wants told. Used by the session for each event, and by its chores.
 */
export class RecordingKeeper {
  readonly #host: RecordingHost;
  readonly #now: () => number;
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
    const said = saidBy(event, told, this.#now());
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
        forward: this.#host.rooms.forwardingOf(said.room, "recording", tenant),
      });
    }
    if (!row) return { ...this.#untold(tenant, said, told), unwritten: true };
    const wasTold = row.told === 1;
    const to = row.forward ?? this.#host.rooms.forwardingOf(said.room, "recording", tenant);
    const isTold =
      told.kind === "recording" && isWantedBy(to, said.status) && !(wasTold && isEnd(said.state));
    const isWritten = recordings.update(row, {
      ...changesBy(row, said),
      ...(isTold && isEnd(said.state) ? { told: 1 } : {}),
      due_at: this.#dueAfter(row, said, isTold),
    });
    return { forward: isTold ? to : null, unwritten: !isWritten };
  }

  /** Looks at those that are due. Never rejects. */
  async run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (const row of this.#host.recordings.takeDue(AT_ONCE)) await this.#look(row);
    } catch (error) {
      log("error", "recordings.broke", { error: describeError(error) });
    } finally {
      this.#isRunning = false;
    }
  }

  async #look(row: Recording): Promise<void> {
    const { recordings } = this.#host;
    // What is not finished when we vanish is looked at again.
    recordings.update(row, { due_at: this.#now() + LOOK_MS });
    if (isOpen(row)) {
      if (this.#isLive(row)) return;
      recordings.update(row, { ended_at: row.ended_at ?? this.#now() });
      await this.#ask(row);
      if (isOpen(row)) return;
    }
    await this.#tell(row);
    recordings.update(row, { due_at: null });
  }

  /** Its end was not told: SignalWire's lists may have it. */
  async #ask(row: Recording): Promise<void> {
    const { recordings } = this.#host;
    const ids = [...new Set([row.conference_sid, row.conference_id])].filter((id) => id !== null);
    let listed: ListedRecording[] = [];
    try {
      listed = await this.#host.link.rest("list", REST_MS, (project, signal) =>
        listRecordings(project, { ids, sid: row.sid, room: row.room, live_at: row.started_at }, signal),
      );
    } catch (error) {
      log("info", "recording.not_listed", { room: row.room, error: describeError(error) });
      if (error instanceof RestBusy || error instanceof TooLate) {
        recordings.update(row, { due_at: this.#now() + error.retry_after_ms });
        return;
      }
      if (this.#mayGoOn(row)) return this.#askAgain(row);
    }
    // Told meanwhile, or deleted.
    const now = recordings.find(row.tenant, row.id);
    if (!now || !isOpen(now)) {
      Object.assign(row, now ?? { state: "lost", told: 1 });
      return;
    }
    const done = listed.filter(({ sid, isDone }) => isDone && (sid === row.sid || !recordings.bySid(sid)));
    const found = done.find(({ sid }) => sid === row.sid) ?? done[0];
    if (found) {
      for (const one of done) this.#madeGood(row, one, one === found);
      return;
    }
    const goesOn = listed.some(({ sid, isDone }) => !isDone && (sid === row.sid || !recordings.bySid(sid)));
    if ((goesOn && this.#mayGoOn(row)) || row.asked < ASK_AGAIN_MS.length) {
      this.#askAgain(row);
    } else if (row.state === "expected") {
      // Its conference never began, or was not recorded after all.
      recordings.drop(row);
      Object.assign(row, { state: "absent", told: 1 });
    } else {
      recordings.update(row, { state: "lost" });
      log("warn", "recording.lost", { room: row.room, conference: row.conference_id });
    }
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
  #madeGood(row: Recording, { isDone: _, started_at, ...facts }: ListedRecording, isIt: boolean): void {
    const { recordings, counters } = this.#host;
    const changes = { ...facts, state: "completed", started_at: started_at ?? row.started_at } as const;
    if (isIt) recordings.update(row, changes);
    else {
      const { tenant, room, forward, ended_at } = row;
      recordings.add({ tenant, room, forward, ended_at, ...changes, due_at: this.#now() });
    }
    counters.add("recordings_made_good");
  }

  /** The callback was lost: what is known goes out in its place. */
  async #tell(row: Recording): Promise<void> {
    const to = row.forward ?? this.#host.rooms.forwardingOf(row.room, "recording", row.tenant);
    const status = row.state === "completed" ? "record-stop" : null;
    if (row.told === 1 || to === null || status === null || !isWantedBy(to, status)) return;
    const account = this.#host.facts.require("project_id");
    const params = {
      status,
      conference_id: row.conference_id ?? undefined,
      name: row.room,
      recording_sid: row.sid ?? undefined,
      recording_url: row.url ?? undefined,
      recording_duration: row.duration_s ?? undefined,
      recording_file_size: row.size_bytes ?? undefined,
    };
    const body = {
      event_type: "calling.conference",
      timestamp: (row.ended_at ?? this.#now()) / 1_000,
      project_id: account,
      params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)),
    };
    await forward(
      to,
      { kind: "recording", account, body: { kind: "json", body } },
      { tenant: row.tenant, kind: "recording" },
    );
    this.#host.recordings.update(row, { told: 1 });
  }

  #untold(tenant: string, { room, status }: Said, { kind }: ToldOfRecording): Heard {
    const to = this.#host.rooms.forwardingOf(room, "recording", tenant);
    return { forward: kind === "recording" && isWantedBy(to, status) ? to : null, unwritten: false };
  }

  /** RELAY's events say whose a conference is by nothing but its name. */
  #ownerOf({ conference_id, room }: Said): string | null {
    const [known] = conference_id === null ? [] : this.#host.recordings.ofConference(conference_id);
    return known?.tenant ?? this.#host.rooms.around(room)[0]?.tenant ?? null;
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
    if (said.conference_id !== null) {
      const row = recordings
        .ofConference(said.conference_id)
        .find((one) => isTenants(one) && !hasOtherSid(one));
      if (row) return row;
    }
    const began = startOf(said) ?? said.at;
    const isMeant = (row: Recording) => {
      const isOther =
        said.conference_id !== null && row.conference_id !== null && row.conference_id !== said.conference_id;
      if (hasOtherSid(row) || isOther) return false;
      // Its end may be told by several events, of which one has its id.
      const isEndAgain = isEnd(said.state) && (row.sid === null || said.sid === null) && near(row, began);
      return isOpen(row) || isEndAgain;
    };
    const found = recordings.newestIn(tenant, said.room).filter(isMeant);
    const distance = (row: Recording) => Math.abs(row.started_at - began);
    return found.sort((a, b) => distance(a) - distance(b))[0] ?? null;
  }

  /** The conference that is live in the room, where it is one that is known. */
  #liveIn(room: string, tenant: string): string | null {
    const theirs = this.#host.rooms.participants(room).filter((row) => row.tenant === tenant);
    const ids = new Set(theirs.flatMap(({ conference_id }) => conference_id ?? []));
    return ids.size === 1 ? ([...ids][0] ?? null) : null;
  }

  #isLive({ room, conference_id, ended_at }: Recording): boolean {
    if (ended_at !== null) return false;
    return this.#host.rooms
      .participants(room)
      .some(
        (row) => conference_id === null || row.conference_id === null || row.conference_id === conference_id,
      );
  }

  #dueAfter(row: Recording, { state }: Said, isTold: boolean): number | null {
    const now = this.#now();
    if (!isEnd(state)) return isOpen(row) ? (row.due_at ?? now + LOOK_MS) : row.due_at;
    if (isTold || row.told === 1) return null;
    // A callback that says more of it is on its way.
    return now + GRACE_MS;
  }
}

function saidBy(event: RelayEvent, { ids_known }: ToldOfRecording, now: number): Said | null {
  if (event.kind !== "conference") return null;
  const { status, name, conference_id, recording_url, recording_duration, recording_file_size, ...more } =
    event.params;
  const isEndOfRecorded = status === "conference-end" && recording_url !== undefined;
  const state = isEndOfRecorded ? "completed" : STATES[status];
  if (state === undefined || name === undefined) return null;
  const sid = more["recording_sid"];
  return {
    status,
    state,
    room: name,
    at: event.timestamp === undefined ? now : Math.round(event.timestamp * 1_000),
    conference_id: ids_known ? (conference_id ?? null) : null,
    conference_sid: ids_known ? null : (conference_id ?? null),
    sid: typeof sid === "string" && sid !== "" ? sid : null,
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

function near(row: Recording, began: number): boolean {
  return Math.abs(row.started_at - began) <= NEAR_MS;
}

function isEnd(state: RecordingState): boolean {
  return !isOpen({ state });
}

function isWantedBy(to: ForwardTo | null, status: string): boolean {
  return to !== null && isWanted(to, status, "recording");
}
