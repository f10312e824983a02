import { RelayClient } from "../../../shared/relay/client.ts";
import type { ConnectionState, Counted, Effect } from "../../../shared/relay/effects.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Command, Input, RelaySettings, Resume } from "../../../shared/relay/inputs.ts";
import type { Outcome } from "../../../shared/relay/outcome.ts";

/** Frames this close together are a burst: they share one turn, and its write to disk. */
const BURST_MS = 2;
/** How long the peer has to close its side before the socket is cut. */
const CLOSING_MS = 2_000;
/** Most frames handled in one turn, so that a flood does not delay calls. */
const TURN_FRAMES = 500;

/** What the session does about the connection's news, each in the turn in which it comes. */
export interface ConnectionHost {
  /** The frame of this command goes out next, in this turn: rows written now are durable before it is seen. */
  sending(command: string): void;
  /** Write the event's row. The ack goes when this returns, and then `acted` is called. */
  record(event: RelayEvent): boolean;
  /** Act on the event: its ack is on its way. `isNew` is what `record` said. */
  acted(event: RelayEvent, isNew: boolean): void;
  /** Keep the resumption facts; resolves when they are kept. */
  keepProtocol(protocol: string, restored: boolean): void;
  keepAuthorizationState(value: string): Promise<void>;
  forgetSession(): void;
  changed(from: ConnectionState, to: ConnectionState, reason: string): void;
  count(what: Counted, detail?: string): void;
  /** The machine may have work sooner than it had before: see `client.wakeAt`. */
  rescheduled(): void;
  /** An effect of the machine failed. */
  broke(effect: Effect["do"], error: unknown): void;
}

/** What a socket said, in order, not yet taken. */
type Received = Extract<Input, { on: "message" }> | { on: "closed" | "failed"; generation: number };

interface Socket {
  generation: number;
  abort: AbortController;
  socket: WebSocket | null;
}

/**
 * RelayConnection — the sockets of the RELAY client; the state machine in `shared/relay` decides everything. Used by RelayManager.
 * Sockets carry a generation; the machine ignores what an older one still says.
 */
export class RelayConnection {
  readonly #client: RelayClient;
  readonly #host: ConnectionHost;
  readonly #url: string;
  readonly #settling = new Map<string, (outcome: Outcome) => void>();
  readonly #inputs: Input[] = [];
  #busy = false;
  readonly #received: Received[] = [];
  #takenAt = 0;
  #taking = false;
  #socket: Socket | null = null;

