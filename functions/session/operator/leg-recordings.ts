import { mayBeRecorded } from "../../../shared/documents/fixed-words.ts";
import { mediumOf } from "../../../shared/media.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import { describeError, log } from "../../log.ts";
import { callRecordingStatus, recordCall, updateCallRecording } from "../../rest-controls.ts";
import { callRecordings, type ListedRecording } from "../../rest-recordings.ts";
import type { ControlReply, ControlRequest, ControlWish } from "../contract/controls.ts";
import type { Notices } from "../events/recording-notices.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { ControlCommand } from "../store/control-log.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { isOpen, type Leg, type Recording, type Recordings } from "../store/recordings.ts";
import { codeOf, refused } from "./participant-controls.ts";
import type { Reach } from "./reach.ts";
import { FAILED_MS, type RunningCommands, SEEN_MS } from "./running-commands.ts";
import type { Sightings, Watch } from "./sightings.ts";

/** A recording that runs after so long goes on: what a timeout of 0 does to it is not documented. */
const RUNS_MS = 2_000;
/** Several leave at once where a conference ends: who is left is known after so long. */
const SETTLED_MS = 300;
/** So long a conference may be without anybody whose call can be recorded. */
const NOBODY_MS = 3_000;
const AGAIN_MS = 500;
/** Calls that are tried, one after the other. */
const LEGS = 3;
/** A stop that was not seen is sent again after each of these. */
const STOP_AGAIN_MS = [1_000, 4_000, 15_000] as const;
/** SignalWire's own word of a part's end is waited for before its lists are asked. */
const FACTS_MS = 1_000;
/** Parts that have ended and of which more may be told. */
const ENDED = 1_000;
/** Words are spoken at this rate, after this; and no longer than this. */
const SPOKEN_MS = { before: 400, letter: 60, most: 6_000 } as const;

/** Defaults record one voice and stop at a pause. */
const THROUGHOUT = {
  direction: "both",
  initial_timeout: 0,
  end_silence_timeout: 0,
  terminators: "",
} as const;

const STATUSES = { paused: "paused", recording: "in-progress", stopped: "stopped" } as const;
const VERBS = { paused: "pause", recording: "resume", stopped: "stop" } as const;
const TOLD = { paused: ["paused"], recording: ["recording"], stopped: ["finished", "no_input"] } as const;

type Change = Extract<ControlWish, { control: "record" }>;
type RecordEvent = Extract<RelayEvent, { kind: "record" }>;
/** By the command, RELAY's or REST's; or by the compatibility API. */
type Way = "command" | "compatibility";
type By = "relay" | "rest";

/** How a recording of one call was begun. */
type Begun =
  | { kind: "runs"; recording: Recording; by: By; seen_by: "event" | "rest" }
  /** It was taken, or may have been. */
  | { kind: "unseen"; recording: Recording; by: By; watch: Watch }
  | { kind: "refused"; by: By; code: string };

interface LegRecordingsHost {
  placements: Placements;
  occupancy: Occupancy;
  recordings: Recordings;
  recorded: RecordedRooms;
  notices: Pick<Notices, "tellFirst" | "toldByRelay" | "mustBeTold" | "wasTold">;
  reach: Reach;
  sightings: Sightings;
  running: RunningCommands;
  /** A recording is to be asked for in SignalWire's lists. */
  due(): void;
  now(): number;
}

/**
 * LegRecordings — records conferences that are live, which SignalWire has no control for: the call of one participant is recorded, who
 * hears all others, and when that one leaves another's. Each is a part, written down, so that a session that was lost goes on with them.
 */
export class LegRecordings {
  readonly #host: LegRecordingsHost;
  /** Parts that go on, or whose end is not known yet. */
  readonly #open: Map<string, Recording>;
  /** Which part a control id is of: those that have ended, too. */
  readonly #byControl = new Map<string, Pick<Recording, "tenant" | "id">>();
  /** Rooms whose recording is being started. */
  readonly #starting = new Map<string, Promise<ControlReply>>();
  /** Recordings whose next part is being looked for, by their first one. */
  readonly #continuing = new Map<string, Promise<void>>();

