import type { Call } from "../../../shared/call.ts";
import type { Step } from "../../../shared/documents/step.ts";
import { keepCall } from "../../../shared/kept-call.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { OutboundCall } from "../contract/call-flow.ts";
import type { Disk } from "./disk.ts";
import { dropOldest } from "./drop-oldest.ts";

/** What may still be heard of a call. */
export interface Sounding {
  control_id: string;
  method: "calling.play" | "calling.play_and_collect";
  /** When it is surely over by itself, ms; absent for sound files and questions. */
  ends_at?: number;
}

/** What a walk is at. No secret of the caller's is in it; what it carries between its steps is sealed. */
export interface CallFlowState {
  /** Whose it is and where it goes, for a call that we made; null for one that was offered, on which rules decide. */
  made: OutboundCall | null;
  /** Whose it turned out to be; null: nobody's, as far as is known. */
  tenant: string | null;
  /** The call as it came, without its secrets. */
  call: Call;
  /** Whether it is answered, as far as is known. */
  answered: boolean;
  /** What it is to do now; null: nothing was decided yet. */
  next: Step | null;
  /** What RELAY was last told to play on the call; it may still be heard. */
  sounding: Sounding | null;
}

/** A call that was offered on a context, and how far it got. */
export interface CallFlow {
  call_id: string;
  context: string;
  received_at: number;
  state: CallFlowState;
}

/** Walks without a row that are remembered, where the storage is full. */
const UNWRITTEN = 5_000;

/**
 * The table of calls that came by RELAY contexts: a call with a row is walked, once, however often it is offered. A walk that
 * is over keeps its row without a state.
 */
export class CallFlows {
  readonly #disk: Disk;
  readonly #now: () => number;
  /** Walks whose rows found no room, the newest, and whether they are open: they are lost with us, and walked all the same. */
  readonly #unwritten = new Map<string, boolean>();

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
  }

  /** The walk of a call that has none yet; null: it had one. A call that we made has no context. */
  claim(call: Call, context: string, made: OutboundCall | null = null): CallFlow | null {
    const flow: CallFlow = {
      call_id: call.call_id,
      context,
      received_at: this.#now(),
      state: {
        made,
        call: { ...keepCall(call).call, details: {} },
        answered: call.call_state === "answered",
        next: null,
        sounding: null,
        tenant: null,
      },
    };
    if (this.#unwritten.has(flow.call_id)) return null;
    const written = this.#disk.attempt(
      `INSERT INTO walks (call_id, context, received_at, state) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET context = excluded.context, received_at = excluded.received_at, state = excluded.state
       WHERE received_at <= ?`,
      flow.call_id,
      context,
      flow.received_at,
      JSON.stringify(flow.state),
      this.#oldest(),
    );
    if (!written) this.#keepUnwritten(flow.call_id, true);
    return written?.rowsWritten === 0 ? null : flow;
  }

  has(call_id: string): boolean {
    if (this.#unwritten.has(call_id)) return true;
    const [walk] = this.#disk.exec<{ received_at: number }>(
      "SELECT received_at FROM walks WHERE call_id = ?",
      call_id,
    );
    return walk !== undefined && walk.received_at > this.#oldest();
  }

  /** Whether the call's flow is not over, also if a new incarnation has not taken it up yet. */
  isOpen(call_id: string): boolean {
    const unwritten = this.#unwritten.get(call_id);
    if (unwritten !== undefined) return unwritten;
    return (
      this.#disk.exec("SELECT 1 FROM walks WHERE call_id = ? AND state IS NOT NULL", call_id).toArray()
        .length > 0
    );
  }

  /** Writes what changed, and into the walk at hand too. */
  update(flow: CallFlow, changes: Partial<CallFlowState>): void {
    Object.assign(flow.state, changes);
    this.#disk.attempt(
      "UPDATE walks SET state = ? WHERE call_id = ? AND state IS NOT NULL",
      JSON.stringify(flow.state),
      flow.call_id,
    );
  }

  close(call_id: string): void {
    const closed = this.#disk.attempt("UPDATE walks SET state = NULL WHERE call_id = ?", call_id);
    if (closed && !this.#unwritten.has(call_id)) return;
    // A walk that is over and reads as open would be walked again.
    if (!closed) this.#disk.exec("DELETE FROM walks WHERE call_id = ?", call_id);
    this.#keepUnwritten(call_id, false);
  }

  #keepUnwritten(call_id: string, isOpen: boolean): void {
    this.#unwritten.delete(call_id);
    this.#unwritten.set(call_id, isOpen);
    dropOldest(this.#unwritten, UNWRITTEN);
  }

  /** Those that are not over, the oldest first. */
  open(limit: number): CallFlow[] {
    return this.#disk
      .exec<{ call_id: string; context: string; received_at: number; state: string }>(
        "SELECT * FROM walks INDEXED BY walks_by_open WHERE state IS NOT NULL ORDER BY received_at LIMIT ?",
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, state: JSON.parse(row.state) as CallFlowState })); // Written above.
  }

  get areOpen(): boolean {
    return (
      this.#disk
        .exec("SELECT 1 FROM walks INDEXED BY walks_by_open WHERE state IS NOT NULL LIMIT 1")
        .toArray().length > 0
    );
  }

  /** When the oldest began, ms; null if there is none. */
  oldest(): number | null {
    return this.#disk
      .exec<{ at: number | null }>("SELECT MIN(received_at) AS at FROM walks INDEXED BY walks_by_age")
      .one().at;
  }

  /** What began before then was walked for another call, which had the same id. */
  #oldest(): number {
    return this.#now() - LONGEST_CALL_MS;
  }

  /** Forgets up to `limit` walks that began over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#disk
      .exec(
        `DELETE FROM walks WHERE call_id IN
           (SELECT call_id FROM walks INDEXED BY walks_by_age WHERE received_at < ? LIMIT ?)
         RETURNING call_id`,
        this.#now() - max_age_ms,
        limit,
      )
      .toArray().length;
  }
  /** The same before their time, of those that are over. */
  forgetOver(max_age_ms: number, limit: number): number {
    return this.#disk
      .exec(
        `DELETE FROM walks WHERE call_id IN
           (SELECT call_id FROM walks INDEXED BY walks_by_age WHERE received_at < ? AND state IS NULL LIMIT ?)
         RETURNING call_id`,
        this.#now() - max_age_ms,
        limit,
      )
      .toArray().length;
  }
}
