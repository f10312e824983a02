import { setTimeout as wait } from "node:timers/promises";
import type { Call } from "../carrier/calls.ts";
import { startCxml } from "../carrier/cxml-documents.ts";
import { startDocument } from "../carrier/documents.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { Project } from "../carrier/project.ts";
import { RelayConnection } from "../carrier/relay-connection.ts";
import type { Moment, PlannedCall } from "./callers.ts";
import { type Dialled, Dialling } from "./dialling.ts";
import type { Staged } from "./environment.ts";
import { Listening } from "./listening.ts";
import { type Operated, Operating } from "./operating.ts";
import type { CallAct } from "./operators.ts";
import { untoldRecordings } from "./recordings.ts";
import { compareSeats, type SeatsFound } from "./rosters.ts";
import { watchLeaks } from "./seat-leaks.ts";
import type { Deed } from "./troubles.ts";

/** How long after the last trouble every conference is ended. */
const EVENING_MS = 6_000;
/** How long rooms that came up again are ended again; then their callers hang up. */
const LATE_MS = 20_000;
/** What is still alive so long after its conference was left alive. */
export const AFTERLIFE_MS = 40_000;
/** A caller who was offered to RELAY, and hears it ring yet in the evening, gives up. */
const RINGING_MS = 12_000;
/** SignalWire is asked about a recording 10 s after its end, and again 10 s later: what is still untold then is reported. */
const RECORDED_MS = 30_000;
/** Nothing more is waited for when every call has been over for so long. */
const QUIET_MS = 1_000;

/** What was done by us and not by the Worker, for whoever judges. */
export interface Played extends Staged {
  began_at: number;
  ended_at: number;
  /** When a caller hung up, by call id. */
  hung_up: Map<string, number>;
  /** When an operator took a call out of its conference, by call id. */
  taken_out: Map<string, number>;
  /** Calls on which it only rang, until the caller gave up. */
  given_up: Set<string>;
  /** When the RELAY listener was gone, ms since the epoch. */
  outages: { from: number; to: number }[];
  /** Where seats are counted: what came of comparing the ledger with the rooms. */
  seats: SeatsFound | null;
  /** How long the Worker's rosters still had someone who had left, for each of those who were seen there; ms. */
  seats_leaked_ms: number[];
  /** What came of the calls that were made. */
  dialled: Dialled[];
  /** What came of what operators did. */
  operated: Operated[];
}

/** Carries a plan out, then ends every conference and waits until every call is over, or should have been. */
export async function play(staged: Staged, worker_url: string): Promise<Played> {
  const player = new Player(staged, worker_url);
  return await player.play();
}

