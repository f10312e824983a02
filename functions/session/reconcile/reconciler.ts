import { tooMany } from "../../../shared/evidence.ts";
import { describeError, log } from "../../log.ts";
import { type CallStatuses, callStatuses, evidenceOfStatuses } from "../../rest-calls.ts";
import { listRoom, type RoomListing } from "../../rest-conferences.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Counters } from "../store/counters.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Heard, RoomCheck, RoomChecks } from "../store/room-checks.ts";
import { kindOf, type Suspicions } from "../store/suspicions.ts";
import type { Turns } from "../store/turns.ts";
import type { Corrections } from "./corrections.ts";
import { reconcileRoom } from "./reconcile-room.ts";

/** A room with somebody in it is checked this often where nothing else gave cause: the last leave of all may be lost. */
const ROUTINE_MS = 300_000;
/** Rooms looked at for that at one alarm, more than REST is asked about until the next; that one goes on behind them. */
const ROUTINE_ROOMS = 300;
/** Rooms looked at in one turn. */
const ROOMS_AT_ONCE = 100;
/** Participants looked at for a doubt that has lasted too long at one alarm; the next goes on behind them. */
const DOUBTED_AT_ONCE = 5_000;
/** Participants whose rows are written in one turn. */
const WRITTEN_AT_ONCE = 20;
/** Missing calls of one list whose own status is asked for; the others are asked about by the next list. */
const ASKED_AT_ONCE = 20;

/** A call in doubt that no list shows is asked about again after this; at each list where somebody waits for its room. */
const ASKED_AGAIN_MS = 30_000;
/**
 * Nothing speaks against a call that no list shows, but the one event of its end may be lost: some of those whom nothing has
 * confirmed for this long are asked about, too, and again after as long.
 */
const UNHEARD_MS = 60_000;
const UNHEARD_AT_ONCE = 3;

const REST_MS = 4_000;

export interface ReconcilerHost {
  placements: Placements;
  occupancy: Occupancy;
  checks: RoomChecks;
  suspicions: Suspicions;
  observations: Observations;
  corrections: Corrections;
  counters: Counters;
  turns: Turns;
  /** What REST has in the room. Rejects where it does not say. */
  list(room: string): Promise<RoomListing>;
  /** The call's own status. Rejects where REST does not answer. */
  statuses(row: Placement): Promise<CallStatuses>;
  /** How long a participant in doubt keeps the seat without evidence, ms. */
  seat_doubt_ms(): number;
}

/** What REST says, asked over the few connections that a session has. */
export function askingBy(
  relayManager: RelayManager,
): Pick<ReconcilerHost, "list" | "statuses" | "seat_doubt_ms"> {
  return {
    list: async (room) =>
      await relayManager.rest("list", REST_MS, (project, signal) => listRoom(project, room, signal)),
    statuses: async ({ call_id, segment_id }) =>
      await relayManager.rest("question", REST_MS, (project, signal) =>
        callStatuses(project, call_id, segment_id, signal),
      ),
    seat_doubt_ms: () => relayManager.seat_doubt_ms,
  };
}

/**
 * Reconciler — compares rooms with what SignalWire says of them: by the sizes that events tell, by REST, and by how long a doubt has
 * lasted. Used by the dispatcher.
 */
export class Reconciler {
  readonly #host: ReconcilerHost;
  readonly #now: () => number;
  /** Behind whom the next alarm goes on. */
  #rooms: Iterator<string> | null = null;
  #unconfirmed: Iterator<LivePlacement> | null = null;
  /** When a call in doubt that no list shows was asked about last, ms. */
  readonly #askedAt = new WeakMap<LivePlacement, number>();

  constructor(host: ReconcilerHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  /** By the clock alone, since where an event is lost nothing may ever speak of the room again. */
  async routine(): Promise<void> {
    const { occupancy, checks } = this.#host;
    this.#rooms ??= [...occupancy.all()].values();
    const names = take(this.#rooms, ROUTINE_ROOMS);
    if (names.length < ROUTINE_ROOMS) this.#rooms = null;
    const placed_before = this.#now() - ROUTINE_MS;
    checks.forget();
    await this.#host.turns.each(names, ROOMS_AT_ONCE, (room) => {
      if (occupancy.isOccupied(room, placed_before, "anyhow")) checks.demandAfter(room, ROUTINE_MS);
    });
    await this.#releaseDoubted();
  }

