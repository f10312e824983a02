import { describeError, log } from "../log.ts";

/** Delay before a part that failed is run again. */
const AGAIN_MS = 1_000;
/** Delay before an alarm that could not be set is set again. */
const SET_AGAIN_MS = 5_000;
/** Longest time to the next alarm after a failure, in case the object is lost. */
const ALARM_AGAIN_MS = 30_000;

/** A part of the session that has work to do at certain times. */
export interface Capability {
  /** When it has work next, ms since the epoch; null: none by the clock. */
  nextWakeAt(): number | null;
  /** Latest time of the alarm, in case the object is lost; null: a new object would have nothing to do for this part. */
  nextAlarmAt?(now: number): number | null;
  /** Does what is due. What it throws is logged, and it is run again. */
  run(now: number): void | Promise<void>;
}

/** What the alarm runs. It has no timer of its own. */
export interface Heartbeat {
  nextAlarmAt(now: number): number | null;
  run(now: number): Promise<void>;
}

interface Part {
  readonly name: string;
  readonly does: Capability;
  /** After a failure: when it is run again, whatever it says itself, ms. */
  again_at: number | null;
}

/**
 * Scheduler — the object's one alarm and one timer. No part misses its time because another throws, and the alarm is always armed again.
 * Each part says when it has work next; the timer runs it then, and the alarm runs the heartbeat. Used by the session.
 */
export class Scheduler {
  readonly #storage: Pick<DurableObjectStorage, "setAlarm">;
  #heartbeat: Heartbeat | null = null;
  readonly #parts = new Map<Capability, Part>();
  #timer: { at: number; id: ReturnType<typeof setTimeout> } | null = null;
  #alarm_at: number | null = null;
  /** When to set the alarm again that could not be set, ms. */
  #set_again_at: number | null = null;

  constructor(storage: Pick<DurableObjectStorage, "setAlarm">) {
    this.#storage = storage;
  }

  /** @param heartbeat what the alarm runs. */
  start(heartbeat: Heartbeat): void {
    this.#heartbeat = heartbeat;
    this.heartbeatChanged();
  }

  /** @param name of the part, for the log. */
  add(name: string, does: Capability): void {
    this.#parts.set(does, { name, does, again_at: null });
    this.changed(does);
  }

  /** The part has work sooner than it said before. No effect before it is added, since it is asked then. */
  changed(does: Capability): void {
    const part = this.#parts.get(does);
    if (part) this.#arm(part, Date.now());
  }

  /** The heartbeat wants the alarm sooner than it said before. */
  heartbeatChanged(): void {
    this.#armAlarm(this.#heartbeat?.nextAlarmAt(Date.now()) ?? null);
  }

  /** The alarm came. Never rejects: after six failures in a row Cloudflare would let no alarm come again. */
  async alarm(): Promise<void> {
    this.#alarm_at = null;
    let failed_at: number | null = null;
    try {
      await this.#heartbeat?.run(Date.now());
    } catch (error) {
      log("error", "heartbeat.broke", { part: "heartbeat", error: describeError(error) });
      failed_at = Date.now() + ALARM_AGAIN_MS;
    }
    this.#armAlarm(failed_at);
    this.heartbeatChanged();
    const now = Date.now();
    for (const part of this.#parts.values()) this.#arm(part, now);
  }

  #tick(): void {
    this.#timer = null;
    const now = Date.now();
    if (this.#set_again_at !== null && this.#set_again_at <= now) this.#setAgain(now);
    const due = [...this.#parts.values()].filter((part) => (this.#wakeAt(part) ?? now + 1) <= now);
    for (const part of due) this.#run(part, now);
    for (const part of this.#parts.values()) this.#armTimer(this.#wakeAt(part));
    for (const part of due) this.#armAlarm(this.#alarmAt(part, now));
    this.#armTimer(this.#set_again_at);
  }

  /** Not awaited: no part waits for another. */
  #run(part: Part, now: number): void {
    try {
      part.again_at = null;
      const running = part.does.run(now);
      if (running) running.catch((error: unknown) => this.#broke(part, error));
    } catch (error) {
      this.#broke(part, error);
    }
  }

  #broke(part: Part, error: unknown): void {
    log("error", "scheduler.broke", { part: part.name, error: describeError(error) });
    part.again_at = Date.now() + AGAIN_MS;
    this.#armTimer(part.again_at);
    this.#armAlarm(Date.now() + ALARM_AGAIN_MS);
  }

  #arm(part: Part, now: number): void {
    this.#armTimer(this.#wakeAt(part));
    this.#armAlarm(this.#alarmAt(part, now));
  }

  #wakeAt(part: Part): number | null {
    if (part.again_at === null) return this.#ask(part, () => part.does.nextWakeAt());
    return part.again_at;
  }

  #alarmAt(part: Part, now: number): number | null {
    return this.#ask(part, () => part.does.nextAlarmAt?.(now) ?? null);
  }

  #ask(part: Part, when: () => number | null): number | null {
    try {
      return when();
    } catch (error) {
      this.#broke(part, error);
      return null;
    }
  }

  /** An earlier timer stays: when it fires, it asks all parts. */
  #armTimer(at: number | null): void {
    if (at === null || !Number.isFinite(at) || (this.#timer && this.#timer.at <= at)) return;
    if (this.#timer) clearTimeout(this.#timer.id);
    this.#timer = { at, id: setTimeout(() => this.#tick(), Math.max(0, at - Date.now())) };
  }

  /** An earlier alarm stays, since setting one costs as much as writing a row. */
  #armAlarm(at: number | null): void {
    if (at === null || (this.#alarm_at !== null && this.#alarm_at <= at)) return;
    this.#alarm_at = at;
    void this.#set(at);
  }

  async #set(at: number): Promise<void> {
    try {
      await this.#storage.setAlarm(at);
    } catch (error) {
      log("error", "alarm.not_set", { error: describeError(error) });
      if (this.#alarm_at !== at) return;
      this.#set_again_at = Date.now() + SET_AGAIN_MS;
      this.#armTimer(this.#set_again_at);
    }
  }

  #setAgain(now: number): void {
    this.#set_again_at = null;
    if (this.#alarm_at === null) return;
    this.#alarm_at = Math.max(this.#alarm_at, now);
    void this.#set(this.#alarm_at);
  }
}