  constructor(host: LegRecordingsHost) {
    this.#host = host;
    this.#open = new Map(host.recordings.openParts().map((row) => [row.id, row]));
    for (const row of this.#open.values()) this.#know(row);
  }

  /** What another incarnation recorded, or what happened while RELAY was down: who left is found, and what has ended. */
  resume(): void {
    for (const row of this.#open.values()) {
      if (row.state === "expected" && this.#host.now() - row.started_at > FAILED_MS) this.#end(row);
      else void this.#check(row).catch(broke);
    }
  }

  /** People came into these rooms, or left them. */
  moved(rooms: readonly string[]): void {
    for (const row of this.#open.values()) if (rooms.includes(row.room)) this.#look(row);
  }

  /** A call is in its room. Where that is recorded, and nothing was said of it before, it is to be told. */
  joined(row: Placement): void {
    const { notices } = this.#host;
    const isRecorded = [...this.#open.values()].some(({ room }) => room === row.room);
    if (isRecorded && !notices.wasTold(row.call_id)) notices.mustBeTold(row);
  }

  /** An event of RELAY's, or of a conference. */
  heard(event: RelayEvent): void {
    if (event.kind === "record") this.#told(event.params);
    // Somebody may be held by now, or coach.
    if (event.kind === "conference" && event.params.name !== undefined) this.moved([event.params.name]);
  }

  /** Everybody is told first. One at a time: who asks meanwhile is told that it runs. */
  async start(request: ControlRequest, room: string): Promise<ControlReply> {
    await this.#starting.get(room)?.catch(() => {});
    const starting = this.#start(request, room);
    this.#starting.set(room, starting);
    return await starting.finally(() => {
      if (this.#starting.get(room) === starting) this.#starting.delete(room);
    });
  }

  async #start(request: ControlRequest, room: string): Promise<ControlReply> {
    const { running, recorded } = this.#host;
    const { tenant } = request;
    const conference_id = request.conference_id ?? this.#conferenceIn(tenant, room);
    const subject = { name: "record", room, conference_id, row: null };
    const known = this.#runningIn(tenant, room, conference_id);
    if (known?.state === "paused")
      return refused("control_unavailable", `The recording ${known.id} is paused: resume it.`);
    if (known?.state === "expected")
      return refused("control_unavailable", `The recording ${known.id} is being started.`);
    if (known !== undefined) {
      const already = Object.assign(running.begin(request, subject), { recording_id: known.id });
      return running.done(already, null, {
        changed: false,
        verified_by: "event",
        said: "it was recorded already",
      });
    }
    if (this.#legsFor(tenant, room, conference_id).length === 0)
      return refused(
        "control_unavailable",
        "Nobody's call can be recorded: all who are there are held, coach somebody or are coached.",
      );
    const command = running.begin(request, subject);
    const wasRecorded = recorded.has(room);
    const give_up = (): void => {
      if (!wasRecorded) recorded.ended(room, conference_id);
    };
    if (!(await this.#tellAll(room, conference_id))) {
      give_up();
      const said = "Not everybody in the room could be told that it is to be recorded, so it is not.";
      running.settle(command, null, { state: "refused", changed: false, verified_by: null, said });
      return { ...refused("control_unavailable", said), command_id: command.command_id };
    }
    const begun = await this.#beginAny(tenant, room, conference_id, { of: null, part: 1 });
    if (begun === null || begun.kind === "refused") {
      give_up();
      return running.refused(command, null, begun?.by ?? "relay", begun?.code ?? "nobody is left");
    }
    command.recording_id = begun.recording.id;
    command.sent_by = begun.by;
    if (begun.kind === "runs")
      return running.done(command, null, { changed: true, verified_by: begun.seen_by });
    void this.#adoptLater(command, begun, give_up).catch(broke);
    return running.requested(command, null, begun.by, "SignalWire took it");
  }

  /** It was not seen in time, and may be later. */
  async #adoptLater(
    command: ControlCommand,
    { recording, watch }: Extract<Begun, { kind: "unseen" }>,
    give_up: () => void,
  ): Promise<void> {
    const { running } = this.#host;
    const by = await watch.seen(command.at + FAILED_MS, "later").finally(() => watch.stop());
    if (by !== null && (await this.#runsOn(recording))) {
      running.settle(command, null, { state: "done", changed: true, verified_by: by, said: "" });
      return;
    }
    this.#end(recording);
    give_up();
    const said = `${command.said}, and it was not seen to run within a minute`;
    running.settle(command, null, { state: "failed", changed: false, verified_by: null, said });
  }

  /** Pauses, resumes or stops the recording, of which this is a part. */
  async change(request: ControlRequest, { state, behavior }: Change, part: Recording): Promise<ControlReply> {
    const { running, sightings, recordings } = this.#host;
    const { room, conference_id } = part;
    await this.#continuing.get(firstOf(part));
    const row = this.#currentOf(firstOf(part));
    const subject = { name: `recording ${state}`, room, conference_id, row: null };
    const isSoAlready = row
      ? row.state === (state === "recording" ? "in-progress" : state)
      : state === "stopped";
    if (isSoAlready) {
      const command = running.begin(request, subject);
      return running.done(command, null, { changed: false, verified_by: "event", said: "it was so already" });
    }
    if (!row?.leg) return refused("control_unavailable", "The recording does not run: it is over.");
    if (row.state === "expected") return refused("control_unavailable", "The recording is being started.");
    const command = Object.assign(running.begin(request, subject), { recording_id: row.id });
    const before = row.leg.wanted;
    recordings.update(row, { leg: { ...row.leg, wanted: state } });
    if (state === "recording" && !this.#isFit(row)) return await this.#resumeElsewhere(command, row);
    const { control_id } = row.leg;
    const watch = sightings.watch({
      event: (event) =>
        event.kind === "record" &&
        event.params.control_id === control_id &&
        (TOLD[state] as readonly string[]).includes(event.params.state),
      rest: async () => isStatus(state, await this.#statusOf(row)),
    });
    const sent = await this.#send(row, state, behavior);
    const reply = await running.verified(command, null, watch, sent, () => {
      this.#changed(row, state);
      return {};
    });
    if (reply.outcome === "refused" && row.leg)
      recordings.update(row, { leg: { ...row.leg, wanted: before } });
    return reply;
  }

  /** The call that was recorded has left, or cannot be recorded any more: another's goes on with it. */
  async #resumeElsewhere(command: ControlCommand, row: Recording): Promise<ControlReply> {
    const { running } = this.#host;
    await this.#continue(row);
    const next = this.#currentOf(firstOf(row));
    if (next === undefined || next.id === row.id || next.state !== "in-progress")
      return running.refused(command, null, "relay", "nobody's call could be recorded");
    command.recording_id = next.id;
    return running.done(command, null, { changed: true, verified_by: "event", sent_by: "relay" });
  }

  // Who is recorded

  /** Whose call can be recorded: the best first. Who is muted is heard on the own call, so others come before. */
  #legsFor(tenant: string, room: string, conference_id: string | null): Placement[] {
    const { placements } = this.#host;
    const people = this.#people(tenant, room, conference_id);
    const rank = ({ muted, role }: LivePlacement) => muted * 2 + (role === "moderator" ? 0 : 1);
    return people
      .filter((one) => isHeard(one, people))
      .sort((a, b) => rank(a) - rank(b))
      .flatMap((one) => placements.find(one) ?? []);
  }

  #people(tenant: string, room: string, conference_id: string | null): LivePlacement[] {
    return this.#host.occupancy
      .participants(room)
      .filter((one) => one.tenant === tenant && isSame(one.conference_id, conference_id));
  }

  /** Whether the part's call is still there, and hears the conference. */
  #isFit({ tenant, room, conference_id, leg }: Recording): boolean {
    const people = this.#people(tenant, room, conference_id);
    const one = people.find(({ call_id }) => call_id === leg?.call_id);
    return leg?.over === 0 && one !== undefined && isHeard(one, people);
  }

  #conferenceIn(tenant: string, room: string): string | null {
    const ids = this.#people(tenant, room, null).flatMap((one) => one.conference_id ?? []);
    return ids[0] ?? null;
  }

  /** The recording of the conference that runs, is paused or is being started. */
  #runningIn(tenant: string, room: string, conference_id: string | null): Recording | undefined {
    return this.#host.recordings.newestIn(tenant, room).find(
      (row) =>
        row.ended_at === null &&
        isOpen(row) &&
        // That one may come is known of a conference's own from before it begins.
        (row.state !== "expected" || row.leg !== null) &&
        isSame(row.conference_id, conference_id),
    );
  }

  // Telling

  /** False where somebody could not be told. */
  async #tellAll(room: string, conference_id: string | null): Promise<boolean> {
    const { notices, occupancy } = this.#host;
    const words = occupancy.participants(room).map(({ untold }) => lettersIn(untold));
    const untold = await notices.tellFirst(room, conference_id);
    const played = await Promise.all(untold.map(async (row) => ((await this.#play(row)) ? row : null)));
    await notices.toldByRelay(played.filter((row) => row !== null));
    if (played.includes(null)) return false;
    const { before, letter, most } = SPOKEN_MS;
    await scheduler.wait(Math.min(most, before + letter * Math.max(...words)));
    return true;
  }

  async #play(row: Placement): Promise<boolean> {
    const { reach, sightings, now } = this.#host;
    const control_id = crypto.randomUUID();
    const watch = sightings.watch({
      event: (event) => event.kind === "play" && event.params.control_id === control_id,
      rest: async () => false,
    });
    try {
      const params = { control_id, play: [mediumOf({ say: mayBeRecorded })] };
      const sent = await reach.byRelay(row, "calling.play", params);
      if (sent === null || sent.kind === "refused") return false;
      return (await watch.seen(now() + SEEN_MS)) !== null;
    } finally {
      watch.stop();
    }
  }

  // Parts

  /** Of the first who can be recorded; null where there is nobody. */
  async #beginAny(
    tenant: string,
    room: string,
    conference_id: string | null,
    next: Pick<Leg, "of" | "part">,
    not: ReadonlySet<string> = new Set(),
  ): Promise<Begun | null> {
    let last: Begun | null = null;
    const legs = this.#legsFor(tenant, room, conference_id).filter(({ call_id }) => !not.has(call_id));
    for (const row of legs.slice(0, LEGS)) {
      const ways: Way[] = row.ingress === "cxml" ? ["compatibility"] : ["command", "compatibility"];
      for (const way of ways) {
        last = await this.#begin(row, way, next);
        if (last.kind !== "refused") return last;
      }
    }
    return last;
  }

  async #begin(row: Placement, way: Way, next: Pick<Leg, "of" | "part">): Promise<Begun> {
    const { recordings, sightings, now } = this.#host;
    const { tenant, room, conference_id, call_id } = row;
    const control_id = way === "command" ? crypto.randomUUID() : null;
    const leg: Leg = { ...next, call_id, control_id, wanted: "recording", over: 0 };
    const about = { tenant, room, conference_id, state: "expected", started_at: now(), leg } as const;
    const recording = recordings.add(about);
    if (recording === null) return { kind: "refused", by: "relay", code: "the session has no room for it" };
    this.#open.set(recording.id, recording);
    this.#know(recording);
    const watch = sightings.watch({
      event: (event) =>
        event.kind === "record" &&
        event.params.control_id === control_id &&
        event.params.state === "recording",
      rest: async () => (await this.#listed(recording))?.state === "in-progress",
    });
    const sent = await this.#sendStart(row, recording);
    if (sent.code !== undefined) {
      watch.stop();
      this.#forget(recording);
      return { kind: "refused", by: sent.by, code: sent.code };
    }
    const seen_by = await watch.seen(now() + SEEN_MS);
    if (seen_by === null) return { kind: "unseen", recording, by: sent.by, watch };
    watch.stop();
    if (await this.#runsOn(recording)) return { kind: "runs", recording, by: sent.by, seen_by };
    return { kind: "refused", by: sent.by, code: "it ended at once" };
  }

  /** Whether it runs after a while; then it is said to, and one that does not is no recording. */
  async #runsOn(recording: Recording): Promise<boolean> {
    await scheduler.wait(RUNS_MS);
    const listed = await this.#listed(recording).catch(() => null);
    const hasEnded = recording.leg?.over === 1 || (listed !== null && listed.state !== "in-progress");
    if (hasEnded || recording.ended_at !== null) {
      this.#forget(recording);
      return false;
    }
    this.#host.recordings.update(recording, { state: "in-progress" });
    // Who was recorded may have left meanwhile.
    this.#look(recording);
    return true;
  }

  /** `code`: why it was not taken. */
  async #sendStart(row: Placement, recording: Recording): Promise<{ by: By; code?: string }> {
    const { reach, recordings } = this.#host;
    const control_id = recording.leg?.control_id ?? null;
    if (control_id !== null) {
      const params = { control_id, record: { audio: THROUGHOUT } };
      const sent = await reach.command(row, { method: "calling.record", params, cxml: null });
      return sent.kind === "refused" ? { by: sent.by, code: sent.code } : { by: sent.by };
    }
    const made = await reach.tell((project, signal) => recordCall(project, row.call_id, signal));
    if (made.kind === "made") recordings.update(recording, { sid: made.sid });
    if (made.kind === "refused") return { by: "rest", code: String(made.status) };
    return made.kind === "later" ? { by: "rest", code: "429" } : { by: "rest" };
  }

  async #send(
    row: Recording,
    state: Change["state"],
    behavior?: Change["behavior"],
  ): Promise<{ by: By; outcome: "ok" | "refused" | "later" | "unanswered"; code?: string }> {
    const { reach } = this.#host;
    const { leg, sid } = row;
    const placement = leg && this.#placementOf(row);
    if (leg?.control_id && placement) {
      const params = {
        control_id: leg.control_id,
        ...(state === "paused" && behavior !== undefined ? { behavior } : {}),
      };
      const sent = await reach.command(placement, {
        method: `calling.record.${VERBS[state]}`,
        params,
        cxml: null,
      });
      if (sent.kind !== "refused")
        return { by: sent.by, outcome: sent.kind === "sent" ? "ok" : "unanswered" };
      if (sid === null) return { by: sent.by, outcome: "refused", code: sent.code };
    }
    if (!leg || sid === null) return { by: "rest", outcome: "refused", code: "404" };
    const form = {
      Status: STATUSES[state],
      ...(state === "paused" && behavior !== undefined ? { PauseBehavior: behavior } : {}),
    };
    const outcome = await reach.tell((project, signal) =>
      updateCallRecording(project, leg.call_id, sid, form, signal),
    );
    return { by: "rest", outcome: outcome.kind, ...codeOf(outcome) };
  }

