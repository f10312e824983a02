import type { Limits } from "./limits.ts";

interface Probe {
  id: string;
  at: number;
  /** Its answer is waited for. */
  due: boolean;
}

/** Of so many probes an answer is known for one, however late it comes: more than are ever due at once. */
const KNOWN = 16;

/**
 * Watches one socket for signs of life: a probe after some silence, the end after some more. Watched closely, it is probed all
 * the time, and whatever else is heard, each probe is to be answered: where one is not, frames are lost on the way.
 */
export class Silence {
  readonly #limits: Limits;
  #closely = false;
  #heard_at = 0;
  /** Oldest first. */
  #probes: Probe[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Another socket. */
  begin(now_ms: number): void {
    this.#probes = [];
    this.heard(now_ms);
  }

  watch(closely: boolean): void {
    this.#closely = closely;
  }

  /** Any frame is a sign of life, whatever is in it. */
  heard(now_ms: number): void {
    this.#heard_at = now_ms;
    if (!this.#closely) for (const probe of this.#probes) probe.due = false;
  }

  /** Whether it is a probe's answer. */
  answered(id: string): boolean {
    const probe = this.#probes.find((one) => one.id === id);
    if (probe) probe.due = false;
    return probe !== undefined;
  }

  probed(id: string, now_ms: number): void {
    this.#probes.push({ id, at: now_ms, due: true });
    if (this.#probes.length > KNOWN) this.#probes.shift();
  }

  /** When `verdict` next changes, in ms since the epoch. */
  get wakeAt(): number {
    return Math.min(this.#probeAt, this.#deadAt);
  }

  verdict(now_ms: number): "fine" | "probe" | "dead" {
    if (now_ms >= this.#deadAt) return "dead";
    return now_ms >= this.#probeAt ? "probe" : "fine";
  }

  get #probeAt(): number {
    if (this.#closely) return (this.#probes.at(-1)?.at ?? this.#heard_at) + this.#limits.watch_probe_after_ms;
    return this.#due ? Number.POSITIVE_INFINITY : this.#heard_at + this.#limits.probe_after_ms;
  }

  get #deadAt(): number {
    const { watch_probe_answer_ms, probe_answer_ms } = this.#limits;
    const answer_ms = this.#closely ? watch_probe_answer_ms : probe_answer_ms;
    return (this.#due?.at ?? Number.POSITIVE_INFINITY) + answer_ms;
  }

  get #due(): Probe | undefined {
    return this.#probes.find(({ due }) => due);
  }
}
