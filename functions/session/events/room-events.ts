import type { RelayEvent } from "../../../shared/relay/events.ts";
import { sidsAreIds } from "../seats/conference-members.ts";
import type { ConferenceEnd } from "../store/conference-ends.ts";
import type { Observations } from "../store/observations.ts";
import type { RoomChecks } from "../store/room-checks.ts";
import type { ConferenceEndings } from "./conference-endings.ts";

/** Events after which a room may hold another number than before; the others repeat it. */
const SIZED = new Set(["participant-join", "participant-leave", "conference-start", "conference-end"]);

/**
 * RoomEvents — what an event says of a whole conference: its size, which is compared with our count when events have settled, and its end.
 * Used by ConferenceEvents.
 */
export class RoomEvents {
  readonly #checks: RoomChecks;
  readonly #observations: Observations;
  readonly #endings: ConferenceEndings;

  constructor(checks: RoomChecks, observations: Observations, endings: ConferenceEndings) {
    this.#checks = checks;
    this.#observations = observations;
    this.#endings = endings;
  }

  /** Whether an event's `conference_id` is RELAY's: a form's is where the project has shown it. */
  knowsIds(ids_known = true): boolean {
    return ids_known || sidsAreIds(this.#observations);
  }

  /** @param ids_known whether the event's `conference_id` is RELAY's. */
  heard(
    event: RelayEvent,
    told: Pick<ConferenceEnd, "feed" | "trusted" | "tenant">,
    ids_known: boolean,
  ): void {
    if (event.kind !== "conference") return;
    // What an unsigned size gives cause for is a question, and questions are asked only so often.
    this.#noteSize(event, told.trusted && ids_known);
    if (event.params.status !== "conference-end") return;
    if (told.trusted) this.#checks.ended(event.params.name ?? "");
    this.#endings.ended(event, told, ids_known);
  }

  #noteSize(event: Extract<RelayEvent, { kind: "conference" }>, isTrusted: boolean): void {
    const { status, name, size, conference_id } = event.params;
    if (name === undefined || size === undefined || conference_id === undefined || !SIZED.has(status)) return;
    const isLeave = status === "participant-leave";
    if (isLeave && size === 0 && isTrusted) this.#observations.saw("size_counts_self", "after");
    const mayCountLeaver = isLeave && !this.#observations.has("size_counts_self", "after");
    const sized = { conference_id, room: name, size, isTrusted, mayCountLeaver };
    this.#checks.heard(sized, event.timestamp ?? null);
  }
}
