/** What was asked of one statement. */
interface Ran {
  statement: string;
  /** Which turn of the object it ran in. */
  turn: number;
  cursor: SqlStorageCursor<Record<string, SqlStorageValue>>;
}

/** Every statement that objects run while this records. Their storage is used as it is. */
export class SqlRecording {
  #ran: Ran[] = [];
  #turn = 0;
  #isOver = true;
  readonly #prototype: { exec: SqlStorage["exec"] };
  readonly #exec: SqlStorage["exec"];

  constructor(sql: SqlStorage) {
    this.#prototype = Object.getPrototypeOf(sql) as { exec: SqlStorage["exec"] }; // All objects of this isolate have it.
    this.#exec = this.#prototype.exec;
    const { exec } = this.#prototype;
    const ran = (statement: string, cursor: Ran["cursor"]) => this.#note(statement, cursor);
    this.#prototype.exec = function (this: SqlStorage, statement, ...values) {
      const cursor = exec.call(this, statement, ...values);
      ran(statement, cursor);
      return cursor as ReturnType<typeof exec<never>>;
    };
  }

  get statements(): string[] {
    return [...new Set(this.#ran.map(({ statement }) => statement))];
  }

  /** What each turn did since the last time this was asked. */
  takeTurns(): { rows: number; statements: number }[] {
    const turns = new Map<number, { rows: number; statements: number }>();
    for (const { turn, cursor } of this.#ran) {
      const { rows, statements } = turns.get(turn) ?? { rows: 0, statements: 0 };
      turns.set(turn, { rows: rows + cursor.rowsRead, statements: statements + 1 });
    }
    this.#ran = [];
    this.#isOver = true;
    return [...turns.values()];
  }

  /** Rows that were written since the last time anything was taken. */
  takeRowsWritten(): number {
    const rows = this.#ran.reduce((sum, { cursor }) => sum + cursor.rowsWritten, 0);
    this.#ran = [];
    return rows;
  }

  stop(): void {
    this.#prototype.exec = this.#exec;
  }

  #note(statement: string, cursor: Ran["cursor"]): void {
    if (this.#isOver) this.#begin();
    this.#ran.push({ statement, turn: this.#turn, cursor });
  }

  #begin(): void {
    this.#turn += 1;
    this.#isOver = false;
    const turn = this.#turn;
    // Timers run in turns of their own, in the order in which they were set; that of an object that is lost never does.
    void scheduler.wait(0).then(() => {
      if (turn === this.#turn) this.#isOver = true;
    });
  }
}
