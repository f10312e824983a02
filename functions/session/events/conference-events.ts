import { applyEvent, type MembershipEvent } from "../../../shared/placement.ts";
import { inTime, type RelayEvent } from "../../../shared/relay/events.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import type { ConferenceEnd } from "../store/conference-ends.ts";
import type { Feed } from "../store/event-log.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { ParticipantChanges } from "./participant-changes.ts";
import { noteFlags } from "./participant-flags.ts";
import type { RoomEvents } from "./room-events.ts";
import type { SeatDoubts } from "./seat-doubts.ts";

/** How an event was told. */
export interface Told {
  feed?: Feed;
  /** Whether its `conference_id` is RELAY's. A form's is where the project has shown it: by another, calls that came by another way could not be told apart. */
  ids_known?: boolean;
  /** Whose callback token it came with: it bears on that tenant's calls alone. */
  tenant?: string;
}

/**
 * ConferenceEvents — has an event change what it bears on, in its own turn: the participant, what is known of the conference, and, at a
 * conference's end, everybody in it. Used by EventIngest.
 */
export class ConferenceEvents {
  readonly #placements: Placements;
  readonly #members: ConferenceMembers;
  readonly #participants: ParticipantChanges;
  readonly #doubts: SeatDoubts;
  readonly #rooms: RoomEvents;
  readonly #now: () => number;

  constructor(
    placements: Placements,
    members: ConferenceMembers,
    participants: ParticipantChanges,
    { doubts, rooms }: { doubts: SeatDoubts; rooms: RoomEvents },
    now: () => number,
  ) {
    this.#placements = placements;
    this.#members = members;
    this.#participants = participants;
    this.#doubts = doubts;
    this.#rooms = rooms;
    this.#now = now;
  }

  /** Applies an event of RELAY's, or a signed callback's, to the placements that it bears on. */
  apply(arrived: RelayEvent, { feed = "relay", tenant, ...told }: Told = {}): void {
    const event = inTime(arrived, this.#now());
    const ids_known = this.knowsIds(told.ids_known);
    if (ids_known) this.#noteKind(event, tenant);
    for (const { row, happening } of this.#bearingOn(event, ids_known, tenant))
      this.#participants.trusted(row, happening, feed);
    if (event.kind === "state" && event.params.call_state === "ended")
      for (const row of this.#placements.currentOf(event.params.call_id)) this.#participants.callEnded(row);
    noteFlags(this.#placements, event, tenant);
    this.#doubts.heard(event, tenant);
    this.#rooms.heard(event, { feed, trusted: true, tenant: tenant ?? null }, ids_known);
  }

  /** An event without a signature: a join is believed; a leave releases the seat, and a second source is looked for. */
  applyUntrusted(arrived: RelayEvent, { feed = "callback", tenant, ...told }: Told): void {
    const event = inTime(arrived, this.#now());
    const ids_known = this.knowsIds(told.ids_known);
    for (const { row, happening } of this.#bearingOn(event, ids_known, tenant))
      this.#untrusted(row, happening);
    noteFlags(this.#placements, event, tenant);
    this.#rooms.heard(event, { feed, trusted: false, tenant: tenant ?? null }, ids_known);
  }

  /** Whether an event's `conference_id` is RELAY's. */
  knowsIds(ids_known?: boolean): boolean {
    return this.#rooms.knowsIds(ids_known);
  }

  /** The end of a conference, for one of those who were in it. */
  endedFor(
    key: LivePlacement,
    { room: name, conference_id, ts, trusted, feed, ...end }: ConferenceEnd,
  ): void {
    const row = this.#placements.find(key);
    if (!row) return;
    if (row.conference_id === null) this.#placements.update(row, { conference_id });
    const ended_by = endedBy(end.ended_by, row);
    const happening = { happened: "conference_ended", name, conference_id, ts, ended_by } as const;
    if (trusted) this.#participants.trusted(row, happening, feed);
    else this.#untrusted(row, happening);
  }

  #untrusted(row: Placement, happening: MembershipEvent): void {
    if (happening.happened === "joined") this.#participants.change(row, happening, false);
    else if (applyEvent(row, happening, this.#now())) this.#doubts.unsignedLeave(row);
  }

  /** Which kinds of calls were seen to join which conference. */
  #noteKind(event: RelayEvent, tenant?: string): void {
    if (event.kind !== "conference" || event.params.status !== "participant-join") return;
    const { call_id, conference_id } = event.params;
    const [row] = call_id === undefined ? [] : this.#placements.currentOf(call_id, tenant);
    if (row && conference_id !== undefined) this.#members.joined(row, conference_id);
  }

  /** The call's placement, and what happened to it. */
  #bearingOn(
    event: RelayEvent,
    ids_known: boolean,
    tenant?: string,
  ): { row: Placement; happening: MembershipEvent }[] {
    if (event.kind !== "conference") return [];
    const { status, call_id, conference_id, name } = event.params;
    if (conference_id === undefined || name === undefined) return [];
    const base = { name, conference_id: ids_known ? conference_id : null, ts: event.timestamp ?? null };
    const happened =
      status === "participant-join" ? "joined" : status === "participant-leave" ? "left" : null;
    if (call_id === undefined || happened === null) return [];
    const [row] = this.#placements.currentOf(call_id, tenant);
    return row ? [{ row, happening: { ...base, happened, ended_by: null } }] : [];
  }
}

function endedBy(ending_call: string | null, row: Placement): MembershipEvent["ended_by"] {
  if (ending_call === null) return null;
  return ending_call === row.call_id ? "this call" : "another call";
}
