import { evidenceOfRefusal, type Taken as TookCommands } from "../../../shared/evidence.ts";
import { describeOutcome, isBusy, type Outcome } from "../../../shared/relay/outcome.ts";
import { describeError } from "../../log.ts";
import {
  type CallStatuses,
  callStatuses,
  commandCall,
  evidenceOfStatuses,
  type RestCommand,
} from "../../rest-calls.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { ActionRow } from "../store/history.ts";

/** Time limit of a command by RELAY, then of the same one by REST: the caller may hear nothing meanwhile. */
export const COMMAND_MS = 1_500;
export const REST_MS = 2_000;
/** Tries if RELAY is too busy, and the time between them. */
const BUSY_TRIES = 4;
const BUSY_MS = 250;
/** Tries if REST asks to come later, and the longest wait for each. */
const LATER_TRIES = 4;
const LATER_MS = 3_000;

/** Commands that do no harm if they are carried out twice. */
const REPEATABLE: ReadonlySet<RestCommand> = new Set(["calling.end"]);

/** unsure: it may have been done. gone: there is no such call any more. */
export type Done = "done" | "unsure" | "failed" | "gone";

/** refused: REST finds no such call, or no such sound on it, which does not prove that the call is over. */
type ByRest = "done" | "failed" | "gone" | "refused";

/** Told what came of a call's commands. */
export interface CommandListener {
  /** For the call's history. */
  told(row: ActionRow): void;
  /** RELAY's answer to a command, or the lack of one. */
  commandEnded(outcome: Outcome): void;
}

/** A call as commands address it: RELAY by both ids, REST by the first. */
export interface CommandedCall {
  call_id: string;
  node_id?: string;
  segment_id?: string;
}

/**
 * CallCommands — sends commands for one call by RELAY, or by REST if RELAY cannot. A command whose answer is lost is not sent
 * again, unless that does no harm. Used by CallControl and CallSounds.
 */
export class CallCommands {
  readonly #call: CommandedCall;
  readonly #relayManager: RelayManager;
  readonly #listener: CommandListener;
  readonly #ended: () => void;
  #segment_id: string | null;
  /** Which side has taken a command for this call: from then on its 404 means that the call is gone. */
  readonly #taken: TookCommands = { relay: null, rest: false };
  #isGone = false;

  /** @param ended called when the call turns out to be over. */
  constructor(call: CommandedCall, relayManager: RelayManager, listener: CommandListener, ended: () => void) {
    this.#call = call;
    this.#relayManager = relayManager;
    this.#listener = listener;
    this.#ended = ended;
    this.#segment_id = call.segment_id ?? null;
  }

  /** The call has ended. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** A state event said so, or a command was refused as if it were so. */
  gone(): void {
    this.#isGone = true;
    this.#ended();
  }

  /** The call's newest segment, by a state event. */
  segmentIs(segment_id: string | undefined): void {
    this.#segment_id = segment_id ?? this.#segment_id;
  }

  /** A command by RELAY; if RELAY cannot, and a second one does no harm, by REST. */
  async command(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    if (this.#isGone) return "gone";
    const relay = await this.byRelay(method, params);
    if (relay?.kind === "ok") return "done";
    if (relay?.kind === "unanswered" && !REPEATABLE.has(method)) return "unsure";
    if (relay?.kind === "gone" && relay.code === "410") return this.#nowGone();
    // REST may see a call that RELAY does not find any more, and nothing else would be done for that call.
    return this.#doneBy(await this.byRest(method, params, relay?.kind === "gone" ? relay.code : null));
  }

  /** By REST, after RELAY's answer never came and the command was not carried out. */
  async commandByRest(method: RestCommand, params: Record<string, unknown>): Promise<Done> {
    return this.#doneBy(await this.byRest(method, params, null));
  }

  #doneBy(done: ByRest): Done {
    if (done === "gone") return this.#nowGone();
    return done === "refused" ? "failed" : done;
  }

  #nowGone(): Done {
    this.gone();
    return "gone";
  }

  /** By RELAY alone; null: RELAY cannot be asked. */
  async byRelay(method: string, params: Record<string, unknown>): Promise<Outcome | null> {
    const connection = this.#relayManager.ready;
    if (!connection || this.#call.node_id === undefined) return null;
    const command = {
      lane: this.#call.call_id,
      method,
      params: { node_id: this.#call.node_id, call_id: this.#call.call_id, ...params },
      deadline_at: Date.now() + COMMAND_MS,
    };
    let outcome = await connection.command({ ...command, id: crypto.randomUUID() });
    // Too many at once: it was not carried out, and is sent again.
    for (let tried = 1; isBusy(outcome) && tried < BUSY_TRIES; tried += 1) {
      await scheduler.wait(BUSY_MS);
      outcome = await connection.command({ ...command, id: crypto.randomUUID() });
    }
    this.#listener.commandEnded(outcome);
    this.#listener.told({ deed: method, by: "relay", said: describeOutcome(outcome) });
    if (outcome.kind === "ok") this.#taken.relay = this.#relayManager.protocol;
    return outcome;
  }

  /**
   * By REST alone.
   * @param refused the code with which RELAY refused the same command; null: it did not.
   */
  async byRest(
    method: RestCommand,
    params: Record<string, unknown>,
    refused: "404" | "410" | null,
  ): Promise<ByRest> {
    let said: string;
    let done: ByRest = "failed";
    try {
      const command = async () =>
        await this.#relayManager.rest(
          "command",
          REST_MS,
          (project, signal) => commandCall(project, this.#call.call_id, method, params, signal),
          () => !this.#isGone,
        );
      let outcome = await command();
      for (let tried = 1; outcome.kind === "later" && tried < LATER_TRIES && !this.#isGone; tried += 1) {
        await scheduler.wait(Math.min(outcome.retry_after_ms, LATER_MS));
        outcome = await command();
      }
      done = outcome.kind === "ok" ? "done" : "failed";
      if (outcome.kind === "ok") this.#taken.rest = true;
      if (outcome.kind === "refused") done = (await this.#isOver(outcome.code, refused)) ? "gone" : "refused";
      said =
        outcome.kind === "failed" ? outcome.reason : outcome.kind === "refused" ? outcome.code : outcome.kind;
    } catch (error) {
      said = describeError(error);
    }
    this.#listener.told({ deed: method, by: "rest", said });
    return done;
  }

  /** Whether a refused command shows that the call is over. If it does not, the call's own status may. */
  async #isOver(by_rest: "404" | "410", by_relay: "404" | "410" | null): Promise<boolean> {
    const { protocol } = this.#relayManager;
    if (evidenceOfRefusal("rest", by_rest, this.#taken, protocol) === "over") return true;
    if (by_relay && evidenceOfRefusal("relay", by_relay, this.#taken, protocol) === "over") return true;
    return evidenceOfStatuses(await this.statuses()) === "over";
  }

  /** How the call is, by REST. */
  async statuses(): Promise<CallStatuses> {
    return await this.#relayManager.rest("question", REST_MS, (project, signal) =>
      callStatuses(project, this.#call.call_id, this.#segment_id, signal),
    );
  }
}
