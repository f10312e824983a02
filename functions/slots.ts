/**
 * A Durable Object may have six connections that await their headers; the runtime queues a seventh request out of our control. How many
 * of a session's each may take: SignalWire's REST API, of whose share outgoing webhooks may have two while it does not need them, the
 * rules' own servers, RELAY's connect, and KV.
 */
export const CONNECTIONS = { rest: 3, callbacks: 1, relay: 1, kv: 1 } as const;

/** The most urgent first: what ends or moves a call, or decides that while its caller waits; what asks about one call; what lists a room. */
export const urgencies = ["command", "question", "list"] as const;
export type Urgency = (typeof urgencies)[number];

/** The job was not started: its result is no longer needed, or its turn did not come in time. */
export class TooLate extends Error {
  /** When to come again, ms. */
  readonly retry_after_ms = 1_000;

  constructor() {
    super("its turn did not come in time");
  }
}

export interface SlotOptions {
  /** How long the job waits for its turn at most, ms. */
  wait_ms?: number;
  /** Asked when its turn has come: whether the result is still needed. */
  isOfUse?: () => boolean;
}

/**
 * Slots — how many jobs run at once. The most urgent job starts first; of equals, the oldest. Used by RelayManager for REST, and by
 * fewReads for KV.
 */
export class Slots {
  #free: number;
  readonly #waiting: Record<Urgency, Set<() => void>> = {
    command: new Set(),
    question: new Set(),
    list: new Set(),
  };

  constructor(size: number) {
    this.#free = size;
  }

  /** Runs the job when a slot is free. Rejects as the job does, and with {@link TooLate} where it was not started. */
  async run<T>(
    urgency: Urgency,
    job: () => Promise<T>,
    { wait_ms, isOfUse = () => true }: SlotOptions = {},
  ): Promise<T> {
    await this.#turn(urgency, wait_ms);
    try {
      if (!isOfUse()) throw new TooLate();
      return await job();
    } finally {
      this.#passOn();
    }
  }

  async #turn(urgency: Urgency, wait_ms: number | undefined): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const waiting = this.#waiting[urgency].add(turn.resolve);
    if (wait_ms === undefined) return await turn.promise;
    const timer = setTimeout(() => {
      if (waiting.delete(turn.resolve)) turn.reject(new TooLate());
    }, wait_ms);
    await turn.promise.finally(() => clearTimeout(timer));
  }

  #passOn(): void {
    for (const urgency of urgencies) {
      for (const next of this.#waiting[urgency]) {
        this.#waiting[urgency].delete(next);
        next();
        return;
      }
    }
    this.#free += 1;
  }
}

/** FairSlots — how many jobs run at once, where tenants take turns, however many jobs one of them has. Used for rules' own servers, and outgoing webhooks. */
export class FairSlots {
  #free: number;
  /** By tenant, in the order of their turns. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(size: number) {
    this.#free = size;
  }

  /** Runs the job when a slot is free and it is the tenant's turn. Rejects as the job does. */
  async run<T>(tenant: string, job: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else {
      const turn = Promise.withResolvers<void>();
      const waiting = this.#waiting.get(tenant);
      if (waiting) waiting.push(turn.resolve);
      else this.#waiting.set(tenant, [turn.resolve]);
      await turn.promise;
    }
    try {
      return await job();
    } finally {
      this.#passOn();
    }
  }

  #passOn(): void {
    for (const [tenant, [next, ...others]] of this.#waiting) {
      this.#waiting.delete(tenant);
      // Behind the other tenants.
      if (others.length > 0) this.#waiting.set(tenant, others);
      next?.();
      return;
    }
    this.#free += 1;
  }
}
