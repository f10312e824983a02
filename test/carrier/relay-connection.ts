import { randomUUID } from "node:crypto";
import type { WebSocket } from "ws";
import type { FaultFacts } from "./faults.ts";
import type { Project } from "./project.ts";
import type { EventBody, RelaySession, SessionLink } from "./relay-session.ts";

interface Unacked {
  readonly event: EventBody;
  /** Null while it has not gone out, which a fault may put off or prevent. */
  due: number | null;
}

/** The answer to `signalwire.disconnect` is waited for so long. */
const FAREWELL_MS = 1000;
/** A frame held back to come out of order comes after this at the latest. */
const HELD_MS = 2_000;

/** One client's socket after it has authenticated: everything that goes out, and what is waited for. */
export class RelayConnection implements SessionLink {
  readonly project: Project;
  readonly session: RelaySession;
  readonly #socket: WebSocket;
  readonly #unacked = new Map<string, Unacked>();
  readonly #requests = new Set<string>();
  #ack_timer: NodeJS.Timeout | null = null;
  readonly #ping_timer: NodeJS.Timeout;
  #silent_until = 0;
  /** The `signalwire.disconnect` that went out last and is not answered. */
  #dismissal: string | null = null;
  #held: Record<string, unknown> | null = null;

  constructor(project: Project, session: RelaySession, socket: WebSocket) {
    this.project = project;
    this.session = session;
    this.#socket = socket;
    this.#ping_timer = setInterval(() => this.#ping(), project.ping_interval_ms);
  }

  /** While silent nothing is read either: a peer that is gone without a word. */
  get silent(): boolean {
    return Date.now() < this.#silent_until;
  }

  goSilent(ms: number): void {
    this.#silent_until = Date.now() + ms;
  }

  /** The answer to a request; `method` is that of the command, for faults to match. */
  sendAnswer(frame: Record<string, unknown>, facts: FaultFacts): void {
    this.#sendFaulty(frame, "answer", facts, () => frame);
  }

  sendEvent(event: EventBody): void {
    const facts: FaultFacts = { event_type: event.event_type };
    const { status, call_state, call_id } = event.params;
    const shown = status ?? call_state;
    if (typeof shown === "string") facts.status = shown;
    if (typeof call_id === "string") facts.call_id = call_id;
    this.#sendFaulty(this.#eventFrame(event), "event", facts, () => this.#eventFrame(event));
  }

  /** A request of the server's own, which no fault touches. */
  sendRequest(method: string, params: Record<string, unknown>, sent?: (id: string) => void): void {
    const id = randomUUID();
    this.#requests.add(id);
    this.#write(JSON.stringify({ jsonrpc: "2.0", id, method, params }), { method }, () => sent?.(id));
  }

  /** Closes once the client has answered, or after a second; a client that never answers breaks the protocol. */
  disconnect(restart: boolean): void {
    this.sendRequest("signalwire.disconnect", { restart }, (id) => {
      this.#dismissal = id;
    });
    setTimeout(() => {
      this.#noteUnanswered();
      this.close();
    }, FAREWELL_MS);
  }

  sendRaw(text: string): void {
    this.#write(text, {});
  }