class Player {
  readonly #staged: Staged;
  readonly #worker_url: string;
  readonly #planned: Map<string, PlannedCall>;
  readonly #hung_up = new Map<string, number>();
  readonly #taken_out = new Map<string, number>();
  readonly #given_up = new Set<string>();
  /** Calls that have not been in a conference yet. */
  readonly #unjoined: Set<Call>[];
  readonly #listening: Listening;
  readonly #dialling: Dialling;
  readonly #operating: Operating;
  readonly #acts: Map<string, CallAct[]>;
  readonly #outages: { from: number; to: number }[] = [];
  readonly #reachedMoments = new Set<Moment>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(staged: Staged, worker_url: string) {
    this.#staged = staged;
    this.#worker_url = worker_url;
    this.#unjoined = staged.projects.map(() => new Set());
    this.#dialling = new Dialling(staged, worker_url);
    this.#operating = new Operating(staged, worker_url);
    this.#acts = Map.groupBy(staged.plan.operators?.calls ?? [], ({ call_id }) => call_id);
    this.#planned = new Map(staged.plan.calls.map((call) => [call.call_id, call]));
    this.#listening = new Listening({
      asked: (call, { press, ms }) => this.#later(ms, () => call.keypad.press(press)),
      waits: (project, { call_id }) => this.#reached(project, call_id, "waiting"),
    });
  }

  async play(): Promise<Played> {
    const { plan, projects } = this.#staged;
    const began_at = Date.now();
    const unwatch = projects.map((project, index) => this.#watch(project, index));
    for (const { at_ms, project, deed } of plan.deeds) {
      this.#later(at_ms, () => this.#do(projects[project], deed));
    }
    for (const call of plan.calls) this.#later(call.at_ms, () => this.#placeCall(call));
    for (const dial of plan.dials) this.#later(dial.at_ms, () => this.#dialling.ask(dial));
    for (const act of plan.operators?.rooms ?? []) this.#later(act.at_ms, () => this.#operating.ask(act));
    const counts = plan.scenario === "seats";
    const leaks = counts ? watchLeaks(this.#staged, this.#worker_url) : null;
    await wait(plan.over_at_ms + EVENING_MS);
    const evening = counts ? await compareSeats(this.#staged, this.#worker_url) : null;
    await this.#endOfDay();
    await this.#allTold();
    const isCompared = counts || plan.operators !== null;
    const end = isCompared ? await compareSeats(this.#staged, this.#worker_url) : null;
    const seats = end && { evening: evening ?? end, end };
    const seats_leaked_ms = (await leaks?.stop()) ?? [];
    const dialled = await this.#dialling.stop();
    const operated = await this.#operating.stop();
    const ended_at = Date.now();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const stop of unwatch) stop();
    return {
      ...this.#staged,
      began_at,
      ended_at,
      hung_up: this.#hung_up,
      taken_out: this.#taken_out,
      given_up: this.#given_up,
      outages: this.#outages,
      seats,
      seats_leaked_ms,
      dialled,
      operated,
    };
  }

  async #endOfDay(): Promise<void> {
    const began_at = Date.now();
    let last_ended_at = began_at;
    let quiet_since: number | null = null;
    while (Date.now() - last_ended_at < AFTERLIFE_MS + 2_000) {
      const late = Date.now() - began_at > LATE_MS;
      for (const project of this.#staged.projects) {
        this.#giveUp(project);
        for (const conference of [...project.conferences.values()]) {
          if (!late && Date.now() - conference.created_at < EVENING_MS / 2) continue;
          last_ended_at = Date.now();
          if (late) for (const call_id of [...conference.participants.keys()]) this.#hangUp(project, call_id);
          else conference.end("ended-via-api");
        }
      }
      const alive = this.#staged.projects.some((project) =>
        [...project.calls.values()].some((call) => call.state !== "ended"),
      );
      quiet_since = alive ? null : (quiet_since ?? Date.now());
      if (quiet_since !== null && Date.now() - quiet_since >= QUIET_MS) return;
      await wait(250);
    }
  }

  /** Waits until the rules' server was told of every recording, or should have been. */
  async #allTold(): Promise<void> {
    const { projects, told } = this.#staged;
    const conferences = projects.flatMap(({ past_conferences }) => past_conferences);
    const until = Date.now() + RECORDED_MS;
    while (untoldRecordings(conferences, told).length > 0 && Date.now() < until) await wait(250);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #placeCall(planned: PlannedCall): void {
    const { project: index, tenant, way, call_id, from, to, sip_headers, copies } = planned;
    const project = this.#staged.projects[index];
    if (!project) return;
    const type = sip_headers ? "sip" : "phone";
    const facts = { call_id, from, to, type, headers: sip_headers ?? [], direction: "inbound" } as const;
    const url = `${this.#worker_url}/hooks/${tenant}/${way}`;
    switch (way) {
      case "swml": {
        const call = project.addCall({ ...facts, origin: "webhook" });
        startDocument(project, call, { start: { url }, duplicate_webhooks: copies });
        break;
      }
      case "cxml": {
        const call = project.addCall({ ...facts, origin: "cxml" });
        startCxml(project, call, { url, method: "POST" }, copies);
        break;
      }
      case "relay": {
        const call = project.addCall({ ...facts, origin: "context" });
        for (let copy = 0; copy < copies; copy += 1) project.offer(call, tenant);
        break;
      }
      default:
        way satisfies never;
    }
    const call = project.calls.get(call_id);
    if (call) {
      this.#listening.to(project, call, planned);
      this.#unjoined[index]?.add(call);
    }
    this.#reached(project, call_id, "placed");
  }

  /** Whoever only ever heard it ring. */
  #giveUp(project: Project): void {
    for (const call of project.calls.values()) {
      const rings = call.origin === "context" && (call.state === "created" || call.state === "ringing");
      if (!rings || call.now() - call.began_at < RINGING_MS) continue;
      this.#given_up.add(call.call_id);
      call.hangUp("hangup");
    }
  }

  #hangUp(project: Project, call_id: string): void {
    const call: Call | undefined = project.calls.get(call_id);
    if (!call || call.over) return;
    this.#hung_up.set(call_id, Date.now());
    call.hangUp("hangup");
  }

  /** Callers do what they do at a step of theirs, once. */
  #reached(project: Project, call_id: string, step: Moment["after"]): void {
    const planned = this.#planned.get(call_id);
    this.#once(planned?.hangs_up, step, () => this.#hangUp(project, call_id));
    this.#once(planned?.taken_out, step, () => this.#takeOut(project.calls.get(call_id)));
  }

  #takeOut(call: Call | undefined): void {
    if (!call?.conference) return;
    this.#taken_out.set(call.call_id, Date.now());
    call.conference.leave(call.call_id);
  }

  #once(moment: Moment | null | undefined, step: Moment["after"], act: () => void): void {
    if (moment?.after !== step || this.#reachedMoments.has(moment)) return;
    this.#reachedMoments.add(moment);
    this.#later(moment.ms, act);
  }

  /** Steps are read from the journal, a moment after it was written: nobody acts in the middle of the carrier's turn. */
  #watch(project: Project, index: number): () => void {
    let read = 0;
    let reading = false;
    return project.journal.watch(() => {
      if (reading) return;
      reading = true;
      setImmediate(() => {
        reading = false;
        this.#listening.listen(project);
        for (const call of this.#unjoined[index] ?? []) {
          if (call.joins.length === 0) continue;
          this.#unjoined[index]?.delete(call);
          this.#reached(project, call.call_id, "joined");
          for (const act of this.#acts.get(call.call_id) ?? [])
            this.#later(act.ms, () => this.#operating.ask(act));
        }
        for (const entry of project.journal.after(read)) {
          read = entry.seq;
          const [call_id, step] = stepOf(entry) ?? [];
          if (call_id !== undefined && step !== undefined) this.#reached(project, call_id, step);
        }
      });
    });
  }

  #do(project: Project | undefined, deed: Deed): void {
    if (!project) return;
    switch (deed.do) {
      case "settings": {
        const { faults, switches, latency_ms } = deed;
        project.change({ faults, switches, latency_ms });
        return;
      }
      case "sockets":
        for (const link of linksOf(project)) act(project, link, deed.action);
        return;
      case "silence":
        for (const link of linksOf(project)) link.goSilent(deed.ms);
        return;
      case "restart": {
        const { carrier, projects } = this.#staged;
        carrier.world.setOutage(deed.ms);
        this.#outages.push({ from: Date.now(), to: Date.now() + deed.ms });
        for (const link of projects.flatMap(linksOf)) link.drop();
        return;
      }
      case "end_room":
        for (const conference of project.conferencesNamed(deed.room)) conference.end("ended-via-api");
        return;
      case "vanish":
      case "retry": {
        const url = `${this.#worker_url}/chaos/${project.project_id}/${deed.do}`;
        // It is the Worker's own failing that is being tried.
        fetch(url, { method: "POST" }).catch(() => {});
        return;
      }
      default:
        deed satisfies never;
    }
  }
}

