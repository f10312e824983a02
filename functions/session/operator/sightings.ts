import type { RelayEvent } from "../../../shared/relay/events.ts";
import { timeoutOr } from "../../timeout.ts";

/** REST is asked after each of these, ms, then as long as the last one after each other time. */
const PAUSES_MS = [300, 600, 900, 1_000] as const;
const LATER_PAUSES_MS = [3_000, 7_000, 15_000] as const;

/** REST is given so long for its last answer, though the time is over. */
const ANSWER_MS = 400;

/** What shows that a command has had its effect. */
export interface Evidence {
  /** Whether this event shows it; what it changes in the ledger has been changed. */
  event(event: RelayEvent): boolean;
  /** Whether REST shows it. */
  rest(): Promise<boolean>;
}

/** One command's effect, looked for since before it was sent. */
export interface Watch {
  /** Resolves when it is seen, or with null at `until`. May be asked again. */
  seen(until: number, pace?: "soon" | "later"): Promise<"event" | "rest" | null>;
  stop(): void;
}

interface Watching {
  evidence: Evidence;
  seen: PromiseWithResolvers<"event">;
  /** Something unsigned told of it: REST is asked at once. */
  hint: PromiseWithResolvers<null>;
}

/** Sightings — commands whose effect is to be seen: by events that RELAY or a signed callback tells, and by REST. Used by controls. */
export class Sightings {
  readonly #now: () => number;
  readonly #watching = new Set<Watching>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** An event that was applied. */
  heard(event: RelayEvent, isTrusted: boolean): void {
    for (const { evidence, seen, hint } of this.#watching) {
      if (!evidence.event(event)) continue;
      if (isTrusted) seen.resolve("event");
      else hint.resolve(null);
    }
  }

  watch(evidence: Evidence): Watch {
    const watching: Watching = {
      evidence,
      seen: Promise.withResolvers(),
      hint: Promise.withResolvers(),
    };
    this.#watching.add(watching);
    return {
      seen: (until, pace = "soon") =>
        this.#seen(watching, until, pace === "soon" ? PAUSES_MS : LATER_PAUSES_MS),
      stop: () => void this.#watching.delete(watching),
    };
  }

  async #seen(
    watching: Watching,
    until: number,
    pauses: readonly number[],
  ): Promise<"event" | "rest" | null> {
    for (let tries = 0; ; tries += 1) {
      const pause = pauses[Math.min(tries, pauses.length - 1)] ?? 1_000;
      const left = until - this.#now();
      const event = Promise.race([watching.seen.promise, watching.hint.promise]);
      const told = await timeoutOr(Math.max(0, Math.min(pause, left)), event, null);
      if (told === "event") return "event";
      // A hint is one for once.
      watching.hint = Promise.withResolvers();
      const asked = watching.evidence.rest().catch(() => false);
      const answered = Promise.race([watching.seen.promise, asked]);
      const seen = await timeoutOr(Math.max(ANSWER_MS, until - this.#now()), answered, false);
      if (seen === "event") return "event";
      if (seen) return "rest";
      if (this.#now() >= until) return null;
    }
  }
}