  /** After a gap in RELAY's events: calls that it placed are asked about one by one, and here the others. */
  async afterGap(): Promise<void> {
    const { occupancy, checks } = this.#host;
    await occupancy.known();
    const now = this.#now();
    await this.#host.turns.each([...occupancy.all()], ROOMS_AT_ONCE, (room) => {
      if (occupancy.isOccupied(room, now, "document")) checks.demand(room);
    });
  }

  /** A caller found no seat in them: whether all are taken in truth is asked. */
  doubt(names: readonly string[]): void {
    const { occupancy, checks } = this.#host;
    for (const room of names) if (occupancy.countJoined(room) > 0) checks.demand(room);
  }

  /** Does what is due. */
  async run(): Promise<void> {
    const { checks } = this.#host;
    for (const heard of checks.settled()) await this.#compare(heard);
    await Promise.all(checks.takeDue().map((check) => this.#check(check)));
  }

  /** A conference's size, as its newest event told it, and our count of it. */
  async #compare(heard: Heard): Promise<void> {
    const { occupancy, checks, suspicions, corrections } = this.#host;
    const { conference_id, room, size, isTrusted, mayCountLeaver } = heard;
    const { surely, perhaps } = occupancy.joinedTo(room, conference_id);
    const counted = surely.filter(({ presumed_gone_at }) => presumed_gone_at === null);
    if (counted.length !== size && occupancy.around(room).length > 0) checks.demand(room);
    if (!isTrusted) return;
    const isEqual = size === surely.length || size === surely.length + perhaps.length;
    // With the one who left it would be equal to a count that has one too many.
    if (isEqual && mayCountLeaver) return;
    if (isEqual) {
      suspicions.confirmed(conference_id);
      const released = surely.filter(({ presumed_gone_at }) => presumed_gone_at !== null);
      await this.#write(released, (row) => corrections.bringBack(row));
      return;
    }
    if (size >= counted.length) return;
    const since = checks.below(heard);
    const excess = tooMany(counted.length, size, since, this.#now());
    const said = `events tell of ${size} in the conference, and ${counted.length} were counted`;
    await this.#write(this.#doubtfulFirst(counted).slice(0, excess), (row) => corrections.release(row, said));
  }

  /** Those against whom most speaks come first. */
  #doubtfulFirst(rows: readonly LivePlacement[]): LivePlacement[] {
    const { suspicions } = this.#host;
    const rank = (row: LivePlacement) =>
      row.unsigned_leave_at ?? suspicions.since(row) ?? Number.MAX_SAFE_INTEGER;
    const confirmed_at = ({ verified_at, created_at }: LivePlacement) => verified_at ?? created_at;
    return rows.toSorted((a, b) => rank(a) - rank(b) || confirmed_at(a) - confirmed_at(b));
  }

  /** Where there was cause for doubt, and no evidence either way since. */
  async #releaseDoubted(): Promise<void> {
    const { occupancy, suspicions, corrections, seat_doubt_ms } = this.#host;
    const before = this.#now() - seat_doubt_ms();
    this.#unconfirmed ??= occupancy.unconfirmedSince(before);
    const rows = take(this.#unconfirmed, DOUBTED_AT_ONCE);
    if (rows.length < DOUBTED_AT_ONCE) this.#unconfirmed = null;
    const doubted = rows.filter((row) => (suspicions.since(row) ?? Number.MAX_SAFE_INTEGER) <= before);
    await this.#write(doubted, (row) =>
      corrections.release(row, "it was in doubt for too long, without evidence"),
    );
  }

  async #write(rows: readonly LivePlacement[], act: (row: Placement) => void): Promise<void> {
    await this.#host.turns.each(rows, WRITTEN_AT_ONCE, (key) => {
      const row = this.#host.placements.find(key);
      if (row) act(row);
    });
  }

  async #check(check: RoomCheck): Promise<void> {
    const { placements, occupancy, checks, corrections, counters, turns, list } = this.#host;
    const { room } = check;
    counters.add("room_checks");
    try {
      const { repaired, ...checked } = await reconcileRoom(
        {
          placements,
          occupancy,
          turns,
          now: this.#now,
          list,
          listed: (listing, around) => this.#observe(listing, around),
          found: (row, sid) => corrections.found(row, sid),
          missing: (rows, asked_at) => this.#missing(rows, asked_at),
          unlisted: (rows) => this.#unlisted(rows),
        },
        room,
      );
      const isOther = checks.checked(check, checked);
      if (checked.wasNeedless && !isOther) return;
      counters.add("repaired_rooms");
      placements.touched(room);
      log("warn", "room.repaired", { room, calls: repaired, strangers: checked.strangers });
    } catch (error) {
      // The lease brings it again.
      log("warn", "room.unchecked", { room, error: describeError(error) });
    }
  }

  async #missing(rows: readonly LivePlacement[], asked_at: number): Promise<void> {
    const { placements, corrections, statuses } = this.#host;
    const ask = async (key: LivePlacement): Promise<void> => {
      const row = placements.find(key);
      if (!row) return;
      const { trail } = row;
      const said = evidenceOfStatuses(await statuses(row));
      // What moved while REST answered is newer than its answer.
      if (row.trail !== trail) return;
      if (said === "over") corrections.over(row, "its status says that the call is over");
      else corrections.missing(row, asked_at);
    };
    await Promise.all(rows.slice(0, ASKED_AT_ONCE).map(ask));
  }

  /** Somebody may want the seat of a call that is over, of which neither a list nor an event tells: its own status does. */
  async #unlisted(rows: readonly LivePlacement[]): Promise<void> {
    const { placements, corrections, statuses } = this.#host;
    const now = this.#now();
    const ask = async (key: LivePlacement): Promise<void> => {
      const row = placements.find(key);
      if (!row) return;
      this.#askedAt.set(key, now);
      const { trail } = row;
      const answer = await statuses(row).catch((error: unknown) => {
        this.#askedAt.delete(key);
        throw error;
      });
      if (evidenceOfStatuses(answer) === "over" && row.trail === trail)
        corrections.over(row, "its status says that the call is over");
    };
    await Promise.all(this.#toBeAsked(rows, now).map(ask));
  }

  #toBeAsked(rows: readonly LivePlacement[], now: number): LivePlacement[] {
    const { occupancy, suspicions } = this.#host;
    const wasAskedSince = (row: LivePlacement, at: number) => (this.#askedAt.get(row) ?? 0) > at;
    const inDoubt = rows.filter((row) => suspicions.since(row) !== null);
    const unheard = rows.filter(
      (row) =>
        suspicions.since(row) === null &&
        (row.verified_at ?? row.created_at) <= now - UNHEARD_MS &&
        !wasAskedSince(row, now - UNHEARD_MS),
    );
    const due = inDoubt.filter(
      (row) => occupancy.waiting.has(row.room) || !wasAskedSince(row, now - ASKED_AGAIN_MS),
    );
    return [...due.slice(0, ASKED_AT_ONCE), ...unheard.slice(0, UNHEARD_AT_ONCE)];
  }

  /** What a list shows of SignalWire itself. */
  #observe(listing: RoomListing, around: readonly LivePlacement[]): void {
    observeListing(this.#host.observations, listing, around, this.#now());
  }
}

