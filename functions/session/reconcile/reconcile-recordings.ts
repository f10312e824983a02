import type { CallbackBody } from "../../../shared/callback-body.ts";
import type { ForwardTo } from "../../../shared/callbacks.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import { notForwarded, tryForward } from "../../forward.ts";
import { describeError, log } from "../../log.ts";
import { RestBusy } from "../../rest.ts";
import { callRecordings, type ListedRecording, listRecordings } from "../../rest-recordings.ts";
import { CONNECTIONS, FairSlots, TooLate } from "../../slots.ts";
import { BEGINNING, isBeginningOwed, isWantedBy } from "../events/recording-events.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Counters } from "../store/counters.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import {
  isOpen,
  LOOK_MS,
  type Recording,
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
/** Waits before REST is asked again that had no word of a recording's end; after the last nothing more is to be had. */
const ASK_AGAIN_MS = [10_000, 30_000, 120_000, 600_000, 3_600_000] as const;
/** The same while no list can be had, or one shows it as going on. */
const LASTING_MS = 3_600_000;

/** The status by which we tell of an end in a callback's place: RELAY has one of its own for a recording that was made alone. */
const TELLING: Partial<Record<RecordingState, string>> = {
  completed: "record-stop",
  absent: "recording-absent",
  failed: "recording-failed",
};

interface RecordingReconcilerHost {
  recordings: Recordings;
  occupancy: Occupancy;
  counters: Counters;
  settings: Settings;
  relayManager: Pick<RelayManager, "rest">;
}

/**
 * RecordingReconciler — asks REST about recordings whose end no event told, and then tells the rule's server in the callback's place. No
 * tenant waits for another's server. Used by the dispatcher.
 */
export class RecordingReconciler {
  readonly #host: RecordingReconcilerHost;
  readonly #now: () => number;
  readonly #callbacks = new FairSlots(CONNECTIONS.callbacks);
  /** How often a rule's server did not take an end, by recording. */
  readonly #tries = new Map<string, number>();
  #isRunning = false;

  constructor(host: RecordingReconcilerHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  get isRunning(): boolean {
    return this.#isRunning;
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
    if (isBeginningOwed(row, this.#whom(row))) return await this.#tellBeginning(row);
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
        row.leg === null
          ? listRecordings(project, { ids, sid: row.sid, room: row.room, live_at: row.started_at }, signal)
          : callRecordings(project, row.leg.call_id, signal),
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
    const isOurs = ({ sid }: ListedRecording) =>
      sid === row.sid || ((row.leg === null || row.sid === null) && !recordings.bySid(sid));
    const ours = listed.filter(isOurs);
    const goesOn = ours.some(({ state }) => state === "in-progress");
    const over = ours.filter(({ state }) => state !== "in-progress");
    // Of several the one that was made is meant, or the one that goes on.
    const likely = over.find(({ state }) => state === "completed") ?? (goesOn ? undefined : over[0]);
    const found = over.find(({ sid }) => sid === row.sid) ?? likely;
    if (found) {
      for (const one of row.leg === null ? over : [found]) this.#madeGood(row, one, one === found);
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
    // The parts of one recording stay in the order in which they were begun.
    const isTold = started_at !== null && row.leg === null;
    const changes = { ...facts, started_at: isTold ? started_at : row.started_at };
    if (isIt) recordings.update(row, changes);
    else {
      const { tenant, room, forward, ended_at } = row;
      recordings.add({ tenant, room, forward, ended_at, ...changes, due_at: this.#now() });
    }
    counters.add("recordings_made_good");
  }

  /** Only RELAY, or a list, told that it began: that goes out in the callback's place. What else is due is seen to in the next run. */
  async #tellBeginning(row: Recording): Promise<boolean> {
    const { recordings } = this.#host;
    const { due_at } = row;
    const again_ms = await this.#say(row, BEGINNING);
    const now = recordings.find(row.tenant, row.id);
    if (!now) return true;
    // What was told of it meanwhile says when it is due.
    if (now.due_at === due_at) recordings.update(now, { due_at: this.#now() + (again_ms ?? 0) });
    if (again_ms !== null) return false;
    if (now.begin_told === TOLD.not) recordings.update(now, { begin_told: TOLD.inItsPlace });
    return true;
  }

  /** The callback was lost: what is known goes out in its place. After how long it is to be tried again, or null. */
  async #tell(row: Recording): Promise<number | null> {
    // Operators' recordings are told by the feed and to webhooks alone.
    if (row.leg !== null) return null;
    const status = TELLING[row.state];
    if (row.told !== TOLD.not || status === undefined || !isWantedBy(this.#whom(row), status)) return null;
    const again_ms = await this.#say(row, status);
    if (again_ms !== null) return again_ms;
    // SignalWire's own callback may have been told meanwhile.
    const { recordings } = this.#host;
    if (recordings.find(row.tenant, row.id)?.told === TOLD.not)
      recordings.update(row, { told: TOLD.inItsPlace });
    return null;
  }

  /** Null where the rule's server took it, or did not so often that it is told no more; else after how long it is told again. */
  async #say(row: Recording, status: string): Promise<number | null> {
    const to = this.#whom(row);
    if (to === null) return null;
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
    return null;
  }

  #whom({ forward, room, tenant }: Recording): ForwardTo | null {
    return forward ?? this.#host.occupancy.forwardingOf(room, "recording", tenant);
  }

  #isLive({ room, conference_id, ended_at }: Recording): boolean {
    if (ended_at !== null) return false;
    return this.#host.occupancy
      .participants(room)
      .some(
        (row) => conference_id === null || row.conference_id === null || row.conference_id === conference_id,
      );
  }
}

/** What is known of a beginning or an end, as RELAY tells it. */
function bodyOf(row: Recording, status: string, account: string, now: number): CallbackBody {
  const isOver = status !== BEGINNING;
  const at = isOver ? (row.ended_at ?? now) : row.started_at;
  const params = {
    status,
    conference_id: row.conference_id,
    name: row.room,
    recording_sid: row.sid,
    recording_url: isOver ? row.url : null,
    recording_duration: isOver ? row.duration_s : null,
    recording_file_size: isOver ? row.size_bytes : null,
  };
  const body = {
    event_type: "calling.conference",
    timestamp: at / 1_000,
    project_id: account,
    params: Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null)),
  };
  return { kind: "json", body };
}
