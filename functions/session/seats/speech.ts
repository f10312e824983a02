import type { RelayEvent } from "../../../shared/relay/events.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Following } from "../store/news.ts";
import type { Placements } from "../store/placements.ts";

/** Calls and rooms that are remembered. */
const CALLS = 10_000;
const ROOMS = 2_000;

const SAID: Readonly<Record<string, boolean>> = {
  "participant-speech-start": true,
  "participant-speech-stop": false,
};

export interface SpeechNews extends Following {
  /** A participant began to speak, or stopped. */
  spoke(tenant: string, room: string, call_id: string, speaking: boolean): void;
}

interface Said {
  room: string;
  speaking: boolean;
  /** By SignalWire's clock, s; null if the event has no time. */
  ts: number | null;
}

/**
 * Speech — who speaks now, as far as SignalWire tells. In memory only: it is out of date within seconds. Used by the
 * roster, and told of each event.
 */
export class Speech {
  readonly #placements: Pick<Placements, "currentOf">;
  readonly #news: SpeechNews;
  readonly #calls = new Map<string, Said>();
  /** Rooms with any speech event: for the others SignalWire was not asked to send them. */
  readonly #told = new Set<string>();

  constructor(placements: Pick<Placements, "currentOf">, news: SpeechNews) {
    this.#placements = placements;
    this.#news = news;
  }

  /** @param tenant whose callback told it, and whose call it must be. */
  heard(event: RelayEvent, tenant?: string): void {
    if (event.kind !== "conference") return;
    const { status, call_id, name } = event.params;
    if (call_id === undefined) return;
    if (status === "participant-leave") this.#calls.delete(call_id);
    const speaking = SAID[status];
    if (speaking === undefined) return;
    const [row] = this.#placements.currentOf(call_id, tenant);
    if (!row || row.room !== name || row.state !== "joined") return;
    this.#told.add(row.room);
    dropOldest(this.#told, ROOMS);
    const known = this.#calls.get(call_id);
    const before = known?.room === row.room ? known : undefined;
    const ts = event.timestamp ?? null;
    // RELAY and a callback report the same, one of them late.
    if (before && ts !== null && before.ts !== null && ts < before.ts) return;
    this.#calls.delete(call_id);
    this.#calls.set(call_id, { room: row.room, speaking, ts });
    dropOldest(this.#calls, CALLS);
    if ((before?.speaking ?? false) !== speaking && this.#news.isFollowed(row.tenant))
      this.#news.spoke(row.tenant, row.room, call_id, speaking);
  }

  /** null: nothing was told of the room. */
  of({ call_id, room }: Pick<LivePlacement, "call_id" | "room">): boolean | null {
    const said = this.#calls.get(call_id);
    if (said?.room === room) return said.speaking;
    return this.#told.has(room) ? false : null;
  }
}
