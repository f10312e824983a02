import { cameAfter, wasThereBefore } from "../../../shared/placement.ts";
import type { ConferenceEnd } from "../store/conference-ends.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import { joinCommandId } from "../store/place-reply.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import { kindOf } from "../store/suspicions.ts";
import type { Occupancy } from "./occupancy.ts";

/** Conferences remembered with the kinds of calls that joined them. */
const CONFERENCES = 2_000;
/** Calls remembered with the conference in which REST found them. */
const FOUND = 5_000;

/**
 * ConferenceMembers — which calls were in a conference whose end tells nothing but its id: by the joins that were told of, and by where
 * REST listed them. Used for events and lists; in memory only, since the next events and lists teach it again.
 */
export class ConferenceMembers {
  readonly #occupancy: Occupancy;
  readonly #observations: Observations;
  /** Whether calls by cXML, by other ways, or both joined a conference, by its id; the newest ones. */
  readonly #kindsIn = new Map<string, Set<boolean>>();
  /** By placement: the sid of the conference in which REST listed its call last; the newest ones. */
  readonly #sids = new Map<string, string>();

  constructor(occupancy: Occupancy, observations: Observations) {
    this.#occupancy = occupancy;
    this.#observations = observations;
  }

  /** REST lists the row's call in the conference of this sid, which may be RELAY's id. */
  foundUnder(row: Placement, sid: string): void {
    const key = joinCommandId(row);
    this.#sids.delete(key);
    this.#sids.set(key, sid);
    dropOldest(this.#sids, FOUND);
    this.joined(row, sid);
  }

  /** The conference of this sid, for a row: where REST's sid is RELAY's id. */
  named(sid: string): Pick<Changes, "conference_id"> {
    return sidsAreIds(this.#observations) ? { conference_id: sid } : {};
  }

  /** The sid of the conference in which REST listed the row's call last; null if it is not known. */
  sidOf(row: Pick<Placement, "call_id" | "entry" | "step">): string | null {
    return this.#sids.get(joinCommandId(row)) ?? null;
  }

  /** The row's call was seen to join the conference. */
  joined(row: Placement, conference_id: string): void {
    const kinds = this.#kindsIn.get(conference_id) ?? new Set();
    kinds.add(isByCxml(row));
    if (kinds.size === 2) this.#observations.saw("cxml_shares_conferences", true);
    this.#kindsIn.delete(conference_id);
    this.#kindsIn.set(conference_id, kinds);
    dropOldest(this.#kindsIn, CONFERENCES);
  }

  /**
   * A conference's end tells its id, which was never told of those whom REST found under its name, or whose join a callback told by
   * another id. They were in it, unless another conference of that name could hold them.
   * @param isSplit whether two conferences are live under the name.
   */
  foundBy(
    room: string,
    conference_id: string,
    { ended_ts, isSplit }: { ended_ts: number; isSplit: boolean },
  ): Pick<ConferenceEnd, "found_cxml" | "found_others"> {
    const there = this.#occupancy.participants(room);
    // A participant who came after the end is in a later conference.
    const isElsewhere = (row: LivePlacement) =>
      row.conference_id !== null &&
      row.conference_id !== conference_id &&
      row.doubted_at === null &&
      !cameAfter(row, ended_ts);
    const isOneOfTwo = isSplit || this.#observations.has("two_conferences_under_one_name", true);
    if (isOneOfTwo || there.some(isElsewhere)) return { found_cxml: false, found_others: false };
    if (this.#observations.has("cxml_shares_conferences", true))
      return { found_cxml: true, found_others: true };
    // cXML may have conferences of its own: a call of the same kind must have been in this one, unless no call came by cXML.
    const kinds = this.#kindsIn.get(conference_id);
    return {
      found_cxml: kinds?.has(true) === true,
      found_others: kinds === undefined ? !there.some(isByCxml) : kinds.has(false),
    };
  }

  /** Participants whom the end concerns: in the conference by an event that told its id, or by all else that is known. */
  participantsOf(end: ConferenceEnd): LivePlacement[] {
    const { room, conference_id } = end;
    const found = this.#occupancy
      .joinedTo(room, conference_id)
      .perhaps.filter((row) => this.#wasIn(row, end));
    return [...this.#occupancy.inConference(room, conference_id), ...found];
  }

  /** Whether the end concerns the row. The name may belong to a later conference by now, and the call to that one. */
  isIn(row: LivePlacement, end: ConferenceEnd): boolean {
    if (row.room !== end.room || row.created_at > end.at) return false;
    return row.conference_id === end.conference_id || this.#wasIn(row, end);
  }

  /**
   * Whether a participant whose conference id is not known was in the one that ended. Where REST found the call the sid says so; one
   * that is another counts against it, unless the project was seen to have sids that are not RELAY's ids.
   */
  #wasIn(
    row: LivePlacement,
    { ts, trusted, conference_id, found_cxml, found_others }: ConferenceEnd,
  ): boolean {
    if (row.state !== "joined" || row.conference_id !== null || ts === null) return false;
    if (!wasThereBefore(row, ts)) return false;
    const sid = this.#sids.get(joinCommandId(row));
    if (trusted && sid === conference_id) return true;
    if (sid !== undefined && !this.#observations.has("conference_sid_is_conference_id", false)) return false;
    return isByCxml(row) ? found_cxml : found_others;
  }
}

/** Whether a conference's sid, in REST and in forms, is RELAY's `conference_id`: seen to be, and never seen not to be. */
export function sidsAreIds(observations: Pick<Observations, "has">): boolean {
  const question = "conference_sid_is_conference_id";
  return observations.has(question, true) && !observations.has(question, false);
}

function isByCxml(row: LivePlacement | Placement): boolean {
  return kindOf(row).ingress === "cxml";
}
