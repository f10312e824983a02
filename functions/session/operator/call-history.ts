import { RpcTarget } from "cloudflare:workers";
import type { Ingress } from "../../../shared/call.ts";
import { isSameCaller } from "../../../shared/identity.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { NoteRequest } from "../contract/history.ts";
import type { KeptVersion, RulesetVersion } from "../contract/tenants.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Speech } from "../seats/speech.ts";
import type { About, History, HistoryEntry, PageOf } from "../store/history.ts";
import { type Placement, readTransitions, stateText } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recordings, RecordingsPage, RecordingsQuery, RecordingView } from "../store/recordings.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { Rulesets } from "../store/rulesets.ts";
import type { Suspicions } from "../store/suspicions.ts";
import {
  type Conference,
  type ConferencesPage,
  type ConferencesQuery,
  conferenceOf,
  conferencesOf,
} from "./roster.ts";
import { answerOf, type Happening, type KeptEvent, tell } from "./tell-history.ts";

/** What a Worker of the version before is shown. */
const OLD_PAGE = 200;
/** Rows that are read for one page, whatever is kept: filters that fit few calls get short pages, and the way to the next. */
const PAGE_ROWS = 900;
/** Entries of the journal that are looked at for one page of calls. */
const LOOKED_AT = 200;
/** A placement is read by its index, and sorted. */
const ROWS_PER_PLACEMENT = 3;
/** Entries and events of a call that are told on one page; fewer where each comes with its ruleset. */
const TOLD = 300;
const TOLD_WITH_RULESETS = 40;
/** Of a call's placements those whose recordings are told: ten rows each. */
const STAYS = 10;
const NO_MORE = Number.MAX_SAFE_INTEGER;

/** A recording with the ids by which SignalWire may know its conference. */
export type KeptRecording = RecordingView & { conference_sid: string | null };

export interface Story {
  call_id: string;
  from: string;
  to: string;
  /** How it came, `swml`, `cxml` or `relay`; null where nothing was decided on it. */
  via: Ingress | null;
  /** How it stands: see `CallSummary`. */
  outcome: string;
  rule: string | null;
  room: string | null;
  happened: Happening[];
  /** Of the conferences that it was in, while it was there; oldest first, told with the oldest of what happened. */
  recordings: RecordingView[];
  /** One for each webhook that was decided on, oldest first. */
  decided: Decided[];
  /** What brings what happened next; null where that is all. */
  next: string | null;
}

export interface StoryQuery {
  /** From the page before. */
  after?: string;
  with_rulesets: boolean;
}

/** What a decision can be computed again from. */
export interface Decided {
  step: number;
  /** A `KeptDecision`, as JSON. */
  decision: string;
  /** A `KeptCall`, as JSON; null where none was kept. */
  call: string | null;
  left_out: string[];
  /** The ruleset's text; null where it was not asked for or is kept no more. */
  ruleset: string | null;
}

/** A call with what was decided on it. */
export interface DecidedCall {
  call_id: string;
  /** When its newest webhook came, ms. */
  at: number;
  from: string;
  to: string;
  /** Oldest first, without rulesets. */
  decided: Decided[];
}

export interface DecidedPage {
  calls: DecidedCall[];
  /** What brings the next page; null where there is none. A call whose webhooks came far apart may be on several. */
  next: number | null;
}

export interface CallSummary {
  call_id: string;
  /** When its newest webhook came, ms. */
  at: number;
  from: string;
  to: string;
  /**
   * How it stands: the state of its placement, or why it was let into no room; where it was never to be placed what its
   * newest webhook was answered with.
   */
  outcome: string;
  rule: string | null;
  /** Wire name. */
  room: string | null;
}

export interface CallsQuery {
  /** From the page before. */
  after?: number;
  limit: number;
  /** Wire name, and the other one that the same room has had. */
  room?: string;
  other_room?: string;
  rule?: string;
  outcome?: string;
  from?: string;
}

export interface CallsPage {
  calls: CallSummary[];
  /** What brings the next page; null where there is none. */
  next: number | null;
}

