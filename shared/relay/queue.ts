import { Deadlines, type Timed } from "./deadlines.ts";
import type { Command } from "./inputs.ts";

interface Entry extends Timed {
  command: Command;
  lane: Lane;
  /** The id on the wire, or null until it is sent. */
  request: string | null;
}

interface Lane {
  name: string;
  waiting: Set<Entry>;
  sent: Entry | null;
}

/**
 * The commands that are not settled yet: waiting in lanes, or sent and waiting for an answer.
 * Whatever is taken out of here is the caller's to settle, once.
 */
export class CommandQueue {
  readonly #max_queued: number;
  readonly #max_in_flight: number;
  readonly #entries = new Map<string, Entry>();
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something to send and nothing sent, in the order in which they became so. */
  readonly #sendable = new Set<Lane>();
  readonly #sent = new Map<string, Entry>();
  readonly #deadlines = new Deadlines<Entry>();

  constructor(max_queued: number, max_in_flight: number) {
    this.#max_queued = max_queued;
    this.#max_in_flight = max_in_flight;
  }

  get queued(): number {
    return this.#entries.size - this.#sent.size;
  }

  get inFlight(): number {
    return this.#sent.size;
  }

  /** When the next command expires, in ms since the epoch. */
  get wakeAt(): number | null {
    return this.#deadlines.first?.expires_at ?? null;
  }

  add(command: Command, now_ms: number): "added" | "duplicate" | "deadline" | "queue_full" {
    if (this.#entries.has(command.id)) return "duplicate";
    const expires_at = Math.min(command.deadline_at, command.must_send_by ?? command.deadline_at);
    // Turned round so that NaN counts as past: it would never expire.
    if (!(expires_at > now_ms)) return "deadline";
    if (this.queued >= this.#max_queued) return "queue_full";
    const lane = this.#lane(command.lane);
    const entry: Entry = { command, lane, request: null, expires_at, slot: -1 };
    lane.waiting.add(entry);
    if (lane.sent === null) this.#sendable.add(lane);
    this.#entries.set(command.id, entry);
    this.#deadlines.add(entry);
    return "added";
  }

  /** The next command to send, now counted as sent under the id that `uuid` gives; null where there is none or no room. */
  take(uuid: () => string): { command: Command; request: string } | null {
    if (this.#sent.size >= this.#max_in_flight) return null;
    for (const lane of this.#sendable) {
      this.#sendable.delete(lane);
      for (const entry of lane.waiting) {
        lane.waiting.delete(entry);
        lane.sent = entry;
        const request = uuid();
        entry.request = request;
        this.#sent.set(request, entry);
        this.#deadlines.remove(entry);
        entry.expires_at = entry.command.deadline_at;
        this.#deadlines.add(entry);
        return { command: entry.command, request };
      }
    }
    return null;
  }

  /** The sent command that this answer is for, taken out. */
  answered(request: string): Command | null {
    const entry = this.#sent.get(request);
    return entry === undefined ? null : this.#remove(entry);
  }

  /** One command whose time is over, taken out; call until null. */
  expired(now_ms: number): { command: Command; sent: boolean } | null {
    const entry = this.#deadlines.first;
    if (entry === undefined || entry.expires_at > now_ms) return null;
    const sent = entry.request !== null;
    return { command: this.#remove(entry), sent };
  }

  /** All that were sent, taken out: their socket is gone. */
  takeSent(): Command[] {
    return [...this.#sent.values()].map((entry) => this.#remove(entry));
  }

  /** All that were not sent, taken out. */
  takeWaiting(): Command[] {
    if (this.queued === 0) return [];
    const waiting = [...this.#entries.values()].filter((entry) => entry.request === null);
    return waiting.map((entry) => this.#remove(entry));
  }

  #remove(entry: Entry): Command {
    const { command, lane, request } = entry;
    this.#entries.delete(command.id);
    this.#deadlines.remove(entry);
    if (request === null) {
      lane.waiting.delete(entry);
    } else {
      this.#sent.delete(request);
      lane.sent = null;
    }
    if (lane.waiting.size === 0) this.#sendable.delete(lane);
    else if (lane.sent === null) this.#sendable.add(lane);
    if (lane.waiting.size === 0 && lane.sent === null) this.#lanes.delete(lane.name);
    return command;
  }

  #lane(name: string): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane: Lane = { name, waiting: new Set(), sent: null };
    this.#lanes.set(name, lane);
    return lane;
  }
}
