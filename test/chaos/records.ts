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
}

/** One step of a document, as the carrier ran it. */
export interface RunStep {
  at: number;
  step: string;
  in_conference: boolean;
}

/** What the carrier saw of one call. */
export interface CallRecord {
  planned: PlannedCall;
  call: Pick<Call, "call_id" | "state" | "stranded" | "joins">;
  heard: ReturnType<Call["ear"]["report"]>;
  hung_up_at: number | null;
  ended_at: number | null;
  webhooks: SentWebhook[];
  commands: SentCommand[];
  stays: Stay[];
  steps: RunStep[];
}

/** Every call of a run, told from the carrier's journals alone. */
export function recordsOf(played: Played): CallRecord[] {
  const { plan, projects, hung_up } = played;
  const records = new Map<string, CallRecord>();
  for (const planned of plan.calls) {
    const call = projects[planned.project]?.calls.get(planned.call_id);
    if (!call) throw new Error(`call ${planned.call_id} was never placed`);
    records.set(planned.call_id, {
      planned,
      call,
      heard: call.ear.report(),
      hung_up_at: hung_up.get(planned.call_id) ?? null,
      ended_at: null,
      webhooks: [],
      commands: [],
      stays: [],
      steps: [],
    });
  }
  for (const project of projects) readJournal(entriesOf(project), records);
  return [...records.values()];
}

/** A project's whole journal. */
export function entriesOf(project: Project): JournalEntry[] {
  const entries = project.journal.after(0);
  if (entries[0]?.seq !== 1)
    throw new Error("a journal has lost its beginning: too many calls for one project");
  return entries;
}

function readJournal(entries: readonly JournalEntry[], records: ReadonlyMap<string, CallRecord>): void {
  for (const entry of entries) {
    const record = records.get(callOf(entry) ?? "");
    if (record) read(entry, record);
  }
}

function read(entry: JournalEntry, record: CallRecord): void {
  const { at } = entry;
  const in_conference = record.stays.some(({ to }) => to === null);
  switch (entry.kind) {
    case "webhook":
      record.webhooks.push({
        sent_at: Number(entry["sent_at"]),
        ms: Number(entry["ms"]),
        status: entry["status"] as number | null, // As the carrier's documents.ts writes it.
        failed: typeof entry["failed"] === "string" ? entry["failed"] : null,
      });
      return;
    case "frame_in":
      record.commands.push({ at, method: frameOf(entry).method ?? "", by: "relay", in_conference });
      return;
    case "rest":
      record.commands.push({ at, method: restCommandOf(entry)?.command ?? "", by: "rest", in_conference });
      return;
    case "document":
      if (typeof entry["step"] === "string") record.steps.push({ at, step: entry["step"], in_conference });
      return;
    case "call":
      if (entry["state"] === "ended") record.ended_at = at;
      return;
    case "conference": {
      const { status, conference_id, name } = entry;
      if (status === "participant-join") {
        record.stays.push({ conference_id: String(conference_id), room: String(name), from: at, to: null });
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
  params?: { call_id?: string; event_type?: string; params?: { call_id?: string } };
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