  /** False where nothing with this id waits for an answer. */
  acknowledged(id: string): boolean {
    if (this.#unacked.delete(id)) return true;
    if (!this.#requests.delete(id)) return false;
    if (id === this.#dismissal) {
      this.#dismissal = null;
      this.close();
    }
    return true;
  }

  close(): void {
    this.#socket.close(1000);
  }

  drop(): void {
    this.#dismissal = null;
    this.#socket.terminate();
  }

  /** The socket is closed: what was not acknowledged is kept for a resume where the switch says so. */
  closed(): void {
    clearInterval(this.#ping_timer);
    if (this.#ack_timer !== null) clearTimeout(this.#ack_timer);
    this.#noteUnanswered();
    if (this.session.link === this) this.session.link = null;
    if (!this.project.switches.replay_events_on_resume) return;
    for (const { event } of this.#unacked.values()) {
      if (event.event_type !== "signalwire.authorization.state") this.session.keep(event);
    }
  }

  #noteUnanswered(): void {
    const id = this.#dismissal;
    this.#dismissal = null;
    if (id === null || this.silent) return;
    const method = "signalwire.disconnect";
    this.project.journal.note("violation", { reason: `${method} was not answered`, id, method });
  }

  #eventFrame(event: EventBody): Record<string, unknown> {
    const id = randomUUID();
    this.#unacked.set(id, { event, due: null });
    const { project_id, space_id } = this.project;
    const params = { ...event, event_channel: this.session.protocol, project_id, space_id };
    return { jsonrpc: "2.0", id, method: "signalwire.event", params };
  }

  #sendFaulty(
    frame: Record<string, unknown>,
    at: "answer" | "event",
    facts: FaultFacts,
    copy: () => Record<string, unknown>,
  ): void {
    const fault = this.project.faults.fire(at, facts);
    const text = JSON.stringify(frame);
    switch (fault?.kind) {
      case undefined:
        this.#write(text, frame);
        break;
      case "delay":
        setTimeout(() => this.#write(text, frame), fault.ms);
        return;
      case "duplicate": {
        const again = copy();
        this.#write(text, frame);
        this.#write(JSON.stringify(again), again);
        break;
      }
      case "reorder":
        if (this.#held === null) {
          this.#hold(frame);
          return;
        }
        this.#write(text, frame);
        break;
      case "go_silent":
        this.goSilent(fault.ms);
        this.#forget(frame);
        return;
      case "drop_socket":
        this.drop();
        return;
      case "close_before":
        this.close();
        return;
      case "close_after":
        this.#write(text, frame, () => this.close());
        return;
      case "lose":
      case "ignore":
      case "swallow":
      case "refuse":
        this.#forget(frame);
        return;
      case "code":
        this.#write(JSON.stringify({ jsonrpc: "2.0", id: frame["id"], result: coded(fault) }), frame);
        return;
      case "error": {
        const error = { code: fault.code, message: fault.message ?? "scripted error" };
        this.#write(JSON.stringify({ jsonrpc: "2.0", id: frame["id"], error }), frame);
        return;
      }
    }
    this.#release();
  }

  #hold(frame: Record<string, unknown>): void {
    this.#held = frame;
    const release = () => this.#held === frame && this.#release();
    setTimeout(release, HELD_MS).unref();
  }

  #release(): void {
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#write(JSON.stringify(held), held);
  }

  /** A frame that never went out needs no acknowledgement. */
  #forget(frame: Record<string, unknown>): void {
    this.#unacked.delete(String(frame["id"]));
  }

  #write(text: string, frame: Record<string, unknown>, sent?: () => void): void {
    const send = () => {
      if (this.silent || this.#socket.readyState !== this.#socket.OPEN) return;
      this.project.journal.note("frame_out", { session: this.session.sessionid, frame });
      this.#socket.send(text, sent);
      const unacked = this.#unacked.get(String(frame["id"]));
      if (unacked === undefined) return;
      unacked.due = Date.now() + this.project.ack_limit_ms;
      this.#watchAcks();
    };
    if (this.project.latency_ms === 0) send();
    else setTimeout(send, this.project.latency_ms);
  }

  #ping(): void {
    this.sendRequest("signalwire.ping", { timestamp: this.project.timestamp() });
  }

  /** One timer for all, not one for each: an event late by up to as much again is found as well. */
  #watchAcks(): void {
    this.#ack_timer ??= setTimeout(() => {
      this.#ack_timer = null;
      const now = Date.now();
      for (const [id, { due, event }] of this.#unacked) {
        if (due === null || due > now) continue;
        this.#unacked.delete(id);
        if (this.silent) continue;
        const reason = `event ${event.event_type} was not acknowledged within ${this.project.ack_limit_ms} ms`;
        this.project.journal.note("violation", { reason, id, event_type: event.event_type });
      }
      if (this.#unacked.size > 0) this.#watchAcks();
    }, this.project.ack_limit_ms + 1);
  }
}

function coded(fault: { code: string; message?: string | undefined }): Record<string, unknown> {
  return { code: fault.code, message: fault.message ?? "scripted" };
}
