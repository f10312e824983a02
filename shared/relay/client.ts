import { Commands } from "./commands.ts";
import { Connection } from "./connection.ts";
import { Contexts } from "./contexts.ts";
import type { ConnectionState, Effect } from "./effects.ts";
import { type Frame, readFrame, request, SIGNALWIRE } from "./frames.ts";
import type { Input, RelaySettings, Resume } from "./inputs.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { Login } from "./login.ts";
import { outcomeOf } from "./outcome.ts";
import { answerServer } from "./server-requests.ts";
import { Silence } from "./silence.ts";
import { Turn } from "./turn.ts";

/** The world outside: `random` from 0 (included) to 1 (excluded), `uuid` never the same twice. */
export interface Sources {
  random(): number;
  uuid(): string;
}

type AnswerFrame = Extract<Frame, { kind: "result" | "error" }>;

/** What a request of our own, rather than a caller's command, was sent for. */
type Purpose = "connect" | "contexts";

/**
 * RELAY's client as a state machine: inputs and the time go in, effects come out. It has no socket, clock or random
 * source, never throws, and asks to be woken at `wakeAt`. Times are ms since the epoch.
 */
export class RelayClient {
  readonly #limits: Limits;
  readonly #uuid: () => string;
  readonly #connection: Connection;
  readonly #login: Login;
  readonly #contexts: Contexts;
  readonly #commands: Commands;
  readonly #silence: Silence;
  /** Our own requests on the live socket, by id. */
  readonly #asked = new Map<string, Purpose>();
  /** The change of contexts that was asked for last. */
  #change: string | null = null;

  constructor(settings: RelaySettings, sources: Sources, resume: Resume = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...settings.limits };
    this.#uuid = () => sources.uuid();
    this.#connection = new Connection(this.#limits, () => sources.random());
    this.#login = new Login(settings, resume);
    this.#contexts = new Contexts(settings.contexts);
    this.#commands = new Commands(this.#connection, this.#limits, this.#uuid);
    this.#silence = new Silence(this.#limits);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** When the state was entered; 0 before the first change. */
  get since(): number {
    return this.#connection.since;
  }

  /** Commands accepted and not sent. */
  get queued(): number {
    return this.#commands.queued;
  }

  /** Commands sent and not answered. */
  get inFlight(): number {
    return this.#commands.inFlight;
  }

  /** The contexts whose calls the live socket takes, by the server's own word. */
  get subscribed(): string[] {
    return this.#connection.state === "ready" ? this.#contexts.subscribed : [];
  }

