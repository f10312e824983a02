import { RpcTarget } from "cloudflare:workers";
import { countedBefore, countedCaller, countedNamed, countedNumber } from "../../../shared/identity.ts";
import {
  afterWrongTry,
  bothGuards,
  isClosed,
  type PinGuard,
  type PinLimit,
} from "../../../shared/pin-guard.ts";
import { log } from "../../log.ts";
import type {
  ClosedPins,
  PinAttempt,
  PinLimits,
  PinQuestion,
  PinsClosed,
  PinVerdict,
} from "../contract/pins.ts";
import type { Disk } from "../store/disk.ts";
import { type Guarded, PinRows } from "../store/pin-rows.ts";

/** Longest block of a caller, and of a number: an attack on a number closes it to all. */
const LONGEST_CALLER_MS = 24 * 3_600_000;
const LONGEST_NUMBER_MS = 3_600_000;

/**
 * PinLimiter — counts the wrong PINs of a project. Each method reads and writes in one turn, so that no two tries see the same count, and
 * an answer leaves the session only once it is on disk. Used before a call is placed, and by the API.
 */
export class PinLimiter extends RpcTarget {
  readonly #rows: PinRows;
  readonly #now: () => number;
  readonly #wrote: () => void;

  /** @param wrote called when something was written that is to be deleted one day. */
  constructor(disk: Disk, now: () => number, wrote: () => void) {
    super();
    this.#rows = new PinRows(disk);
    this.#now = now;
    this.#wrote = wrote;
  }

  /** Asked before a decision that involves a PIN is acted upon: by the Worker's RPC, and by the session for its own calls. */
  ask(request: PinQuestion | PinAttempt): PinVerdict {
    return "wrong" in request ? this.#attempt(request) : this.#mayAsk(request);
  }

  /** Whether the caller may be asked for a PIN at all. Writes nothing. */
  #mayAsk(question: PinQuestion): PinVerdict {
    return verdictOf(this.#closed(question, this.#now()));
  }

  /** Whether what was decided on a PIN may be done; a wrong one is counted. A repeat gets what the first got. */
  #attempt(attempt: PinAttempt): PinVerdict {
    const known = this.#rows.verdict(attempt);
    if (known !== null) return verdictOf(known === "allowed" ? null : known);
    const now = this.#now();
    let closed = this.#closed(attempt, now);
    // This try too: the caller whose try closes the number learns no more than that.
    if (closed === null && attempt.wrong) closed = this.#count(attempt, now);
    this.#rows.keepVerdict(attempt, closed ?? "allowed", now);
    this.#wrote();
    return verdictOf(closed);
  }

  /** Callers and numbers of the tenant's that take no PIN now. */
  closed(tenant: string): { callers: ClosedPins[]; numbers: ClosedPins[] } {
    const now = this.#now();
    return {
      callers: this.#rows.closed(tenant, "caller", now),
      numbers: this.#rows.closed(tenant, "number", now),
    };
  }

  /** Forgets the caller's wrong tries and unblocks them; false: they were not blocked. */
  letIn(tenant: string, who: string): boolean {
    const names = new Set([who, who.startsWith("anonymous ") ? who : countedNamed(who)]);
    let wasClosed = false;
    for (const name of names) {
      const whose = { tenant, kind: "caller", who: name } as const;
      wasClosed ||= isClosed(this.#rows.guard(whose), this.#now());
      this.#rows.forgetGuard(whose);
    }
    return wasClosed;
  }

  /** Writes what there was no room for before. */
  save(): void {
    this.#rows.save();
  }

  /** Forgets up to `limit` of each kind of row that is old enough; returns how many. */
  forget(limit: number): number {
    return this.#rows.forget(this.#now(), limit);
  }

  /** When the next row is old enough, ms; null: there is none. */
  nextForget(): number | null {
    return this.#rows.nextForget();
  }

  #closed(question: PinQuestion, now: number): PinsClosed | null {
    const { caller, number } = this.#guards(question);
    if (isClosed(caller, now)) return "caller";
    return isClosed(number, now) ? "number" : null;
  }

  #guards(question: PinQuestion): { caller: PinGuard; number: PinGuard } {
    return {
      caller: this.#guard(callerOf(question)),
      number: this.#guard(numberOf(question)),
    };
  }

  /** With what the version before counted. */
  #guard({ before, ...whose }: Counted): PinGuard {
    const guard = this.#rows.guard(whose);
    return before === null ? guard : bothGuards(guard, this.#rows.guard({ ...whose, who: before }));
  }

  #put({ before, ...whose }: Counted, guard: PinGuard, window_ms: number): void {
    this.#rows.putGuard(whose, guard, window_ms);
    if (before !== null) this.#rows.forgetGuard({ ...whose, who: before });
  }

  #count(attempt: PinAttempt, now: number): PinsClosed | null {
    const { limits, tenant } = attempt;
    const before = this.#guards(attempt);
    const caller = afterWrongTry(before.caller, callerLimit(limits), now);
    const number = afterWrongTry(before.number, numberLimit(limits), now);
    const window_ms = limits.window_s * 1000;
    this.#put(callerOf(attempt), caller.guard, window_ms);
    this.#put(numberOf(attempt), number.guard, window_ms);
    if (number.closes) {
      log("error", "pins.attack", {
        tenant,
        number: numberOf(attempt).who,
        wrong_tries: limits.tries_per_number,
        closed_until: new Date(number.guard.closed_until).toISOString(),
        closings: number.guard.closings,
      });
    }
    if (caller.closes) return "caller";
    return number.closes ? "number" : null;
  }
}

function verdictOf(closed: PinsClosed | null): PinVerdict {
  return closed === null ? { v: 1, allowed: true } : { v: 1, allowed: false, closed };
}

/** Whose guard, and under which other name the version before kept it; null: under the same, or under none. */
type Counted = Guarded & { before: string | null };

function callerOf({ tenant, from, from_before, call_id }: PinQuestion): Counted {
  const who = countedCaller(from, call_id);
  // Callers who withhold their number were counted as one caller: those tries belong to nobody.
  const before = who === `anonymous ${call_id}` ? null : countedBefore(from_before ?? from, "from");
  return { tenant, kind: "caller", who, before: before === who ? null : before };
}

function numberOf({ tenant, to }: PinQuestion): Counted {
  const [who, before] = [countedNumber(to), countedBefore(to, "to")];
  return { tenant, kind: "number", who, before: before === who ? null : before };
}

function callerLimit({ tries_per_caller, window_s, caller_block_s }: PinLimits): PinLimit {
  return {
    tries: tries_per_caller,
    window_ms: window_s * 1000,
    closed_ms: caller_block_s * 1000,
    longest_ms: LONGEST_CALLER_MS,
  };
}

function numberLimit({ tries_per_number, window_s, number_block_s }: PinLimits): PinLimit {
  return {
    tries: tries_per_number,
    window_ms: window_s * 1000,
    closed_ms: number_block_s * 1000,
    longest_ms: LONGEST_NUMBER_MS,
  };
}
