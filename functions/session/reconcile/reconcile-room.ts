import { evidenceOfList, LIST_LAG_MS } from "../../../shared/evidence.ts";
import { isLive, mayMove } from "../../../shared/placement.ts";
import { type RoomListing, sidListing } from "../../rest-conferences.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import { type Placement, readTransitions } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Checked } from "../store/room-checks.ts";
import { listable } from "../store/suspicions.ts";
import type { Turns } from "../store/turns.ts";
import { isBeingPutBack } from "./absence.ts";
import type { Corrections } from "./corrections.ts";
import type { MissingCalls } from "./missing-calls.ts";
import { observeListing } from "./observe-listing.ts";

/** So long before the seat of a call lapses that nobody saw come, an unknown call there is counted in its place. */
const LAPSING_MS = 2_000;
/** Participants written in one turn, as found in their room. */
const FOUND_AT_ONCE = 20;

interface RoomReconcilerHost {
  placements: Placements;
  occupancy: Occupancy;
  observations: Observations;
  corrections: Corrections;
  turns: Turns;
}

/** What REST has in the room. Rejects where it does not say. */
export type ListRoom = (room: string) => Promise<RoomListing>;

/**
 * RoomReconciler — compares the ledger of one room with what REST lists, and counts those in it whom nobody placed there. Only what is
 * listed, or missing from a proved list, changes anything. Used by the reconciler.
 */
export class RoomReconciler {
  readonly #host: RoomReconcilerHost;
  readonly #missing: MissingCalls;
  readonly #list: ListRoom;
  readonly #now: () => number;

  constructor(host: RoomReconcilerHost, missing: MissingCalls, list: ListRoom, now: () => number) {
    this.#host = host;
    this.#missing = missing;
    this.#list = list;
    this.#now = now;
  }

  /** Rejects where REST does not answer. */
  async reconcile(room: string): Promise<Checked & { repaired: number }> {
    const { placements, occupancy, turns, corrections, observations } = this.#host;
    const asked_at = this.#now();
    const before = new Map(occupancy.around(room).map((row) => [row, row.moves]));
    const listing = await this.#list(room);
    // Of several rooms the answers may come together.
    await turns.next();
    const around = occupancy.around(room);
    observeListing(observations, listing, around, this.#now());
    const present = new Set(listing.conferences.flatMap(({ call_ids }) => [...call_ids]));
    const live = around.filter(({ call_id }) => present.has(call_id));
    const here = new Set(live.map(({ call_id }) => call_id));
    const others = [...present].flatMap((call_id) =>
      here.has(call_id) ? [] : (placements.currentOf(call_id)[0] ?? []),
    );
    const known = live.length + others.length;
    const over = others.filter((row) => row.room === room);
    // What moved while REST answered is newer than its answer.
    const isAsItWas = (row: LivePlacement) => before.get(row) === row.moves;
    const joins = live.filter(
      (row) =>
        row.state !== "joined" &&
        mayMove(row.state, "joined") &&
        !isBeingPutBack(row, asked_at) &&
        isAsItWas(row),
    );
    const rejoins = over.filter((row) => isBackByDocument(row, asked_at));
    const confirmed = live.filter((row) => row.state === "joined" && isAsItWas(row));
    const absent = around.filter((row) => !present.has(row.call_id));
    const participants = around.map(listable);
    const unlisted = absent.filter((row) => row.state === "joined" && isAsItWas(row));
    const missing = unlisted.filter(
      (row) => evidenceOfList(listing, listable(row), participants, asked_at) === "missing",
    );
    const isMissing = new Set(missing);
    const released = missing.filter((row) => row.presumed_gone_at === null).length;
    const back = confirmed.filter((row) => row.presumed_gone_at !== null).length;
    for (const row of rejoins) corrections.found(row, sidListing(listing, row.call_id));
    await turns.each([...joins, ...confirmed], FOUND_AT_ONCE, (row) => {
      const found = isAsItWas(row) ? placements.find(row) : null;
      if (found) corrections.found(found, sidListing(listing, row.call_id));
    });
    await Promise.all([
      this.#missing.missing(missing, asked_at),
      this.#missing.unlisted(unlisted.filter((row) => !isMissing.has(row))),
    ]);
    const held = [...live, ...over].filter((row) => occupancy.holdsSeat(row)).length;
    // Where REST knows none of our names, those on their way are among its strangers, too.
    const isLasting = (row: LivePlacement) =>
      occupancy.holdsSeat(row) && occupancy.heldUntil(row) > asked_at + LAPSING_MS;
    const isUnmatched = (row: LivePlacement) =>
      (row.state === "joined" && occupancy.holdsSeat(row)) || (known === 0 && isLasting(row));
    const unmatched = absent.filter(isUnmatched).length;
    // The list may show what was: who has just left is no stranger.
    const gone =
      over.filter((row) => row.state === "left" && movedAt(row) > asked_at - LIST_LAG_MS).length +
      live.filter((row) => !isLive(row.state)).length;
    const counted = Math.max(0, present.size - held - unmatched - gone);
    // A list that leaves somebody out may show strangers, and never that there are fewer.
    const strangers = listing.complete ? counted : Math.max(counted, occupancy.strangersIn(room));
    const areCounted = strangers === counted;
    const repaired = joins.length + rejoins.length + released + back;
    const unseen = absent.filter((row) => row.state !== "joined" && isLasting(row));
    // Whether these came is not known.
    const lapses = present.size > known ? unseen.map((row) => occupancy.heldUntil(row) - LAPSING_MS) : [];
    return {
      strangers,
      areCounted,
      repaired,
      wasNeedless: repaired === 0 && strangers === occupancy.strangersIn(room),
      again_at: lapses.length > 0 ? Math.min(...lapses) : null,
    };
  }
}

/** Its document brought its call back, and nothing told of it. */
function isBackByDocument(row: Placement, asked_at: number): boolean {
  if (row.state !== "left" || row.joined_by !== "document") return false;
  return movedAt(row) < asked_at - LIST_LAG_MS;
}

function movedAt({ trail }: Placement): number {
  return readTransitions(trail).at(-1)?.at ?? 0;
}
