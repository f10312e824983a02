import type { ConnectionState } from "./effects.ts";
import type { Limits } from "./limits.ts";
import type { Turn } from "./turn.ts";

/** WebSocket close codes: parted in order; the server did not keep up its end. */
const NORMAL = 1000;
const UNRESPONSIVE = 4000;

/** What remains of the count of tries once one was answered: the next wait is at most 1 s. */
const TAKEN_TRIES = 3;

/** The connection's states and when one follows another. Knows sockets by generation; at most one is live. */
export class Connection {
  readonly #limits: Limits;
  readonly #random: () => number;
  #state: ConnectionState = "idle";
  #since = 0;
  /** When the state ends by itself: a hanging handshake, a wait, a farewell. */
  #timer: number | null = null;
  #generation = 0;
  #wanted = false;
  /** The draining socket is to be followed by another. */
  #parting = false;
  /** Connects since the connection was last steady. */
  #tries = 0;
  #refusals = 0;
  /** After too many refusals: when the next try is, and how long after the last one. */
  #refused_until = 0;
  #refused_retry_ms = 0;
  #ready_at = 0;

  constructor(limits: Limits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get since(): number {
    return this.#since;
  }

  get timer(): number | null {
    return this.#timer;
  }

  get generation(): number {
    return this.#generation;
  }

  get wanted(): boolean {
    return this.#wanted;
  }

  get tries(): number {
    return this.#tries;
  }

  get authenticated(): boolean {
    return this.#state === "ready" || this.#state === "draining";
  }

  /** We were refused too often: nothing will be sent soon, not even while they are tried again. */
  get refusing(): boolean {
    return this.#refusals >= this.#limits.refusals;
  }

  /** Whether that socket is the live one. */
  has(generation: number): boolean {
    return this.#hasSocket && generation === this.#generation;
  }

  get #hasSocket(): boolean {
    return this.#state === "connecting" || this.#state === "authenticating" || this.authenticated;
  }

