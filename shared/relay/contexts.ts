import { type Frame, SIGNALWIRE } from "./frames.ts";
import { outcomeOf } from "./outcome.ts";
import type { Turn } from "./turn.ts";

/** How long an answer is waited for; then it is asked again, which does no harm. */
const ANSWER_MS = 10_000;
/** The wait after a first failure; doubled with each further one, up to the last. */
const RETRY_MS = 1_000;
const RETRY_CAP_MS = 60_000;

/** A change that the server is to be told of. */
export interface ContextChange {
  method: typeof SIGNALWIRE.receive | typeof SIGNALWIRE.unreceive;
  contexts: string[];
}

/**
 * The contexts whose calls we take: what is wanted, what the server knows, and the one change under way between them. What a
 * connect names needs no change; what fails or is not answered is tried again for as long as the socket lives.
 */
export class Contexts {
  #wanted: ReadonlySet<string>;
  /** What the connect under way named. */
  #named: ReadonlySet<string> = new Set();
  /** What the server surely has, and what it may have: a change that nobody answered may have been made. */
  #sure = new Set<string>();
  #maybe = new Set<string>();
  #underWay: ContextChange | null = null;
  /** When the change under way is given up, or the next is tried. */
  #due: number | null = null;
  #failures = 0;
  /** Nothing is left to be changed, as far as was looked. */
  #settled = false;

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  want(contexts: readonly string[]): void {
    this.#wanted = new Set(contexts);
    this.#settled = false;
    // What failed may have been about a name that is wanted no more.
    if (this.#underWay === null) this.#due = null;
  }

  /** The contexts that the connect which is now sent names. */
  connecting(): string[] {
    this.#named = new Set(this.#wanted);
    this.#underWay = null;
    this.#due = null;
    this.#failures = 0;
    return [...this.#named];
  }

  /** @param restored whether the server took up the session before, and with it what that had subscribed. */
  connected(restored: boolean): void {
    this.#sure = new Set(this.#named);
    this.#settled = false;
    this.#maybe = new Set(restored ? [...this.#maybe, ...this.#named] : this.#named);
  }

  /** When `next` may have something to say that it has not now; null where nothing is waited for. */
  get wakeAt(): number | null {
    return this.#due;
  }

  /** The contexts that the server has by its own word. */
  get subscribed(): string[] {
    return [...this.#sure];
  }

  /** The next change to ask for, now under way; null where there is none or it is not time. */
  next(now_ms: number): ContextChange | null {
    if (this.#settled || (this.#due !== null && now_ms < this.#due)) return null;
    if (this.#underWay) this.#failures += 1;
    this.#underWay = this.#change();
    this.#settled = this.#underWay === null;
    this.#due = this.#underWay ? now_ms + ANSWER_MS : null;
    return this.#underWay;
  }

  answered(turn: Turn, answer: Extract<Frame, { kind: "result" | "error" }>): void {
    const change = this.#underWay;
    if (!change) return;
    const outcome = outcomeOf(answer);
    this.#underWay = null;
    if (outcome.kind !== "ok") {
      turn.count("contexts_failed", `${change.method} ${"code" in outcome ? outcome.code : outcome.kind}`);
      this.#due = turn.now + Math.min(RETRY_CAP_MS, RETRY_MS * 2 ** this.#failures);
      this.#failures += 1;
      return;
    }
    this.#due = null;
    this.#failures = 0;
    for (const context of change.contexts) {
      if (change.method === SIGNALWIRE.receive) this.#sure.add(context);
      else this.#maybe.delete(context);
    }
  }

  /** One kind first, the other first after a failure: what the server refuses must not stand in the other's way. */
  #change(): ContextChange | null {
    const added = [...this.#wanted].filter((context) => !this.#sure.has(context));
    const removed = [...this.#maybe].filter((context) => !this.#wanted.has(context));
    if (added.length > 0 && (removed.length === 0 || this.#failures % 2 === 0)) {
      for (const context of added) this.#maybe.add(context);
      return { method: SIGNALWIRE.receive, contexts: added };
    }
    if (removed.length === 0) return null;
    for (const context of removed) this.#sure.delete(context);
    return { method: SIGNALWIRE.unreceive, contexts: removed };
  }
}
