import type { Forwarding } from "../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../shared/conference.ts";
import { sameCallerKey } from "../../../shared/identity.ts";
import { isLive, LONGEST_CALL_MS, mayMove, type PlacementState } from "../../../shared/placement.ts";
import { type Placing, placingIn } from "../../../shared/placing.ts";
import type { LookReply, PlacementKey, PlaceRequest, TurnedAway } from "../contract/placement.ts";
import type { Disk } from "./disk.ts";
import { dropOldest } from "./drop-oldest.ts";
import { LiveRows } from "./live-placements.ts";
import type { PlacementNews } from "./news.ts";
import {
  type Changes,
  type InLine,
  type Placement,
  standing,
  stateOf,
  stateText,
  withMark,
} from "./placement-row.ts";
import {
  inLine,
  type PlacingColumns,
  placingColumns,
  placingFrom,
  type WaitBefore,
  waitText,
} from "./placing-columns.ts";
import { CallRows } from "./row-cache.ts";
import { ShortJoins } from "./short-joins.ts";
import { Sweep } from "./sweep.ts";
import { roomsOf } from "./wait-terms.ts";
import { WaitingIndex } from "./waiting-index.ts";

/** Waiters read in one turn when the index of them is made. */
const WAITERS_AT_ONCE = 200;

/** Rows whose changes are at hand alone, where the storage is full. */
const UNSAVED = 5_000;

/** Columns of texts that hold joins. */
const HOLD_JOINS = ["join", "placing", "wait", "answer"] as const;

/** Columns that are 0 where nothing is said of them. */
const ZERO_BY_DEFAULT: ReadonlySet<string> = new Set([
  "muted",
  "held",
  "admitted",
  "over_capacity",
  "rejoins",
  "may_stand",
  "lives_on",
  "rest_took",
] satisfies (keyof Placement)[]);

/** Placements of one call that are kept: one that comes anew for ever loses its oldest, long over. */
const OF_CALL = 30;

/**
 * The ledger of placements: the only place that reads and writes its table. Rows that it has read or made are kept at hand
 * and are the same objects for everyone.
 */
export class Placements {
  /** Those that are live, whichever rows were at hand since. */
  readonly live: LiveRows;
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #written: (row: Placement) => void;
  readonly #moved: (rooms: readonly string[]) => void;
  readonly #news: PlacementNews;
  readonly #waiting: WaitingIndex;
  readonly #sweep: Sweep;
  readonly #joins: ShortJoins;
  readonly #statements = new Statements();
  /** The `seq` up to which waiters were read; null: all of them were. */
  #waiting_after: number | null = 0;
  readonly #rows = new CallRows<Placement>();
  /** Planned and not on disk: nothing was sent for them, so to vanish now is as if they had never been. */
  readonly #unwritten = new Set<Placement>();
  /** Changed since there was no room on disk; the newest. */
  readonly #unsaved = new Set<Placement>();

  /**
   * @param credentials_key from which the tokens of our own callbacks are derived; they are not kept then.
   * @param written told of each new row in the turn in which it is written.
   * @param moved told, in the turn in which a row is planned or moves, in which rooms that may change who has a seat.
   */
  constructor(
    disk: Disk,
    now: () => number,
    credentials_key: string | undefined,
    written: (row: Placement) => void,
    moved: (rooms: readonly string[]) => void,
    news: PlacementNews,
  ) {
    this.#disk = disk;
    this.#now = now;
    this.#written = written;
    this.#moved = moved;
    this.#news = news;
    this.#joins = new ShortJoins(credentials_key);
    this.#waiting = new WaitingIndex(now);
    this.live = new LiveRows(disk);
    this.#sweep = new Sweep(disk, { table: "placements", at: "created_at", mayGo: "live = 0" });
  }

  /** The rows in state `waiting`. What of them was not read yet is read first. */
  get waiting(): WaitingIndex {
    while (this.readWaiting());
    return this.#waiting;
  }