/** CallHistory — what a session remembers of its calls. Used by the API, and by Workers that tell of a webhook behind its answer. */
export class CallHistory extends RpcTarget {
  readonly #sql: SqlStorage;
  readonly #history: History;
  readonly #placements: Placements;
  readonly #occupancy: Occupancy;
  readonly #rooms: Parameters<typeof conferenceOf>[0];
  readonly #rulesets: Rulesets;
  readonly #recordings: Recordings;
  readonly #noted: (request: NoteRequest) => void;

  /** @param noted told of each webhook that is noted here. */
  constructor(
    sql: SqlStorage,
    history: History,
    placements: Placements,
    occupancy: Occupancy,
    suspicions: Suspicions,
    rulesets: Rulesets,
    recordings: Recordings,
    policies: RoomPolicies,
    speech: Speech,
    noted: (request: NoteRequest) => void,
  ) {
    super();
    this.#sql = sql;
    this.#history = history;
    this.#placements = placements;
    this.#occupancy = occupancy;
    this.#rulesets = rulesets;
    this.#recordings = recordings;
    this.#rooms = { occupancy, suspicions, policies, recordings, speech };
    this.#noted = noted;
  }

  /** Writes down a webhook that reached no placement; once, where the Worker tells it again. */
  note(request: NoteRequest): void {
    const { tenant, note, said } = request;
    this.#noted(request);
    const isKnown = this.#history
      .newestOf(request)
      .some(({ kind, data }) => kind === "webhook" && sameWebhook(data, note));
    if (!isKnown) this.#history.webhook(request, { ...note, ...said });
    if (said.ruleset !== undefined) this.#rulesets.used(tenant, said.ruleset);
  }

  /** Marks the version that serves the tenant; false: its text is not here, and is to be kept. */
  serves(tenant: string, hash: string): boolean {
    return this.#rulesets.serves(tenant, hash);
  }

  keep(tenant: string, version: RulesetVersion): void {
    this.#rulesets.keep(tenant, version);
  }

  lastGood(tenant: string): RulesetVersion | null {
    return this.#rulesets.lastGood(tenant);
  }

  /** Keeps a version that was written to KV by the API, and who wrote it. */
  pushed(tenant: string, version: RulesetVersion, by: string | null): void {
    this.#rulesets.pushed(tenant, version, by);
  }

  /** Newest first. */
  versions(tenant: string, limit: number): KeptVersion[] {
    return this.#rulesets.versions(tenant, limit);
  }

  /** Null where this version is not kept. */
  rulesetText(tenant: string, hash: string): string | null {
    return this.#rulesets.text(tenant, hash);
  }

  /** The tenant's calls with what was decided on them, newest first. @param limit of webhooks that are read for one page. */
  decisions(tenant: string, { after = NO_MORE, limit }: { after?: number; limit: number }): DecidedPage {
    const { items, last } = this.#history.ofTenant(tenant, after, Math.min(limit, LOOKED_AT));
    const calls = new Map<string, DecidedCall>();
    for (const entry of items) {
      if (entry.kind !== "webhook" || entry.data.repeat) continue;
      const { received_at: at, from, to } = entry.data;
      const call = calls.get(entry.call_id) ?? { call_id: entry.call_id, at, from, to, decided: [] };
      calls.set(entry.call_id, call);
      call.decided.unshift(...decidedBy(entry, () => null));
    }
    return { calls: [...calls.values()], next: last };
  }

