import { rejectByDefault } from "../../../shared/rules/compile/refusal.ts";
import type { Refusal, Wait } from "../../../shared/rules/decision.ts";
import type { PlaceRequest, TurnedAway } from "../contract/placement.ts";
import type { Placement, Terms } from "./placement-row.ts";

/**
 * A waiter is seen at the end of each round of its document, which takes up to about twelve minutes; one that was not for so long holds
 * up nobody until it is again.
 */
const UNSEEN_MS = 21 * 60_000;
/** The same for a call of cXML's without music: it asks every 15 s or so, and that it hung up nothing else tells. */
const UNSEEN_ASKING_MS = 60_000;
/** How often that one asks at most, and how long its request may take. */
const ASKING_MS = 15_000;
const ASKED_WITHIN_MS = 5_000;

export function termsOf(request: PlaceRequest, { for: waitsFor, max_s, otherwise, music }: Wait): Terms {
  const { rooms, strategy, coach, join, room_proofs, when_full, max_duration_s, fetch_url } = request;
  return {
    rooms,
    strategy,
    join,
    ...(room_proofs === undefined ? {} : { room_proofs }),
    ...(coach === undefined ? {} : { coach }),
    ...(when_full === undefined ? {} : { when_full }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
    ...(fetch_url === undefined ? {} : { fetch_url }),
    for: waitsFor,
    max_s,
    otherwise,
    ...(music === undefined ? {} : { music }),
  };
}

/** What is done for a waiter who is not let in. */
export function refusalOf({ when_full, coach, otherwise }: Terms, why: TurnedAway): Refusal {
  switch (why) {
    case "full":
      return when_full ?? otherwise;
    case "absent":
      return typeof coach?.if_absent === "object" ? coach.if_absent : rejectByDefault();
    case "several":
      return typeof coach?.if_several === "object" ? coach.if_several : rejectByDefault();
    case "waited":
    case "declined":
      return otherwise;
    default:
      return why satisfies never;
  }
}

/** The rooms that a waiter waits for. */
export function roomsOf({ wait, room }: Placement): readonly string[] {
  return wait?.rooms ?? [room];
}

/** The last moment at which a waiter that is not seen again holds up those behind it, ms. */
export function seenUntil(row: Placement): number {
  return (row.seen_at ?? row.created_at) + (asksOften(row) ? UNSEEN_ASKING_MS : UNSEEN_MS);
}

/** By when a waiter that lives has asked by itself, ms: at the end of its piece of music, where that is known. */
export function asksBy(row: Placement): number {
  const round_ms = asksOften(row) ? ASKING_MS : (row.wait?.music_ms ?? UNSEEN_ASKING_MS);
  return (row.seen_at ?? row.created_at) + round_ms + ASKED_WITHIN_MS;
}

/** Whether the call comes back by itself every few seconds, however long it waits. */
export function asksOften({ node_id, wait }: Placement): boolean {
  return node_id === null && wait?.music === undefined;
}
