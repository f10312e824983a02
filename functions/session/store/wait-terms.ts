import type { Placing } from "../../../shared/placing.ts";
import { rejectByDefault } from "../../../shared/rules/compile/refusal.ts";
import type { Refusal } from "../../../shared/rules/decision.ts";
import type { TurnedAway } from "../contract/placement.ts";
import type { Placement } from "./placement-row.ts";

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

/** What is done for a waiter who is not let in. */
export function refusalOf({ when_full, coach, wait }: Placing, why: TurnedAway): Refusal {
  const otherwise = wait?.otherwise ?? rejectByDefault();
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
export function roomsOf({ wait, placing, room }: Placement): readonly string[] {
  return wait === null ? [room] : placing.rooms;
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
export function asksOften({ node_id, placing }: Placement): boolean {
  return node_id === null && placing.wait?.music === undefined;
}