  constructor(url: string, settings: RelaySettings, resume: Resume, host: ConnectionHost) {
    // RELAY is reached by an upgraded fetch, which, unlike `new WebSocket`, can be aborted while it hangs.
    this.#url = url.replace(/^ws/, "http");
    this.#host = host;
    this.#client = new RelayClient(
      settings,
      { random: Math.random, uuid: () => crypto.randomUUID() },
      resume,
    );
  }

  get client(): Pick<RelayClient, "state" | "since" | "queued" | "inFlight" | "subscribed" | "wakeAt"> {
    return this.#client;
  }

  /**
   * Gives the machine an input and carries out its effects. An input that comes meanwhile waits: its effects must not
   * overtake these.
   */
  handle(input: Input): void {
    this.#inputs.push(input);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      for (const effect of this.#client.handle(next, Date.now())) this.#try(effect);
    }
    this.#busy = false;
    this.#host.rescheduled();
  }

  /** Resolves once, however the command ends; never rejects. */
  command(command: Command): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#settling.set(command.id, resolve);
      this.handle({ on: "command", command });
    });
  }

  /** A failing effect, above all of storage, must not stop the others: an event that is not recorded is not acked, no more. */
  #try(effect: Effect): void {
    try {
      this.#do(effect);
    } catch (error) {
      this.#host.broke(effect.do, error);
    }
  }

  #do(effect: Effect): void {
    switch (effect.do) {
      case "connect":
        this.#connect(effect.generation);
        return;
      case "disconnect":
        this.#disconnect(effect.generation, effect.code);
        return;
      case "send":
        if (effect.command !== undefined) this.#host.sending(effect.command);
        this.#send(effect.generation, effect.text);
        return;
      case "event": {
        const isNew = this.#host.record(effect.event);
        if (effect.ack !== null) this.#send(effect.generation, effect.ack);
        this.#host.acted(effect.event, isNew);
        return;
      }
      case "authorization_state":
        this.#keepAuthorizationState(effect).catch((error: unknown) => this.#host.broke(effect.do, error));
        return;
      case "settle":
        this.#settling.get(effect.command)?.(effect.outcome);
        this.#settling.delete(effect.command);
        return;
      case "session":
        this.#host.keepProtocol(effect.protocol, effect.restored);
        return;
      case "forget_session":
        this.#host.forgetSession();
        return;
      case "state":
        this.#host.changed(effect.from, effect.to, effect.reason);
        return;
      case "count":
        this.#host.count(effect.what, effect.detail);
        return;
      default:
        effect satisfies never;
    }
  }

  async #keepAuthorizationState(effect: Extract<Effect, { do: "authorization_state" }>): Promise<void> {
    await this.#host.keepAuthorizationState(effect.value);
    if (effect.ack !== null) this.#send(effect.generation, effect.ack);
  }

  #connect(generation: number): void {
    const abort = new AbortController();
    const entry: Socket = { generation, abort, socket: null };
    this.#socket = entry;
    // The other end is sent the project's token: a redirect leads nowhere.
    fetch(this.#url, { headers: { upgrade: "websocket" }, redirect: "manual", signal: abort.signal }).then(
      (response) => {
        const socket = response.webSocket;
        if (!socket) {
          void response.body?.cancel();
          this.handle({ on: "failed", generation });
          return;
        }
        socket.accept();
        if (abort.signal.aborted) {
          socket.close(1000);
          return;
        }
        entry.socket = socket;
        this.#listen(socket, generation);
        this.handle({ on: "opened", generation });
      },
      () => this.handle({ on: "failed", generation }),
    );
  }

  #listen(socket: WebSocket, generation: number): void {
    socket.addEventListener("message", ({ data }) => {
      const frame =
        typeof data === "string" ? data : { binary: data instanceof ArrayBuffer ? data.byteLength : 0 };
      this.#received.push({ on: "message", generation, data: frame });
      this.#takeReceived();
    });
    // What came before the end is handled before it.
    socket.addEventListener("close", () => {
      this.#received.push({ on: "closed", generation });
      this.#takeReceived();
    });
    socket.addEventListener("error", () => {
      this.#received.push({ on: "failed", generation });
      this.#takeReceived();
    });
  }

  /** At once if little happens; in a burst, a turn's worth at a time. */
  #takeReceived(): void {
    if (this.#taking) return;
    if (Date.now() - this.#takenAt >= BURST_MS) {
      this.#takeTurn();
      return;
    }
    this.#taking = true;
    setTimeout(() => {
      this.#taking = false;
      this.#takeTurn();
    }, 0);
  }

  #takeTurn(): void {
    this.#takenAt = Date.now();
    for (const input of this.#received.splice(0, TURN_FRAMES)) this.handle(input);
    if (this.#received.length > 0) this.#takeReceived();
  }

  #send(generation: number, text: string): void {
    const socket = this.#socket;
    if (socket?.generation !== generation || !socket.socket) return;
    try {
      socket.socket.send(text);
    } catch {
      // Closed under us; its close event says so too, and one teardown is made of both. Not in this turn: the machine
      // is in the middle of telling us what to do.
      queueMicrotask(() => this.handle({ on: "failed", generation }));
    }
  }

  #disconnect(generation: number, code: number): void {
    const socket = this.#socket;
    if (socket?.generation !== generation) return;
    this.#socket = null;
    if (!socket.socket) {
      socket.abort.abort();
      return;
    }
    try {
      // Not aborted at once: that would cut off what was sent last, the answer to a `signalwire.disconnect` above all.
      socket.socket.close(code);
    } catch {
      // It was closed already.
    }
    setTimeout(() => socket.abort.abort(), CLOSING_MS);
  }
}