  /** Reads some of the rows that are waiting since before a restart; false where those were the last. */
  readWaiting(): boolean {
    if (this.#waiting_after === null) return false;
    const rows = this.#disk
      .exec(
        "SELECT * FROM placements INDEXED BY placements_waiting WHERE state = 'waiting' AND seq > ? ORDER BY seq LIMIT ?",
        this.#waiting_after,
        WAITERS_AT_ONCE,
      )
      .toArray();
    for (const columns of rows) {
      const row = this.#placementOf(columns);
      // The same object for everyone, also where somebody asked for the call before.
      const known = this.#rows.get(row.call_id)?.find((one) => isSame(one, row));
      this.#waiting_after = Number(columns["seq"]);
      this.#waiting.add(known ?? row, this.#waiting_after);
    }
    if (rows.length < WAITERS_AT_ONCE) this.#waiting_after = null;
    return this.#waiting_after !== null;
  }

  find(key: PlacementKey): Placement | null {
    return this.ofCall(key.call_id).find((row) => isSame(row, key)) ?? null;
  }

  /** The same, unless it is of another call, which had the same id. */
  findCurrent(key: PlacementKey): Placement | null {
    const row = this.find(key);
    return row && this.#isCurrent(row) ? row : null;
  }

  /**
   * The call's placements, newest first. Older than any call: they are another's, which had the same id.
   * @param tenant whose they must be, where it is a tenant's word that names the call.
   */
  currentOf(call_id: string, tenant?: string): readonly Placement[] {
    return this.ofCall(call_id).filter(
      (row) => this.#isCurrent(row) && (tenant === undefined || row.tenant === tenant),
    );
  }

  /** Every placement of all calls that ever had this id, as far as they are kept, newest first: for its story. */
  ofCall(call_id: string): readonly Placement[] {
    return this.#rows.get(call_id) ?? this.#rows.keep(call_id, this.#read(call_id));
  }

  /** The same where many calls are gone through: none of them is at hand because of that. */
  glimpse(call_id: string): readonly Placement[] {
    return this.#rows.get(call_id) ?? this.#read(call_id);
  }

  /**
   * A new row. One that is planned is written when something is sent for it, or decided against. Throws where there is no room for it,
   * and it is as if it had never been.
   */
  plan(
    request: PlaceRequest,
    room: string,
    reason: string,
    state: "planned" | "by_document" | "failed" | "waiting",
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
      placing: decidedIn(request),
      rule: request.rule,
      role: request.role,
      // One from a Worker of the version before is a caller's as it came.
      sticky_key: request.sticky_key === undefined ? null : sameCallerKey(request.sticky_key, "from"),
      room,
      join: request.join,
      forwarding: request.forwarding,
      reason,
      doubt: null,
      created_at: this.#now(),
      deadline_at: request.deadline_at,
      lease_until: null,
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
      coaching: request.join.coach ?? null,
      wait: state === "waiting" ? standing(request) : null,
      seen_at: state === "waiting" ? this.#now() : null,
      admitted: 0,
      over_capacity: 0,
      ingress: request.ingress ?? null,
      segment_id: request.segment_id ?? null,
      doubted_at: null,
      presumed_gone_at: null,
      unsigned_leave_at: null,
      missed_at: null,
      rejoins: 0,
      may_stand: 0,
      lives_on: 0,
      relay_took: null,
      rest_took: 0,
      held_back_at: null,
      untold: request.recording_notice === undefined ? null : JSON.stringify(request.recording_notice),
    };
    const others = this.#keptBeside(row);
    if (state === "planned") this.#unwritten.add(row);
    else this.#insert(row);
    this.#rows.keep(row.call_id, [row, ...others]);
    this.live.add(row);
    if (state === "waiting") this.#waiting.add(row, this.#seqOf(row));
    this.#moved(roomsOf(row));
    if (state !== "planned" && this.#news.isFollowed(row.tenant)) this.#news.placed(row, null);
    return row;
  }

  /** Moves the placement where the ledger allows it; false, and nothing changed, where it does not. */
  move(row: Placement, to: PlacementState, changes: Changes = {}): boolean {
    if (!mayMove(row.state, to)) return false;
    const trail = withMark(row.trail, this.#now(), to, changes.reason ?? row.reason);
    const isOfLine = row.state === "waiting" || to === "waiting";
    this.update(row, { ...leaseIn(to, row, this.#now()), ...changes, state: to, trail });
    this.#moved(isOfLine ? roomsOf(row) : [row.room]);
    return true;
  }

  /** Something other than a move has changed who has a seat in the room. */
  touched(room: string): void {
    this.#moved([room]);
  }

  /** Marks in the row's trail what came of a command; written with the row's next move. */
  mark(row: Placement, command: string, said: string): void {
    row.trail = withMark(row.trail, this.#now(), command, said);
  }

  /**
   * Writes what changed, and into the row at hand too. Where there is no room the row at hand has it until there is; one that is not
   * written yet can't be then, and nothing changes.
   */
  update(row: Placement, changes: Changes): void {
    const was = row.state;
    const isNew = this.#unwritten.has(row);
    if (isNew) this.#insert({ ...row, ...changes });
    this.#unwritten.delete(row);
    const isFollowed = this.#news.isFollowed(row.tenant);
    const before = isFollowed ? picked(row, changes) : null;
    Object.assign(row, changes);
    this.live.change(row, changes);
    if (!isNew && !this.#write(row, changes, isLive(was))) this.#keepUnsaved(row);
    if (row.state === "waiting") {
      if (was === "waiting") this.#waiting.updated(row);
      else this.#waiting.add(row, this.#seqOf(row));
    } else if (was === "waiting") this.#waiting.remove(row);
    if (isFollowed) this.#news.placed(row, isNew ? null : before);
  }

  /** It could not be written: there is no row of it, and nobody counts the call. */
  abandon(key: PlacementKey): void {
    const row = this.ofCall(key.call_id).find((one) => isSame(one, key));
    if (!row || !this.#unwritten.delete(row)) return;
    this.#rows.drop(row.call_id);
    this.live.drop(row);
    this.#moved(roomsOf(row));
  }

  /** Nothing came of it, and it is as if it had never been. */
  withdraw(row: Placement): void {
    this.#disk.exec(
      "DELETE FROM placements WHERE call_id = ? AND entry = ? AND step = ?",
      row.call_id,
      row.entry,
      row.step,
    );
    this.#unsaved.delete(row);
    this.#rows.keep(
      row.call_id,
      this.ofCall(row.call_id).filter((one) => one !== row),
    );
    this.live.drop(row);
    this.#moved(roomsOf(row));
  }

  /** Writes what found no room before. */
  save(): void {
    for (const row of this.#unsaved) {
      if (!this.#writeColumns(row, Object.entries(this.#columnsOf(row)))) return;
      this.#unsaved.delete(row);
    }
  }

  #keepUnsaved(row: Placement): void {
    this.#unsaved.delete(row);
    this.#unsaved.add(row);
    dropOldest(this.#unsaved, UNSAVED);
  }

  /** False where there was no room. */
  #write(row: Placement, changes: Changes, wasLive: boolean): boolean {
    if (this.#unsaved.has(row)) return false;
    const isSame = isLive(row.state) === wasLive;
    const { join: _, placing: __, wait: ___, answer: ____, ...plain } = changes;
    // The rest are texts and numbers.
    const columns = Object.entries(asKept(plain)) as [string, SqlStorageValue][];
    // What holds joins is written anew where it is kept otherwise from now on.
    const areAllWritten = !isSame || "join" in changes || "room" in changes || "placing" in changes;
    const holds = HOLD_JOINS.filter((name) => areAllWritten || name in changes);
    if (holds.length > 0) {
      const texts = this.#textsOf(row);
      if ("placing" in changes) columns.push(...Object.entries(texts));
      else for (const name of [...holds, "hooks"] as const) columns.push([name, texts[name]]);
    }
    if (!isSame) columns.push(["live", wasLive ? 0 : 1]);
    return columns.length === 0 || this.#writeColumns(row, columns);
  }

  #writeColumns(row: Placement, columns: readonly [string, SqlStorageValue][]): boolean {
    const written = this.#disk.attempt(
      this.#statements.update(columns.map(([name]) => name)),
      ...columns.map(([, value]) => value),
      row.call_id,
      row.entry,
      row.step,
    );
    return written !== null;
  }

  /** Forgets up to `limit` placements made over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    const before = this.#now() - max_age_ms;
    const forgotten = this.#disk
      .exec<PlacementKey & Record<string, SqlStorageValue>>(
        `DELETE FROM placements WHERE seq < (SELECT MIN(seq) + ? FROM placements) AND created_at < ?
         RETURNING call_id, entry, step`,
        limit,
        before,
      )
      .toArray();
    this.#dropAll(forgotten);
    return forgotten.length;
  }

  /** The same before their time, of those that are over. Returns how many it went through. */
  forgetOver(max_age_ms: number, limit: number): number {
    const { passed, seqs } = this.#sweep.next(this.#now() - max_age_ms, limit);
    if (seqs.length === 0) return passed;
    this.#dropAll(
      this.#disk
        .exec<PlacementKey & Record<string, SqlStorageValue>>(
          "DELETE FROM placements WHERE seq IN (SELECT value FROM json_each(?)) RETURNING call_id, entry, step",
          JSON.stringify(seqs),
        )
        .toArray(),
    );
    return passed;
  }

  #dropAll(keys: readonly PlacementKey[]): void {
    for (const key of keys) {
      const unsaved = this.#unsavedOf(key);
      if (unsaved) this.#unsaved.delete(unsaved);
      this.#rows.drop(key.call_id);
      this.#waiting.remove(key);
      this.#dropLive(key);
    }
  }

  #dropLive(key: PlacementKey): void {
    const row = this.live.drop(key);
    if (row && this.#news.isFollowed(row.tenant)) this.#news.dropped(row);
  }

  #seqOf({ call_id, entry, step }: PlacementKey): number {
    return this.#disk
      .exec<{ seq: number }>(
        "SELECT seq FROM placements WHERE call_id = ? AND entry = ? AND step = ?",
        call_id,
        entry,
        step,
      )
      .one().seq;
  }

  #read(call_id: string): Placement[] {
    const written = this.#disk
      .exec("SELECT * FROM placements WHERE call_id = ? ORDER BY created_at DESC, step DESC", call_id)
      .toArray()
      .map((columns) => this.#placementOf(columns))
      .map((row) => this.#waiting.get(row) ?? this.#unsavedOf(row) ?? row);
    // So many others were at hand since that it is at hand no more.
    const unwritten = [...this.#unwritten].filter((row) => row.call_id === call_id);
    return [...unwritten.reverse(), ...written];
  }

  #unsavedOf(key: PlacementKey): Placement | undefined {
    if (this.#unsaved.size === 0) return undefined;
    return [...this.#unsaved].find((row) => isSame(row, key));
  }

  /** The call's placements, to which this one is added. One of a call that had the same id gives way to it. */
  #keptBeside(added: Placement): Placement[] {
    const rows = this.ofCall(added.call_id);
    const isKept = (row: Placement, index: number) =>
      !isSame(row, added) && (index < OF_CALL - 1 || isLive(row.state));
    for (const { call_id, entry, step } of rows.filter((row, index) => !isKept(row, index))) {
      this.#disk.exec(
        "DELETE FROM placements WHERE call_id = ? AND entry = ? AND step = ?",
        call_id,
        entry,
        step,
      );
    }
    this.#waiting.remove(added);
    this.#dropLive(added);
    return rows.filter(isKept);
  }

  #isCurrent({ created_at }: Placement): boolean {
    return created_at > this.#now() - LONGEST_CALL_MS;
  }

  #insert(row: Placement): void {
    // Most of a new row is as the table has it anyway.
    const columns = Object.entries(this.#columnsOf(row)).filter(
      ([name, value]) => value !== null && !(value === 0 && ZERO_BY_DEFAULT.has(name)),
    );
    this.#disk.exec(
      this.#statements.insert(columns.map(([name]) => name)),
      ...columns.map(([, value]) => value),
    );
    this.#written(row);
  }