/** A call that has been in its room for so long is in a list that shows its kind at all. */
const SETTLED_MS = 60_000;

/** Learns from a list what REST lists: which kinds of calls, under whose ids, and how it calls conferences that wait. */
export function observeListing(
  observations: Observations,
  { conferences, complete }: RoomListing,
  around: readonly LivePlacement[],
  now: number,
): void {
  const listed = new Set(conferences.flatMap(({ call_ids }) => [...call_ids]));
  const inRoom = around.filter(({ state, joined_ts }) => state === "joined" && joined_ts !== null);
  for (const { status, call_ids, sid } of conferences) {
    if (status === "init" && call_ids.size > 0) observations.saw("rest_status_while_waiting", "init");
    for (const { conference_id } of inRoom.filter(({ call_id }) => call_ids.has(call_id))) {
      if (conference_id !== null) observations.saw("conference_sid_is_conference_id", conference_id === sid);
    }
  }
  for (const row of inRoom) {
    const question = LISTED_KINDS[kindOf(row).ingress === "cxml" ? "cxml" : (row.joined_by ?? "relay")];
    if (listed.has(row.call_id)) {
      observations.saw(question, true);
      observations.saw("call_sid_is_call_id", true);
    } else if (complete && listed.size > 0 && (row.verified_at ?? row.created_at) < now - SETTLED_MS) {
      observations.saw(
        around.some(({ call_id }) => listed.has(call_id)) ? question : "call_sid_is_call_id",
        false,
      );
    }
  }
}

function take<T>(items: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = items.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

const LISTED_KINDS = {
  relay: "rest_lists_relay_joins",
  document: "rest_lists_swml_joins",
  cxml: "rest_lists_cxml_joins",
} as const;
