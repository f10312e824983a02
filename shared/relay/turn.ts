import type { ConnectionState, Counted, Effect } from "./effects.ts";
import type { Command } from "./inputs.ts";
import type { Outcome, UnsentReason } from "./outcome.ts";

/** One input's handling: the time at which it came, and the effects gathered so far. */
export class Turn {
  readonly now: number;
  readonly effects: Effect[] = [];

  constructor(now_ms: number) {
    this.now = now_ms;
  }

  settle(command: Command, outcome: Outcome): void {
    this.effects.push({ do: "settle", command: command.id, outcome });
  }

  unsent(command: Command, why: UnsentReason): void {
    this.settle(command, { kind: "unsent", why });
  }

  count(what: Counted, detail?: string): void {
    this.effects.push(detail === undefined ? { do: "count", what } : { do: "count", what, detail });
  }

  state(from: ConnectionState, to: ConnectionState, reason: string): void {
    this.effects.push({ do: "state", from, to, reason });
  }
}
