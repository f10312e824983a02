/** RelayAction — what RELAY plays or collects on a call under one `control_id`; can be stopped, paused and resumed. Used by its commands. */
export class RelayAction {
  readonly #stop = new AbortController();
  #pause = new AbortController();
  #resumed: PromiseWithResolvers<void> | null = null;

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** Aborted when the action is paused; another one after it was resumed. */
  get paused(): AbortSignal {
    return this.#pause.signal;
  }

  stop(): void {
    this.#stop.abort(new Error("stopped"));
  }

  /** False where it is paused already. */
  pause(): boolean {
    if (this.#resumed !== null) return false;
    this.#resumed = Promise.withResolvers();
    this.#pause.abort(new Error("paused"));
    return true;
  }

  /** False where it is not paused. */
  resume(): boolean {
    if (this.#resumed === null) return false;
    this.#pause = new AbortController();
    this.#resumed.resolve();
    this.#resumed = null;
    return true;
  }

  /** Resolves when it is not paused; rejects when the signal is aborted first. */
  async whenResumed(signal: AbortSignal): Promise<void> {
    if (this.#resumed === null) return;
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#resumed.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
