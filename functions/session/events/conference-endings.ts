import type { RelayEvent } from "../../../shared/relay/events.ts";
import { describeError, log } from "../../log.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import type { ConferenceEnd, ConferenceEnds } from "../store/conference-ends.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import { AT_ONCE, type Backlog, inSlices, type Job } from "./backlog.ts";

/** Ended conferences that are remembered. */
const CONFERENCES = 2_000;

type ConferenceEvent = Extract<RelayEvent, { kind: "conference" }>;

/** How an end was told. */
type ToldOfEnd = Pick<ConferenceEnd, "feed" | "trusted" | "tenant">;

/** What the end of a conference changes elsewhere. */
interface EndListener {
  /** For each participant, in one of the turns that the end takes. */
  endedFor(key: LivePlacement, end: ConferenceEnd): void;
  /** Once, for the room. */
  emptied(room: string, at: number): Job;
  /** Whether two conferences live under the name. */
  isSplit(room: string): boolean;
}

/**
 * ConferenceEndings — handles the end of a conference for everybody who was in it. What is too much for one turn is written down first, and is
 * done even if the object is lost. Used by RoomEvents.
 */
export class ConferenceEndings {
  readonly #ends: ConferenceEnds;
  readonly #members: ConferenceMembers;
  readonly #backlog: Backlog;
  readonly #listener: EndListener;
  readonly #now: () => number;
  /** Conferences that have ended, by id; the newest ones. */
  readonly #over = new Set<string>();
  /** Ends that are being handled: told again, they add nothing. */
  readonly #working = new Set<string>();

  /** Goes on with the ends that another incarnation left. */
  constructor(
    ends: ConferenceEnds,
    members: ConferenceMembers,
    backlog: Backlog,
    listener: EndListener,
    now: () => number,
  ) {
    this.#ends = ends;
    this.#members = members;
    this.#backlog = backlog;
    this.#listener = listener;
    this.#now = now;
    for (const { id, ...end } of ends.all()) backlog.queue(this.#ending(end, id));
  }

  /** Whether the conference is known to have ended. */
  isOver(conference_id: string): boolean {
    return this.#over.has(conference_id);
  }

  /** The end concerns everybody in the conference. */
  ended(event: ConferenceEvent, told: ToldOfEnd, ids_known: boolean): void {
    const { name: room = "", conference_id = "", call_id_ending_conf: ended_by = null } = event.params;
    const at = this.#now();
    if (told.trusted) this.#backlog.begin(this.#listener.emptied(room, at));
    if (room === "" || conference_id === "") return;
    if (told.trusted) this.#rememberOver(conference_id);
    const found =
      told.trusted && ids_known
        ? this.#members.foundBy(room, conference_id, {
            ended_ts: event.timestamp ?? 0,
            isSplit: this.#listener.isSplit(room),
          })
        : { found_cxml: false, found_others: false };
    const end = { ...told, ...found, room, conference_id, ended_by, ts: event.timestamp ?? null, at };
    const isLong = this.#members.participantsOf(end).length > AT_ONCE;
    // The same end told again meanwhile adds nothing.
    if (isLong && this.#working.has(keyOf(end))) return;
    if (isLong) this.#working.add(keyOf(end));
    this.#backlog.begin(this.#ending(end, isLong ? this.#ends.add(end) : null));
  }

  #rememberOver(conference_id: string): void {
    this.#over.delete(conference_id);
    this.#over.add(conference_id);
    dropOldest(this.#over, CONFERENCES);
  }

  /** @param id of its row, if it has one. */
  *#ending(end: ConferenceEnd, id: number | null): Job {
    const { tenant } = end;
    const isItsTenants = (row: LivePlacement) => tenant === null || row.tenant === tenant;
    for (const key of inSlices(this.#members.participantsOf(end))) {
      if (key === null) yield;
      else {
        if (!this.#members.isIn(key, end) || !isItsTenants(key)) continue;
        // A participant that throws does not keep the others in a conference that is over.
        try {
          this.#listener.endedFor(key, end);
        } catch (error) {
          log("error", "backlog.broke", { call: key.call_id, error: describeError(error) });
        }
      }
    }
    this.#working.delete(keyOf(end));
    if (id !== null) this.#ends.done(id);
  }
}

function keyOf({ room, conference_id, feed, trusted, tenant }: ConferenceEnd): string {
  return JSON.stringify([room, conference_id, feed, trusted, tenant]);
}
