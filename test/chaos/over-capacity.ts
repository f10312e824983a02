import type { CallRecord } from "./call-record.ts";
import { SEATS } from "./rules.ts";

/** Whoever joined a room when it held as many as it has seats, those not counted of whom the Worker knows that they are too many. */
export function overCapacity(
  records: readonly CallRecord[],
  flagged: ReadonlySet<string>,
): ReadonlySet<CallRecord> {
  const moves = records
    .filter(({ planned, call }) => planned.overflow && !flagged.has(call.call_id))
    .flatMap((record) =>
      record.stays.flatMap(({ room, from, to }) => [
        { at: from, room, record, by: 1 },
        ...(to === null ? [] : [{ at: to, room, record, by: -1 }]),
      ]),
    )
    // Who leaves in the same millisecond makes room.
    .sort((a, b) => a.at - b.at || a.by - b.by);
  const held = new Map<string, number>();
  const over = new Set<CallRecord>();
  for (const { room, record, by } of moves) {
    const now = (held.get(room) ?? 0) + by;
    held.set(room, now);
    if (by > 0 && now > SEATS) over.add(record);
  }
  return over;
}
