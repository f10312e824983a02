import { timeoutOr } from "../timeout.ts";

/** How long a read from KV is trusted without asking again. With KV's own 60 s, a change is seen everywhere within 90 s. */
const TRUSTED_MS = 30_000;
/** How long a caller waits for a refresh before what we have serves on. */
const REFRESH_WAIT_MS = 300;
/** How long until a refresh that failed or hangs is tried again: a KV outage is not made worse by us. */
const RETRY_MS = 2_000;
/** Misses are forgotten sooner: a tenant that was just made should work. */
const MISS_TRUSTED_MS = 5_000;
/** Few: names that do not exist can be made up without end. */
const MAX_MISSES = 200;

interface Entry<T> {
  value: T;
  bytes: number;
  fresh_until: number;
  /** While another request reads it anew: until when we leave that to it. */
  refreshing_until: number;
}

interface Bounds<T> {
  /** About what a value takes in memory. */
  bytesOf: (value: T) => number;
  /** All values together. The newest value stays even if it alone is larger. */
  max_bytes: number;
}

/**
 * Values read from KV, kept in the isolate. Older than 30 s they are read again; the caller waits for that a moment only,
 * and where it fails or is slow the old value serves on. Throws what `load` throws where there is nothing to serve.
 * The least recently used go first, by their size in memory; names without a value live apart and push none out.
 */
export class StaleCache<T> {
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry<T>>();
  /** Until when nothing is asked about a name that was not there; the oldest first. */
  readonly #misses = new Map<string, number>();
  readonly #bounds: Bounds<T>;
  readonly #now: () => number;
  #bytes = 0;

  constructor(bounds: Bounds<T>, now: () => number = () => Date.now()) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /** Whether there is something to serve, fresh or not. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /**
   * @param load reads the value anew; gets the one we have, so that it can be kept where nothing changed. Null: no such thing.
   * @param failed told of a refresh that failed while an old value served.
   */
  async get(
    key: string,
    load: (previous: T | null) => Promise<T | null>,
    keepAlive: (work: Promise<unknown>) => void,
    failed: (error: unknown) => void,
  ): Promise<T | null> {
    const entry = this.#entries.get(key);
    if (!entry) {
      if (this.#isMiss(key)) return null;
      const value = await load(null);
      this.#keep(key, value);
      return value;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#now() < entry.fresh_until) return entry.value;
    // A promise of one request must not be awaited by another (Workers forbid it), so only the one that reads anew waits.
    if (this.#now() < entry.refreshing_until) return entry.value;
    entry.refreshing_until = this.#now() + RETRY_MS;
    const refresh = this.#refresh(key, entry.value, load, failed);
    keepAlive(refresh);
    return await timeoutOr(REFRESH_WAIT_MS, refresh, entry.value);
  }

  /** The value read anew; where that fails, the old one. */
  async #refresh(
    key: string,
    old: T,
    load: (previous: T | null) => Promise<T | null>,
    failed: (error: unknown) => void,
  ): Promise<T | null> {
    try {
      const value = await load(old);
      this.#keep(key, value);
      return value;
    } catch (error) {
      failed(error);
      return old;
    }
  }

  #isMiss(key: string): boolean {
    const until = this.#misses.get(key);
    return until !== undefined && this.#now() < until;
  }

  #keep(key: string, value: T | null): void {
    this.#drop(key);
    if (value === null) {
      this.#misses.delete(key);
      this.#misses.set(key, this.#now() + MISS_TRUSTED_MS);
      if (this.#misses.size > MAX_MISSES) this.#misses.delete(firstOf(this.#misses));
      return;
    }
    this.#misses.delete(key);
    const bytes = this.#bounds.bytesOf(value);
    this.#entries.set(key, {
      value,
      bytes,
      fresh_until: this.#now() + TRUSTED_MS,
      refreshing_until: 0,
    });
    this.#bytes += bytes;
    while (this.#bytes > this.#bounds.max_bytes && this.#entries.size > 1) this.#drop(firstOf(this.#entries));
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** A map that is not empty has a first key. */
function firstOf(map: ReadonlyMap<string, unknown>): string {
  const [key = ""] = map.keys();
  return key;
}
