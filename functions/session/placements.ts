import type { Forwarding } from "../../shared/callbacks.ts";
import type { JoinParameters } from "../../shared/conference.ts";
import { isLive, type Membership, mayMove, type PlacementState } from "../../shared/placement.ts";
import { CallRows } from "./call-rows.ts";
import type { LookReply, PlacementKey, PlaceRequest, TurnedAway } from "./contract.ts";
import { withMark } from "./trail.ts";

/** How long past its deadline a placement keeps its seat without having been seen in the room. */
const RESERVED_MS = 30_000;

/** A row of the ledger. */
export interface Placement extends PlacementKey, Membership {
  tenant: string;
  node_id: string | null;
  from: string;
  /** Set where the call was let into no room; its state is `failed`. */
  turned_away: TurnedAway | null;
  capacity: number | null;
  sticky_key: string | null;
  after_url: string | null;
  join: JoinParameters;
  forwarding: Forwarding | null;
  rule: string | null;
  role: string;
  ruleset: string;
  decided_at: number;
  reason: string;
  /** What speaks against RELAY, should the call be seen alive after. */
  doubt: "404" | "taken out" | null;
  created_at: number;
  deadline_at: number;
  /** When REST last found the call in its room, ms. */
  verified_at: number | null;
  /** The step whose question was answered for good, and how: a repeat of it gets the same. */
  asking_step: number | null;
  answer: LookReply | null;
  /** What the placement went through; `trail.ts` reads it. */
  trail: string;
  /** As its conference's events have it, 0 or 1, and the newest of them, seconds. */
  muted: number;
  held: number;
  flags_ts: number | null;
}

/** What of a row changes after it was planned. */
type Changes = Partial<
  Omit<Membership, "room"> &
    Pick<
      Placement,
      "reason" | "verified_at" | "doubt" | "asking_step" | "answer" | "trail" | "muted" | "held" | "flags_ts"
    >
>;

/**
 * The ledger of placements: the only place that reads and writes its table. Rows that it has read or made are kept at hand
 * and are the same objects for everyone.
 */
export class Placements {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  readonly #written: (row: Placement) => void;
  readonly #rows = new CallRows<Placement>();
  /** Planned and not on disk: nothing was sent for them, so to vanish now is as if they had never been. */
  readonly #unwritten = new Set<Placement>();

  /** @param written told of each new row in the turn in which it is written. */
  constructor(sql: SqlStorage, now: () => number, written: (row: Placement) => void = () => {}) {
    this.#sql = sql;
    this.#now = now;
    this.#written = written;
  }

  find(key: PlacementKey): Placement | null {
    return (
      this.ofCall(key.call_id).find(({ entry, step }) => entry === key.entry && step === key.step) ?? null
    );
  }