  #placementOf({ tenant, leg }: Recording): Placement | null {
    return (leg && this.#host.placements.currentOf(leg.call_id, tenant)[0]) ?? null;
  }

  /** As the compatibility API lists it; null where it is not certain which one it is. Throws where SignalWire does not answer. */
  async #listed(row: Recording): Promise<ListedRecording | null> {
    const { reach, recordings } = this.#host;
    const { leg } = row;
    if (leg === null) return null;
    const all = await reach.ask((project, signal) => callRecordings(project, leg.call_id, signal));
    const known = all.find(({ sid }) => sid === row.sid);
    if (row.sid !== null) return known ?? null;
    const [found, ...others] = all.filter(({ sid }) => recordings.bySid(sid) === null);
    if (found === undefined || others.length > 0) return null;
    recordings.update(row, { sid: found.sid });
    return found;
  }

  async #statusOf(row: Recording): Promise<string | null> {
    const sid = row.sid ?? (await this.#listed(row))?.sid ?? null;
    const { leg } = row;
    if (sid === null || leg === null) return null;
    return await this.#host.reach.ask((project, signal) =>
      callRecordingStatus(project, leg.call_id, sid, signal),
    );
  }

  // What becomes of them

  #told({ control_id, state, ...more }: RecordEvent["params"]): void {
    const { recordings } = this.#host;
    const known = this.#byControl.get(control_id);
    const row = known && (this.#open.get(known.id) ?? recordings.find(known.tenant, known.id));
    if (!row?.leg) return;
    if (state === "recording" && row.state === "paused") recordings.update(row, { state: "in-progress" });
    if (state === "paused" && row.state === "in-progress") recordings.update(row, { state: "paused" });
    if (state !== "finished" && state !== "no_input") return;
    const facts = {
      url: more.record?.url ?? more.url ?? row.url,
      duration_s: more.record?.duration ?? more.duration ?? row.duration_s,
      size_bytes: more.record?.size ?? more.size ?? row.size_bytes,
    };
    // One that is being started is checked, and one that is paused goes on with another call.
    const isKept = row.ended_at === null && (row.state === "expected" || row.leg.wanted === "paused");
    if (isKept) recordings.update(row, { ...facts, leg: { ...row.leg, over: 1 } });
    else if (isOpen(row)) this.#ended(row, state === "finished" ? "completed" : "failed", facts);
    if (isKept) this.#look(row);
  }

  /** SignalWire says that it is over. */
  #ended(
    row: Recording,
    state: "completed" | "failed",
    facts: Partial<Pick<Recording, "sid" | "url" | "duration_s" | "size_bytes">>,
  ): void {
    const { recordings, now } = this.#host;
    const wasRunning = row.ended_at === null;
    recordings.update(row, { ...facts, state, ended_at: row.ended_at ?? now(), due_at: null });
    this.#open.delete(row.id);
    if (!wasRunning) return;
    if (row.leg?.wanted === "stopped") this.#roomIsNotRecorded(row);
    // Nobody asked it to end.
    else void this.#continue(row).catch(broke);
  }

  #changed(row: Recording, state: Change["state"]): void {
    const { recordings } = this.#host;
    if (state === "stopped") {
      if (row.ended_at !== null) return;
      this.#end(row, false);
      this.#roomIsNotRecorded(row);
    } else if (isOpen(row)) recordings.update(row, { state: state === "paused" ? "paused" : "in-progress" });
  }

  #look(row: Recording): void {
    if (row.ended_at !== null || row.state === "expected" || this.#isFit(row)) return;
    if (row.leg?.wanted === "stopped") return;
    // One that is paused looks for another call when it is resumed.
    const isPaused = row.leg?.wanted === "paused";
    if (isPaused && this.#people(row.tenant, row.room, row.conference_id).length > 0) return;
    void this.#continue(row).catch(broke);
  }

  /** With another call, where this one's part is over or hears the conference no more. */
  async #continue(row: Recording): Promise<void> {
    const first = firstOf(row);
    const under_way = this.#continuing.get(first);
    if (under_way) return await under_way;
    const continued = this.#goOn(row, first).finally(() => this.#continuing.delete(first));
    this.#continuing.set(first, continued);
    await continued;
  }

  async #goOn(row: Recording, first: string): Promise<void> {
    const { occupancy, recordings, now } = this.#host;
    const { tenant, room, conference_id, leg } = row;
    if (leg === null) return;
    const tried = new Set<string>();
    await scheduler.wait(SETTLED_MS);
    for (const until = now() + NOBODY_MS; ; await scheduler.wait(AGAIN_MS)) {
      const isEmpty = this.#people(tenant, room, conference_id).length === 0;
      if (isEmpty && occupancy.strangersIn(room) === 0) {
        // Its conference is over, and it with it.
        this.#end(row);
        this.#roomIsNotRecorded(row);
        return;
      }
      // Stopped or paused, or the call is back.
      if (row.leg?.wanted !== "recording" || (row.ended_at === null && this.#isFit(row))) return;
      const next = { of: first, part: leg.part + 1 };
      const begun = await this.#beginAny(tenant, room, conference_id, next, tried);
      if (begun?.kind === "runs") {
        this.#end(row);
        return;
      }
      if (begun?.kind === "unseen") {
        begun.watch.stop();
        if (begun.recording.leg) tried.add(begun.recording.leg.call_id);
        this.#end(begun.recording);
      }
      if (now() < until) continue;
      this.#end(row);
      this.#roomIsNotRecorded(row);
      const nobody = { ...leg, ...next, call_id: "", control_id: null, over: 1 } as const;
      const failed = recordings.add({
        tenant,
        room,
        conference_id,
        state: "expected",
        started_at: now(),
        leg: nobody,
      });
      if (failed) recordings.update(failed, { state: "failed", ended_at: now(), due_at: null });
      log("error", "recording.failed", { room, recording: first });
      return;
    }
  }

  /** It is to record no more. What SignalWire says of its end is written down when it comes, or asked for. */
  #end(row: Recording, isToBeStopped = true): void {
    const { recordings, now } = this.#host;
    this.#open.delete(row.id);
    if (row.ended_at !== null) return;
    // Of a paused one, what is known already is all.
    const isKnown = row.leg?.over === 1 && row.state !== "expected" && row.url !== null;
    recordings.update(row, {
      ended_at: now(),
      ...(isKnown ? { state: "completed", due_at: null } : { due_at: now() + FACTS_MS }),
    });
    this.#host.due();
    if (isToBeStopped && row.leg?.over === 0) void this.#stop(row).catch(broke);
  }

  /** Its call may go on in a place where callers were not told. */
  async #stop({ tenant, id }: Recording): Promise<void> {
    for (const wait of [...STOP_AGAIN_MS, null]) {
      const row = this.#host.recordings.find(tenant, id);
      if (!row || !isOpen(row)) return;
      const { outcome, code } = await this.#send(row, "stopped");
      // The call is over, and so is what was recorded of it.
      if (outcome === "refused" && (code === "404" || code === "410")) return;
      if (wait === null) log("error", "recording.not_stopped", { room: row.room, recording: id, code });
      else await scheduler.wait(wait);
    }
  }

  async #check(row: Recording): Promise<void> {
    await this.#host.occupancy.known();
    if (row.state === "in-progress") {
      const listed = await this.#listed(row).catch(() => null);
      const isOver = listed !== null && listed.state !== "in-progress";
      if (isOver && row.ended_at === null && isOpen(row)) {
        const { sid, url, duration_s, size_bytes, state } = listed;
        this.#ended(row, state === "completed" ? "completed" : "failed", {
          sid,
          url,
          duration_s,
          size_bytes,
        });
        return;
      }
    }
    this.#look(row);
  }

  #roomIsNotRecorded({ room, conference_id }: Recording): void {
    this.#host.recorded.ended(room, conference_id);
  }

  #currentOf(first: string): Recording | undefined {
    return [...this.#open.values()].find((row) => firstOf(row) === first && row.ended_at === null);
  }

  #know({ tenant, id, leg }: Recording): void {
    if (leg?.control_id) this.#byControl.set(leg.control_id, { tenant, id });
    dropOldest(this.#byControl, ENDED);
  }

  /** It was none. */
  #forget(row: Recording): void {
    this.#open.delete(row.id);
    this.#host.recordings.drop(row);
  }
}

/** Of what somebody is to be told, a `Spoken` as JSON. */
function lettersIn(untold: string | null): number {
  const words = untold === null ? { say: mayBeRecorded } : (JSON.parse(untold) as Spoken); // Written when the row was planned.
  return "say" in words ? words.say.length : Number.POSITIVE_INFINITY;
}

function firstOf({ id, leg }: Recording): string {
  return leg?.of ?? id;
}

/** On the call of one who is held, coaches or is coached, other things are heard than in the conference. */
function isHeard(one: LivePlacement, people: readonly LivePlacement[]): boolean {
  return one.held === 0 && one.coaching === null && people.every(({ coaching }) => coaching !== one.call_id);
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}

function isStatus(state: Change["state"], said: string | null): boolean {
  return state === "stopped" ? said === "completed" || said === "stopped" : said === STATUSES[state];
}

function broke(error: unknown): void {
  log("error", "recording.broke", { error: describeError(error) });
}
