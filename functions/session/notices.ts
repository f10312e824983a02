import { ivBytes } from "../../shared/credentials.ts";
import { sealTicket } from "../../shared/notice-ticket.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import type { Spoken } from "../../shared/rules/decision.ts";
import { describeError, log } from "../log.ts";
import { announceIn, findInRooms, type RestOutcome } from "../rest.ts";
import { sealKeysOf } from "../seal-keys-of.ts";
import { sidsAreIds } from "./confirming.ts";
import type { PlacementKey } from "./contract.ts";
import type { Journal } from "./journal.ts";
import type { Link } from "./link.ts";
import type { Observations } from "./observations.ts";
import type { Placement, Placements } from "./placements.ts";
import type { RecordedRooms } from "./recorded-rooms.ts";
import { hooksOf } from "./resume-url-of.ts";
import type { Rooms } from "./rooms.ts";
import type { Turns } from "./turns.ts";

const REST_MS = 4_000;
/** Waits before each further try; then the next alarm tries again. */
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000] as const;
/** Callers of a room whom REST is asked for, to find their conference. */
const ASKED_FOR = 3;
/** Participants written down as told in one turn. */
const AT_ONCE = 20;

/** What a conference's events, and a form of its recording, say of it. */
const BEGINS = new Set(["record-start", "record-resume", "recording-in-progress"]);
const ENDS = new Set([
  "record-stop",
  "recording-completed",
  "recording-absent",
  "recording-failed",
  "conference-end",
]);

interface NoticesHost {
  placements: Placements;
  rooms: Rooms;
  recorded: RecordedRooms;
  journal: Journal;
  observations: Observations;
  turns: Turns;
  link: Pick<Link, "rest" | "project">;
}

/**
 * Notices — tells callers that they are recorded who were not told before their room: those who are inside when its recording begins,
 * and those who come in by a seat for which they waited. Everybody in the conference hears it. Used by the session.
 */
export class Notices {
  readonly #host: NoticesHost;
  readonly #credentials_key: string | undefined;
  /** Rooms that are being told, and whether there is more to tell. */
  readonly #telling = new Map<string, { again: boolean }>();

  constructor(host: NoticesHost, credentials_key: string | undefined) {
    this.#host = host;
    this.#credentials_key = credentials_key;
  }

  /** @param ids_known whether the event's `conference_id` is RELAY's; a form's is where the project has shown it. */
  heard(event: RelayEvent, ids_known: boolean): void {
    if (event.kind !== "conference") return;
    const { status, name, conference_id = null } = event.params;
    if (name === undefined) return;
    const { recorded, rooms, observations } = this.#host;
    const id = ids_known || sidsAreIds(observations) ? conference_id : null;
    if (ENDS.has(status)) recorded.ended(name, id);
    // Of a room without calls of ours no participant is to be told.
    if (!BEGINS.has(status) || rooms.tenantIn(name) === null) return;
    recorded.began(name, id);
    this.#tell(name);
  }

  /** A participant-join confirms the placement. */
  joined(key: PlacementKey): void {
    const row = this.#host.placements.find(key);
    if (row?.untold != null) this.#tell(row.room);
  }

  /** What another incarnation left, or could not be told before. */
  resume(): void {
    this.#host.recorded.forget();
    for (const room of this.#host.recorded.all()) this.#tell(room);
  }

  #tell(room: string): void {
    const telling = this.#telling.get(room);
    if (telling) telling.again = true;
    if (telling || this.#untold(room).length === 0) return;
    const state = { again: false };
    this.#telling.set(room, state);
    this.#tryAll(room)
      .catch((error: unknown) => log("error", "notice.broke", { room, error: describeError(error) }))
      .finally(() => {
        this.#telling.delete(room);
        if (state.again) this.#tell(room);
      });
  }

  async #tryAll(room: string): Promise<void> {
    for (const wait of [...RETRY_MS, null]) {
      const untold = this.#untold(room);
      const [first] = untold;
      if (!first) return;
      const outcome = await this.#announce(first, untold).catch(
        (error: unknown): RestOutcome => ({ kind: "failed", reason: describeError(error) }),
      );
      const said = outcome.kind === "failed" ? outcome.reason : outcome.kind;
      const isDone = outcome.kind === "ok";
      // Each try is no news; what came of them is.
      if (isDone || wait === null) await this.#told(untold, isDone, said);
      if (isDone) return;
      log(wait === null ? "error" : "warn", "notice.failed", { room, error: said });
      if (wait === null) return;
      await scheduler.wait(outcome.kind === "later" ? Math.max(wait, outcome.retry_after_ms) : wait);
    }
  }

  async #told(untold: readonly Placement[], isDone: boolean, said: string): Promise<void> {
    const { placements, journal, turns } = this.#host;
    await turns.each(untold, AT_ONCE, (row) => {
      if (isDone) placements.update(row, { untold: null });
      journal.deed(row, { deed: "recording notice", by: isDone ? "rest" : "nobody", said });
    });
  }

  /** Those in a room that is recorded who were not told that it is. */
  #untold(room: string): Placement[] {
    const { recorded, rooms, placements } = this.#host;
    if (!recorded.has(room)) return [];
    return rooms
      .participants(room)
      .filter(({ untold }) => untold !== null)
      .flatMap((row) => placements.find(row) ?? []);
  }

  async #announce(first: Placement, untold: readonly Placement[]): Promise<RestOutcome> {
    const { link } = this.#host;
    const hooks = hooksOf(first.join);
    if (hooks === null)
      return { kind: "failed", reason: "the URL at which SignalWire reaches us is not known" };
    const conference = await this.#sidOf(first.room, untold);
    if (conference === null) return { kind: "failed", reason: "REST does not list the conference" };
    const words = JSON.parse(first.untold ?? "{}") as Spoken; // Written when the row was planned.
    const ticket = await sealTicket(
      await sealKeysOf(this.#credentials_key, await link.project()),
      { tenant: first.tenant, conference },
      words,
      Date.now(),
      crypto.getRandomValues(new Uint8Array(ivBytes)),
    );
    const url = `${hooks}/notice?${new URLSearchParams({ conference, ticket })}`;
    return await link.rest("command", REST_MS, (project, signal) =>
      announceIn(project, conference, url, signal),
    );
  }

  async #sidOf(room: string, untold: readonly Placement[]): Promise<string | null> {
    const { link, recorded, observations } = this.#host;
    const id = recorded.conferenceIn(room);
    if (id !== null && sidsAreIds(observations)) return id;
    for (const { call_id } of untold.slice(0, ASKED_FOR)) {
      const sid = await link.rest("command", REST_MS, (project, signal) =>
        findInRooms(project, [room], call_id, signal),
      );
      if (sid !== null) return sid;
    }
    return null;
  }
}
