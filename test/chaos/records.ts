import type { Call } from "../carrier/calls.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { Project } from "../carrier/project.ts";
import type { PlannedCall } from "./callers.ts";
import type { Played } from "./player.ts";

/** A webhook of a call, by the carrier's clock on the wall. */
export interface SentWebhook {
  sent_at: number;
  ms: number;
  status: number | null;
  failed: string | null;
}

/** A command that the Worker sent for a call, by RELAY or by REST. */
export interface SentCommand {
  at: number;
  method: string;
  by: "relay" | "rest";
  /** Whether the call was in a conference when the command arrived. */
  in_conference: boolean;
}

/** From one join of a conference to its leave. */
export interface Stay {
  conference_id: string;
  room: string;
  from: number;
  to: number | null;
  /** When RELAY told that it was over, or a status callback that could be believed, and somebody said that they had heard. Null: never. */
  told_at: number | null;
}

/** One step of a SWML document, or one verb of a cXML document, as the carrier ran it. */
export interface RunStep {
  at: number;
  step: string;
  in_conference: boolean;
}

/** The end of a sound, or of a question, that RELAY played on a call, or a command to end it: what comes next is decided then. */
export interface SoundOver {
  at: number;
}

/** What the carrier saw of one call. */
export interface CallRecord {
  planned: PlannedCall;
  call: Pick<Call, "call_id" | "sid" | "state" | "stranded" | "joins" | "began_at">;
  heard: ReturnType<Call["ear"]["report"]>;
  hung_up_at: number | null;
  /** The caller heard it ring for long, and nothing else, and has given up. */
  given_up: boolean;
  /** When it was offered on a context in an event that was acknowledged. Null: no client of that context ever had it. */
  received_at: number | null;
  ended_at: number | null;
  webhooks: SentWebhook[];
  commands: SentCommand[];
  stays: Stay[];
  steps: RunStep[];
  sounds_over: SoundOver[];
  /** While the call lived REST refused or cut a request of its project's. */
  rest_failed: boolean;
}

/** Every call of a run, told from the carrier's journals alone. */
export function recordsOf(played: Played): CallRecord[] {
  const { plan, projects, hung_up, given_up } = played;
  const records = new Map<string, CallRecord>();
  for (const planned of plan.calls) {
    const call = projects[planned.project]?.calls.get(planned.call_id);
    if (!call) throw new Error(`call ${planned.call_id} was never placed`);
    records.set(planned.call_id, {
      planned,
      call,
      heard: call.ear.report(),
      hung_up_at: hung_up.get(planned.call_id) ?? null,
      given_up: given_up.has(planned.call_id),
      received_at: null,
      ended_at: null,
      webhooks: [],
      commands: [],
      stays: [],
      steps: [],
      sounds_over: [],
      rest_failed: false,
    });
  }
  for (const [index, project] of projects.entries()) {
    const entries = entriesOf(project);
    readJournal(entries, records);
    const failures = entries.filter(isRestFailure).map(({ at }) => at);
    for (const record of records.values()) {
      if (record.planned.project !== index) continue;
      const [from, to] = [record.received_at ?? 0, record.ended_at ?? Number.POSITIVE_INFINITY];
      record.rest_failed = failures.some((at) => at >= from && at <= to);
    }
  }
  return [...records.values()];
}

function isRestFailure(entry: JournalEntry): boolean {
  const { kind } = (entry["do"] ?? {}) as { kind?: string }; // As the carrier's faults.ts writes it.
  return (
    entry.kind === "fault" && entry["at_point"] === "rest" && (kind === "code" || kind === "drop_socket")
  );
}

/** A project's whole journal. */
export function entriesOf(project: Project): JournalEntry[] {
  const entries = project.journal.after(0);
  if (entries[0]?.seq !== 1)
    throw new Error("a journal has lost its beginning: too many calls for one project");
  return entries;
}

