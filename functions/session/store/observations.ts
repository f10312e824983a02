import type { ObservedQuestion } from "../../../shared/observed-questions.ts";
import type { Disk } from "./disk.ts";

/** What is seen again is written again no sooner than this. */
const WRITE_AGAIN_MS = 60_000;
/** Questions and readings come from our own code; this only guards against a mistake of ours. */
const MOST = 200;

/** What SignalWire was seen to do on this project, of what its published material leaves open. */
export interface Observation {
  question: string;
  reading: string;
  /** ms. */
  first_at: number;
  last_at: number;
  times: number;
}

/**
 * Observations — the readings of SignalWire's open questions that this project has shown. Facts about the platform, never about
 * a caller: no numbers, names or ids are in them. Used by reconciliation, by `GET …/session` and by the doctor.
 */
export class Observations {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #known = new Map<string, Observation & { written_at: number }>();

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
    const rows = disk.exec<Observation & Record<string, SqlStorageValue>>(
      "SELECT question, reading, first_at, last_at, times FROM observations LIMIT ?",
      MOST,
    );
    for (const row of rows) this.#known.set(keyOf(row), { ...row, written_at: row.last_at });
  }

  /** It was seen that the answer to `question` is `reading`. */
  saw(question: ObservedQuestion, reading: string | number | boolean): void {
    const now = this.#now();
    const seen = { question, reading: String(reading) };
    const known = this.#known.get(keyOf(seen));
    if (!known && this.#known.size >= MOST) return;
    const row = known ?? { ...seen, first_at: now, last_at: now, times: 0, written_at: 0 };
    row.last_at = now;
    row.times += 1;
    this.#known.set(keyOf(row), row);
    if (now - row.written_at < WRITE_AGAIN_MS) return;
    row.written_at = now;
    this.#disk.attempt(
      `INSERT INTO observations (question, reading, first_at, last_at, times) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET last_at = excluded.last_at, times = excluded.times`,
      row.question,
      row.reading,
      row.first_at,
      row.last_at,
      row.times,
    );
  }

  /** Whether `reading` was ever seen. */
  has(question: ObservedQuestion, reading: string | number | boolean): boolean {
    return this.#known.has(keyOf({ question, reading: String(reading) }));
  }

  all(): Observation[] {
    return [...this.#known.values()]
      .map(({ written_at: _, ...observation }) => observation)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}

function keyOf({ question, reading }: Pick<Observation, "question" | "reading">): string {
  return `${question} ${reading}`;
}
