/** How long a read from KV is trusted without asking again. With KV's own 60 s, a change is seen everywhere within 90 s. */
const TRUSTED_MS = 30_000;
/** How long a caller waits for a refresh before what we have serves on. */
const REFRESH_WAIT_MS = 300;
/** How long until a refresh that failed or hangs is tried again: a KV outage is not made worse by us. */
const RETRY_MS = 2_000;
/** Misses are forgotten sooner: a tenant that was just made should work. */
const MISS_TRUSTED_MS = 5_000;
const MAX_ENTRIES = 2_000;

interface Entry<T> {
  value: T | null;
  fresh_until: number;
  /** While another request reads it anew: until when we leave that to it. */
  refreshing_until: number;
}

/**
 * Values read from KV, kept in the isolate. Older than 30 s they are read again; the caller waits for that a moment only,
 * and where it fails or is slow the old value serves on. Throws what `load` throws where there is nothing to serve.
 */
export class StaleCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
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
    if (entry && this.#now() < entry.fresh_until) return entry.value;
    if (!entry) {
      const value = await load(null);
      this.#keep(key, { value, fresh_until: this.#freshUntil(value), refreshing_until: 0 });
      return value;
    }
    // A promise of one request must not be awaited by another (Workers forbid it), so only the one that reads anew waits.
    if (this.#now() >= entry.refreshing_until) {
      entry.refreshing_until = this.#now() + RETRY_MS;
      const refresh = this.#refresh(entry, load, failed);
      keepAlive(refresh);
      await Promise.race([refresh, new Promise((resolve) => setTimeout(resolve, REFRESH_WAIT_MS))]);
    }
    return entry.value;
  }

  async #refresh(
    entry: Entry<T>,
    load: (previous: T | null) => Promise<T | null>,
    failed: (error: unknown) => void,
  ): Promise<void> {
    try {
      entry.value = await load(entry.value);
      entry.fresh_until = this.#freshUntil(entry.value);
      entry.refreshing_until = 0;
    } catch (error) {
      failed(error);
    }
  }

  #freshUntil(value: T | null): number {
    return this.#now() + (value === null ? MISS_TRUSTED_MS : TRUSTED_MS);
  }

  #keep(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}