  open(turn: Turn): void {
    this.#wanted = true;
    if (this.#state === "draining" && !this.#parting) this.#go(turn, "ready", "wanted again");
    if (this.#state !== "idle") return;
    if (this.refusing && turn.now < this.#refused_until) {
      this.#go(turn, "refused", "refused a short while ago", this.#refused_until);
      return;
    }
    this.#tries = 0;
    this.#connect(turn, "wanted");
  }

  close(turn: Turn): void {
    this.#wanted = false;
    if (this.#state === "ready") this.#go(turn, "draining", "no longer wanted");
    else if (this.#state === "connecting" || this.#state === "authenticating")
      this.leave(turn, "no longer wanted");
    else if (this.#state !== "draining" && this.#state !== "idle") this.#go(turn, "idle", "no longer wanted");
  }

  /** A person asks: the back-off starts afresh. */
  reconnect(turn: Turn, reason: string): void {
    if (!this.#wanted) return;
    this.#tries = 0;
    if (this.authenticated) this.#part(turn, reason);
    else if (this.#hasSocket) this.leave(turn, reason);
    else this.#connect(turn, reason);
  }

  /** New credentials: what was refused says nothing about them. */
  credentialsChanged(turn: Turn): void {
    this.#refusals = 0;
    if (this.#state === "refused") this.reconnect(turn, "the credentials changed");
  }

  opened(turn: Turn): void {
    this.#go(turn, "authenticating", "the socket opened", turn.now + this.#limits.handshake_ms);
  }

  accepted(turn: Turn, reason: string): void {
    this.#refusals = 0;
    // A server that takes us is not one to stay away from, even where it drops us again: a second's wait at the most.
    this.#tries = Math.min(this.#tries, TAKEN_TRIES);
    this.#ready_at = turn.now;
    this.#go(turn, "ready", reason);
  }

  refused(turn: Turn, of: "credentials" | "connection", why: string): void {
    const { refused_retry_ms, refused_otherwise_retry_ms } = this.#limits;
    this.#refusals += 1;
    this.#refused_retry_ms = of === "credentials" ? refused_retry_ms : refused_otherwise_retry_ms;
    this.leave(turn, `the ${of} ${of === "credentials" ? "were" : "was"} refused: ${why}`);
  }

  /** Another socket at once: what this one was refused for is not what the next one will say. */
  replace(turn: Turn, reason: string): void {
    turn.effects.push({ do: "disconnect", generation: this.#generation, code: NORMAL });
    this.#connect(turn, reason);
  }

  /** The server told us to go. */
  dismissed(turn: Turn, reason: string): void {
    if (this.authenticated) this.#part(turn, reason);
    else this.leave(turn, reason);
  }

  /** Leaves an authenticated socket for another, once what is in flight is answered or the farewell is over. */
  #part(turn: Turn, reason: string): void {
    if (this.#parting) return;
    this.#parting = true;
    this.#go(turn, "draining", reason, turn.now + this.#limits.farewell_ms);
  }

  /** Closes the socket, in order. */
  leave(turn: Turn, reason: string): void {
    turn.effects.push({ do: "disconnect", generation: this.#generation, code: NORMAL });
    this.lost(turn, reason);
  }

  /** Closes a socket whose server does not answer. */
  abandon(turn: Turn, reason: string): void {
    turn.effects.push({ do: "disconnect", generation: this.#generation, code: UNRESPONSIVE });
    this.lost(turn, reason);
  }

  /** The socket is closed: what comes next. */
  lost(turn: Turn, reason: string): void {
    if (this.authenticated && turn.now - this.#ready_at >= this.#limits.steady_ms) this.#tries = 0;
    // One dismissal is the server's right and no sign of trouble; several in a row meet the back-off.
    const atOnce = this.#parting && this.#tries <= 1;
    this.#parting = false;
    if (!this.#wanted) {
      this.#go(turn, "idle", reason);
    } else if (this.refusing) {
      this.#refused_until = turn.now + this.#refused_retry_ms;
      this.#go(turn, "refused", reason, this.#refused_until);
    } else {
      const delay_ms = atOnce ? 0 : this.#delay();
      if (delay_ms === 0) this.#connect(turn, reason);
      else this.#go(turn, "backing_off", reason, turn.now + delay_ms);
    }
  }

  /** @param busy whether commands are in flight, which a draining socket waits for. */
  passTime(turn: Turn, busy: boolean): void {
    const over = this.#timer !== null && turn.now >= this.#timer;
    switch (this.#state) {
      case "idle":
      case "ready":
        break;
      case "connecting":
      case "authenticating":
        if (!over) break;
        turn.count("handshake_timeout", this.#state);
        this.abandon(turn, `no answer while ${this.#state}`);
        break;
      case "backing_off":
      case "refused":
        if (over) this.#connect(turn, "the wait is over");
        break;
      case "draining":
        if (over || !busy) this.leave(turn, "drained");
        break;
    }
  }

  #delay(): number {
    const { backoff_base_ms, backoff_cap_ms } = this.#limits;
    return retryDelay(this.#tries, this.#random(), { base_ms: backoff_base_ms, cap_ms: backoff_cap_ms });
  }

  #connect(turn: Turn, reason: string): void {
    this.#generation += 1;
    this.#tries += 1;
    this.#go(turn, "connecting", reason, turn.now + this.#limits.handshake_ms);
    turn.effects.push({ do: "connect", generation: this.#generation });
  }

  #go(turn: Turn, to: ConnectionState, reason: string, timer: number | null = null): void {
    this.#timer = timer;
    if (to === this.#state) return;
    turn.state(this.#state, to, reason);
    this.#state = to;
    this.#since = turn.now;
  }
}

/** How waits grow, in ms: a wait is anything from 0 to the ceiling, which doubles from `base_ms` to `cap_ms`. */
export interface BackoffLimits {
  base_ms: number;
  cap_ms: number;
}

/**
 * The wait before the next try, in ms (full jitter).
 * @param tries how many there were since the connection was last steady; 0 tries at once.
 * @param random from 0 (included) to 1 (excluded).
 */
export function retryDelay(tries: number, random: number, limits: BackoffLimits): number {
  if (tries <= 0) return 0;
  // 2 ** 1024 is Infinity, which the cap takes care of.
  return Math.floor(random * Math.min(limits.cap_ms, limits.base_ms * 2 ** (tries - 1)));
}
