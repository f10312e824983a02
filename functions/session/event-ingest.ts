import { type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import type { InboundCalls } from "./calls/inbound-calls.ts";
import type { ConferenceEventReply, ConferenceEventRequest } from "./contract/placement.ts";
import type { Heard, RecordingEvents } from "./events/recording-events.ts";
import type { Repositories } from "./repositories.ts";
import type { Occupancy } from "./seats/occupancy.ts";
import type { Feed } from "./store/event-log.ts";
import type { Placements } from "./store/placements.ts";

/** How an event came. */
export interface HowTold {
  feed: Feed;
  /** Whether RELAY or a signature proves it. */
  trusted: boolean;
  /** Whether its `conference_id` is RELAY's. */
  ids_known: boolean;
  /** Whose callback token it came with: it bears on that tenant's calls alone. */
  tenant?: string;
}

/** A part of the session on which events bear. */
export type Listener = (event: RelayEvent, how: HowTold) => void;

export interface EventSteps {
  /** Told of each event that is not a repeat, in this order: what changes placements comes first. */
  before: readonly Listener[];
  /** The same, once it is known what it says of recordings. */
  after: readonly Listener[];
}

type Telling = Pick<ConferenceEventReply, "forward" | "confirm">;

const BY_RELAY: HowTold = { feed: "relay", trusted: true, ids_known: true };

/**
 * EventIngest — takes in what SignalWire tells by RELAY and by status callbacks: each event once a feed, its row before its
 * acknowledgement, by the same steps in the same order. Used by the connection and by the webhook of callbacks.
 */
export class EventIngest {
  readonly #repositories: Repositories;
  readonly #inboundCalls: InboundCalls;
  readonly #recordings: RecordingEvents;
  readonly #listeners: EventSteps;

  constructor(
    repositories: Repositories,
    inboundCalls: InboundCalls,
    recordings: RecordingEvents,
    listeners: EventSteps,
  ) {
    this.#repositories = repositories;
    this.#inboundCalls = inboundCalls;
    this.#recordings = recordings;
    this.#listeners = listeners;
  }

  /** Writes the row of an event of RELAY's, whose acknowledgement goes out when this returns. @returns whether it is to be acted upon. */
  recordRelay(event: RelayEvent): boolean {
    const recorded = this.#repositories.eventLog.record(event, "relay");
    if (recorded === "refused") return false;
    // Also for a repeat: the first may have failed after it was written.
    this.#inboundCalls.claim(event);
    // An event without room for its row is acknowledged all the same, or RELAY would stop sending and calls would go unanswered.
    return recorded === "new" || recorded === "unwritten";
  }

  /** Acts on an event of RELAY's: its acknowledgement is on its way. */
  actOnRelay(event: RelayEvent, isNew: boolean): void {
    this.#repositories.counters.add(isNew ? "events" : "duplicate_events");
    if (isNew) this.#repositories.fullRooms.heard(event);
    this.#inboundCalls.act(event);
    if (isNew) this.ingest(event, BY_RELAY);
  }

  /** A status callback that came to the Worker: the second feed. Says whom else to tell. */
  callback(request: ConferenceEventRequest): ConferenceEventReply {
    const { event, trusted, ids_known, tenant } = request;
    const { eventLog, counters, observations } = this.#repositories;
    const recorded = eventLog.record(event, "callback", tenant);
    if (recorded === "refused") return { v: 1, forward: [] };
    const isNew = recorded === "new" || recorded === "unwritten";
    counters.add(isNew ? "callbacks" : "duplicate_callbacks");
    const how = {
      feed: "callback",
      trusted,
      ids_known,
      ...(tenant === undefined ? {} : { tenant }),
    } as const;
    let heard: Heard | null;
    let isToTell = true;
    if (isNew) {
      observations.saw("status_callbacks_are_signed", trusted);
      heard = this.ingest(event, how, request);
    } else {
      isToTell = recorded === "repeat after a restart";
      // The first may have had room for the event and none for the recording, or its reply was lost.
      heard = this.#ofRecording(event, how, request, !isToTell);
    }
    const isUnrecorded = recorded.startsWith("unwritten") || heard?.unwritten === true;
    return {
      v: 1,
      ...(isToTell ? this.#whomToTell(request, heard) : replyTo(heard)),
      ...(isUnrecorded ? { unrecorded: true } : {}),
    };
  }

  /** Has every part act on an event that is not a repeat. */
  ingest(event: RelayEvent, how: HowTold, callback?: ConferenceEventRequest): Heard | null {
    for (const listener of this.#listeners.before) listener(event, how);
    const heard = this.#ofRecording(event, how, callback, false);
    for (const listener of this.#listeners.after) listener(event, how);
    return heard;
  }

  #ofRecording(
    event: RelayEvent,
    { ids_known, tenant }: HowTold,
    callback: ConferenceEventRequest | undefined,
    isRepeat: boolean,
  ): Heard | null {
    return this.#recordings.heard(event, {
      ids_known,
      ...(tenant === undefined ? {} : { tenant }),
      ...(callback ? { kind: callback.kind, confirms: callback.confirms === true } : {}),
      ...(isRepeat ? { isRepeat } : {}),
    });
  }

  /** A recording that the table knows is told to those whom the rule wanted told when it began. */
  #whomToTell(request: ConferenceEventRequest, heard: Heard | null): Telling {
    const { placements, occupancy } = this.#repositories;
    if (request.kind !== "recording" || heard === null)
      return { forward: whomToTell(placements, occupancy, request) };
    return replyTo(heard);
  }
}

function replyTo(heard: Heard | null): Telling {
  const forward: ForwardTo[] = heard?.forward ? [heard.forward] : [];
  return { forward, ...(heard?.forward && heard.confirm !== undefined ? { confirm: heard.confirm } : {}) };
}

/** Whom the rules of the tenant, to whom the event was told, want told of it beside us. */
export function whomToTell(
  placements: Placements,
  occupancy: Occupancy,
  { kind, event, tenant }: ConferenceEventRequest,
): ForwardTo[] {
  const { call_id, name, status } = event.params as Record<string, unknown>;
  const ofCall = typeof call_id === "string" ? placements.currentOf(call_id, tenant)[0] : undefined;
  const to =
    ofCall?.forwarding?.[kind] ??
    (typeof name === "string" ? occupancy.forwardingOf(name, kind, tenant) : null);
  return to && typeof status === "string" && isWanted(to, status, kind) ? [to] : [];
}