  async conferencesPage(tenant: string, query: ConferencesQuery): Promise<ConferencesPage> {
    await this.#occupancy.known();
    return conferencesOf(this.#rooms, tenant, query);
  }

  /** For a Worker of the version before, which knows no pages. */
  async conferences(tenant: string): Promise<ConferencesPage["conferences"]> {
    return (await this.conferencesPage(tenant, { limit: OLD_PAGE })).conferences;
  }

  conference(tenant: string, room: string): Conference | null {
    return conferenceOf(this.#rooms, tenant, room);
  }

  /** Null where nothing is kept of such a call of the tenant's. */
  story(tenant: string, call_id: string, { after, with_rulesets }: StoryQuery): Story | null {
    const limit = with_rulesets ? TOLD_WITH_RULESETS : TOLD;
    const from = positionOf(after);
    const entries = this.#history.ofCall({ tenant, call_id }, from.entry, limit);
    const events = this.#eventsOf({ tenant, call_id }, from.event, limit);
    const placements = this.#placements.ofCall(call_id).filter((row) => row.tenant === tenant);
    const newest = this.#history.newestOf({ tenant, call_id }).find(({ kind }) => kind === "webhook");
    const [placement] = placements;
    if (!newest && !placement) return null;
    const summary = newest ? summaryOf(newest, placement) : null;
    const text = this.#rulesetTexts(tenant, with_rulesets);
    return {
      call_id,
      from: summary?.from ?? placement?.from ?? "",
      to: summary?.to ?? "",
      via: viaOf(entries.items),
      outcome: summary?.outcome ?? (placement ? stateText(placement.state) : ""),
      rule: summary?.rule ?? placement?.rule ?? null,
      room: summary?.room ?? placement?.room ?? null,
      happened: tell(entries.items, placements, events.items, after === undefined),
      recordings: after === undefined ? this.#recordingsOf(placements) : [],
      decided: entries.items.flatMap((entry) => decidedBy(entry, text)),
      next: nextAfter(entries.last, events.last),
    };
  }

  /** Newest first. */
  recordings(tenant: string, query: RecordingsQuery): RecordingsPage {
    return this.#recordings.page(tenant, query);
  }

  /** null where nothing is kept of it. */
  recording(tenant: string, id: string): KeptRecording | null {
    const row = this.#recordings.find(tenant, id);
    return row && { ...this.#recordings.view(row), conference_sid: row.conference_sid };
  }

  /** False where nothing is kept of it. */
  forgetRecording(tenant: string, id: string): boolean {
    const row = this.#recordings.find(tenant, id);
    if (row) this.#recordings.drop(row);
    return row !== null;
  }

  #recordingsOf(placements: readonly Placement[]): RecordingView[] {
    const found = new Map<string, RecordingView>();
    for (const row of placements
      .filter(({ joined_ts, verified_at }) => joined_ts ?? verified_at)
      .slice(0, STAYS)) {
      const { tenant, room, conference_id, joined_ts, created_at, state, trail } = row;
      const from = joined_ts === null ? created_at : joined_ts * 1_000;
      const to =
        state === "left"
          ? (readTransitions(trail).at(-1)?.at ?? Number.MAX_SAFE_INTEGER)
          : Number.MAX_SAFE_INTEGER;
      // One that began before the call came is among them.
      for (const one of this.#recordings.begunIn(tenant, room, from - LONGEST_CALL_MS, to)) {
        const isOther =
          one.conference_id !== null && conference_id !== null && one.conference_id !== conference_id;
        if (!isOther && (one.ended_at ?? to) >= from) found.set(one.id, this.#recordings.view(one));
      }
    }
    return [...found.values()].sort((a, b) => a.started_at - b.started_at);
  }

  /** Newest first. */
  calls(tenant: string, query: CallsQuery): CallsPage {
    const { after = Number.MAX_SAFE_INTEGER, limit } = query;
    const calls: CallSummary[] = [];
    const seen = new Set<string>();
    const entries = this.#history.ofTenant(tenant, after, LOOKED_AT);
    let read = LOOKED_AT;
    for (const entry of entries.items) {
      const { call_id, seq } = entry;
      if (seen.has(call_id)) continue;
      seen.add(call_id);
      // The pages before had it.
      if (query.after !== undefined && this.#history.hasWebhookSince({ tenant, call_id }, after)) continue;
      const placements = this.#placements.glimpse(call_id);
      const placement = placements.find((row) => row.tenant === tenant);
      const summary = summaryOf(entry, placement);
      const from =
        (entry.kind === "webhook" ? entry.data.call?.canonical?.from : undefined) ?? placement?.from;
      if (summary && fits(summary, query, from)) calls.push(summary);
      read += 2 + placements.length * ROWS_PER_PLACEMENT;
      if (calls.length === limit || read > PAGE_ROWS) return { calls, next: seq };
    }
    return { calls, next: entries.last };
  }

  /** Each is read once for all decisions by it. */
  #rulesetTexts(tenant: string, are_wanted: boolean): (hash: string) => string | null {
    const texts = new Map<string, string | null>();
    return (hash) => {
      if (!are_wanted) return null;
      const text = texts.has(hash) ? texts.get(hash) : this.#rulesets.text(tenant, hash);
      texts.set(hash, text ?? null);
      return text ?? null;
    };
  }

  /** What RELAY told of the call, and the tenant's own callbacks: another's may name any call. */
  #eventsOf({ tenant, call_id }: About, after: number, limit: number): PageOf<KeptEvent> {
    const rows = this.#sql
      .exec<KeptEvent & { seq: number; told: string | null } & Record<string, SqlStorageValue>>(
        `SELECT seq, at, json_extract(fingerprint, '$[0]') AS feed, event_type, status, conference_id,
           json_extract(fingerprint, '$[8].tenant') AS told
         FROM events INDEXED BY events_by_call WHERE call_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
        call_id,
        after,
        limit,
      )
      .toArray();
    return {
      items: rows.filter(({ told }) => told === null || told === tenant),
      last: rows.length < limit ? null : (rows.at(-1)?.seq ?? null),
    };
  }
}

function summaryOf(entry: HistoryEntry, placement: Placement | undefined): CallSummary | null {
  if (entry.kind !== "webhook") return null;
  const { call_id, data } = entry;
  // A call that came anew after its placement, and was not placed again, stands where its newest webhook left it.
  const isPlaced = placement !== undefined && (placement.entry === data.entry || data.outcome === undefined);
  return {
    call_id,
    at: data.received_at,
    from: data.from,
    to: data.to,
    outcome: isPlaced
      ? (placement.turned_away ?? stateText(placement.state))
      : (data.outcome ?? answerText(placement)),
    rule: (isPlaced ? placement.rule : (data.rule ?? data.decision?.rule)) ?? null,
    room: isPlaced && placement.turned_away === null ? placement.room : (data.room ?? null),
  };
}

function decidedBy({ kind, data }: HistoryEntry, text: (hash: string) => string | null): Decided[] {
  if (kind !== "webhook" || !data.decision) return [];
  return [
    {
      step: data.step,
      decision: JSON.stringify(data.decision),
      call: data.call ? JSON.stringify(data.call) : null,
      left_out: data.left_out ?? [],
      ruleset: text(data.decision.ruleset),
    },
  ];
}

/** Where a page begins: behind which entry of the journal, and which event; infinite where there are no more. */
function positionOf(after: string | undefined): { entry: number; event: number } {
  const [entry, event] = (after ?? "0.0").split(".").map((seq) => (seq === "" ? NO_MORE : Number(seq)));
  return { entry: entry ?? NO_MORE, event: event ?? NO_MORE };
}

function nextAfter(entry: number | null, event: number | null): string | null {
  return entry === null && event === null ? null : `${entry ?? ""}.${event ?? ""}`;
}

function viaOf(entries: readonly HistoryEntry[]): Ingress | null {
  for (const { kind, data } of entries) if (kind === "webhook" && data.call) return data.call.via;
  return null;
}

function sameWebhook(one: { received_at: number; step: number }, other: typeof one): boolean {
  return one.received_at === other.received_at && one.step === other.step;
}

function answerText(placement: Placement | undefined): string {
  return (placement && answerOf(placement)?.outcome) ?? "unknown";
}

/** @param canonical What the caller's address was read as, where that is known. */
function fits(
  summary: CallSummary,
  { room, other_room = room, rule, outcome, from }: CallsQuery,
  canonical: string = summary.from,
): boolean {
  return (
    (room === undefined || summary.room === room || summary.room === other_room) &&
    (rule === undefined || summary.rule === rule) &&
    (outcome === undefined || summary.outcome === outcome) &&
    (from === undefined || summary.from === from || isSameCaller(canonical, from))
  );
}