function act(
  project: Project,
  link: RelayConnection,
  action: Extract<Deed, { do: "sockets" }>["action"],
): void {
  switch (action) {
    case "drop":
      link.drop();
      return;
    case "close":
      link.close();
      return;
    case "disconnect":
      link.disconnect(false);
      return;
    case "disconnect_restart":
      link.disconnect(true);
      // The client was told to forget it.
      project.sessions.delete(link.session.protocol);
      return;
    default:
      action satisfies never;
  }
}

function linksOf(project: Project): RelayConnection[] {
  return [...project.sessions.values()]
    .map(({ link }) => link)
    .filter((link): link is RelayConnection => link instanceof RelayConnection);
}

function stepOf(entry: JournalEntry): [string, Moment["after"]] | null {
  const call_id = entry["call_id"];
  switch (entry.kind) {
    case "call":
      return typeof call_id === "string" && entry["state"] === "answered" ? [call_id, "answered"] : null;
    case "document":
      return typeof call_id === "string" && (entry["step"] === "transfer" || entry["verb"] === "Redirect")
        ? [call_id, "coming back"]
        : null;
    case "frame_in": {
      const { method, params } = entry["frame"] as { method?: string; params?: { call_id?: string } }; // A JSON-RPC frame.
      return method === "calling.join_conference" && params?.call_id !== undefined
        ? [params.call_id, "asked"]
        : null;
    }
    default:
      return null;
  }
}
