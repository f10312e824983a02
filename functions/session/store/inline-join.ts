import { type JoinParameters, withLimit, withoutEnd } from "../../../shared/conference.ts";
import type { Placement } from "./placement-row.ts";

/**
 * The row's join as a document makes it. If seats are limited it holds the limit, too; while RELAY's join may stand, it does not carry
 * what would end the conference for all.
 */
export function inlineJoinOf({ join, capacity, may_stand }: Placement): JoinParameters {
  const harmless = may_stand === 1 ? withoutEnd(join) : join;
  return capacity === null ? harmless : withLimit(harmless, capacity);
}
