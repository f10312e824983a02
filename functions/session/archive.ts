import { RpcTarget } from "cloudflare:workers";
import type { Ingress } from "../../shared/call.ts";
import type { Doubts } from "./doubts.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { NoteRequest } from "./journal-contract.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";
import { type Conference, type ConferenceSummary, conferenceOf, conferencesOf } from "./roster.ts";
import type { Rulesets, RulesetVersion } from "./rulesets.ts";
import { answerOf, type Happening, type KeptEvent, tell } from "./story.ts";

/** Events of one call that are told at most. */
const EVENTS = 500;
/** Calls looked at for one page, at most: filters that fit few calls get short pages, and the way to the next. */
const SCANNED = 2_000;

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
  /** One for each webhook that was decided on, oldest first. */
  decided: Decided[];
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
  room?: string;
  rule?: string;
  outcome?: string;
  from?: string;
}

export interface CallsPage {
  calls: CallSummary[];
  /** What brings the next page; null where there is none. */
  next: number | null;
}

/** What a session remembers of its calls, for operators and for Workers that know less. */
export class Archive extends RpcTarget {
  readonly #sql: SqlStorage;
  readonly #journal: Journal;
  readonly #placements: Placements;
  readonly #rooms: Rooms;
  readonly #doubts: Doubts;
  readonly #rulesets: Rulesets;
  readonly #noted: (request: NoteRequest) => void;

  /** @param noted told of each webhook that is noted here. */
  constructor(
    sql: SqlStorage,
    journal: Journal,
    placements: Placements,
    rooms: Rooms,
    doubts: Doubts,
    rulesets: Rulesets,
    noted: (request: NoteRequest) => void,
  ) {
    super();
    this.#sql = sql;
    this.#journal = journal;
    this.#placements = placements;
    this.#rooms = rooms;
    this.#doubts = doubts;
    this.#rulesets = rulesets;
    this.#noted = noted;
  }

  /** Writes down a webhook that reached no placement; once, where the Worker tells it again. */
  note(request: NoteRequest): void {
    const { tenant, note, said } = request;
    this.#noted(request);
    const isKnown = this.#journal
      .ofCall(request)
      .some(({ kind, data }) => kind === "webhook" && sameWebhook(data, note));
    if (!isKnown) this.#journal.webhook(request, { ...note, ...said });
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

  conferences(tenant: string): ConferenceSummary[] {
    return conferencesOf({ rooms: this.#rooms, doubts: this.#doubts }, tenant);
  }

  conference(tenant: string, room: string): Conference | null {
    return conferenceOf({ rooms: this.#rooms, doubts: this.#doubts }, tenant, room);
  }

  /** Null where nothing is kept of such a call of the tenant's. */
  story(tenant: string, call_id: string, with_rulesets: boolean): Story | null {
    const entries = this.#journal.ofCall({ tenant, call_id });
    const placements = this.#placements.ofCall(call_id).filter((row) => row.tenant === tenant);
    const newest = entries.findLast(({ kind }) => kind === "webhook");
    const [placement] = placements;
    if (!newest && !placement) return null;
    const summary = newest ? this.#summary(newest, tenant) : null;
    return {
      call_id,
      from: summary?.from ?? placement?.from ?? "",
      to: summary?.to ?? "",
      via: viaOf(entries),
      outcome: summary?.outcome ?? placement?.state ?? "",
      rule: summary?.rule ?? placement?.rule ?? null,
      room: summary?.room ?? placement?.room ?? null,
      happened: tell(entries, placements, this.#eventsOf(call_id)),
      decided: entries.flatMap((entry) => this.#decided(tenant, entry, with_rulesets)),
    };
  }

  /** Newest first. */
  calls(tenant: string, query: CallsQuery): CallsPage {
    const { after = Number.MAX_SAFE_INTEGER, limit } = query;
    const calls: CallSummary[] = [];
    let scanned = 0;
    for (const entry of this.#journal.newestOfCalls(tenant, after, SCANNED)) {
      scanned += 1;
      const summary = this.#summary(entry, tenant);
      if (summary && fits(summary, query)) calls.push(summary);
      if (calls.length === limit || scanned === SCANNED) return { calls, next: entry.seq };
    }
    return { calls, next: null };
  }

  #summary(entry: JournalEntry, tenant: string): CallSummary | null {
    if (entry.kind !== "webhook") return null;
    const { call_id, data } = entry;
    const placement = this.#placements.ofCall(call_id).find((row) => row.tenant === tenant);
    // A call that came anew after its placement, and was not placed again, stands where its newest webhook left it.
    const isPlaced =
      placement !== undefined && (placement.entry === data.entry || data.outcome === undefined);
    return {
      call_id,
      at: data.received_at,
      from: data.from,
      to: data.to,
      outcome: isPlaced
        ? (placement.turned_away ?? placement.state)
        : (data.outcome ?? answerText(placement)),
      rule: (isPlaced ? placement.rule : (data.rule ?? data.decision?.rule)) ?? null,
      room: isPlaced && placement.turned_away === null ? placement.room : (data.room ?? null),
    };
  }

  #decided(tenant: string, { kind, data }: JournalEntry, with_ruleset: boolean): Decided[] {
    if (kind !== "webhook" || !data.decision) return [];
    return [
      {
        step: data.step,
        decision: JSON.stringify(data.decision),
        call: data.call ? JSON.stringify(data.call) : null,
        left_out: data.left_out ?? [],
        ruleset: with_ruleset ? this.#rulesets.text(tenant, data.decision.ruleset) : null,
      },
    ];
  }

  #eventsOf(call_id: string): KeptEvent[] {
    return this.#sql
      .exec<KeptEvent & Record<string, SqlStorageValue>>(
        `SELECT at, json_extract(fingerprint, '$[0]') AS feed, event_type, status, conference_id FROM events
         WHERE call_id = ? ORDER BY seq LIMIT ?`,
        call_id,
        EVENTS,
      )
      .toArray();
  }
}

function viaOf(entries: readonly JournalEntry[]): Ingress | null {
  for (const { kind, data } of entries) if (kind === "webhook" && data.call) return data.call.via;
  return null;
}

function sameWebhook(one: { received_at: number; step: number }, other: typeof one): boolean {
  return one.received_at === other.received_at && one.step === other.step;
}

function answerText(placement: Placement | undefined): string {
  return (placement && answerOf(placement)?.outcome) ?? "unknown";
}

function fits(summary: CallSummary, { room, rule, outcome, from }: CallsQuery): boolean {
  return (
    (room === undefined || summary.room === room) &&
    (rule === undefined || summary.rule === rule) &&
    (outcome === undefined || summary.outcome === outcome) &&
    (from === undefined || summary.from === from)
  );
}
