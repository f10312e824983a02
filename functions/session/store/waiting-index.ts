import type { PlacementKey } from "../contract/placement.ts";
import { joinCommandId } from "./place-reply.ts";
import type { Placement } from "./placement-row.ts";
import { roomsOf, seenUntil } from "./wait-terms.ts";

interface Entry {
  row: Placement;
  /** Of its row in the table: the place in the line. */
  seq: number;
  group: Group;
}

/** Those who wait for exactly the same rooms, each list by `seq`. */
interface Group {
  key: string;
  rooms: readonly string[];
  present: Entry[];
  /** Not seen for so long that they hold up nobody. */
  absent: Entry[];
  /** No present one is missed before then, ms. May be early, and is never late. */
  lapses_at: number;
}

/**
 * WaitingIndex — the rows of the ledger in state `waiting`, in memory: first come first served, by room. What it answers costs
 * nothing for rooms that nobody waits for. Written by Placements alone; used by the line and the roster.
 */
export class WaitingIndex {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #groups = new Map<string, Group>();
  readonly #byRoom = new Map<string, Set<Group>>();
  readonly #held = new Set<string>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Twice changes nothing. @param seq of the row: one that comes back stands in its old place. */
  add(row: Placement, seq: number): void {
    if (this.#entries.has(joinCommandId(row))) return;
    const group = this.#groupFor(roomsOf(row));
    const entry = { row, seq, group };
    this.#entries.set(joinCommandId(row), entry);
    this.#sort(entry);
  }

  remove(key: PlacementKey): void {
    const id = joinCommandId(key);
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    const { group } = entry;
    takeOut(group.present, entry);
    takeOut(group.absent, entry);
    if (group.present.length + group.absent.length > 0) return;
    this.#groups.delete(group.key);
    for (const room of group.rooms) {
      const groups = this.#byRoom.get(room);
      groups?.delete(group);
      if (groups?.size === 0) this.#byRoom.delete(room);
    }
  }

  /** The row was written: it may have been seen, or missed. */
  updated(key: PlacementKey): void {
    const entry = this.#entries.get(joinCommandId(key));
    if (entry) this.#sort(entry);
  }

  /** From now on the waiter counts as present whether or not it is seen, until the returned function is called. */
  hold(key: PlacementKey): () => void {
    this.#held.add(joinCommandId(key));
    this.updated(key);
    return () => {
      this.#held.delete(joinCommandId(key));
      this.updated(key);
    };
  }

  get(key: PlacementKey): Placement | null {
    return this.#entries.get(joinCommandId(key))?.row ?? null;
  }

  /** Whether it waits and was not seen for so long that it holds up nobody. */
  isAway(key: PlacementKey): boolean {
    const entry = this.#entries.get(joinCommandId(key));
    return entry !== undefined && !this.#isPresent(entry);
  }

  has(room: string): boolean {
    return this.#byRoom.has(room);
  }

  /** Every room that somebody waits for. */
  rooms(): Iterable<string> {
    return this.#byRoom.keys();
  }

  /** All who wait, the longest waiter first. */
  all(): Placement[] {
    return inOrder(this.#groups.values());
  }

  /** All who wait for the room, present or not, the longest waiter first. */
  before(room: string): Placement[] {
    return inOrder(this.#byRoom.get(room) ?? []);
  }

  /**
   * Those of the rooms that somebody waits for, each with every room that is served together with it: waiters for more than one room
   * connect them.
   */
  connected(rooms: Iterable<string>): ReadonlySet<string>[] {
    const seen = new Set<string>();
    const components: Set<string>[] = [];
    for (const start of rooms) {
      const component = new Set<string>();
      const left = [start];
      for (let room = left.pop(); room !== undefined; room = left.pop()) {
        if (seen.has(room) || !this.#byRoom.has(room)) continue;
        seen.add(room);
        component.add(room);
        for (const group of this.#byRoom.get(room) ?? []) left.push(...group.rooms);
      }
      if (component.size > 0) components.push(component);
    }
    return components;
  }

  /**
   * The present waiters of the rooms, the longest waiter first. Rows may leave while this runs.
   * @param closed a waiter all of whose rooms are in it is left out; may grow while this runs.
   */
  *present(rooms: Iterable<string>, closed: ReadonlySet<string>): Generator<Placement> {
    const groups = this.#groupsOf(rooms);
    for (const group of groups) this.#sweep(group);
    for (let last = -1; ; ) {
      let next: Entry | undefined;
      for (const { rooms, present } of groups) {
        if (rooms.every((room) => closed.has(room))) continue;
        const head = present[countBefore(present, last + 1)];
        if (head && (!next || head.seq < next.seq)) next = head;
      }
      if (!next) return;
      last = next.seq;
      yield next.row;
    }
  }

  /** The waiter's place among the present ones who wait for one of its rooms, from 1. */
  positionOf(row: Placement): number {
    const entry = this.#entries.get(joinCommandId(row));
    if (!entry) return 1;
    let ahead = 0;
    for (const group of this.#groupsOf(entry.group.rooms)) {
      this.#sweep(group);
      ahead += countBefore(group.present, entry.seq);
    }
    return ahead + 1;
  }

  /** Until when no waiter for the room is missed, ms. May be early, and is never late. */
  presentUntil(room: string): number {
    let until = Number.POSITIVE_INFINITY;
    for (const { lapses_at } of this.#byRoom.get(room) ?? []) until = Math.min(until, lapses_at);
    return until;
  }

  #groupFor(rooms: readonly string[]): Group {
    const sorted = [...new Set(rooms)].sort();
    const key = JSON.stringify(sorted);
    const known = this.#groups.get(key);
    if (known) return known;
    const group = { key, rooms: sorted, present: [], absent: [], lapses_at: Number.POSITIVE_INFINITY };
    this.#groups.set(key, group);
    for (const room of sorted) {
      const groups = this.#byRoom.get(room) ?? new Set();
      this.#byRoom.set(room, groups.add(group));
    }
    return group;
  }

  #groupsOf(rooms: Iterable<string>): Set<Group> {
    const groups = new Set<Group>();
    for (const room of rooms) for (const group of this.#byRoom.get(room) ?? []) groups.add(group);
    return groups;
  }

  /** Puts the entry into the list where it belongs as of now. */
  #sort(entry: Entry): void {
    const { present, absent } = entry.group;
    const [to, from] = this.#isPresent(entry) ? [present, absent] : [absent, present];
    takeOut(from, entry);
    const at = countBefore(to, entry.seq);
    if (to[at] !== entry) to.splice(at, 0, entry);
    if (to === present) this.#lapses(entry);
  }

  /** Moves those who were missed since to the absent ones. */
  #sweep(group: Group): void {
    if (this.#now() <= group.lapses_at) return;
    group.lapses_at = Number.POSITIVE_INFINITY;
    const missed = group.present.filter((entry) => !this.#isPresent(entry));
    group.present = group.present.filter((entry) => this.#isPresent(entry));
    group.absent = [...group.absent, ...missed].sort((a, b) => a.seq - b.seq);
    for (const entry of group.present) this.#lapses(entry);
  }

  #lapses({ row, group }: Entry): void {
    if (this.#held.has(joinCommandId(row))) return;
    group.lapses_at = Math.min(group.lapses_at, seenUntil(row));
  }

  #isPresent({ row }: Entry): boolean {
    return this.#now() <= seenUntil(row) || this.#held.has(joinCommandId(row));
  }
}

/** How many of a sorted list come before `seq`. */
function countBefore(entries: readonly Entry[], seq: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

function takeOut(entries: Entry[], entry: Entry): void {
  const at = countBefore(entries, entry.seq);
  if (entries[at] === entry) entries.splice(at, 1);
}

function inOrder(groups: Iterable<Group>): Placement[] {
  return [...groups]
    .flatMap(({ present, absent }) => [...present, ...absent])
    .sort((a, b) => a.seq - b.seq)
    .map(({ row }) => row);
}
