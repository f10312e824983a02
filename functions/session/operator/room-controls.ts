import type { PersonResult } from "../../../shared/api/controls.ts";
import { mediumOf } from "../../../shared/media.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import { describeError, log } from "../../log.ts";
import {
  conferenceStatus,
  recordingStatus,
  updateConference,
  updateParticipant,
  updateRecording,
} from "../../rest-controls.ts";
import { listRecordings } from "../../rest-recordings.ts";
import { timeoutOr } from "../../timeout.ts";
import type { ControlReply, ControlRequest, ControlWish } from "../contract/controls.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recording, Recordings } from "../store/recordings.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { LegRecordings } from "./leg-recordings.ts";
import { codeOf, type ParticipantControls, refused, tooMany } from "./participant-controls.ts";
import type { Reach } from "./reach.ts";
import { type RunningCommands, SEEN_MS } from "./running-commands.ts";
import type { Sightings } from "./sightings.ts";

/** A lock of an empty room is no longer than this. */
const LONGEST_LOCK_MS = 24 * 3_600_000;
/** REST takes three requests at once. */
const AT_ONCE = 3;
/** What is done for many answers within this. */
const MANY_MS = 4_000;
/** A late joiner is muted again after each of these, where that could not be done. */
const MUTED_AGAIN_MS = [1_000, 3_000, 10_000, 30_000] as const;
const CLOCK_SKEW_MS = 500;

type Wish<Name extends ControlWish["control"]> = Extract<ControlWish, { control: Name }>;

export interface RoomControlsHost {
  placements: Placements;
  occupancy: Occupancy;
  policies: RoomPolicies;
  recordings: Recordings;
  reach: Reach;
  sightings: Sightings;
  running: RunningCommands;
  participants: ParticipantControls;
  legs: LegRecordings;
  /** The room's lock is over then, ms. */
  opensAt(room: string, at: number): void;
  now(): number;
}

/** RoomControls — what operators do to a whole room. What SignalWire has no control for, a lock or a policy, is the session's own. */
export class RoomControls {
  readonly #host: RoomControlsHost;
  readonly #late = new Set<string>();

  constructor(host: RoomControlsHost) {
    this.#host = host;
  }

