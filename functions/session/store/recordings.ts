import type { ForwardTo } from "../../../shared/callbacks.ts";
import type { Disk } from "./disk.ts";
import type { Following } from "./news.ts";
import type { Placement } from "./placement-row.ts";
import type { CopyView, RecordingCopies } from "./recording-copies.ts";

/**
 * expected: a participant asked for one, and nothing was told of it yet. absent: there was nothing to record. lost: it began, and
 * SignalWire has no word of its end.
 */
export type RecordingState =
  | "expected"
  | "in-progress"
  | "paused"
  | "completed"
  | "absent"
  | "failed"
  | "lost";

/** One call of a conference, whose recording is a part of the conference's. */
export interface Leg {
  /** The recording's first part; null: this is it. */
  of: string | null;
  /** From 1 on. */
  part: number;
  call_id: string;
  /** By which RELAY and the REST command know it; null: the compatibility API made it. */
  control_id: string | null;
  /** What operators want of the whole recording. */
  wanted: "recording" | "paused" | "stopped";
  /** 1: the call's own recording has ended, and this one is paused. */
  over: 0 | 1;
}

/** A row of the table: one recording of one conference. Times are ms. */
export interface Recording {
  /** Ascending in the order in which they were heard of. */
  seq: number;
  /** Ours. */
  id: string;
  tenant: string;
  /** Wire name. */
  room: string;
  /** RELAY's, of the conference that was live at its start; null where nothing told it. */
  conference_id: string | null;
  /** As a form has it, which may be another. */
  conference_sid: string | null;
  /** SignalWire's id of the recording; RELAY's events don't tell it. */
  sid: string | null;
  state: RecordingState;
  url: string | null;
  duration_s: number | null;
  size_bytes: number | null;
  started_at: number;
  ended_at: number | null;
  /** Whom the rule wants told of it. */
  forward: ForwardTo | null;
  /** By whom they were told how it ended, and that it began: {@link TOLD}. */
  told: number;
  begin_told: number;
  /** How often REST was asked in vain. */
  asked: number;
  /** When it is looked at again. */
  due_at: number | null;
  /** Of a recording that was started while the conference was live; null: SignalWire makes it of the conference. */
  leg: Leg | null;
}

export type RecordingChanges = Partial<Omit<Recording, "seq" | "id" | "tenant" | "room">>;

/** A recording as the API shows it. */
export interface RecordingView
  extends Omit<
    Recording,
    "seq" | "forward" | "told" | "begin_told" | "asked" | "due_at" | "conference_sid" | "leg"
  > {
  /** null: there is none. A session of the version before does not say. */
  copy?: CopyView | null;
  /** Of a recording that was started in a live conference; a session of the version before does not say. */
  part?: { of: string; number: number; call_id: string } | null;
}

export interface RecordingsQuery {
  /** From the page before. */
  after?: string;
  limit: number;
  /** Wire name, and the other one that the same room has had. */
  room?: string;
  other_room?: string;
  conference_id?: string;
  /** Begun then or later, and before then; ms. */
  since?: number;
  until?: number;
}

export interface RecordingsPage {
  recordings: RecordingView[];
  /** What brings the next page; null where there is none. */
  next: string | null;
}

export interface RecordingNews extends Following {
  /** @param before null: the row is new. */
  recorded(row: Recording, before: Pick<Recording, "state" | "url"> | null): void;
}

/** Of one room the newest, among which the one is that an event is about. */
const NEWEST = 10;
/** Recordings of one conference. */
const OF_CONFERENCE = 20;
/** Recordings that operators started, at once: more than there ever are. */
const OPEN_PARTS = 1_000;
/** A recording that nothing else speaks of is looked at this long after. */
export const LOOK_MS = 300_000;
/** Tenants that are asked for recordings that are due, at a time: a slice of an alarm reads few rows of each. */
const TENANTS_ASKED = 500;
/** What SignalWire tells of a recording's end has come by then, as a rule. */
export const GRACE_MS = 10_000;
/** Whether the rule's server was told: by a callback of SignalWire's, or by what we know in its place. */
export const TOLD = { not: 0, byCallback: 1, inItsPlace: 2 } as const;

const COLUMNS =
  "seq, id, tenant, room, conference_id, conference_sid, sid, state, url, duration_s, size_bytes, started_at, ended_at, forward, told, begin_told, asked, due_at, leg";

