/** What serving a line needs to know of those who stand in it. */
export interface QueueRules<Waiter> {
  /** The rooms that it waits for. */
  rooms(waiter: Waiter): readonly string[];
  /** Whether nothing but a seat is in its way. */
  isReady(waiter: Waiter): boolean;
  /** Gives it a seat in one of the rooms; false, and nothing changed, where none of them has one for it. */
  seat(waiter: Waiter, open: readonly [string, ...string[]]): boolean;
}

/**
 * Seats whom there are seats for, the longest waiter first. A waiter who lacks nothing but a seat keeps those behind from the
 * rooms that it waits for; one who waits for more than a seat keeps back no other.
 * @param line in the order of arrival.
 * @param closed the rooms returned, put into it as they are closed: the line may leave out waiters for these alone.
 * @returns the rooms that nobody who comes now may enter: somebody stands before them.
 */
export function drainQueue<Waiter>(
  line: Iterable<Waiter>,
  rules: QueueRules<Waiter>,
  closed = new Set<string>(),
): ReadonlySet<string> {
  for (const waiter of line) {
    if (!rules.isReady(waiter)) continue;
    const [first, ...rest] = rules.rooms(waiter).filter((room) => !closed.has(room));
    if (first !== undefined && rules.seat(waiter, [first, ...rest])) continue;
    for (const room of rules.rooms(waiter)) closed.add(room);
  }
  return closed;
}
