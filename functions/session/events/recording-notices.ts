import { mayBeRecorded } from "../../../shared/documents/fixed-words.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { describeError, log } from "../../log.ts";
import type { RestOutcome } from "../../rest.ts";
import { timeoutOr } from "../../timeout.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Turns } from "../store/turns.ts";
import type { Announcer } from "./announcer.ts";

/** Waits before each further try; then the next alarm tries again. */
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000] as const;
/** SignalWire fetches what it is to announce at once: a fetch that has not come by then is not waited for. */
const FETCHED_MS = 5_000;
/** REST takes an announcement so often that nobody fetches: the fetch may be what we never heard of, and callers would hear it for ever. */
const MOST_TAKEN = 3;
/** Participants written down as told in one turn. */
const AT_ONCE = 20;
/** Calls of which it is remembered that their callers were told. */
const HEARD = 10_000;
/** Rooms looked at in one turn, for whether somebody in them is to be told. */
const ROOMS_AT_ONCE = 200;

/** What a conference's events, and a form of its recording, say of it. */
const BEGINS = new Set(["record-start", "record-resume", "recording-in-progress"]);
const ENDS = new Set([
  "record-stop",
  "recording-completed",
  "recording-absent",
  "recording-failed",
  "conference-end",
]);

/** A room that is being told. */
interface Telling {
  /** There is more to tell. */
  again: boolean;
  /** REST's sid of its conference, once the announcement is asked for. */
  conference: string | null;
  fetched: PromiseWithResolvers<true>;
}

interface NoticesHost {
  placements: Placements;
  occupancy: Occupancy;
  recorded: RecordedRooms;
  history: History;
  turns: Turns;
}

/**
 * Notices — tells callers that they are recorded who were not told before their room: those who are inside when its recording begins,
 * and those who come in by a seat for which they waited. Everybody in the conference hears it. Used by the session.
 */
export class Notices {
  readonly #host: NoticesHost;
  readonly #announcer: Announcer;
  readonly #telling = new Map<string, Telling>();
  /** Calls whose callers heard a notice, as far as this incarnation knows: it is better heard twice than never. */
  readonly #heard = new Set<string>();

  constructor(host: NoticesHost, announcer: Announcer) {
    this.#host = host;
    this.#announcer = announcer;
  }

  /** @param ids_known whether the event's `conference_id` is RELAY's. */
  heard(event: RelayEvent, ids_known: boolean): void {
    if (event.kind !== "conference") return;
    const { status, name, conference_id = null } = event.params;
    if (name === undefined) return;
    const { recorded, occupancy } = this.#host;
    const id = ids_known ? conference_id : null;
    if (ENDS.has(status)) recorded.ended(name, id);
    // Of a room without calls of ours no participant is to be told.
    if (!BEGINS.has(status) || occupancy.tenantIn(name) === null) return;
    recorded.began(name, id);
    this.#tell(name);
  }

  /** A participant-join confirms the placement: of one who is to be told, or who has the room recorded. */
  joined(key: PlacementKey): void {
    const row = this.#host.placements.find(key);
    if (row && (row.untold !== null || row.join.record === "record-from-start")) this.#tell(row.room);
  }

  /**
   * Before a room is recorded: all who are in it count as untold again, and it is announced to the conference at once.
   * @returns those of whom that could not be seen.
   */
  async tellFirst(room: string, conference_id: string | null): Promise<readonly Placement[]> {
    const { recorded, occupancy, placements } = this.#host;
    recorded.began(room, conference_id);
    for (const live of occupancy.participants(room)) this.mustBeTold(placements.find(live));
    const [first] = this.#untold(room);
    if (!first) return [];
    const telling: Telling = { again: false, conference: null, fetched: Promise.withResolvers() };
    this.#telling.set(room, telling);
    try {
      const outcome = await this.#announceTo(first, this.#untold(room), telling);
      const isTaken = outcome.kind === "ok";
      if (await timeoutOr(isTaken ? FETCHED_MS : 0, telling.fetched.promise, false))
        await this.#told(this.#untold(room), { by: "rest", said: "ok" });
      else log("warn", "notice.failed", { room, error: saidOf(outcome) });
      return this.#untold(room);
    } finally {
      this.#telling.delete(room);
      // Who came in meanwhile.
      if (telling.again) this.#tell(room);
    }
  }

