import type { Connection } from "./connection.ts";
import { request } from "./frames.ts";
import type { Command } from "./inputs.ts";
import type { Limits } from "./limits.ts";
import type { Outcome, UnsentReason } from "./outcome.ts";
import { CommandQueue } from "./queue.ts";
import type { Turn } from "./turn.ts";

/** The callers' commands: which are taken, when they are sent, and how each of them ends, once. */
export class Commands {
  readonly #connection: Connection;
  readonly #queue: CommandQueue;
  readonly #uuid: () => string;

  constructor(connection: Connection, limits: Limits, uuid: () => string) {
    this.#connection = connection;
    this.#queue = new CommandQueue(limits.max_queued, limits.max_in_flight);
    this.#uuid = uuid;
  }

  get queued(): number {
    return this.#queue.queued;
  }

  get inFlight(): number {
    return this.#queue.inFlight;
  }

  get wakeAt(): number | null {
    return this.#queue.wakeAt;
  }

  accept(turn: Turn, command: Command): void {
    const { refusing, wanted, state } = this.#connection;
    if (refusing) {
      turn.unsent(command, "refused");
    } else if (!wanted) {
      turn.unsent(command, state === "idle" ? "not_connected" : "closed");
    } else {
      const taken = this.#queue.add(command, turn.now);
      if (taken === "duplicate") turn.count("duplicate_command");
      else if (taken !== "added") turn.unsent(command, taken);
    }
  }

  /** @param request the id that the answer repeats. */
  answered(turn: Turn, request: string, outcome: Outcome): void {
    const command = this.#queue.answered(request);
    if (command === null) turn.count("unknown_answer");
    else turn.settle(command, outcome);
  }

  expire(turn: Turn): void {
    for (;;) {
      const due = this.#queue.expired(turn.now);
      if (due === null) return;
      if (due.sent) turn.settle(due.command, { kind: "unanswered" });
      else turn.unsent(due.command, "deadline");
    }
  }

  /** Ends those that the connection, as it now is, can do nothing for, and sends what can be sent. */
  follow(turn: Turn): void {
    const { authenticated, refusing, wanted, state } = this.#connection;
    if (!authenticated) {
      for (const command of this.#queue.takeSent()) turn.settle(command, { kind: "unanswered" });
    }
    if (refusing) this.#giveUp(turn, "refused");
    else if (!wanted) this.#giveUp(turn, "closed");
    else if (state === "ready") this.#send(turn);
  }

  #giveUp(turn: Turn, why: UnsentReason): void {
    for (const command of this.#queue.takeWaiting()) turn.unsent(command, why);
  }

  #send(turn: Turn): void {
    const { generation } = this.#connection;
    for (;;) {
      const next = this.#queue.take(this.#uuid);
      if (next === null) return;
      const { id, method, params } = next.command;
      turn.effects.push({ do: "send", generation, text: request(next.request, method, params), command: id });
    }
  }
}