  #columnsOf(row: Placement): Record<string, SqlStorageValue> {
    const { join: _, placing: __, wait: ___, answer: ____, forwarding, ...plain } = row;
    return {
      ...asKept(plain),
      ...this.#textsOf(row),
      forwarding: forwarding === null ? null : JSON.stringify(forwarding),
      live: isLive(row.state) ? 1 : 0,
    };
  }

  /** What holds joins, as it is kept, and the rest of the decision. What is over sends none any more. */
  #textsOf(row: Placement): PlacingColumns & Record<(typeof HOLD_JOINS)[number] | "hooks", string | null> {
    const isOver = !isLive(row.state);
    const { join, placing, wait, answer, hooks } = isOver
      ? { ...row, hooks: null }
      : this.#joins.shorten(row);
    const text = (value: object) => JSON.stringify(value, isOver ? withoutCallbacks : undefined);
    // The join that was decided is the row's own until the call has another.
    const isAsDecided = row.placing.join === row.join;
    return {
      ...placingColumns({ ...row, placing: isAsDecided ? { ...placing, join } : placing, join, wait }, text),
      join: text(join),
      wait: wait && text(waitText(wait, placing)),
      answer: answer && text(answer),
      hooks,
    };
  }

  #placementOf(row: Record<string, SqlStorageValue>): Placement {
    // The table is ours alone: what it holds is what plan() and update() wrote.
    const {
      join: join_text,
      placing,
      ruleset,
      decided_at,
      capacity,
      after_url,
      when_full,
      policies,
      forwarding,
      answer,
      wait,
      hooks,
      live: _,
      ...plain
    } = row as unknown as Omit<Placement, "join" | "placing" | "wait" | "answer" | "forwarding"> &
      PlacingColumns & {
        join: string;
        wait: string | null;
        answer: string | null;
        forwarding: string | null;
        hooks: string | null;
        live: number;
        seq: number;
      };
    const join = JSON.parse(join_text) as JoinParameters;
    const terms = wait === null ? null : (JSON.parse(wait) as InLine | WaitBefore);
    const { rule, role } = plain;
    const decided = { rule, role, ruleset, decided_at, capacity, after_url, when_full, policies, placing };
    const joins = {
      join,
      placing: placingFrom(decided, { ...plain, join }, terms),
      wait: terms && inLine(terms),
      answer: answer === null ? null : (JSON.parse(answer) as LookReply),
    };
    return {
      ...plain,
      state: stateOf(plain),
      ...this.#joins.restore({ ...plain, ...joins, hooks }),
      forwarding: forwarding === null ? null : (JSON.parse(forwarding) as Forwarding),
    };
  }
}