  /** Those were told by what was played to each. */
  async toldByRelay(rows: readonly Placement[]): Promise<void> {
    await this.#told(rows, { by: "relay", said: "ok" });
  }

  /** The call is in a room that is recorded, and its own document said nothing of it. */
  mustBeTold(row: Placement | null): void {
    if (row && row.untold === null)
      this.#host.placements.update(row, { untold: JSON.stringify({ say: mayBeRecorded }) });
  }

  /** The call's own document, or its flow, tells it. */
  heardBy(call_id: string): void {
    this.#heard.add(call_id);
    dropOldest(this.#heard, HEARD);
  }

  wasTold(call_id: string): boolean {
    return this.#heard.has(call_id);
  }

  /** SignalWire has fetched what it is to announce in the conference. */
  fetched(conference: string): void {
    for (const telling of this.#telling.values())
      if (telling.conference === conference) telling.fetched.resolve(true);
  }

  /** What another incarnation left, or could not be told before. */
  resume(): void {
    const { recorded, turns } = this.#host;
    recorded.forget();
    turns
      .each(recorded.all(), ROOMS_AT_ONCE, (room) => this.#tell(room))
      .catch((error: unknown) => log("error", "notice.broke", { error: describeError(error) }));
  }

  #tell(room: string): void {
    const telling = this.#telling.get(room);
    if (telling) telling.again = true;
    if (telling || this.#untold(room).length === 0) return;
    const state: Telling = { again: false, conference: null, fetched: Promise.withResolvers() };
    this.#telling.set(room, state);
    this.#tryAll(room, state)
      .catch((error: unknown) => log("error", "notice.broke", { room, error: describeError(error) }))
      .finally(() => {
        this.#telling.delete(room);
        if (state.again) this.#tell(room);
      });
  }

  async #tryAll(room: string, telling: Telling): Promise<void> {
    let taken = 0;
    for (const wait of [...RETRY_MS, null]) {
      const untold = this.#untold(room);
      const [first] = untold;
      if (!first) return;
      const outcome = await this.#announceTo(first, untold, telling);
      const isTaken = outcome.kind === "ok";
      if (isTaken) taken += 1;
      // Who came in meanwhile hears it, too.
      if (await timeoutOr(isTaken ? FETCHED_MS : 0, telling.fetched.promise, false))
        return await this.#told(this.#untold(room), { by: "rest", said: "ok" });
      const said = saidOf(outcome);
      const isLast = wait === null || taken === MOST_TAKEN;
      log(isLast ? "error" : "warn", "notice.failed", { room, error: said });
      // Each try is no news; what came of them is.
      if (isLast)
        return await this.#told(untold, { by: "nobody", said, ...(taken > 0 ? { over: true } : {}) });
      await scheduler.wait(outcome.kind === "later" ? Math.max(wait, outcome.retry_after_ms) : wait);
    }
  }

  async #announceTo(first: Placement, untold: readonly Placement[], telling: Telling): Promise<RestOutcome> {
    const toConference = (sid: string) => {
      telling.conference = sid;
    };
    return await this.#announcer
      .announce(first, untold, toConference)
      .catch((error: unknown): RestOutcome => ({ kind: "failed", reason: describeError(error) }));
  }

  /** @param over Whether they are not told again, though no fetch says that they were. */
  async #told(
    rows: readonly Placement[],
    { by, said, over }: { by: "rest" | "relay" | "nobody"; said: string; over?: true },
  ): Promise<void> {
    const { placements, history, turns } = this.#host;
    await turns.each(rows, AT_ONCE, (row) => {
      if (by !== "nobody" || over) placements.update(row, { untold: null });
      if (by !== "nobody") this.heardBy(row.call_id);
      history.action(row, { deed: "recording notice", by, said });
    });
  }

  /** Those in a room that is recorded who were not told that it is. */
  #untold(room: string): Placement[] {
    const { recorded, occupancy, placements } = this.#host;
    if (!recorded.has(room)) return [];
    return occupancy
      .participants(room)
      .filter(({ untold }) => untold !== null)
      .flatMap((row) => placements.find(row) ?? []);
  }
}

function saidOf(outcome: RestOutcome): string {
  if (outcome.kind === "ok") return "REST took it, and its URL was not fetched";
  return outcome.kind === "failed" ? outcome.reason : outcome.kind;
}
