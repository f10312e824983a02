import { SIZE_BELOW_MS } from "../../../shared/evidence.ts";
import type { Disk } from "./disk.ts";

/** Events come late and out of order: a room's size is compared with the ledger when they had so long to settle. */
const SETTLING_MS = 3_000;
/** A room is asked about this often at most, whatever gives cause; where there was none, less often. */
const EVERY_MS = 10_000;
const NEEDLESS_MS = 30_000;
/** Strangers in a room are counted again after this, and believed in no longer than that. */
const STRANGERS_MS = 60_000;
const BELIEVED_MS = 600_000;
/** A refusal is believed for this long at most, unless REST counts them, too: meanwhile no waiting caller is let in. */
const REFUSED_MS = 60_000;
/** Rooms asked about at once, and the pause after: five rooms a second, whatever claims about sizes come in. */
export const ROOMS_AT_ONCE = 10;
const PAUSE_MS = 2_000;
/** How long a check may take: where we vanish in the middle of one, or REST fails, it is made again after this. */
const LEASE_MS = 15_000;
/** Conferences whose sizes are settling at one time; what others claim meanwhile is left to the routine. */
const SETTLING = 5_000;
/** What is known of a room that nothing was asked of for so long is forgotten. */
const KEPT_MS = 3_600_000;
const FORGET_BATCH = 500;
/** Sizes that are compared in one turn. */
const COMPARED_AT_ONCE = 200;

/** A conference's size, as its newest event told it. */
interface Sized {
  conference_id: string;
  room: string;
  size: number;
  /** RELAY told it, or a signed callback: others give cause for a question only. */
  isTrusted: boolean;
  /** It is a leave's, and may still count who leaves. */
  mayCountLeaver: boolean;
}

/** A size to be compared with our count. */
export interface Heard extends Sized {
  /** The event's own time, seconds. */
  ts: number;
  /** When it is to be compared with our count, ms. */
  due_at: number;
  /** Since when it is below our count, ms. */
  below_since: number | null;
}

/** A check under way. */
export interface RoomCheck {
  room: string;
  lease: number;
}

/** What a room's check came to. */
export interface Checked {
  /** In the room, by REST, and not placed there by us. */
  strangers: number;
  /** Whether this check counted them; else they are those of the check before. */
  areCounted: boolean;
  /** Whether REST and the ledger said the same. */
  wasNeedless: boolean;
  /** When it is to be checked again, ms; null: when something gives cause. */
  again_at: number | null;
}

/**
 * Which rooms REST is to be asked about, and when; and how many it found there whom nobody had placed. The table outlives
 * us; sizes that are still settling do not, since rooms are all checked when we come back.
 */
