import { RpcTarget } from "cloudflare:workers";
import { isOpen } from "../../../shared/dialing.ts";
import type { DialReply, DialRequest, DialsPage, DialsQuery, DialView } from "../contract/dial.ts";
import type { Namings } from "../seats/room-naming.ts";
import type { Dial, Dials } from "../store/dials.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import { DIALLED_ENTRY, type Dialer } from "./dialer.ts";

/** Calls of one tenant that may wait for their turn. */
const QUEUED = 1_000;
/** Page size for a Worker of the version before. */
const OLD_PAGE = 200;
/** Most rows that are read for one page. */
const PAGE_ROWS = 900;
/** A placement is read by its index, and sorted. */
const ROWS_PER_PLACEMENT = 3;

interface DialDeskHost {
  dials: Dials;
  placements: Placements;
  namings: Namings;
  policies: Pick<RoomPolicies, "lockOf">;
}

/**
 * DialDesk — takes requests for outbound calls, each once, and says how those calls stand. Used by the API.
 */
export class DialDesk extends RpcTarget {
  readonly #host: DialDeskHost;
  readonly #dialer: Dialer;
  readonly #asked: (project_id: string) => void;

  /** @param asked told of each request, before anything else. */
  constructor(host: DialDeskHost, dialer: Dialer, asked: (project_id: string) => void) {
    super();
    this.#host = host;
    this.#dialer = dialer;
    this.#asked = asked;
  }

  /** Idempotent. */
  request(asked: DialRequest): DialReply {
    const { dials, namings } = this.#host;
    const { tenant } = asked;
    this.#asked(asked.project_id);
    const [room] = namings.settle({ ...asked, rooms: [asked.room] });
    const request = { ...asked, room };
    const known = dials.find(tenant, request.id);
    if (known) {
      // Its room may have another wire name by now.
      const isSame =
        known.request.to === request.to &&
        known.request.send_digits === request.send_digits &&
        known.request.decision.rooms[0] === request.decision.rooms[0];
      return isSame ? { outcome: "known", dial: this.#shown(known) } : { outcome: "conflict" };
    }
    if (this.#host.policies.lockOf(room) !== null) return { outcome: "locked" };
    if (dials.countQueued(tenant, QUEUED) >= QUEUED) return { outcome: "many" };
    const dial = dials.add(crypto.randomUUID(), request);
    this.#dialer.added();
    return { outcome: "made", dial: this.#shown(dials.byTag(dial.tag) ?? dial) };
  }

  view(tenant: string, id: string): DialView | null {
    const dial = this.#host.dials.find(tenant, id);
    return dial && this.#shown(dial);
  }

  /** For a Worker of the version before, which knows no pages. */
  ofTenant(tenant: string): DialView[] {
    return this.page(tenant, { limit: OLD_PAGE }).dials;
  }

  /** Newest first. */
  page(tenant: string, { after = Number.MAX_SAFE_INTEGER, limit, state }: DialsQuery): DialsPage {
    const found = this.#host.dials.ofTenant(tenant, after, limit);
    const dials: DialView[] = [];
    let read = found.length;
    for (const dial of found) {
      const placements = this.#placementsOf(dial);
      const view = viewOf(dial, placements);
      if (state === undefined || view.state === state) dials.push(view);
      read += placements.length * ROWS_PER_PLACEMENT;
      if (read > PAGE_ROWS) return { dials, next: dial.seq };
    }
    return { dials, next: found.length < limit ? null : (found.at(-1)?.seq ?? null) };
  }

  /** Null if there is no such call. A call that is answered already goes on. */
  cancel(tenant: string, id: string): DialView | null {
    const dial = this.#host.dials.find(tenant, id);
    if (!dial) return null;
    this.#dialer.cancel(dial);
    return this.#shown(dial);
  }

  #shown(dial: Dial): DialView {
    return viewOf(dial, this.#placementsOf(dial));
  }

  #placementsOf({ call_id, state }: Dial): readonly Placement[] {
    return call_id === null || isOpen(state) ? [] : this.#host.placements.glimpse(call_id);
  }
}

function viewOf(
  { id, tenant: _, request, state, reason, call_id, created_at, updated_at }: Dial,
  placements: readonly Placement[],
): DialView {
  const { to, from, room, decision } = request;
  const view = { id, to, from, room, role: decision.role, call_id, created_at, updated_at };
  const row = placements.find(({ entry }) => entry === DIALLED_ENTRY);
  if (!row) return { ...view, state: state === "answered" ? "joining" : state, reason };
  // Nothing but a seat is in the way of a call that an operator asked for.
  if (row.turned_away !== null) return { ...view, state: "full", reason: row.reason };
  if (row.state === "joined" || row.state === "left")
    return { ...view, state: row.state, reason: row.reason };
  return { ...view, state: state === "answered" ? "joining" : state, reason: row.reason };
}
