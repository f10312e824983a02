import type { LivePlacement } from "./live-placements.ts";
import type { Changes, Placement } from "./placement-row.ts";

/**
 * What the tables tell of their changes, each in the turn of the change and after it. It must not throw. Of a tenant that is not
 * followed nothing is told, so that a change costs nothing more.
 */
export interface Following {
  isFollowed(tenant: string): boolean;
}

export interface PlacementNews extends Following {
  /** @param before what changed, as it was; null: the row is new. */
  placed(row: Placement, before: Changes | null): void;
  /** A live row went without having ended: it was too old, or gave way to another. */
  dropped(row: LivePlacement): void;
}