export class RoomChecks {
  readonly #disk: Disk;
  readonly #now: () => number;
  /** The newest size of each conference that is still to be compared. */
  readonly #sizes = new Map<string, Heard>();
  #settles_at: number | null = null;
  readonly #strangers = new Map<string, { count: number; at: number }>();
  #pause_until = 0;
  #forgotten_to = "";
  /** What the table said last; undefined since it changed. */
  #due: number | null | undefined;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
    for (const { room, strangers, checked_at } of disk.exec<{
      room: string;
      strangers: number;
      checked_at: number;
    }>(
      "SELECT room, strangers, checked_at FROM room_checks INDEXED BY room_checks_with_strangers WHERE strangers > 0",
    )) {
      this.#strangers.set(room, { count: strangers, at: checked_at });
    }
  }

  /** An event says how many are in a conference. @param ts of the event, seconds; null: as of now. */
  heard(sized: Sized, ts: number | null): void {
    const known = this.#sizes.get(keyOf(sized));
    if (!known && this.#sizes.size >= SETTLING) return;
    const at = ts ?? this.#now() / 1000;
    if (known && (known.ts > at || (known.isTrusted && !sized.isTrusted))) return;
    const due_at =
      known?.below_since == null ? (known?.due_at ?? this.#now() + SETTLING_MS) : this.#now() + SETTLING_MS;
    this.#keepSize({
      ...sized,
      ts: at,
      due_at,
      below_since: known?.below_since ?? null,
    });
  }

  /** Some of the sizes that have settled; each is given once, unless `below` keeps it. */
  settled(): Heard[] {
    const now = this.#now();
    const due = [...this.#sizes.values()].filter(({ due_at }) => due_at <= now).slice(0, COMPARED_AT_ONCE);
    for (const sized of due) this.#sizes.delete(keyOf(sized));
    this.#settles_at = null;
    for (const { due_at } of this.#sizes.values())
      this.#settles_at = Math.min(this.#settles_at ?? due_at, due_at);
    return due;
  }

  /** The size is below our count: it is compared again when that has lasted. Returns since when it is. */
  below(heard: Heard): number {
    const now = this.#now();
    const below_since = heard.below_since ?? now;
    const lasts_at = below_since + SIZE_BELOW_MS;
    // A newer event may have come while this one was compared.
    const newer = this.#sizes.get(keyOf(heard));
    if (newer) newer.below_since ??= below_since;
    else if (lasts_at > now) this.#keepSize({ ...heard, due_at: lasts_at, below_since });
    return below_since;
  }

  /** When the next size is to be compared; null if none is. May be early, and is never late. */
  get settles_at(): number | null {
    return this.#settles_at;
  }

  #keepSize(heard: Heard): void {
    this.#sizes.set(keyOf(heard), heard);
    this.#settles_at = Math.min(this.#settles_at ?? heard.due_at, heard.due_at);
  }

  /** Something gives cause to ask about the room; soon, and not more often than may be. */
  demand(room: string): void {
    const written = this.#disk.attempt(
      `INSERT INTO room_checks (room, due_at) VALUES (?1, ?2)
       ON CONFLICT DO UPDATE SET due_at = MAX(?2, not_before) WHERE due_at IS NULL OR due_at > MAX(?2, not_before)`,
      room,
      this.#now(),
    );
    if (written && written.rowsWritten > 0) this.#due = undefined;
  }

  /** The same, where it was not asked about for so long. */
  demandAfter(room: string, age_ms: number): void {
    const [known] = this.#disk.exec<{ checked_at: number }>(
      "SELECT checked_at FROM room_checks WHERE room = ?",
      room,
    );
    if (!known || known.checked_at < this.#now() - age_ms) this.demand(room);
  }

  /** Those due, each leased: the taker calls `checked`, or lets the lease bring it again. */
  takeDue(): RoomCheck[] {
    const now = this.#now();
    if (now < this.#pause_until) return [];
    const lease = now + LEASE_MS;
    this.#due = undefined;
    const rooms = this.#disk
      .exec<{ room: string }>(
        "SELECT room FROM room_checks INDEXED BY room_checks_by_due WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        now,
        ROOMS_AT_ONCE,
      )
      .toArray();
    if (rooms.length > 0) this.#pause_until = now + PAUSE_MS;
    for (const { room } of rooms) {
      // Cause that is given while REST answers is newer than the answer: it comes before the lease, and stays.
      this.#disk.attempt(
        "UPDATE room_checks SET due_at = ?, not_before = ? WHERE room = ?",
        lease,
        now + EVERY_MS,
        room,
      );
    }
    return rooms.map(({ room }) => ({ room, lease }));
  }

  /** Returns whether the count of untracked participants is another one now: that of before may have lapsed meanwhile. */
  checked({ room, lease }: RoomCheck, { strangers, areCounted, wasNeedless, again_at }: Checked): boolean {
    const now = this.#now();
    const before = this.#strangers.get(room)?.count ?? 0;
    this.#due = undefined;
    // What was only carried over from before is not seen again: it is believed for as long as it was to be.
    const since = areCounted ? now : (this.#strangers.get(room)?.at ?? now);
    if (strangers > 0) this.#strangers.set(room, { count: strangers, at: since });
    else this.#strangers.delete(room);
    const lapses_at = Math.min(now + STRANGERS_MS, since + BELIEVED_MS);
    const next = strangers > 0 ? Math.min(again_at ?? lapses_at, lapses_at) : again_at;
    this.#disk.attempt(
      `UPDATE room_checks SET due_at = CASE WHEN due_at = ?1 THEN ?2 ELSE due_at END, not_before = ?3, checked_at = ?4,
         strangers = ?5 WHERE room = ?6`,
      lease,
      next,
      now + (wasNeedless ? NEEDLESS_MS : EVERY_MS),
      now,
      strangers,
      room,
    );
    return strangers !== before;
  }

  /** A conference has ended: its strangers are not there any more. */
  ended(room: string): void {
    if (!this.#strangers.delete(room)) return;
    this.#disk.attempt("UPDATE room_checks SET strangers = 0 WHERE room = ?", room);
  }

  /** SignalWire refused a join because the room is full: counts so many untracked participants until REST is asked. */
  refused(room: string, more: number): void {
    const count = this.strangersIn(room) + more;
    const at = this.#now() - BELIEVED_MS + REFUSED_MS;
    this.#strangers.set(room, { count, at });
    this.demand(room);
    this.#disk.attempt(
      "UPDATE room_checks SET strangers = ?, checked_at = ? WHERE room = ?",
      count,
      at,
      room,
    );
  }

  strangersIn(room: string): number {
    const known = this.#strangers.get(room);
    return known && known.at + BELIEVED_MS > this.#now() ? known.count : 0;
  }

  nextDue(): number | null {
    if (this.#due === undefined) {
      this.#due = this.#disk
        .exec<{ due: number | null }>(
          "SELECT MIN(due_at) AS due FROM room_checks INDEXED BY room_checks_by_due WHERE due_at IS NOT NULL",
        )
        .one().due;
    }
    return this.#due === null ? null : Math.max(this.#due, this.#pause_until);
  }

  /** Forgets of the next few rooms, by name, those that nothing was asked of for long. */
  forget(): void {
    const rooms = this.#disk
      .exec<{ room: string }>(
        "SELECT room FROM room_checks WHERE room > ? ORDER BY room LIMIT ?",
        this.#forgotten_to,
        FORGET_BATCH,
      )
      .toArray();
    this.#disk.exec(
      `DELETE FROM room_checks WHERE room > ? AND room <= ? AND due_at IS NULL AND checked_at < ? AND strangers = 0`,
      this.#forgotten_to,
      rooms.at(-1)?.room ?? "",
      this.#now() - KEPT_MS,
    );
    this.#forgotten_to = rooms.length === FORGET_BATCH ? (rooms.at(-1)?.room ?? "") : "";
  }
}

/** Names and ids come from outside: one event must not stand in the place of another room's. */
function keyOf({ room, conference_id }: Pick<Sized, "room" | "conference_id">): string {
  return `${room} ${conference_id}`;
}
