import { mayBeRecorded } from "../../../shared/documents/fixed-words.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";
import type { RestOutcome } from "../../rest.ts";
import { announceIn, findInRooms } from "../../rest-conferences.ts";
import type { NoticeUrls } from "../relay/notice-urls.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import { sidsAreIds } from "../seats/conference-members.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import { hooksOf } from "../store/resume-url-of.ts";

const REST_MS = 4_000;
/** Callers of a room whom REST is asked for, to find their conference. */
const ASKED_FOR = 3;

/** Announcer — has SignalWire announce in a conference, once, that it is recorded. Used by Notices. */
export class Announcer {
  readonly #relayManager: Pick<RelayManager, "rest">;
  readonly #urls: NoticeUrls;
  readonly #recorded: RecordedRooms;
  readonly #observations: Observations;

  constructor(
    relayManager: Pick<RelayManager, "rest">,
    urls: NoticeUrls,
    recorded: RecordedRooms,
    observations: Observations,
  ) {
    this.#relayManager = relayManager;
    this.#urls = urls;
    this.#recorded = recorded;
    this.#observations = observations;
  }

  /** @param toConference told the sid of the conference before it is announced there. */
  async announce(
    first: Placement,
    untold: readonly Placement[],
    toConference: (sid: string) => void,
  ): Promise<RestOutcome> {
    if (hooksOf(first.join) === null)
      return { kind: "failed", reason: "the URL at which SignalWire reaches us is not known" };
    const conference = await this.#sidOf(first.room, untold);
    if (conference === null) return { kind: "failed", reason: "REST does not list the conference" };
    toConference(conference);
    const words = JSON.parse(first.untold ?? "{}") as Spoken; // Written when the row was planned.
    // Fewer words, where those make too long a URL.
    const url =
      (await this.#urls.urlFor(first, conference, words)) ??
      (await this.#urls.urlFor(first, conference, { say: mayBeRecorded }));
    if (url === null) return { kind: "failed", reason: "what is to be said makes too long a URL" };
    return await this.#relayManager.rest("command", REST_MS, (project, signal) =>
      announceIn(project, conference, url, signal),
    );
  }

  async #sidOf(room: string, untold: readonly Placement[]): Promise<string | null> {
    const id = this.#recorded.conferenceIn(room);
    if (id !== null && sidsAreIds(this.#observations)) return id;
    for (const { call_id } of untold.slice(0, ASKED_FOR)) {
      const sid = await this.#relayManager.rest("command", REST_MS, (project, signal) =>
        findInRooms(project, [room], call_id, signal),
      );
      if (sid !== null) return sid;
    }
    return null;
  }
}
