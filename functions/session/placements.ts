import type { Forwarding } from "../../shared/callbacks.ts";
import type { JoinParameters } from "../../shared/conference.ts";
import { liveStates, type Membership, mayMove, type PlacementState } from "../../shared/placement.ts";
import type { LookReply, PlacementKey, PlaceRequest, TurnedAway } from "./contract.ts";

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
  /** The step whose question was answered for good, and how: a repeat of it gets the same. */
  asking_step: number | null;
  answer: LookReply | null;
}

type Changes = Partial<
  Omit<Membership, "room"> & Pick<Placement, "reason" | "doubt" | "asking_step" | "answer">
>;

/** The ledger of placements: the only place that reads and writes its table. */
export class Placements {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  find(key: PlacementKey): Placement | null {
    const row = this.#sql
      .exec(
        "SELECT * FROM placements WHERE call_id = ? AND entry = ? AND step = ?",
        key.call_id,
        key.entry,
        key.step,
      )
      .next();
    return row.done ? null : placementOf(row.value);
  }

  /** Every placement of the call, newest first. */
  ofCall(call_id: string): Placement[] {
    return this.#sql
      .exec("SELECT * FROM placements WHERE call_id = ? ORDER BY created_at DESC, step DESC", call_id)
      .toArray()
      .map(placementOf);
  }

  /** The newest placement in a room whose rule wants to be told of its conference. */
  forwardingOfRoom(room: string): Forwarding | null {
    const row = this.#sql
      .exec<{ forwarding: string }>(
        "SELECT forwarding FROM placements WHERE room = ? AND forwarding IS NOT NULL ORDER BY created_at DESC LIMIT 1",
        room,
      )
      .next();
    return row.done ? null : (JSON.parse(row.value.forwarding) as Forwarding);
  }

  /** Those that hold a place in the conference; the events of its end say it by id alone. */
  inConference(conference_id: string): Placement[] {
    return this.#sql
      .exec("SELECT * FROM placements WHERE conference_id = ? AND state = 'joined'", conference_id)
      .toArray()
      .map(placementOf);
  }

  /** A new row at `planned`. */
  plan(
    request: PlaceRequest,
    room: string,
    reason: string,
    state: "planned" | "by_document" | "failed",
    turned_away: TurnedAway | null = null,
  ): void {
    const now = this.#now();
    this.#sql.exec(
      `INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, turned_away, capacity,
         sticky_key, after_url, room, "join", forwarding, rule, role, ruleset, decided_at, reason, created_at, updated_at,
         deadline_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      request.call_id,
      request.entry,
      request.step,
      request.tenant,
      request.node_id ?? null,
      request.from,
      state,
      state === "by_document" ? "document" : null,
      turned_away,
      request.capacity ?? null,
      request.sticky_key ?? null,
      request.after_url ?? null,
      room,
      JSON.stringify(request.join),
      request.forwarding === null ? null : JSON.stringify(request.forwarding),
      request.rule,
      request.role,
      request.ruleset,
      request.decided_at,
      reason,
      now,
      now,
      request.deadline_at,
    );
  }

  /** Moves the placement where the ledger allows it; false, and nothing changed, where it does not. */
  move(was: Placement, to: PlacementState, changes: Changes = {}): boolean {
    if (!mayMove(was.state, to)) return false;
    this.update(was, { ...changes, state: to });
    return true;
  }

  /** Writes what changed, and into the row at hand too. */
  update(row: Placement, changes: Changes): void {
    Object.assign(row, changes);
    this.#sql.exec(
      `UPDATE placements SET state = ?, joined_by = ?, conference_id = ?, joined_ts = ?, left_ts = ?, doubt = ?, hold_at = ?, stay_at = ?,
         reason = ?, asking_step = ?, answer = ?, updated_at = ?
       WHERE call_id = ? AND entry = ? AND step = ?`,
      row.state,
      row.joined_by,
      row.conference_id,
      row.joined_ts,
      row.left_ts,
      row.doubt,
      row.hold_at,
      row.stay_at,
      row.reason,
      row.asking_step,
      row.answer === null ? null : JSON.stringify(row.answer),
      this.#now(),
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
        `SELECT COUNT(*) AS taken FROM placements WHERE room = ?
           AND (state = 'joined' OR (state IN ('planned', 'sending', 'accepted', 'rejected', 'unknown', 'by_document')
             AND deadline_at + ? > ?))`,
        room,
        RESERVED_MS,
        this.#now(),
      )
      .one();
    return taken;
  }

  /** The room that the caller with this key was in last. */
  roomOf(tenant: string, sticky_key: string): string | null {
    const row = this.#sql
      .exec<{ room: string }>(
        `SELECT room FROM placements WHERE tenant = ? AND sticky_key = ? AND turned_away IS NULL
         ORDER BY created_at DESC LIMIT 1`,
        tenant,
        sticky_key,
      )
      .next();
    return row.done ? null : row.value.room;
  }

  /** Who is in a room now, the longest there first. */
  participants(room: string): Placement[] {
    return this.#sql
      .exec("SELECT * FROM placements WHERE room = ? AND state = 'joined' ORDER BY created_at", room)
      .toArray()
      .map(placementOf);
  }

  /** How many calls are, or may be, in a room: younger than `max_age_ms`, so that a lost leave does not count for ever. */
  countLive(max_age_ms: number): number {
    const states = liveStates.map(() => "?").join(", ");
    const { live } = this.#sql
      .exec<{ live: number }>(
        `SELECT COUNT(*) AS live FROM placements WHERE state IN (${states}) AND updated_at > ?`,
        ...liveStates,
        this.#now() - max_age_ms,
      )
      .one();
    return live;
  }

  /** Forgets up to `limit` placements not touched for `max_age_ms`; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#sql.exec(
      `DELETE FROM placements WHERE (call_id, entry, step) IN
         (SELECT call_id, entry, step FROM placements WHERE updated_at < ? LIMIT ?)`,
      this.#now() - max_age_ms,
      limit,
    ).rowsWritten;
  }
}

function placementOf(row: Record<string, SqlStorageValue>): Placement {
  // The table is ours alone: what it holds is what plan() and update() wrote.
  const { join, forwarding, answer, ...rest } = row as unknown as Omit<
    Placement,
    "join" | "forwarding" | "answer"
  > & {
    join: string;
    forwarding: string | null;
    answer: string | null;
  };
  return {
    ...rest,
    join: JSON.parse(join) as JoinParameters,
    forwarding: forwarding === null ? null : (JSON.parse(forwarding) as Forwarding),
    answer: answer === null ? null : (JSON.parse(answer) as LookReply),
  };
}
