import { evidenceOfRefusal } from "../../../shared/evidence.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import { describeOutcome } from "../../../shared/relay/outcome.ts";
import { describeError, log } from "../../log.ts";
import { RestBusy, type RestOutcome } from "../../rest.ts";
import { callStatuses, commandCall, evidenceOfStatuses } from "../../rest-calls.ts";
import { findInRooms } from "../../rest-conferences.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { resumeUrlOf } from "../store/resume-url-of.ts";
import type { Turns } from "../store/turns.ts";

/** An accepted join is seen within this, or the call is looked for. */
const SEEN_MS = 3_000;
/** Waits before each further try to send the call back to us; the first is for its webhook to come. */
const AGAIN_MS = [3_000, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
/** After those it is tried so often, for as long as a call may last: one that is in no room hears nothing until then. */
const LASTING_MS = 60_000;
const MOST_TRIES = LONGEST_CALL_MS / LASTING_MS;
const COMMAND_MS = 2_000;
const REST_MS = 2_000;
/** A call that was sent back because REST gave no answer comes within this, and REST is not asked again for it. */
const JUST_ASKED_MS = 4_000;
/** REST may say so often that it is too busy before the call is sent back without its word. */
const BUSY_TRIES = 2;
/** Calls of another incarnation that are looked up in one turn. */
const TAKEN_OVER_AT_ONCE = 100;
/** If this object is lost, another takes the watch over this soon. */
const BACKSTOP_MS = 6_000;

interface HeldHost {
  placements: Placements;
  occupancy: Occupancy;
  corrections: Corrections;
  history: History;
  relayManager: RelayManager;
}

interface Held {
  row: Placement;
  due_at: number;
  tries: number;
}

/**
 * HeldJoins — calls whose join RELAY accepted and that nobody has seen in their rooms yet. Their documents never come back by
 * themselves, since a fetch that fails may end a call that is in its room; so the session looks for each, and sends it back to us
 * where it cannot be found. Used by the placement service, and by a new incarnation.
 */
export class HeldJoins {
  readonly #host: HeldHost;
  readonly #turns: Turns;
  readonly #rescheduled: () => void;
  readonly #held = new Map<Placement, Held>();
  /** When REST gave no answer, ms. */
  readonly #unanswered = new WeakMap<Placement, number>();
  /** When the first of them is due, ms. */
  #next_at: number | null = null;

  /** @param rescheduled called when it has work sooner than it said before. */
  constructor(host: HeldHost, turns: Turns, rescheduled: () => void) {
    this.#host = host;
    this.#turns = turns;
    this.#rescheduled = rescheduled;
  }

  /** RELAY accepted the row's join, and its call's document stays. */
  watch(row: Placement): void {
    if (!isHeld(row) || this.#held.has(row)) return;
    this.#keep({ row, due_at: (row.hold_at ?? Date.now()) + SEEN_MS, tries: 0 });
  }

  /** REST was asked about the row's call a moment ago, and gave no answer: to ask again would cost its caller time. */
  gotNoAnswer(row: Placement): boolean {
    return (this.#unanswered.get(row) ?? 0) > Date.now() - JUST_ASKED_MS;
  }

  /** Those that another incarnation watched. */
  async takeOver(): Promise<void> {
    const { placements, occupancy } = this.#host;
    await occupancy.known();
    await this.#turns.each(occupancy.accepted(), TAKEN_OVER_AT_ONCE, (key) => {
      const row = placements.find(key);
      if (row) this.watch(row);
    });
  }

  /** RELAY is back: what could not be done without it is done now. */
  again(): void {
    const now = Date.now();
    for (const held of this.#held.values())
      if (held.tries > 0) this.#keep({ ...held, due_at: Math.min(held.due_at, now) });
  }

  #keep(held: Held): void {
    this.#held.set(held.row, held);
    if (this.#next_at !== null && this.#next_at <= held.due_at) return;
    this.#next_at = held.due_at;
    this.#rescheduled();
  }

  nextWakeAt(): number | null {
    return this.#next_at;
  }

  nextAlarmAt(now: number): number | null {
    return this.#next_at === null ? null : Math.max(now + BACKSTOP_MS, this.#next_at);
  }

  /** Looks for those that are due. */
  run(now: number): void {
    this.#next_at = null;
    let next: Held | null = null;
    for (const held of [...this.#held.values()]) {
      if (!isHeld(held.row)) this.#held.delete(held.row);
      else if (held.due_at <= now) {
        this.#held.delete(held.row);
        void this.#settle(held);
      } else if (next === null || held.due_at < next.due_at) next = held;
    }
    if (next) this.#keep(next);
  }

  /** Never rejects: what could not be done is tried again. */
  async #settle({ row, tries }: Held): Promise<void> {
    let wait: number | undefined = AGAIN_MS[tries] ?? (tries < MOST_TRIES ? LASTING_MS : undefined);
    try {
      if (!(await this.#isSettled(row)) && isHeld(row)) wait = await this.#sendBack(row, wait);
    } catch (error) {
      log("warn", "held.unsettled", { call: row.call_id, error: describeError(error) });
      // "Later" is an answer to wait for, while the caller can bear it.
      if (error instanceof RestBusy && tries < BUSY_TRIES) wait = error.retry_after_ms;
      else if (isHeld(row)) {
        this.#unanswered.set(row, Date.now());
        wait = await this.#sendBack(row, wait);
      }
    }
    if (!isHeld(row)) return;
    if (wait === undefined) {
      log("error", "errand.given_up", { kind: "held", call: row.call_id });
      return;
    }
    this.#keep({ row, due_at: Date.now() + wait, tries: tries + 1 });
  }

  /** Whether REST says where the call is: in its room, or over. */
  async #isSettled(row: Placement): Promise<boolean> {
    const { relayManager, corrections } = this.#host;
    const { trail, call_id, room, segment_id } = row;
    const isOfUse = () => isHeld(row);
    // Both at once: where REST is slow, the caller may be hearing nothing meanwhile.
    const found = relayManager.rest(
      "command",
      REST_MS,
      (project, signal) => findInRooms(project, [room], call_id, signal),
      isOfUse,
    );
    const told = relayManager
      .rest(
        "question",
        REST_MS,
        (project, signal) => callStatuses(project, call_id, segment_id, signal),
        isOfUse,
      )
      .catch(() => null);
    const sid = await found;
    if (sid !== null) {
      if (row.trail === trail) corrections.found(row, sid);
      return true;
    }
    const statuses = await told;
    if (statuses === null || evidenceOfStatuses(statuses) !== "over" || row.trail !== trail) return false;
    corrections.over(row, "its status says that the call is over");
    return true;
  }

  /** By RELAY, else by REST. Returns when to look again, ms. */
  async #sendBack(row: Placement, wait: number | undefined): Promise<number | undefined> {
    const { relayManager, placements, corrections, history } = this.#host;
    const dest = resumeUrlOf(row, 0, { joined: false });
    if (dest === null) return undefined;
    const told = (by: "relay" | "rest", said: string): void =>
      history.action(row, { deed: "send back", by, said });
    const taken = { relay: row.relay_took, rest: row.rest_took === 1 };
    const connection = relayManager.ready;
    let isOverByRelay = false;
    if (connection && row.node_id !== null) {
      const outcome = await connection.command({
        id: crypto.randomUUID(),
        lane: row.call_id,
        method: "calling.transfer",
        params: { node_id: row.node_id, call_id: row.call_id, dest },
        deadline_at: Date.now() + COMMAND_MS,
      });
      told("relay", describeOutcome(outcome));
      if (outcome.kind === "ok") return wait;
      if (outcome.kind === "gone" && outcome.code === "410") {
        corrections.over(row, "a command found the call gone");
        return undefined;
      }
      if (!isHeld(row)) return undefined;
      isOverByRelay =
        outcome.kind === "gone" &&
        evidenceOfRefusal("relay", outcome.code, taken, relayManager.protocol) === "over";
    }
    const rest = await this.#byRest(row, dest);
    told("rest", rest.kind);
    if (rest.kind === "ok") placements.update(row, { rest_took: 1 });
    if (rest.kind === "later") return Math.max(wait ?? 0, rest.retry_after_ms);
    const isOverByRest =
      rest.kind === "refused" &&
      evidenceOfRefusal("rest", rest.code, taken, relayManager.protocol) === "over";
    if (isOverByRest || (rest.kind === "refused" && isOverByRelay))
      corrections.over(row, "a command found the call gone");
    // A caller who hears nothing is tried again soon.
    return rest.kind === "ok" || wait === undefined ? wait : Math.min(wait, 1_000);
  }

  async #byRest(row: Placement, dest: string): Promise<RestOutcome> {
    try {
      return await this.#host.relayManager.rest(
        "command",
        REST_MS,
        (project, signal) => commandCall(project, row.call_id, "calling.transfer", { dest }, signal),
        () => isHeld(row),
      );
    } catch (error) {
      return { kind: "failed", reason: describeError(error) };
    }
  }
}

/** Accepted and not seen, and its document stays: one that an older version answered comes back by itself. */
function isHeld({ state, stay_at, hold_at }: Placement): boolean {
  return state === "accepted" && hold_at !== null && stay_at !== null;
}
