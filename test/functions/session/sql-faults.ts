/** As Cloudflare words it where a Durable Object holds as much as it may. */
export const FULL = "database or disk is full: SQLITE_FULL";

/** Statements that fail while this is there, of all objects; the others run as they are. */
export class SqlFaults implements Disposable {
  readonly #prototype: { exec: SqlStorage["exec"] };
  readonly #exec: SqlStorage["exec"];
  /** How many have failed. */
  failed = 0;

  /** @param fails whether the statement does; `message` is what it throws. */
  constructor(sql: SqlStorage, fails: (statement: string) => boolean, message: string) {
    this.#prototype = Object.getPrototypeOf(sql) as { exec: SqlStorage["exec"] }; // All objects of this isolate have it.
    this.#exec = this.#prototype.exec;
    const exec = this.#exec;
    const failed = (): Error => {
      this.failed += 1;
      return new Error(message);
    };
    this.#prototype.exec = function (this: SqlStorage, statement, ...values) {
      if (fails(statement)) throw failed();
      return exec.call(this, statement, ...values) as ReturnType<typeof exec<never>>;
    };
  }

  [Symbol.dispose](): void {
    this.#prototype.exec = this.#exec;
  }
}

/** What a full object refuses: all that might need another page. What is deleted and read still is. */
export function needsRoom(statement: string): boolean {
  return /^\s*(INSERT|UPDATE)\b/.test(statement);
}
