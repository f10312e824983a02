import { describeError, log } from "../../log.ts";

/** An alarm that could not be set is set again after this. */
const SET_AGAIN_MS = 5_000;

/** The object's one alarm, armed for the earliest of what is wanted. */
export class Alarm {
  readonly #storage: DurableObjectStorage;
  #at: number | null = null;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Sees to it that the alarm comes within `in_ms`; an earlier one stands. */
  arm(in_ms: number): void {
    const at = Date.now() + in_ms;
    if (this.#at !== null && this.#at <= at) return;
    this.#at = at;
    void this.#set(at);
  }

  /** It came: whatever is wanted next has to be armed anew. */
  came(): void {
    this.#at = null;
  }
  async #set(at: number): Promise<void> {
    try {
      await this.#storage.setAlarm(at);
    } catch (error) {
      log("error", "alarm.not_set", { error: describeError(error) });
      setTimeout(() => {
        if (this.#at === at) void this.#set(Math.max(at, Date.now()));
      }, SET_AGAIN_MS);
    }
  }
}
