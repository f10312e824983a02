import type { JoinRecord } from "../carrier/calls.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { Project } from "../carrier/project.ts";
import type { CallRecord, SentCommand, Stay } from "./call-record.ts";
import type { Operated } from "./operating.ts";
import type { Plan } from "./plan.ts";
import type { Played } from "./player.ts";

/** Every call of a run, told from the carrier alone. */
export function recordsOf(
  played: Pick<Played, "projects" | "hung_up" | "given_up" | "taken_out" | "ended_at" | "operated"> & {
    plan: Pick<Plan, "calls">;
  },
): CallRecord[] {
  const { plan, projects, hung_up, given_up, taken_out, operated } = played;
  const records = new Map<string, CallRecord>();
  for (const planned of plan.calls) {
    const call = projects[planned.project]?.calls.get(planned.call_id);
    if (!call) throw new Error(`call ${planned.call_id} was never placed`);
    records.set(planned.call_id, {
      planned,
      call,
      heard: call.ear.report(),
      hung_up_at: hung_up.get(planned.call_id) ?? null,
      taken_out_at: taken_out.get(planned.call_id) ?? null,
      given_up: given_up.has(planned.call_id),
      received_at: null,
      sessions: [],
      ended_at: null,
      seen_until: played.ended_at,
      ended_in_conference: false,
      webhooks: [],
      commands: [],
      stays: call.joins.map(stayOf),
      steps: [],
      sounds_over: [],
      rest_failed: false,
      operated: operatedOn(operated, planned, call.joins),
      known_in: new Set(),
    });
  }
  for (const [index, project] of projects.entries()) {
    const entries = entriesOf(project);
    const sessions = entries.filter(isSession).map(({ at }) => at);
    const mine = [...records.values()].filter(({ planned }) => planned.project === index);
    readJournal(entries, mine);
    findEnded(project, mine);
    const failures = entries.filter(isRestFailure).map(({ at }) => at);
    for (const record of mine) {
      record.sessions = sessions;
      const [from, to] = [record.received_at ?? 0, record.ended_at ?? Number.POSITIVE_INFINITY];
      record.rest_failed = failures.some((at) => at >= from && at <= to);
    }
  }
  return [...records.values()];
}

/** How an event or a callback may say that a conference is over. */
const ENDED = new Set(["conference-end", "ended"]);
/** Why the carrier says that a conference ended when its moderator left. */
const END_ON_EXIT = "participant-with-end-conference-on-exit-left";