  /** When `tick` is next due, always after the last input's time; null where nothing is waited for. */
  get wakeAt(): number | null {
    const silence = this.#connection.authenticated ? this.#silence.wakeAt : null;
    const contexts = this.#connection.state === "ready" ? this.#contexts.wakeAt : null;
    const due = [this.#commands.wakeAt, this.#connection.timer, silence, contexts].filter(
      (at) => at !== null,
    );
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Takes one input. The effects are to be carried out in order, before the next input. */
  handle(input: Input, now_ms: number): Effect[] {
    const turn = new Turn(now_ms);
    const { state, generation, tries } = this.#connection;
    // The input first: a frame that waited behind a late tick is still a sign of life, an answer still an answer.
    this.#take(turn, input);
    // Deadlines before sending: nothing goes out late.
    this.#commands.expire(turn);
    this.#connection.passTime(turn, this.#commands.inFlight > 0);
    if (this.#connection.authenticated) this.#listen(turn);
    if (state === "authenticating" && !this.#connection.has(generation)) this.#login.brokeOff(turn, tries);
    if (this.#connection.state === "ready") this.#subscribe(turn);
    this.#commands.follow(turn);
    return turn.effects;
  }

  #take(turn: Turn, input: Input): void {
    switch (input.on) {
      case "open":
        this.#connection.open(turn);
        break;
      case "close":
        this.#connection.close(turn);
        break;
      case "reconnect":
        this.#connection.reconnect(turn, "asked to reconnect");
        break;
      case "credentials":
        this.#login.replaceSettings(turn, input.settings);
        this.#contexts.want(input.settings.contexts);
        this.#connection.credentialsChanged(turn);
        break;
      case "contexts":
        this.#contexts.want(input.contexts);
        break;
      case "watch":
        this.#silence.watch(input.closely);
        break;
      case "opened":
      case "closed":
      case "failed":
      case "message":
        if (this.#connection.has(input.generation)) this.#takeFromSocket(turn, input);
        break;
      case "command":
        this.#commands.accept(turn, input.command);
        break;
      case "tick":
        break;
    }
  }

  /** What the live socket says. */
  #takeFromSocket(turn: Turn, input: Extract<Input, { generation: number }>): void {
    const connecting = this.#connection.state === "connecting";
    switch (input.on) {
      case "opened":
        if (connecting) this.#authenticate(turn);
        break;
      case "closed":
        this.#connection.lost(turn, "the socket closed");
        break;
      case "failed":
        // An error need not be followed by a close: the shell lets go of the socket either way.
        this.#connection.leave(turn, "the socket failed");
        break;
      case "message":
        if (connecting) turn.count("early_frame");
        else this.#read(turn, input.data);
        break;
    }
  }

  #authenticate(turn: Turn): void {
    this.#connection.opened(turn);
    this.#asked.clear();
    this.#silence.begin(turn.now);
    this.#ask(turn, "connect", SIGNALWIRE.connect, this.#login.begin(this.#contexts.connecting()));
  }

  /** Tells the ready socket which contexts have changed, one change at a time. */
  #subscribe(turn: Turn): void {
    const change = this.#contexts.next(turn.now);
    if (change === null) return;
    // The answer to one that was given up is an answer to nothing.
    if (this.#change !== null) this.#asked.delete(this.#change);
    this.#change = this.#ask(turn, "contexts", change.method, { contexts: change.contexts });
  }

  #read(turn: Turn, data: string | { binary: number }): void {
    this.#silence.heard(turn.now);
    const frame = readFrame(data, this.#limits.frame_bytes);
    switch (frame.kind) {
      case "junk":
        turn.count("junk_frame", frame.reason);
        break;
      case "request":
        this.#serve(turn, frame);
        break;
      case "result":
      case "error":
        this.#answered(turn, frame);
        break;
    }
  }

  #serve(turn: Turn, frame: Extract<Frame, { kind: "request" }>): void {
    const { effects, dismissed } = answerServer(frame, this.#connection.generation);
    for (const effect of effects) {
      if (effect.do === "authorization_state") this.#login.remember(effect.value);
      turn.effects.push(effect);
    }
    if (dismissed === undefined) return;
    if (dismissed.restart) this.#login.forget(turn);
    this.#connection.dismissed(
      turn,
      dismissed.restart ? "the server asked for a restart" : "the server asked",
    );
  }

  #answered(turn: Turn, frame: AnswerFrame): void {
    const id = typeof frame.id === "string" ? frame.id : "";
    const purpose = this.#asked.get(id);
    this.#asked.delete(id);
    switch (purpose) {
      case "connect":
        this.#authenticated(turn, frame);
        break;
      case "contexts":
        this.#contexts.answered(turn, frame);
        break;
      case undefined:
        if (!this.#silence.answered(id)) this.#commands.answered(turn, id, outcomeOf(frame));
        break;
    }
  }

  #authenticated(turn: Turn, frame: AnswerFrame): void {
    const answer = this.#login.answered(frame);
    switch (answer.kind) {
      case "accepted":
        turn.effects.push({ do: "session", protocol: answer.protocol, restored: answer.restored });
        this.#connection.accepted(turn, answer.restored ? "the session was resumed" : "a new session");
        this.#contexts.connected(answer.restored);
        break;
      case "failed":
        this.#connection.leave(turn, answer.why);
        break;
      case "refused":
        turn.count(answer.of === "credentials" ? "credentials_refused" : "connection_refused", answer.why);
        if (answer.plain) {
          this.#connection.refused(turn, answer.of, answer.why);
        } else {
          // It may be the old session that was refused, or credentials that are replaced by now.
          this.#login.forget(turn);
          this.#connection.replace(turn, `refused (${answer.why}), to be tried plainly`);
        }
        break;
    }
  }

  #listen(turn: Turn): void {
    switch (this.#silence.verdict(turn.now)) {
      case "fine":
        break;
      case "probe":
        this.#silence.probed(this.#send(turn, SIGNALWIRE.ping, {}), turn.now);
        turn.count("probe_sent");
        break;
      case "dead":
        turn.count("probe_unanswered");
        this.#connection.abandon(turn, "the server is silent");
        break;
    }
  }

  #ask(turn: Turn, purpose: Purpose, method: string, params: Record<string, unknown>): string {
    const id = this.#send(turn, method, params);
    this.#asked.set(id, purpose);
    return id;
  }

  /** @returns the request's id. */
  #send(turn: Turn, method: string, params: Record<string, unknown>): string {
    const id = this.#uuid();
    turn.effects.push({
      do: "send",
      generation: this.#connection.generation,
      text: request(id, method, params),
    });
    return id;
  }
}
