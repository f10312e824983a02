import { createHash } from "node:crypto";
import { toBase64Url } from "../../../shared/encoding.ts";
import { inTime, type RelayEvent } from "../../../shared/relay/events.ts";
import { log } from "../../log.ts";
import type { Counters } from "./counters.ts";
import type { Disk } from "./disk.ts";
import { dropOldest } from "./drop-oldest.ts";

/** Events without a row that are remembered, where the storage is full. */
const UNWRITTEN = 10_000;
const LOGGED_EVERY_MS = 60_000;
/** What names a call, a conference or a place in an event, and how long it may be. Ours and SignalWire's are far below that. */
const OF_EVENTS = [
  "call_id",
  "conference_id",
  "name",
  "node_id",
  "segment_id",
  "control_id",
  "tag",
  "status",
  "call_state",
  "state",
  "dial_state",
  "call_id_ending_conf",
  "recording_sid",
] as const;
const LONGEST = 256;

/** SignalWire's own repeats of a callback that was not answered have come by then. */
const REPEATED_MS = 60_000;

/** Of a SHA-256 what is kept; in base64 16 characters. */
const DIGEST_BYTES = 12;
const DIGESTED = /^\["\w+","[\w-]{16}"[,\]]/;
/** Where the version before reads in a fingerprint whose callback it was. */
const TENANT_AT = 8;

/**
 * What became of an event's row. `unwritten`: there was no room for it, and it is to be acted upon all the same. `repeat after a restart`:
 * the session that took the first is gone, and its reply may have gone with it.
 */
export type Recorded =
  | "new"
  | "repeat"
  | "repeat after a restart"
  | "unwritten"
  | "unwritten repeat"
  | "refused";

/** Where an event came from. The feeds are kept apart here, and made one by what they say. */
export type Feed = "relay" | "callback";

/**
 * EventLog — the table of events, by which a repeat is told. Nothing is acknowledged that has no row, but where the storage is full. Used
 * by the session for each event of RELAY's and each callback, before it is acted upon.
 */
export class EventLog {
  readonly #disk: Disk;
  readonly #counters: Counters;
  readonly #now: () => number;
  /** Events that were acted upon and found no room on disk; the newest. */
  readonly #unwritten = new Set<string>();
  #unrecorded = { count: 0, logged_at: 0 };
  /** The last row that was there when this began. */
  readonly #before: number;
  /** Until when repeats may come of what the version before wrote down, ms. */
  readonly #older_until: number;

  constructor(disk: Disk, counters: Counters, now: () => number) {
    this.#disk = disk;
    this.#counters = counters;
    this.#now = now;
    const [newest] = disk.exec<{ seq: number; fingerprint: string }>(
      "SELECT seq, fingerprint FROM events WHERE seq = (SELECT MAX(seq) FROM events)",
    );
    this.#before = newest?.seq ?? 0;
    const isOlder = newest !== undefined && !DIGESTED.test(newest.fingerprint);
    this.#older_until = isOlder ? now() + REPEATED_MS : 0;
  }

  /**
   * Keeps the event, once for each feed. Only what identifies it is kept: bodies may hold secrets.
   * @param tenant whose callback it came by. What one tenant is told is no repeat of what another is.
   */
  record(told: RelayEvent, feed: Feed, tenant?: string): Recorded {
    const event = inTime(told, this.#now());
    const { params } = event;
    const overlong = OF_EVENTS.find((name) => isOverlong(params[name]));
    if (overlong !== undefined) {
      // Cut, it would be another call's or another room's.
      log("warn", "event.refused", {
        feed,
        event_type: event.event_type,
        why: `its ${overlong} is too long`,
      });
      return "refused";
    }
    const field = (name: string): string | null => {
      const value = params[name];
      return typeof value === "string" ? value : null;
    };
    const ts = event.timestamp ?? null;
    const status = field("status") ?? field("call_state") ?? field("state") ?? field("dial_state");
    const fingerprint: (string | number | Record<string, string> | null)[] = [
      feed,
      event.event_type,
      status,
      field("conference_id"),
      field("call_id"),
      field("control_id"),
      field("tag"),
      ts,
    ];
    if (tenant !== undefined) fingerprint.push({ tenant });
    const name = field("name");
    // A recording's form may name neither its conference nor a call: two rooms' come within one second.
    if (name !== null && field("conference_id") === null) fingerprint.push({ name });
    const recording_sid = field("recording_sid");
    // Without a timestamp nothing tells a repeat from the same thing happening again, but for a recording's own id.
    if (recording_sid !== null || ts === null) fingerprint.push(recording_sid ?? crypto.randomUUID());
    const whole = JSON.stringify(fingerprint);
    const older = this.#now() < this.#older_until ? this.#repeatOf(whole) : null;
    if (older) return older;
    const print = digested(whole, feed, tenant);
    const written = this.#disk.attempt(
      `INSERT OR IGNORE INTO events (at, fingerprint, event_type, status, call_id, conference_id)
       VALUES (?, ?, ?, ?, ?, ?)`,
      this.#now(),
      print,
      event.event_type,
      status,
      field("call_id"),
      field("conference_id"),
    );
    const wasUnwritten = this.#unwritten.has(print);
    if (written) {
      this.#unwritten.delete(print);
      if (written.rowsWritten > 0) return wasUnwritten ? "repeat" : "new";
      return this.#repeatOf(print) ?? "repeat";
    }
    this.#countUnrecorded();
    if (wasUnwritten) return "unwritten repeat";
    this.#unwritten.add(print);
    dropOldest(this.#unwritten, UNWRITTEN);
    return "unwritten";
  }

  /** Of what an event with a row is a repeat; null: it has none. */
  #repeatOf(print: string): "repeat" | "repeat after a restart" | null {
    const [row] = this.#disk.exec<{ seq: number; at: number }>(
      "SELECT seq, at FROM events WHERE fingerprint = ?",
      print,
    );
    if (row === undefined) return null;
    const isOfBefore = row.seq <= this.#before && row.at > this.#now() - REPEATED_MS;
    return isOfBefore ? "repeat after a restart" : "repeat";
  }

  #countUnrecorded(): void {
    this.#counters.add("storage.unrecorded");
    this.#unrecorded.count += 1;
    const now = this.#now();
    if (now - this.#unrecorded.logged_at < LOGGED_EVERY_MS) return;
    log("error", "storage.unrecorded", { events: this.#unrecorded.count });
    this.#unrecorded = { count: 0, logged_at: now };
  }

  /** Forgets up to `limit` events older than `max_age_ms`; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#disk
      .exec(
        "DELETE FROM events WHERE seq < (SELECT MIN(seq) + ? FROM events) AND at < ? RETURNING seq",
        limit,
        this.#now() - max_age_ms,
      )
      .toArray().length;
  }
}

/** A fingerprint as it is kept: short, for each is in an index, too. Feed and tenant are where the version before reads them. */
function digested(fingerprint: string, feed: Feed, tenant: string | undefined): string {
  const digest = toBase64Url(createHash("sha256").update(fingerprint).digest().slice(0, DIGEST_BYTES));
  const filler = new Array<0>(TENANT_AT - 2).fill(0);
  return JSON.stringify(tenant === undefined ? [feed, digest] : [feed, digest, ...filler, { tenant }]);
}

function isOverlong(value: unknown): boolean {
  return typeof value === "string" && value.length > LONGEST;
}
