/** The most urgent come first: what ends or moves a call, what asks about one call, what lists a room. */
export const urgencies = ["command", "question", "list"] as const;
export type Urgency = (typeof urgencies)[number];

/** A job whose answer nobody could use any more was not begun. */
export class TooLate extends Error {
  constructor() {
    super("it came to its turn too late to be of use");
  }
}

/**
 * Slots — how many jobs run at once: Cloudflare lets a Durable Object have six connections that await their headers, and what comes
 * seventh waits where nobody sees it. The most urgent begins first, and among equals the one that waits longest. Used by Link for all
 * that a session asks of the network.
 */
export class Slots {
  #free: number;
  readonly #waiting: Record<Urgency, (() => void)[]> = { command: [], question: [], list: [] };

  constructor(size: number) {
    this.#free = size;
  }

  /**
   * Runs the job when a slot is free. Rejects as the job does, and with {@link TooLate} where it is not of use any more when its turn
   * has come.
   */
  async run<T>(urgency: Urgency, job: () => Promise<T>, isOfUse: () => boolean = () => true): Promise<T> {
    await this.#turn(urgency);
    try {
      if (!isOfUse()) throw new TooLate();
      return await job();
    } finally {
      this.#passOn();
    }
  }

  async #turn(urgency: Urgency): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting[urgency].push(turn.resolve);
    await turn.promise;
  }

  #passOn(): void {
    for (const urgency of urgencies) {
      const next = this.#waiting[urgency].shift();
      if (next) {
        next();
        return;
      }
    }
    this.#free += 1;
  }
}