/** Statements that are kept; of columns in other combinations they are written anew. */
const STATEMENTS = 500;

/** The texts of statements, by the columns that they write: the same few again and again. */
class Statements {
  readonly #texts = new Map<string, string>();

  insert(names: readonly string[]): string {
    return this.#kept(
      `+${names.join()}`,
      () => `INSERT INTO placements ("${names.join('", "')}") VALUES (${names.map(() => "?").join()})`,
    );
  }

  update(names: readonly string[]): string {
    return this.#kept(
      names.join(),
      () =>
        `UPDATE placements SET "${names.join('" = ?, "')}" = ? WHERE call_id = ? AND entry = ? AND step = ?`,
    );
  }

  #kept(key: string, written: () => string): string {
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = written();
      if (this.#texts.size >= STATEMENTS) this.#texts.clear();
      this.#texts.set(key, text);
    }
    return text;
  }
}

/** A call that is put back is seen in its room within this; its seat is then held for as long as a new caller's. */
const PUT_BACK_MS = 5_000;

/** The lease with which it moves there. What was to be done by its end, its document is to have done. */
function leaseIn(to: PlacementState, { lease_until, deadline_at }: Placement, now: number): Changes {
  if (to === "returning") return { lease_until: Math.max(deadline_at, now + PUT_BACK_MS) };
  if (lease_until === null) return {};
  return { lease_until: null, ...(to === "by_document" ? { deadline_at: lease_until } : {}) };
}