  /** Every placement of the call, newest first. */
  ofCall(call_id: string): readonly Placement[] {
    return (
      this.#rows.get(call_id) ??
      this.#rows.keep(
        call_id,
        this.#sql
          .exec("SELECT * FROM placements WHERE call_id = ? ORDER BY created_at DESC, step DESC", call_id)
          .toArray()
          .map(placementOf),
      )
    );
  }

  /** The newest placement in a room whose rule wants to be told of its conference. */
  forwardingOfRoom(room: string): Forwarding | null {
    const [row] = this.#sql.exec<{ forwarding: string }>(
      "SELECT forwarding FROM placements WHERE room = ? AND forwarding IS NOT NULL ORDER BY created_at DESC LIMIT 1",
      room,
    );
    return row ? (JSON.parse(row.forwarding) as Forwarding) : null;
  }

  /** Those who are in the conference, or seem to have been taken out of it by a document. */
  inConference(room: string, conference_id: string): Placement[] {
    const keys = this.#sql.exec<PlacementKey & Record<string, SqlStorageValue>>(
      "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 AND conference_id = ?",
      room,
      conference_id,
    );
    return [...keys].flatMap((key) => this.find(key) ?? []);
  }

  /**
   * Those whom an event may have passed by: not seen in their room by `seen_by`, or in it by RELAY since before its feed of
   * events began (null: it has a gap now), and not found there by REST after.
   */
  inDoubt(seen_by: number, feed_since: number | null): Placement[] {
    const keys = this.#sql.exec<PlacementKey & Record<string, SqlStorageValue>>(
      `SELECT call_id, entry, step FROM placements INDEXED BY placements_by_seat WHERE live = 1
         AND ((state != 'joined' AND deadline_at < ?)
           OR (state = 'joined' AND joined_by = 'relay' AND COALESCE(verified_at, created_at) < ?))`,
      seen_by,
      feed_since ?? Number.MAX_SAFE_INTEGER,
    );
    return [...keys].flatMap((key) => this.find(key) ?? []);
  }

  /** Who is in a room now, the longest there first. */
  participants(room: string): Placement[] {
    const keys = this.#sql.exec<PlacementKey & Record<string, SqlStorageValue>>(
      "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 AND state = 'joined' ORDER BY created_at",
      room,
    );
    return [...keys].flatMap((key) => this.find(key) ?? []);
  }

  /** Those that are, or may be, in a room. */
  inRoom(room: string): Placement[] {
    const keys = this.#sql.exec<PlacementKey & Record<string, SqlStorageValue>>(
      "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 ORDER BY created_at",
      room,
    );
    return [...keys].flatMap((key) => this.find(key) ?? []);
  }

  /** The tenant's rooms in which calls are, or may be, by name. */
  liveRooms(tenant: string, limit: number): string[] {
    return this.#sql
      .exec<{ room: string }>(
        `SELECT DISTINCT room FROM placements INDEXED BY placements_by_seat
         WHERE live = 1 AND tenant = ? ORDER BY room LIMIT ?`,
        tenant,
        limit,
      )
      .toArray()
      .map(({ room }) => room);
  }

  /** Whether the row's seat counts: it was seen in the room, or may yet be. */
  holdsSeat(row: Placement): boolean {
    return row.state === "joined" || (isLive(row.state) && row.deadline_at + RESERVED_MS > this.#now());
  }

  /** A new row. One that is planned is written when something is sent for it, or decided against. */
  plan(
    request: PlaceRequest,
    room: string,
    reason: string,
    state: "planned" | "by_document" | "failed",
    turned_away: TurnedAway | null = null,
  ): Placement {
    const row: Placement = {
      call_id: request.call_id,
      entry: request.entry,
      step: request.step,
      tenant: request.tenant,
      node_id: request.node_id ?? null,
      from: request.from,
      state,
      joined_by: state === "by_document" ? "document" : null,
      turned_away,
      capacity: request.capacity ?? null,
      sticky_key: request.sticky_key ?? null,
      after_url: request.after_url ?? null,
      room,
      join: request.join,
      forwarding: request.forwarding,
      rule: request.rule,
      role: request.role,
      ruleset: request.ruleset,
      decided_at: request.decided_at,
      reason,
      doubt: null,
      created_at: this.#now(),
      deadline_at: request.deadline_at,
      hold_at: null,
      stay_at: null,
      conference_id: null,
      joined_ts: null,
      left_ts: null,
      verified_at: null,
      asking_step: null,
      answer: null,
      trail: withMark("", this.#now(), state, reason),
      muted: request.join.muted ? 1 : 0,
      held: 0,
      flags_ts: null,
    };
    this.#rows.keep(row.call_id, [row, ...this.ofCall(row.call_id)]);
    if (state === "planned") this.#unwritten.add(row);
    else this.#insert(row);
    return row;
  }

  /** Moves the placement where the ledger allows it; false, and nothing changed, where it does not. */
  move(row: Placement, to: PlacementState, changes: Changes = {}): boolean {
    if (!mayMove(row.state, to)) return false;
    const trail = withMark(row.trail, this.#now(), to, changes.reason ?? row.reason);
    this.update(row, { ...changes, state: to, trail });
    return true;
  }

  /** Marks in the row's trail what came of a command; written with the row's next move. */
  mark(row: Placement, command: string, said: string): void {
    row.trail = withMark(row.trail, this.#now(), command, said);
  }

  /** Writes what changed, and into the row at hand too. */
  update(row: Placement, changes: Changes): void {
    const wasLive = isLive(row.state);
    Object.assign(row, changes);
    if (this.#unwritten.delete(row)) {
      this.#insert(row);
      return;
    }
    const columns = Object.entries(changes).map(([name, value]): [string, SqlStorageValue] => [
      name,
      typeof value === "object" && value !== null ? JSON.stringify(value) : value,
    ]);
    if (isLive(row.state) !== wasLive) columns.push(["live", wasLive ? 0 : 1]);
    if (columns.length === 0) return;
    this.#sql.exec(
      `UPDATE placements SET ${columns.map(([name]) => `${name} = ?`).join(", ")} WHERE call_id = ? AND entry = ? AND step = ?`,
      ...columns.map(([, value]) => value),
      row.call_id,
      row.entry,
      row.step,
    );
  }

  /**
   * How many seats of a room are taken: by those who joined, and for a while by those who were sent there and have not been
   * seen yet. Counted anew each time, so that no seat can leak.
   */
  taken(room: string): number {
    const { taken } = this.#sql
      .exec<{ taken: number }>(
        `SELECT COUNT(*) AS taken FROM placements
         WHERE room = ? AND live = 1 AND (state = 'joined' OR deadline_at + ? > ?)`,
        room,
        RESERVED_MS,
        this.#now(),
      )
      .one();
    let unwritten = 0;
    for (const row of this.#unwritten) if (row.room === room) unwritten += 1;
    return taken + unwritten;
  }

  /** The room that the caller with this key was in last. */
  roomOf(tenant: string, sticky_key: string): string | null {
    const [row] = this.#sql.exec<{ room: string }>(
      `SELECT room FROM placements WHERE tenant = ? AND sticky_key = ? AND turned_away IS NULL
       ORDER BY created_at DESC LIMIT 1`,
      tenant,
      sticky_key,
    );
    return row?.room ?? null;
  }

  /** How many calls are, or may be, in a room: younger than `max_age_ms`, so that a lost leave does not count for ever. */
  countLive(max_age_ms: number): number {
    const { live } = this.#sql
      .exec<{ live: number }>(
        "SELECT COUNT(*) AS live FROM placements INDEXED BY placements_by_seat WHERE live = 1 AND created_at > ?",
        this.#now() - max_age_ms,
      )
      .one();
    return live + this.#unwritten.size;
  }

  /** Forgets up to `limit` placements made over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    const before = this.#now() - max_age_ms;
    const forgotten = this.#sql
      .exec<{ call_id: string }>(
        `DELETE FROM placements WHERE created_at < ? AND seq IN (SELECT seq FROM placements ORDER BY seq LIMIT ?)
         RETURNING call_id`,
        before,
        limit,
      )
      .toArray();
    for (const { call_id } of forgotten) this.#rows.drop(call_id);
    return forgotten.length;
  }

  #insert(row: Placement): void {
    const { join, forwarding, answer, ...plain } = row;
    const columns: Record<string, SqlStorageValue> = {
      ...plain,
      join: JSON.stringify(join),
      forwarding: forwarding === null ? null : JSON.stringify(forwarding),
      answer: answer === null ? null : JSON.stringify(answer),
      live: isLive(row.state) ? 1 : 0,
    };
    const names = Object.keys(columns);
    this.#sql.exec(
      `INSERT INTO placements (${names.map((name) => `"${name}"`).join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
      ...Object.values(columns),
    );
    this.#written(row);
  }
}

function placementOf(row: Record<string, SqlStorageValue>): Placement {
  // The table is ours alone: what it holds is what plan() and update() wrote.
  const {
    join,
    forwarding,
    answer,
    live: _,
    ...plain
  } = row as unknown as Omit<Placement, "join"> & {
    join: string;
    forwarding: unknown;
    answer: unknown;
    live: number;
    seq: number;
  };
  return {
    ...plain,
    join: JSON.parse(join) as JoinParameters,
    forwarding: typeof forwarding === "string" ? (JSON.parse(forwarding) as Forwarding) : null,
    answer: typeof answer === "string" ? (JSON.parse(answer) as LookReply) : null,
  };
}
