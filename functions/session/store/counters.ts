import type { Disk } from "./disk.ts";

/** How much later than it happened a count may be written: that much is lost where we vanish. */
const FLUSH_MS = 1_000;
/** Names come from a fixed vocabulary; this only guards against a mistake of ours. */
const MAX_NAMES = 200;

/** Counters — running totals of what a session did, written down within a second. Used by its status. */
export class Counters {
  readonly #disk: Disk;
  readonly #rescheduled: () => void;
  readonly #totals = new Map<string, number>();
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
    if (this.#flush_at !== null) return;
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
    for (const [name, total] of this.#totals) {
      this.#disk.attempt(
        "INSERT INTO counters (name, total) VALUES (?, ?) ON CONFLICT DO UPDATE SET total = excluded.total",
        name,
        total,
      );
    }
  }

  all(): Record<string, number> {
    return Object.fromEntries([...this.#totals].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
