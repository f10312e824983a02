import { type JoinParameters, withLimit, withoutEnd } from "../../../shared/conference.ts";
import type { AsksUs, Staying } from "../../../shared/documents/step.ts";
import { ASKED_BETWEEN, resumeUrl } from "../../../shared/resume-url.ts";
import type { Placement } from "./placement-row.ts";

/**
 * Where the row's call comes back to us without a sealed state; null where its join tells nobody where we are reached.
 * @param asked how often it has come back so.
 */
export function resumeUrlOf(
  { join, entry, step }: Placement,
  asked: number,
  { joined }: { joined: boolean },
): string | null {
  const hooks = hooksOf(join);
  return hooks === null ? null : resumeUrl(hooks, { entry, step, asked }, { joined });
}

/**
 * Where a call fetches the document by which it joins, if its leave would end the conference for all: a second document would take it
 * out of where the first one led it, and one that was not fetched does not run, whatever became of the command's answer. Null for other
 * calls, whose document is sent.
 */
export function fetchedFrom(row: Placement): string | null {
  return inlineJoinOf(row).end_on_exit === true ? resumeUrlOf(row, 0, { joined: false }) : null;
}

/** A call that is told to fetch its document has done so by then, ms, or is told again. */
export const FETCHED_MS = 2_500;
/** The same where the command was not answered: it may be carried out late. */
export const FETCHED_LATE_MS = 7_000;
/** So often it is told; then the document is sent. */
export const FETCHES = 2;

/** Whether the row's call has fetched the document by which it joins, since it was told to. */
export function hasFetched({ answer }: Placement): boolean {
  return answer?.outcome === "document";
}

/** `https://…/hooks/<tenant>`, where a join's callbacks go; null where it has none of ours. */
export function hooksOf({ status_callback = "" }: Placement["join"]): string | null {
  // Our own callback is at …/hooks/<tenant>/conference-status.
  const [, hooks = null] =
    /^(https?:\/\/.+\/hooks\/[a-z0-9-]+)\/conference-status\b/.exec(status_callback) ?? [];
  return hooks;
}

/**
 * How a document that the session gives the row's call asks us what its join's result means.
 * @param keeps_seat Whether a seat is kept for its caller, should the call drop.
 */
export function asksUsOf(row: Placement, keeps_seat: boolean): AsksUs | undefined {
  // Each time that it was put back it asks anew.
  const dest = resumeUrlOf(row, row.rejoins * ASKED_BETWEEN, { joined: true });
  return dest === null
    ? undefined
    : {
        dest,
        params: {},
        always: row.may_stand === 1,
        ...(keeps_seat ? { over: true as const } : {}),
        ...(row.placing.capacity === undefined ? {} : { failed: true as const }),
      };
}

/**
 * The row's join as a document makes it. If seats are limited it holds the limit, too; while RELAY's join may stand, it does not carry
 * what would end the conference for all.
 */
export function inlineJoinOf({ join, placing: { capacity }, may_stand }: Placement): JoinParameters {
  const harmless = may_stand === 1 ? withoutEnd(join) : join;
  return capacity === undefined ? harmless : withLimit(harmless, capacity);
}

/** Where a document that the session gives the row's call leads it when its stay is over. */
export function afterwards({ placing: { after } }: Placement): Pick<Staying, "after" | "params"> {
  // What is told to fetch a document is a call of SWML's.
  const swml = after?.swml;
  return { ...(swml === undefined ? {} : { after: { action: "hand_over", swml } }), params: {} };
}
