import { RelayClient } from "../../../shared/relay/client.ts";
import type { ConnectionState, Effect } from "../../../shared/relay/effects.ts";
import type { Command, Input } from "../../../shared/relay/inputs.ts";
import { SETTINGS } from "./driven-client.ts";

interface Tracked {
  command: Command;
  order: number;
  /** Its request's id, once sent. */
  request?: string;
  settled: boolean;
}

const LIMITS = { max_queued: 4, max_in_flight: 3 };

/** A client whose every effect is held against the laws; a breach throws, with what was broken. */
export class ObservedClient {
  readonly client: RelayClient;
  readonly commands = new Map<string, Tracked>();
  now = 0;
  /** The live socket, as the effects and the inputs have it. */
  live: number | null = null;
  opened = false;
  generation = 0;
  /** The `signalwire.connect` that waits for its answer. */
  connectId: string | null = null;
  #state: ConnectionState = "idle";
  #ids = 0;

  constructor(randoms: () => number) {
    const uuid = (): string => `id-${this.fresh()}`;
    const settings = { ...SETTINGS, limits: LIMITS };
    this.client = new RelayClient(settings, { random: randoms, uuid }, { protocol: "signalwire_old" });
  }

  fresh(): number {
    this.#ids += 1;
    return this.#ids;
  }

  get inFlight(): Tracked[] {
    return [...this.commands.values()].filter((one) => one.request !== undefined && !one.settled);
  }

  handle(input: Input): Effect[] {
    if (input.on === "command") {
      this.commands.set(input.command.id, { command: input.command, order: this.fresh(), settled: false });
    }
    if ("generation" in input && input.generation === this.live) {
      if (input.on === "closed") this.live = null;
      if (input.on === "opened") this.opened = true;
    }
    const effects = this.client.handle(input, this.now);
    for (const effect of effects) this.#observe(effect);
    this.#observeRest(input);
    return effects;
  }

  #observe(effect: Effect): void {
    switch (effect.do) {
      case "connect":
        must(this.live === null, "at most one socket is live");
        must(effect.generation > this.generation, "each socket has a generation of its own");
        this.live = effect.generation;
        this.generation = effect.generation;
        this.opened = false;
        this.connectId = null;
        break;
      case "disconnect":
        must(effect.generation === this.live, "only the live socket is closed, and once");
        this.live = null;
        break;
      case "send":
        must(effect.generation === this.live && this.opened, "frames go to the live, open socket");
        this.#observeSend(effect.text, effect.command);
        break;
      case "event":
      case "authorization_state":
        must(effect.generation === this.live, "an ack goes to the socket that its event came by");
        break;
      case "settle":
        this.#observeSettle(effect);
        break;
      case "state":
        must(
          effect.from === this.#state && effect.to !== effect.from,
          "each state follows from the one before",
        );
        this.#state = effect.to;
        break;
      case "session":
      case "forget_session":
      case "count":
        break;
    }
    if (effect.do !== "send") {
      must(!JSON.stringify(effect).includes(SETTINGS.token), "the token is in signalwire.connect alone");
    }
  }

  #observeSend(text: string, handle: string | undefined): void {
    // The client's own frame.
    const frame = JSON.parse(text) as { id: string; method?: string };
    if (frame.method === "signalwire.connect") this.connectId = frame.id;
    else must(!text.includes(SETTINGS.token), "the token is in signalwire.connect alone");
    if (handle === undefined) return;
    const tracked = this.commands.get(handle);
    if (tracked === undefined) throw new Error("a frame carries a command that was given");
    const { command } = tracked;
    must(tracked.request === undefined, "a command is sent once");
    must(!tracked.settled, "a command that has ended is not sent");
    must(this.now < command.deadline_at, "nothing is sent past its deadline");
    must(
      this.now < (command.must_send_by ?? Infinity),
      "nothing is sent past the time that it must be sent by",
    );
    for (const other of this.commands.values()) {
      if (other.command.lane !== command.lane || other === tracked) continue;
      must(other.request === undefined || other.settled, "one command of a lane at a time");
      must(other.order > tracked.order || other.settled, "commands of a lane go in order");
    }
    tracked.request = frame.id;
  }

  #observeSettle(effect: Extract<Effect, { do: "settle" }>): void {
    const tracked = this.commands.get(effect.command);
    if (tracked === undefined) throw new Error("only a command that was given is settled");
    must(!tracked.settled, "a command ends once");
    tracked.settled = true;
    const sent = tracked.request !== undefined;
    must(sent === (effect.outcome.kind !== "unsent"), "unsent is what was not on the wire, and nothing else");
  }

  #observeRest(input: Input): void {
    const open = [...this.commands.values()].filter((one) => !one.settled);
    must(this.client.state === this.#state, "every change of state is told");
    must(
      this.client.inFlight === this.inFlight.length,
      "what is in flight is what was sent and has not ended",
    );
    must(this.client.queued === open.length - this.inFlight.length, "the rest is queued");
    must(this.client.queued <= LIMITS.max_queued, "the queue is bounded");
    must(this.client.inFlight <= LIMITS.max_in_flight, "what is in flight is bounded");
    for (const { command, request } of open) {
      const end =
        request === undefined
          ? Math.min(command.deadline_at, command.must_send_by ?? Infinity)
          : command.deadline_at;
      must(end > this.now, "a command whose time is over has ended");
    }
    const { wakeAt } = this.client;
    must(wakeAt === null || wakeAt > this.now, `waking is in the future (after ${input.on})`);
    must(wakeAt !== null || (this.live === null && open.length === 0), "whatever is waited for has an end");
  }
}

function must(holds: boolean, law: string): void {
  if (!holds) throw new Error(`broken: ${law}`);
}
