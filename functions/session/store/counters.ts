import type { Disk } from "./disk.ts";

/** How much later than it happened a count may be written, since each is a row: that much is lost where we vanish. */
const FLUSH_MS = 300_000;
/** A connection counts these while nothing happens: they are written along with others. */
const ROUTINE: ReadonlySet<string> = new Set(["probe_sent", "ping_answered"]);
/** Names come from a fixed vocabulary; this only guards against a mistake of ours. */
const MAX_NAMES = 200;

/** Counters — running totals of what a session did, written down within minutes where they changed. Used by its status. */
export class Counters {
  readonly #disk: Disk;
  readonly #rescheduled: () => void;
  readonly #totals = new Map<string, number>();
  /** Those that the table has otherwise. */
  readonly #changed = new Set<string>();
  /** When what was counted is written down, ms. */
  #flush_at: number | null = null;

  /** @param rescheduled called when there is something to be written down. */
  constructor(disk: Disk, rescheduled: () => void) {
    this.#disk = disk;
    this.#rescheduled = rescheduled;
    for (const { name, total } of disk.exec<{ name: string; total: number }>(
      "SELECT name, total FROM counters",
    )) {
      this.#totals.set(name, total);
    }
  }

  add(name: string, by = 1): void {
    if (!this.#totals.has(name) && this.#totals.size >= MAX_NAMES) return;
    this.#totals.set(name, (this.#totals.get(name) ?? 0) + by);
    this.#changed.add(name);
    if (this.#flush_at !== null || ROUTINE.has(name)) return;
    this.#flush_at = Date.now() + FLUSH_MS;
    this.#rescheduled();
  }

  nextWakeAt(): number | null {
    return this.#flush_at;
  }

  /** Writes down what was counted. */
  run(): void {
    if (this.#flush_at === null) return;
    this.#flush_at = null;
    for (const name of this.#changed) {
      this.#disk.attempt(
        "INSERT INTO counters (name, total) VALUES (?, ?) ON CONFLICT DO UPDATE SET total = excluded.total",
        name,
        this.#totals.get(name) ?? 0,
      );
    }
    this.#changed.clear();
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