/** What the version before reads otherwise. */
function asKept<Columns extends Pick<Changes, "state" | "lease_until">>(columns: Columns): Columns {
  const { state, lease_until } = columns;
  return {
    ...columns,
    ...(state === undefined ? {} : { state: stateText(state) }),
    ...(lease_until == null ? {} : { deadline_at: lease_until }),
  };
}

/** A Worker of the version before says where the call goes afterwards by the document's URL alone. */
function decidedIn(request: PlaceRequest): Placing {
  const { after, after_url } = request;
  const decided = placingIn(request);
  if (after !== undefined || after_url === undefined) return decided;
  return { ...decided, after: { action: "hand_over", swml: after_url } };
}

function withoutCallbacks(name: string, value: unknown): unknown {
  return name.startsWith("status_callback") || name.startsWith("recording_status_callback")
    ? undefined
    : value;
}

function isSame(one: PlacementKey, other: PlacementKey): boolean {
  return one.call_id === other.call_id && one.entry === other.entry && one.step === other.step;
}

/** What of the row is about to change, as it is. */
function picked(row: Placement, changes: Changes): Changes {
  // By the names of its own columns.
  return Object.fromEntries(
    Object.keys(changes).map((name) => [name, row[name as keyof Changes]]),
  ) as Changes;
}