/** REST refused a request, or cut it off. */
export function isRestFailure(entry: JournalEntry): boolean {
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

/** What was asked of the call itself, and of rooms that it was in or was meant for. */
function operatedOn(
  operated: readonly Operated[],
  { call_id, project, room, overflow = [] }: CallRecord["planned"],
  joins: readonly JoinRecord[],
): Operated[] {
  const rooms = new Set([room, ...overflow, ...joins.map(({ conference }) => conference)]);
  return operated.filter(
    ({ act, room: asked }) =>
      act.project === project && ("call_id" in act ? act.call_id === call_id : rooms.has(asked)),
  );
}

function stayOf({ conference_id, conference, by, at, left_at }: JoinRecord): Stay {
  return {
    conference_id,
    room: conference,
    by,
    from: at,
    to: left_at,
    told_at: null,
    untold: [],
    ended_for: 0,
  };
}

/** Whether a call was in a conference when the journal had come to this entry. */
function isIn(joins: readonly JoinRecord[], { seq }: JournalEntry): boolean {
  return joins.some((join) => join.seq < seq && (join.left_seq === null || seq <= join.left_seq));
}

function readJournal(entries: readonly JournalEntry[], records: readonly CallRecord[]): void {
  const byId = new Map(
    records.flatMap((record) => [
      [record.call.sid, record],
      [record.call.call_id, record],
    ]),
  );
  /** What the answer to a command means, by the id of its frame. */
  const answered = new Map<string, (code: string | undefined) => void>();
  /** What is so when an event is acknowledged, by the event's id. */
  const unheard = new Map<string, (at: number) => void>();
  for (const entry of entries) {
    const record = byId.get(callOf(entry) ?? "");
    if (record) read(entry, record);
    if (record && entry.kind === "frame_in") {
      const command = record.commands.at(-1);
      answered.set(frameOf(entry).id ?? "", (code) => {
        if (command && code === "429") command.was_busy = true;
      });
    }
    if (entry.kind === "status_callback") readCallback(entry, record, records);
    const { id = "", method, params } = frameOf(entry);
    if (entry.kind === "frame_in" && method === undefined) unheard.get(id)?.(entry.at);
    if (entry.kind !== "frame_out") continue;
    if (method === undefined) answered.get(id)?.(frameOf(entry).result?.code);
    if (params?.event_type === "calling.conference") {
      const { status = "", conference_id } = params.params ?? {};
      const told = toldBy(status, record, records).filter((one) => ENDED.has(status) || knowsId(one));
      for (const one of told) doubt(one, { conference_id, at: entry.at }, "event not acknowledged");
      unheard.set(id, (at) => {
        for (const one of told) tell(one, { conference_id, at });
        if (status === "participant-join" && record && knowsId(record)) record.known_in.add(conference_id);
      });
    }
    if (record && params?.event_type === "calling.call.receive") {
      unheard.set(id, () => {
        record.received_at ??= entry.at;
      });
    }
  }
}

/** Those whose stay is over, by the word of an event or a callback. */
function toldBy(
  status: string,
  record: CallRecord | undefined,
  records: readonly CallRecord[],
): readonly CallRecord[] {
  if (ENDED.has(status)) return records;
  return status === "participant-leave" && record ? [record] : [];
}

/** One that is not signed is a rumour; one that names the call by an id that the client never saw tells of nobody. */
function readCallback(
  entry: JournalEntry,
  record: CallRecord | undefined,
  records: readonly CallRecord[],
): void {
  const { at, conference_id, http_status, signed, named_as_by_relay, form, status } = entry;
  const isHeard = typeof http_status === "number" && http_status >= 200 && http_status < 300;
  if (status === "participant-join" && isHeard && record)
    if (form === true ? knowsSid(record) : knowsId(record)) record.known_in.add(conference_id);
  for (const one of toldBy(String(status), record, records)) {
    // What names a conference or a call otherwise is a form: it has the call's sid. Whether a form's end is that of the call's
    // conference is known only if the call was told of in it.
    const isNamed =
      named_as_by_relay === true
        ? record
          ? knowsId(one)
          : form !== true || one.known_in.has(conference_id)
        : record && knowsSid(one);
    const told = { conference_id, at };
    if (!isHeard) doubt(one, told, `callback answered ${String(http_status ?? "nothing")}`);
    else if (signed !== true) doubt(one, told, "callback not signed");
    else if (!isNamed) doubt(one, told, "callback by an id that the client does not know");
    else tell(one, told);
  }
}

/** The client knows a call by the id that its webhook or its offer named: with cXML that is the sid. */
function knowsId({ call }: CallRecord): boolean {
  return call.origin !== "cxml" || call.sid === call.call_id;
}

function knowsSid({ call }: CallRecord): boolean {
  return call.origin === "cxml" || call.sid === call.call_id;
}

interface Told {
  conference_id: unknown;
  at: number;
}

function tell(record: CallRecord, told: Told): void {
  for (const stay of overBy(record, told)) stay.told_at ??= told.at;
}

function doubt(record: CallRecord, told: Told, why: string): void {
  for (const stay of overBy(record, told)) if (!stay.untold.includes(why)) stay.untold.push(why);
}

/** The carrier's clock may be a millisecond ahead of its journal's. */
function overBy({ stays }: CallRecord, { conference_id, at }: Told): Stay[] {
  return stays.filter(
    (stay) => stay.conference_id === conference_id && stay.to !== null && stay.to <= at + 1,
  );
}

/** Finds the conferences that ended because someone with `end_on_exit` left, and counts those who lost them by that. */
function findEnded({ past_conferences }: Project, records: readonly CallRecord[]): void {
  for (const { conference_id, ended } of past_conferences) {
    if (ended?.reason !== END_ON_EXIT) continue;
    const wasIn = ({ conference_id: id }: { conference_id: string }) => id === conference_id;
    const leaver = records.find(({ call }) => call.call_id === ended.by_call);
    const left_seq = leaver?.call.joins.findLast(wasIn)?.left_seq ?? null;
    const stay = leaver?.stays.findLast(wasIn);
    if (!stay || left_seq === null) continue;
    stay.ended_for = records.filter(
      (one) =>
        one !== leaver &&
        one.call.joins.some((join) => wasIn(join) && (join.left_seq ?? Number.POSITIVE_INFINITY) >= left_seq),
    ).length;
  }
}

function read(entry: JournalEntry, record: CallRecord): void {
  const { at } = entry;
  const in_conference = isIn(record.call.joins, entry);
  const command = (method: string, by: SentCommand["by"]) => {
    const { id } = frameOf(entry);
    record.commands.push({ at, method, by, in_conference, ...(id === undefined ? {} : { id }) });
    // REST takes a sound's command, or fails at once: then what comes next is decided, too.
    if (method.endsWith(".stop") || (by === "rest" && method === "calling.play"))
      record.sounds_over.push({ at });
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
      if (entry["state"] === "ending") record.ended_in_conference = in_conference;
      if (entry["state"] === "ended") record.ended_at = at;
      return;
    default:
      return;
  }
}

/** The call that an entry is about: its id, or what REST calls it. */
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

/** A command, or an update of a call by form, of which none but the end is told apart. */
function restCommandOf(entry: JournalEntry): { command?: string; id?: string } | null {
  const { body, path, method } = entry;
  if (typeof body !== "string") return null;
  if (body.startsWith("{")) return JSON.parse(body) as { command?: string; id?: string }; // What no command is has neither.
  const [, id] = /\/Calls\/([^/.?]+)/.exec(String(path)) ?? [];
  if (method !== "POST" || id === undefined) return null;
  return new URLSearchParams(body).has("Status") ? { id, command: "calling.end" } : { id };
}

function isSession({ kind, what }: JournalEntry): boolean {
  return kind === "session" && what === "authenticated";
}