  lock(request: ControlRequest, { mode, until, say }: Wish<"lock">, room: string): ControlReply {
    const { occupancy, policies, running, placements, now } = this.#host;
    if (until === undefined && occupancy.taken(room) === 0)
      return refused("until_required", "The room is empty: say until when it is to be locked.");
    if (until !== undefined && (until <= now() || until > now() + LONGEST_LOCK_MS))
      return refused("until_required", "until must be in the next 24 hours.");
    if (!policies.mayAdd({ room, kind: "lock", tenant: request.tenant })) return tooMany();
    const before = policies.lockOf(room);
    const changed = before === null || before.data.mode !== mode || before.until !== (until ?? null);
    const command = running.begin(request, this.#subject("lock", room));
    policies.set<"lock">({
      room,
      kind: "lock",
      about: "",
      tenant: request.tenant,
      until: until ?? null,
      data: { mode, ...(say === undefined ? {} : { say }) },
    });
    placements.touched(room);
    if (until !== undefined) this.#host.opensAt(room, until);
    return running.done(command, null, { changed, verified_by: "session", sent_by: "session" });
  }

  unlock(request: ControlRequest, room: string): ControlReply {
    const { policies, running, placements } = this.#host;
    const command = running.begin(request, this.#subject("unlock", room));
    const changed = policies.lockOf(room) !== null && policies.drop(room, "lock");
    placements.touched(room);
    return running.done(command, null, { changed, verified_by: "session", sent_by: "session" });
  }

  /** Those in the room now, and each who comes in from now on. */
  async muteAll(request: ControlRequest, { except }: Wish<"mute_all">, room: string): Promise<ControlReply> {
    const { running, policies } = this.#host;
    if (!policies.mayAdd({ room, kind: "mute_all", tenant: request.tenant })) return tooMany();
    const command = running.begin(request, this.#subject("mute-all", room));
    command.sent_by = "rest";
    return this.#settleMany(command, await this.muteBut(request.tenant, room, except));
  }

  /** From now on; those who are in the room are muted now. What came of each. */
  async muteBut(tenant: string, room: string, except: string[]): Promise<PersonResult[]> {
    this.#host.policies.set<"mute_all">({
      room,
      kind: "mute_all",
      about: "",
      tenant,
      until: null,
      data: { except },
    });
    const rows = this.#people(tenant, room).filter(({ role }) => !except.includes(role));
    return await this.#each(rows, async (row) => {
      const { state, changed, by, code } = await this.#host.participants.muted(row);
      if (state !== "done") this.#muteLater(row);
      return { state, changed, verified_by: by, ...(code === undefined ? {} : { code }) };
    });
  }

  unmuteAll(request: ControlRequest, room: string): ControlReply {
    const { policies, running } = this.#host;
    const command = running.begin(request, this.#subject("end mute-all", room));
    const changed = policies.muteAllOf(room) !== null && policies.drop(room, "mute_all");
    const said = "those who come from now on are not muted; who is muted stays so";
    return running.done(command, null, { changed, verified_by: "session", sent_by: "session", said });
  }

  /** Somebody has come in: by the room's policy they are muted, if their join did not do that. */
  joined(row: Placement): void {
    const policy = this.#host.policies.muteAllOf(row.room);
    if (!policy || policy.data.except.includes(row.role) || row.muted === 1) return;
    this.#muteLater(row);
  }

  #muteLater(row: Placement): void {
    if (this.#late.has(row.call_id)) return;
    this.#late.add(row.call_id);
    void this.#muteLate(row)
      .catch((error: unknown) => log("error", "control.broke", { error: describeError(error) }))
      .finally(() => this.#late.delete(row.call_id));
  }

  async #muteLate(row: Placement): Promise<void> {
    for (const wait of [...MUTED_AGAIN_MS, null]) {
      const { state } = await this.#host.participants.muted(row);
      const isWanted = row.state === "joined" && this.#host.policies.muteAllOf(row.room) !== null;
      if (state === "done" || !isWanted || wait === null) {
        if (state !== "done" && isWanted)
          log("error", "mute_all.missed", { call: row.call_id, room: row.room });
        return;
      }
      await scheduler.wait(wait);
    }
  }

  async end(request: ControlRequest, { say, lock_s }: Wish<"end">, room: string): Promise<ControlReply> {
    const { policies, running, occupancy, now } = this.#host;
    const { tenant, conference_id } = request;
    const all = this.#people(tenant, room);
    const ids = [...new Set(all.flatMap((row) => row.conference_id ?? []))];
    if (ids.length > 1 && conference_id === undefined)
      return refused(
        "other_conference",
        `Two conferences live under the name: say which, by expect.conference_id: ${ids.join(", ")}.`,
      );
    if (lock_s > 0 && !policies.mayAdd({ room, kind: "lock", tenant })) return tooMany();
    const rows = all.filter((row) => conference_id === undefined || row.conference_id === conference_id);
    const command = running.begin(request, this.#subject("end", room));
    const before = policies.lockOf(room);
    if (lock_s > 0)
      policies.set<"lock">({
        room,
        kind: "lock",
        about: "",
        tenant,
        until: now() + lock_s * 1_000,
        data: { mode: "refuse" },
      });
    if (lock_s > 0) this.#host.opensAt(room, now() + lock_s * 1_000);
    // Callers on their way, too: they would make the room anew.
    const coming = occupancy
      .around(room)
      .filter((row) => row.tenant === tenant && row.state !== "joined" && row.state !== "waiting")
      .flatMap((row) => this.#host.placements.find(row) ?? []);
    // A leave may look like the doing of one of our documents, which would put its call back.
    for (const row of rows) this.#host.placements.update(row, { hold_at: null, stay_at: null });
    const byConference = say === undefined ? await this.#endConference(rows) : null;
    const rest = byConference === "seen" ? rows.filter(({ state }) => state === "joined") : rows;
    command.sent_by = byConference === null ? "relay" : "rest";
    const results = await this.#each([...rest, ...coming], (row) => this.#endLeg(row, say));
    const ended: PersonResult[] = rows
      .filter((row) => !rest.includes(row))
      .map(({ call_id }) => ({ call_id, changed: true, state: "done", verified_by: "event" }));
    const remaining = results.filter(({ state }) => state !== "done").map(({ call_id }) => call_id);
    const [refusedOne] = results;
    if (refusedOne && ended.length === 0 && results.every(({ state }) => state === "refused")) {
      // Nothing has come of it, nor does its lock.
      if (lock_s > 0 && before !== null) policies.set<"lock">(before);
      else if (lock_s > 0) policies.drop(room, "lock");
      this.#host.placements.touched(room);
      return running.refused(command, null, command.sent_by, refusedOne.code ?? "");
    }
    return this.#settleMany(command, [...ended, ...results], remaining);
  }

  /** By REST, where it lists the conference: whether its end was seen. Null where REST cannot end it. */
  async #endConference(rows: readonly Placement[]): Promise<"seen" | "unseen" | null> {
    const { reach, sightings, now } = this.#host;
    const [first] = rows;
    if (!first) return null;
    const sid = await reach.sidOf(first).catch(() => null);
    if (sid === null) return null;
    const sent_at = now();
    const watch = sightings.watch({
      event: (event) =>
        event.kind === "conference" &&
        event.params.status === "conference-end" &&
        event.params.name === first.room &&
        (first.conference_id === null || event.params.conference_id === first.conference_id) &&
        (event.timestamp === undefined || event.timestamp * 1_000 >= sent_at - CLOCK_SKEW_MS),
      rest: async () =>
        (await reach.ask((project, signal) => conferenceStatus(project, sid, signal))) === "completed",
    });
    try {
      const outcome = await reach.tell((project, signal) =>
        updateConference(project, sid, { Status: "completed" }, signal),
      );
      if (outcome.kind === "refused" || outcome.kind === "later") return null;
      return (await watch.seen(now() + 1_000)) === null ? "unseen" : "seen";
    } finally {
      watch.stop();
    }
  }

  async #endLeg(row: Placement, say: Spoken | undefined): Promise<Omit<PersonResult, "call_id">> {
    const { watch, sent } = await this.#host.participants.end(row, say);
    try {
      const by = sent.kind === "refused" ? await watch.seen(0) : await watch.seen(this.#host.now() + SEEN_MS);
      if (by !== null) {
        this.#host.participants.ended(row);
        return { state: "done", changed: true, verified_by: by };
      }
      return sent.kind === "refused"
        ? { state: "refused", changed: false, verified_by: null, code: sent.code }
        : { state: "requested", changed: false, verified_by: null };
    } finally {
      watch.stop();
    }
  }

  async announce(
    request: ControlRequest,
    { words, to }: Wish<"announce">,
    room: string,
  ): Promise<ControlReply> {
    const { reach, running } = this.#host;
    const people = this.#people(request.tenant, room);
    const rows = people.filter(({ call_id }) => to === undefined || call_id === to);
    const [first] = rows;
    if (!first) return refused("unknown_participant", "No such call is in the room.");
    const subject = { ...this.#subject("announce", room), ...(to === undefined ? {} : { row: first }) };
    const command = running.begin(request, subject);
    const row = subject.row;
    const sid = await reach.sidOf(first).catch(() => null);
    const url = sid === null ? null : await reach.wordsUrl(first, sid, words).catch(() => null);
    let byRest: string | undefined;
    if (sid !== null && url !== null) {
      const form = { AnnounceUrl: url, AnnounceMethod: "POST" };
      const outcome = await reach.tell((project, signal) =>
        to === undefined
          ? updateConference(project, sid, form, signal)
          : updateParticipant(project, sid, first.call_id, form, signal),
      );
      if (outcome.kind === "ok")
        return running.requested(command, row, "rest", "SignalWire took it; nothing tells that it was heard");
      if (outcome.kind === "unanswered")
        return running.requested(command, row, "rest", "SignalWire did not answer");
      byRest = codeOf(outcome).code ?? "429";
    }
    return await this.#playToEach(command, rows, words, byRest);
  }

  /**
   * Where REST cannot announce: to each leg by RELAY, whose events tell that it was played.
   * @param byRest why REST refused, which is told where RELAY cannot be asked.
   */
  async #playToEach(
    command: Parameters<RunningCommands["settle"]>[0],
    rows: readonly Placement[],
    words: Spoken,
    byRest = "not connected",
  ): Promise<ControlReply> {
    const { reach, sightings, now } = this.#host;
    command.sent_by = "relay";
    const results = await this.#each(rows, async (row) => {
      const control_id = crypto.randomUUID();
      const watch = sightings.watch({
        event: (event) =>
          event.kind === "play" &&
          event.params.control_id === control_id &&
          (event.params.state === "playing" || event.params.state === "finished"),
        rest: async () => false,
      });
      try {
        const sent = await reach.byRelay(row, "calling.play", { control_id, play: [mediumOf(words)] });
        if (sent === null || sent.kind === "refused")
          return { state: "refused", changed: false, verified_by: null, code: sent?.code ?? byRest };
        const by = await watch.seen(now() + SEEN_MS);
        return { state: by === null ? "requested" : "done", changed: by !== null, verified_by: by };
      } finally {
        watch.stop();
      }
    });
    if (results.every(({ state }) => state === "refused"))
      return this.#host.running.refused(command, null, "relay", results[0]?.code ?? "");
    return this.#settleMany(command, results);
  }

  async record(request: ControlRequest, wish: Wish<"record">): Promise<ControlReply> {
    const { recordings, reach, running, sightings, now } = this.#host;
    const recording = recordings.find(request.tenant, wish.id);
    if (!recording) return refused("unknown_recording", "There is no such recording.");
    const { room, conference_id } = recording;
    if (request.conference_id !== undefined && request.conference_id !== conference_id)
      return refused("other_conference", "The recording is of another conference.");
    if (recording.leg !== null) return await this.#host.legs.change(request, wish, recording);
    const { state, behavior } = wish;
    const isOver = recording.state !== "in-progress" && recording.state !== "paused";
    const subject = { name: `recording ${state}`, room, conference_id, row: null };
    const soAlready = (verified_by: "event" | "rest") =>
      running.done(running.begin(request, subject), null, {
        changed: false,
        verified_by,
        said: "it was so already",
      });
    if (isOver && state === "stopped" && recording.state !== "expected") return soAlready("event");
    if (isOver)
      return refused("control_unavailable", `The recording does not run: it is ${recording.state}.`);
    const found = await this.#recordingAt(recording).catch(() => undefined);
    if (found === undefined)
      return refused(
        "control_unavailable",
        "SignalWire's REST API does not answer, and only REST has this control.",
      );
    if (found === null)
      return refused("control_unavailable", "SignalWire's REST API does not list this recording.");
    const isSo = (said: string | null) =>
      state === "stopped" ? said === "completed" || said === "stopped" : said === STATES[state];
    const status = async () =>
      await reach.ask((project, signal) => recordingStatus(project, found.conference, found.sid, signal));
    if (recording.state === STATES[state] && isSo(await status().catch(() => null))) return soAlready("rest");
    const command = running.begin(request, subject);
    const sent_at = now();
    const watch = sightings.watch({
      event: (event) =>
        event.kind === "conference" &&
        event.params.status === EVENTS[state] &&
        event.params.name === room &&
        (conference_id === null || event.params.conference_id === conference_id) &&
        (event.timestamp === undefined || event.timestamp * 1_000 >= sent_at - CLOCK_SKEW_MS),
      rest: async () => isSo(await status()),
    });
    const form = {
      Status: STATES[state],
      ...(behavior === undefined ? {} : { PauseBehavior: behavior }),
    };
    const outcome = await reach.tell((project, signal) =>
      updateRecording(project, found.conference, found.sid, form, signal),
    );
    const sent = { by: "rest" as const, outcome: outcome.kind, ...codeOf(outcome) };
    return await running.verified(command, null, watch, sent);
  }

  /** As REST has it: the conference's sid and the recording's own. Null where it lists no one recording that runs. */
  async #recordingAt(recording: Recording): Promise<{ conference: string; sid: string } | null> {
    const { reach, occupancy, placements } = this.#host;
    const [row] = occupancy
      .participants(recording.room)
      .filter(
        ({ conference_id }) => conference_id === recording.conference_id || recording.conference_id === null,
      )
      .flatMap((one) => placements.find(one) ?? []);
    const conference = recording.conference_sid ?? (row ? await reach.sidOf(row) : null);
    if (conference === null) return null;
    if (recording.sid !== null) return { conference, sid: recording.sid };
    const asked = { ids: [conference], sid: null, room: recording.room, live_at: recording.started_at };
    const listed = await reach.ask((project, signal) => listRecordings(project, asked, signal));
    const [running, ...others] = listed.filter((one) => one.state === "in-progress");
    return running && others.length === 0 ? { conference, sid: running.sid } : null;
  }

  #subject(name: string, room: string) {
    const [first] = this.#host.occupancy.participants(room);
    return { name, room, conference_id: first?.conference_id ?? null, row: null as Placement | null };
  }

  #people(tenant: string, room: string): Placement[] {
    const { occupancy, placements } = this.#host;
    return occupancy
      .participants(room)
      .filter((row: LivePlacement) => row.tenant === tenant)
      .flatMap((row) => placements.find(row) ?? []);
  }

  /** So many at once as REST takes; who is not done within the time of an answer goes on, and is told of as requested. */
  async #each(
    rows: readonly Placement[],
    act: (row: Placement) => Promise<Omit<PersonResult, "call_id">>,
  ): Promise<PersonResult[]> {
    const results = new Map<string, PersonResult>();
    const queue = [...rows];
    const work = async (): Promise<void> => {
      for (let row = queue.shift(); row; row = queue.shift()) {
        const { call_id } = row;
        const result = await act(row).catch(
          (error: unknown): Omit<PersonResult, "call_id"> => ({
            state: "requested",
            changed: false,
            verified_by: null,
            code: describeError(error),
          }),
        );
        results.set(call_id, { call_id, ...result });
      }
    };
    const all = Promise.all(Array.from({ length: AT_ONCE }, work));
    await timeoutOr(MANY_MS, all, null);
    return rows.map(
      ({ call_id }) =>
        results.get(call_id) ?? { call_id, state: "requested", changed: false, verified_by: null },
    );
  }

  #settleMany(
    command: Parameters<RunningCommands["settle"]>[0],
    results: PersonResult[],
    remaining?: string[],
  ): ControlReply {
    const { running } = this.#host;
    const more = { results, ...(remaining === undefined ? {} : { remaining }) };
    const open = results.filter(({ state }) => state !== "done");
    if (open.length === 0) {
      const changed = results.some((one) => one.changed);
      const verified_by = results.some((one) => one.verified_by === "rest")
        ? "rest"
        : results.length > 0
          ? "event"
          : "session";
      return running.done(command, null, { changed, verified_by, ...more });
    }
    Object.assign(command, more);
    const said = `${open.length} of ${results.length} were not seen to be done`;
    return running.requested(command, null, command.sent_by ?? "session", said);
  }
}

const STATES = { paused: "paused", recording: "in-progress", stopped: "stopped" } as const;
const EVENTS = { paused: "record-pause", recording: "record-resume", stopped: "record-stop" } as const;
