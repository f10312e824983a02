/** Calls whose rows are kept at hand; the longest unused goes first. */
const CALLS = 5_000;

/**
 * CallRows — rows by call, so that one call does not read again and again what was just written. Complete for each call that it holds.
 * Used by Placements.
 */
export class CallRows<Row> {
  readonly #calls = new Map<string, readonly Row[]>();

  get(call_id: string): readonly Row[] | undefined {
    const rows = this.#calls.get(call_id);
    if (rows) {
      this.#calls.delete(call_id);
      this.#calls.set(call_id, rows);
    }
    return rows;
  }

  keep(call_id: string, rows: readonly Row[]): readonly Row[] {
    this.#calls.delete(call_id);
    this.#calls.set(call_id, rows);
    if (this.#calls.size > CALLS) {
      const oldest = this.#calls.keys().next();
      if (!oldest.done) this.#calls.delete(oldest.value);
    }
    return rows;
  }

  drop(call_id: string): void {
    this.#calls.delete(call_id);
  }
}