type Row = Omit<Recording, "forward" | "leg"> & { forward: string | null; leg: string | null } & Record<
    string,
    SqlStorageValue
  >;

/**
 * Recordings — the table of recordings, and its one owner. What is in it goes by its age alone. Used by RecordingEvents, RecordingReconciler and the API.
 */
export class Recordings {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #news: RecordingNews;
  readonly #copies: RecordingCopies;
  /** Of which tenant recordings were taken last, to be looked at. */
  #taken_of = "";
  /** What `nextDue` found last; undefined since the table changed. */
  #nextDue: number | null | undefined;
  /** The room that was left last, whose recordings are looked at by then: a conference's end is many leaves. */
  #left = { room: "", until: 0 };

  constructor(disk: Disk, now: () => number, news: RecordingNews, copies: RecordingCopies) {
    this.#disk = disk;
    this.#now = now;
    this.#news = news;
    this.#copies = copies;
  }

  /** Null where there is no room for it. */
  add(
    about: Pick<Recording, "tenant" | "room" | "state" | "started_at"> & RecordingChanges,
  ): Recording | null {
    const row = {
      id: crypto.randomUUID(),
      conference_id: null,
      conference_sid: null,
      sid: null,
      url: null,
      duration_s: null,
      size_bytes: null,
      ended_at: null,
      forward: null,
      begin_told: TOLD.not,
      leg: null,
      due_at: this.#now() + LOOK_MS,
      ...about,
    };
    this.#nextDue = undefined;
    if (this.#left.room === row.room) this.#left = { room: "", until: 0 };
    const added = this.#disk.attempt<{ seq: number }>(
      `INSERT INTO recordings (id, tenant, room, conference_id, conference_sid, sid, state, url, duration_s, size_bytes,
         started_at, ended_at, forward, begin_told, due_at, leg) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
      row.id,
      row.tenant,
      row.room,
      row.conference_id,
      row.conference_sid,
      row.sid,
      row.state,
      row.url,
      row.duration_s,
      row.size_bytes,
      row.started_at,
      row.ended_at,
      row.forward === null ? null : JSON.stringify(row.forward),
      row.begin_told,
      row.due_at,
      row.leg === null ? null : JSON.stringify(row.leg),
    );
    if (!added) return null;
    const recording = { ...row, seq: added.one().seq, told: 0, asked: 0 };
    if (this.#news.isFollowed(row.tenant)) this.#news.recorded(recording, null);
    if (recording.state === "completed") this.#copies.want(recording);
    return recording;
  }

  /** False where there was no room. */
  update(row: Recording, changes: RecordingChanges): boolean {
    const columns = Object.entries(changes).map(([name, value]): [string, SqlStorageValue] => [
      name,
      typeof value === "object" && value !== null ? JSON.stringify(value) : value,
    ]);
    if (columns.length === 0) return true;
    this.#nextDue = undefined;
    const written = this.#disk.attempt(
      `UPDATE recordings SET ${columns.map(([name]) => `"${name}" = ?`).join(", ")} WHERE id = ?`,
      ...columns.map(([, value]) => value),
      row.id,
    );
    if (!written) return false;
    const { state, url } = row;
    Object.assign(row, changes);
    if (row.state === "completed" && state !== "completed") this.#copies.want(row);
    const isNews = state !== row.state || url !== row.url;
    if (isNews && this.#news.isFollowed(row.tenant)) this.#news.recorded(row, { state, url });
    return true;
  }

  drop({ id }: Pick<Recording, "id">): void {
    this.#nextDue = undefined;
    this.#disk.exec("DELETE FROM recordings WHERE id = ?", id);
    this.#copies.drop(id);
  }

  find(tenant: string, id: string): Recording | null {
    const [row] = this.#select("WHERE id = ?", id);
    return row?.tenant === tenant ? row : null;
  }

  bySid(sid: string): Recording | null {
    return this.#select("INDEXED BY recordings_by_sid WHERE sid = ? LIMIT 1", sid)[0] ?? null;
  }

  /** Newest first. */
  ofConference(conference_id: string): Recording[] {
    return this.#select(
      "INDEXED BY recordings_by_conference WHERE conference_id = ? ORDER BY started_at DESC LIMIT ?",
      conference_id,
      OF_CONFERENCE,
    );
  }

  /** The parts that go on of recordings that operators started. */
  openParts(): Recording[] {
    return this.#select(
      "INDEXED BY recordings_by_leg WHERE leg IS NOT NULL AND ended_at IS NULL ORDER BY started_at LIMIT ?",
      OPEN_PARTS,
    );
  }

  /** The newest of the room, newest first. */
  newestIn(tenant: string, room: string): Recording[] {
    return this.#select(
      "INDEXED BY recordings_by_room WHERE tenant = ? AND room = ? ORDER BY started_at DESC LIMIT ?",
      tenant,
      room,
      NEWEST,
    );
  }

  /** Those of a room that began within a time, ms. */
  begunIn(tenant: string, room: string, since: number, until: number): Recording[] {
    return this.#select(
      `INDEXED BY recordings_by_room WHERE tenant = ? AND room = ? AND started_at >= ? AND started_at <= ?
       ORDER BY started_at DESC LIMIT ?`,
      tenant,
      room,
      since,
      until,
      NEWEST,
    );
  }

  /** A participant is in the room who asked for a recording: there is to be one. @param since when it may have begun, ms. */
  expect({ tenant, room, join, conference_id, forwarding }: Placement, since = this.#now()): void {
    if (join.record !== "record-from-start") return;
    const open = this.newestIn(tenant, room).find(
      (row) => isOpen(row) && row.ended_at === null && row.leg === null,
    );
    const forward = forwarding?.recording ?? null;
    const isSame = open && (open.conference_id ?? conference_id) === (conference_id ?? open.conference_id);
    if (!open || !isSame) {
      this.add({ tenant, room, state: "expected", started_at: since, conference_id, forward });
      return;
    }
    this.update(open, {
      ...(open.conference_id === null && conference_id !== null ? { conference_id } : {}),
      ...(open.forward === null && forward !== null ? { forward } : {}),
    });
  }

  /**
   * A participant who asked for a recording has left the room, or was in it perhaps and is over: its conference may be over, and nothing
   * else may tell of that, or of its beginning.
   * @param conference_id by what told of that, if it is known.
   */
  left(row: Placement, conference_id = row.conference_id): void {
    const { tenant, room, join, created_at } = row;
    if (join.record !== "record-from-start") return;
    if (this.#left.room === room && this.#now() < this.#left.until) return;
    const due_at = this.#now() + GRACE_MS;
    const isIts = (known: Recording) =>
      isOpen(known) ||
      (conference_id !== null && known.conference_id === conference_id) ||
      (known.ended_at ?? known.started_at) >= created_at;
    const ofConference = () => this.newestIn(tenant, room).filter(({ leg }) => leg === null);
    if (!ofConference().some(isIts)) this.expect({ ...row, conference_id }, created_at);
    for (const known of ofConference())
      if (isOpen(known) && (known.due_at ?? due_at + 1) > due_at) this.update(known, { due_at });
    this.#left = { room, until: due_at };
  }

  /** Those that are to be looked at: of one tenant after another a few, the longest due first. The next time goes on behind them. */
  takeDue(limit: number, of_tenant: number): Recording[] {
    const taken: Recording[] = [];
    const last = this.#taken_of;
    let hasBegunAnew = false;
    for (let asked = 0; asked < TENANTS_ASKED && taken.length < limit; asked += 1) {
      const tenant = this.#tenantAfter(this.#taken_of);
      if (tenant === null || (hasBegunAnew && tenant > last)) {
        if (hasBegunAnew || last === "") break;
        hasBegunAnew = true;
        this.#taken_of = "";
        continue;
      }
      this.#taken_of = tenant;
      taken.push(
        ...this.#select(
          "INDEXED BY recordings_by_tenants_due WHERE due_at IS NOT NULL AND tenant = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
          tenant,
          this.#now(),
          Math.min(of_tenant, limit - taken.length),
        ),
      );
    }
    return taken;
  }

  /** The next one that has recordings to be looked at, now or later. */
  #tenantAfter(tenant: string): string | null {
    const [row] = this.#disk.exec<{ tenant: string | null }>(
      "SELECT MIN(tenant) AS tenant FROM recordings INDEXED BY recordings_by_tenants_due WHERE due_at IS NOT NULL AND tenant > ?",
      tenant,
    );
    return row?.tenant ?? null;
  }

  /** When one is next to be looked at, ms. */
  nextDue(): number | null {
    if (this.#nextDue === undefined) {
      const [row] = this.#disk.exec<{ due_at: number | null }>(
        "SELECT MIN(due_at) AS due_at FROM recordings INDEXED BY recordings_by_due WHERE due_at IS NOT NULL",
      );
      this.#nextDue = row?.due_at ?? null;
    }
    return this.#nextDue;
  }

  /** The tenant's, newest first. */
  page(tenant: string, query: RecordingsQuery): RecordingsPage {
    const { after, limit, since = 0, until = Number.MAX_SAFE_INTEGER } = query;
    const [started_at, seq] = (after ?? `${until}.0`).split(".").map(Number);
    const rows = this.#pageRows(tenant, query, [since, started_at ?? until, seq ?? 0]);
    const last = rows.at(-1);
    return {
      recordings: rows.filter((row) => row.tenant === tenant).map((row) => this.view(row)),
      next: last && rows.length === limit ? `${last.started_at}.${last.seq}` : null,
    };
  }

  #pageRows(
    tenant: string,
    { room, other_room, conference_id, limit }: RecordingsQuery,
    place: readonly [number, number, number],
  ): Recording[] {
    if (conference_id !== undefined)
      return this.#select(
        `INDEXED BY recordings_by_conference WHERE conference_id = ? AND started_at >= ? AND (started_at, seq) < (?, ?)
         ORDER BY started_at DESC, seq DESC LIMIT ?`,
        conference_id,
        ...place,
        limit,
      );
    if (room !== undefined) {
      const names = other_room === undefined ? [room] : [room, other_room];
      return names
        .flatMap((name) =>
          this.#select(
            `INDEXED BY recordings_by_room WHERE tenant = ? AND room = ? AND started_at >= ? AND (started_at, seq) < (?, ?)
             ORDER BY started_at DESC, seq DESC LIMIT ?`,
            tenant,
            name,
            ...place,
            limit,
          ),
        )
        .sort((a, b) => b.started_at - a.started_at || b.seq - a.seq)
        .slice(0, limit);
    }
    return this.#select(
      `INDEXED BY recordings_by_time WHERE tenant = ? AND started_at >= ? AND (started_at, seq) < (?, ?)
       ORDER BY started_at DESC, seq DESC LIMIT ?`,
      tenant,
      ...place,
      limit,
    );
  }

  /** Since when there are any; null where there are none. */
  oldest(): number | null {
    const [row] = this.#disk.exec<{ started_at: number }>(
      "SELECT started_at FROM recordings WHERE seq = (SELECT MIN(seq) FROM recordings)",
    );
    return row?.started_at ?? null;
  }

  /** Forgets up to `limit` that began over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    this.#nextDue = undefined;
    const gone = this.#disk
      .exec<{ id: string }>(
        "DELETE FROM recordings WHERE seq < (SELECT MIN(seq) + ? FROM recordings) AND started_at < ? RETURNING id",
        limit,
        this.#now() - max_age_ms,
      )
      .toArray();
    for (const { id } of gone) this.#copies.drop(id);
    return gone.length;
  }

  /** As the API shows it. */
  view({
    seq: _,
    forward: __,
    told: ___,
    begin_told: ____,
    asked: _____,
    due_at: ______,
    conference_sid: _______,
    leg,
    ...row
  }: Recording): RecordingView {
    return { ...row, copy: this.#copies.viewOf(row.id), part: partOf(row.id, leg) };
  }

  #select(where: string, ...values: SqlStorageValue[]): Recording[] {
    return this.#disk
      .exec<Row>(`SELECT ${COLUMNS} FROM recordings ${where}`, ...values)
      .toArray()
      .map(readRow);
  }
}

function readRow({ forward, leg, ...row }: Row): Recording {
  return {
    ...row,
    // What they hold is what `add` and `update` wrote.
    forward: forward === null ? null : (JSON.parse(forward) as ForwardTo),
    leg: leg === null ? null : (JSON.parse(leg) as Leg),
  };
}

/** Whether its end is still to come. */
export function isOpen({ state }: Pick<Recording, "state">): boolean {
  return state === "expected" || state === "in-progress" || state === "paused";
}

function partOf(id: string, leg: Leg | null): NonNullable<RecordingView["part"]> | null {
  return leg && { of: leg.of ?? id, number: leg.part, call_id: leg.call_id };
}
