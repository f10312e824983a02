import { RelayClient } from "../../../shared/relay/client.ts";
import type { Effect } from "../../../shared/relay/effects.ts";
import type { Command, Input, RelaySettings, Resume } from "../../../shared/relay/inputs.ts";

/** A made-up project; the token is what must never be seen outside `signalwire.connect`. */
export const SETTINGS: RelaySettings = {
  project: "b2c3d4e5-f6a7-4901-8cde-f12345678901",
  token: "PT-not-a-real-token",
  agent: "partyline/test",
  contexts: [],
};

interface SentFrame {
  generation: number;
  id: string;
  method?: string;
  params?: Record<string, unknown>;
  result?: unknown;
  error?: { code: number };
  /** The handle of the command that it carries. */
  command?: string;
}

/** A client with its clock and chance in the test's hand. Jitter is the whole ceiling unless said otherwise. */
export class DrivenClient {
  readonly client: RelayClient;
  /** Everything that the client had done, oldest first. */
  readonly effects: Effect[] = [];
  now = 1_000_000;
  random = 0.999999;
  #uuids = 0;

  constructor(settings: Partial<RelaySettings> = {}, resume: Resume = {}) {
    const uuid = (): string => {
      this.#uuids += 1;
      return `00000000-0000-4000-8000-${String(this.#uuids).padStart(12, "0")}`;
    };
    this.client = new RelayClient({ ...SETTINGS, ...settings }, { random: () => this.random, uuid }, resume);
  }

  do(input: Input): Effect[] {
    const effects = this.client.handle(input, this.now);
    this.effects.push(...effects);
    return effects;
  }

  /** Lets time pass as a shell would: a tick whenever one is due, and one at the end. */
  pass(ms: number): Effect[] {
    const end = this.now + ms;
    const effects: Effect[] = [];
    for (let due = this.client.wakeAt; due !== null && due < end; due = this.client.wakeAt) {
      this.now = due;
      effects.push(...this.do({ on: "tick" }));
    }
    this.now = end;
    effects.push(...this.do({ on: "tick" }));
    return effects;
  }

  /** The generation last connected to. */
  get generation(): number {
    return this.effects.reduce((last, effect) => (effect.do === "connect" ? effect.generation : last), 0);
  }

  get connects(): number {
    return this.effects.filter((effect) => effect.do === "connect").length;
  }

  hears(frame: Record<string, unknown> | string, generation: number = this.generation): Effect[] {
    const data = typeof frame === "string" ? frame : JSON.stringify({ jsonrpc: "2.0", ...frame });
    return this.do({ on: "message", generation, data });
  }

  socket(on: "opened" | "closed" | "failed", generation: number = this.generation): Effect[] {
    return this.do({ on, generation });
  }

  /** Opens the socket and has the server accept `signalwire.connect`. */
  login(protocol = "signalwire_one"): Effect[] {
    this.socket("opened");
    return this.hears({
      id: this.last("signalwire.connect").id,
      result: { protocol, identity: "an identity" },
    });
  }

  /** Opens the socket and has the server refuse `signalwire.connect`. */
  refuse(code = -32401): Effect[] {
    this.socket("opened");
    const data = code === -32401 ? { signalwire_error_code: "AUTH_REQUIRED" } : {};
    return this.hears({
      id: this.last("signalwire.connect").id,
      error: { code, message: `No entry for ${SETTINGS.token}`, data },
    });
  }

  /** From nothing to `ready`. */
  ready(): this {
    this.do({ on: "open" });
    this.login();
    return this;
  }

  /** A command with 2 s to live. */
  command(id: string, lane = id, more: Partial<Command> = {}): Effect[] {
    const params = { call_id: lane, node_id: "a-node" };
    const deadline_at = this.now + 2_000;
    return this.do({
      on: "command",
      command: { id, lane, method: "calling.join_conference", params, deadline_at, ...more },
    });
  }

  /** Answers the frame of that command. */
  answers(command: string, result: unknown = { code: "200", message: "Joining conference" }): Effect[] {
    const frame = this.frames().find((sent) => sent.command === command);
    if (frame === undefined) throw new Error(`The command ${command} was not sent.`);
    return this.hears({ id: frame.id, result });
  }

  /** The frames sent, oldest first. */
  frames(effects: readonly Effect[] = this.effects): SentFrame[] {
    return effects.flatMap((effect) => {
      if (effect.do !== "send") return [];
      // The client's own frames: what it writes is what the tests go on to check.
      const frame = JSON.parse(effect.text) as Omit<SentFrame, "generation" | "command">;
      const command = effect.command === undefined ? {} : { command: effect.command };
      return [{ ...frame, ...command, generation: effect.generation }];
    });
  }

  /** The last request of that method. */
  last(method: string): SentFrame {
    const frame = this.frames().findLast((sent) => sent.method === method);
    if (frame === undefined) throw new Error(`No ${method} was sent.`);
    return frame;
  }

  /** Outcomes by command, in the order settled; `kind`, and what tells it apart where there is more. */
  settled(effects: readonly Effect[] = this.effects): string[] {
    return effects.flatMap((effect) => {
      if (effect.do !== "settle") return [];
      const { outcome } = effect;
      const more = outcome.kind === "unsent" ? ` ${outcome.why}` : "";
      return [`${effect.command}: ${outcome.kind}${more}`];
    });
  }

  counts(what: string): number {
    return this.effects.filter((effect) => effect.do === "count" && effect.what === what).length;
  }
}
