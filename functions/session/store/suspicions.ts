import type { Kind, Listable } from "../../../shared/evidence.ts";
import { dropOldest } from "./drop-oldest.ts";
import { dueBy, type Placement } from "./placement-row.ts";
import type { Settings } from "./settings.ts";

/** Gaps in RELAY's events that are remembered; of more, the oldest two count as one that began with the older. */
const GAPS = 100;
/** What a doubt is told by. */
type Suspectable = Pick<Placement, "conference_id" | "created_at" | "verified_at" | "doubted_at">;

/** What a REST list can speak of. */
type Known = Kinded &
  Pick<
    Placement,
    | "call_id"
    | "conference_id"
    | "state"
    | "joined_ts"
    | "created_at"
    | "deadline_at"
    | "lease_until"
    | "hold_at"
  >;
type Kinded = Pick<Placement, "ingress" | "node_id" | "joined_by">;

/** Conferences whose sizes are remembered as confirmed. */
const CONFIRMED = 5_000;

/**
 * Suspicions — whether anything speaks against a participant's being where our rows have it: a gap in RELAY's events since it was
 * last confirmed, or what the row itself holds (an unsigned leave, a size below our count). Used by reconciliation and the roster.
 */
export class Suspicions {
  readonly #settings: Settings;
  readonly #now: () => number;
  /** When RELAY's events stopped coming, oldest first; ms. */
  readonly #gaps: number[];
  /** When a conference's size was last equal to our count; lost with the object, since that loss is a gap itself. */
  readonly #confirmed = new Map<string, number>();

  constructor(settings: Settings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    this.#gaps = JSON.parse(settings.get("gaps") ?? "[]") as number[]; // Written below.
  }

  /** RELAY's events stopped coming, or this object is new: what was told meanwhile is not told again. */
  gapBegan(): void {
    const now = this.#now();
    if ((this.#gaps.at(-1) ?? 0) >= now) return;
    this.#gaps.push(now);
    if (this.#gaps.length > GAPS) this.#gaps.splice(1, 1);
    this.#settings.set("gaps", JSON.stringify(this.#gaps));
  }

  /** An event's size was equal to our count: everybody whom we count there is there. */
  confirmed(conference_id: string): void {
    this.#confirmed.delete(conference_id);
    this.#confirmed.set(conference_id, this.#now());
    dropOldest(this.#confirmed, CONFIRMED);
  }

  /** Since when the participant is in doubt, ms; null: nothing speaks against it. */
  since(row: Suspectable): number | null {
    const confirmed_at = this.#confirmedAt(row);
    const gap = this.#gaps.find((at) => at > confirmed_at) ?? null;
    const own = row.doubted_at !== null && row.doubted_at > confirmed_at ? row.doubted_at : null;
    return gap === null || own === null ? (gap ?? own) : Math.min(gap, own);
  }

  /** By our own clock alone: SignalWire's may be seconds off. */
  #confirmedAt({ conference_id, created_at, verified_at }: Suspectable): number {
    const sized = conference_id === null ? 0 : (this.#confirmed.get(conference_id) ?? 0);
    return Math.max(verified_at ?? created_at, sized);
  }
}

/** The participant as a REST list can speak of it. A doubt since its join is no matter: that a list shows it settles the doubt. */
export function listable(row: Known): Listable {
  const { call_id, conference_id, state, joined_ts, created_at, hold_at } = row;
  const joined_at = joined_ts === null ? created_at : joined_ts * 1000;
  return {
    ...kindOf(row),
    call_id,
    conference_id,
    isConfirmed: state === "joined" && joined_ts !== null,
    since: Math.max(state === "joined" ? joined_at : dueBy(row), hold_at ?? 0),
  };
}

/** How it came and was joined; rows of an older version do not say how they came. */
export function kindOf({ ingress, node_id, joined_by }: Kinded): Kind {
  return { ingress: ingress ?? (node_id === null ? "cxml" : "swml"), joined_by };
}