function readJournal(entries: readonly JournalEntry[], records: ReadonlyMap<string, CallRecord>): void {
  /** What is so when an event is acknowledged, by the event's id. */
  const unheard = new Map<string, (at: number) => void>();
  for (const entry of entries) {
    const record = records.get(callOf(entry) ?? "");
    if (record) read(entry, record);
    const tellAll = (conference_id: unknown, at: number) => {
      for (const { stays } of records.values()) tell(stays, conference_id, at);
    };
    if (isToldByCallback(entry)) {
      if (entry["status"] === "conference-end") tellAll(entry["conference_id"], entry.at);
      else if (record) tell(record.stays, entry["conference_id"], entry.at);
    }
    const { id = "", method, params } = frameOf(entry);
    if (entry.kind === "frame_in" && method === undefined) unheard.get(id)?.(entry.at);
    if (entry.kind !== "frame_out") continue;
    const { status, conference_id } = params?.params ?? {};
    if (status === "conference-end") unheard.set(id, (at) => tellAll(conference_id, at));
    if (!record) continue;
    if (status === "participant-leave") unheard.set(id, (at) => tell(record.stays, conference_id, at));
    if (params?.event_type === "calling.call.receive") {
      unheard.set(id, () => {
        record.received_at ??= entry.at;
      });
    }
  }
}

/** One that nobody signed is a rumour: whoever is told by it has to ask. A form by other names than RELAY's tells of nobody known. */
function isToldByCallback(entry: JournalEntry): boolean {
  const { kind, status, signed, named_as_by_relay, http_status } = entry;
  const isLeave = status === "participant-leave" || status === "conference-end";
  const isBelieved = signed === true && named_as_by_relay === true;
  return kind === "status_callback" && isLeave && isBelieved && http_status === 204;
}

function tell(stays: readonly Stay[], conference_id: unknown, at: number): void {
  for (const stay of stays) if (stay.conference_id === conference_id && stay.to !== null) stay.told_at ??= at;
}

function read(entry: JournalEntry, record: CallRecord): void {
  const { at } = entry;
  const in_conference = record.stays.some(({ to }) => to === null);
  const command = (method: string, by: SentCommand["by"]) => {
    record.commands.push({ at, method, by, in_conference });
    if (method.endsWith(".stop")) record.sounds_over.push({ at });
  };
  switch (entry.kind) {
    case "webhook":
      record.webhooks.push({
        sent_at: Number(entry["sent_at"]),
        ms: Number(entry["ms"]),
        status: entry["status"] as number | null, // As the carrier's documents.ts writes it.
        failed: typeof entry["failed"] === "string" ? entry["failed"] : null,
      });
      return;
    case "frame_out": {
      const { params } = frameOf(entry);
      const isPlayed = params?.event_type === "calling.call.play" && params.params?.state === "finished";
      if (isPlayed || params?.event_type === "calling.call.collect") record.sounds_over.push({ at });
      return;
    }
    case "frame_in":
      command(frameOf(entry).method ?? "", "relay");
      return;
    case "rest":
      command(restCommandOf(entry)?.command ?? "", "rest");
      return;
    case "document":
      for (const step of [entry["step"], entry["verb"]]) {
        if (typeof step === "string") record.steps.push({ at, step, in_conference });
      }
      return;
    case "call":
      if (entry["state"] === "ended") record.ended_at = at;
      return;
    case "conference": {
      const { status, conference_id, name } = entry;
      if (status === "participant-join") {
        record.stays.push({
          conference_id: String(conference_id),
          room: String(name),
          from: at,
          to: null,
          told_at: null,
        });
      } else if (status === "participant-leave") {
        const stay = record.stays.findLast((one) => one.conference_id === conference_id && one.to === null);
        if (stay) stay.to = at;
      }
      return;
    }
    default:
      return;
  }
}

/** The call that an entry is about. */
export function callOf(entry: JournalEntry): string | null {
  if (entry.kind === "frame_in" || entry.kind === "frame_out") {
    const { params } = frameOf(entry);
    return params?.call_id ?? params?.params?.call_id ?? null;
  }
  if (entry.kind === "rest") return restCommandOf(entry)?.id ?? null;
  return typeof entry["call_id"] === "string" ? entry["call_id"] : null;
}

interface Frame {
  id?: string;
  method?: string;
  params?: {
    call_id?: string;
    event_type?: string;
    params?: { call_id?: string; state?: string; status?: string; conference_id?: string };
  };
  result?: { code?: string };
}

/** JSON-RPC, as the carrier has journaled it. */
export function frameOf(entry: JournalEntry): Frame {
  return (entry["frame"] ?? {}) as Frame; // A frame that is not one is in the journal as a violation.
}

function restCommandOf(entry: JournalEntry): { command?: string; id?: string } | null {
  const body = entry["body"];
  if (typeof body !== "string" || !body.startsWith("{")) return null;
  return JSON.parse(body) as { command?: string; id?: string }; // What no command is has neither.
}
