import { applyEvent, type MembershipEvent } from "../../shared/placement.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import { confirmJoin } from "./confirming.ts";
import type { PlacementKey } from "./contract.ts";
import type { Counters } from "./counters.ts";
import type { Errands } from "./errands.ts";
import type { Health } from "./health.ts";
import type { KeptSeats } from "./kept-seats.ts";
import { noteFlags } from "./participant-flags.ts";
import type { Placement, Placements } from "./placements.ts";
import type { RoomChecks } from "./room-checks.ts";
import type { Rooms } from "./rooms.ts";

/** A hold of 3 s is over, and its way back should have been heard of. */
const OVERDUE_MS = 5_000;
/** The events of one conference's end come within this of one another. */
const SETTLING_MS = 500;

/** A call that died is known to have left its room by then, and its caller may be back before. */
const DEAD_MS = 120_000;

/** Events after which a room may hold another number than before; the others repeat it. */
const SIZED = new Set(["participant-join", "participant-leave", "conference-start", "conference-end"]);

/** Where an event came from. The feeds are kept apart here, and made one by what they say. */
export type Feed = "relay" | "callback";

interface EventsHost {
  placements: Placements;
  rooms: Rooms;
  errands: Errands;
  health: Health;
  checks: RoomChecks;
  counters: Counters;
  kept: KeptSeats;
}

/** What conference events do to the ledger: rows and errands, all in the turn of the event. */
export class ConferenceEvents {
  readonly #sql: SqlStorage;
  readonly #ledger: EventsHost;
  readonly #placements: Placements;
  readonly #rooms: Rooms;
  readonly #errands: Errands;
  readonly #health: Health;
  readonly #joined: (key: PlacementKey) => void;
  readonly #now: () => number;

  /** @param joined told of every placement that a participant-join confirms. */
  constructor(sql: SqlStorage, ledger: EventsHost, joined: (key: PlacementKey) => void, now: () => number) {
    this.#joined = joined;
    this.#sql = sql;
    this.#ledger = ledger;
    this.#placements = ledger.placements;
    this.#rooms = ledger.rooms;
    this.#errands = ledger.errands;
    this.#health = ledger.health;
    this.#now = now;
  }

  /**
   * Keeps the event; false where the same feed brought it before. Only what identifies it is kept: bodies may hold
   * secrets.
   */
  record(event: RelayEvent, feed: Feed): boolean {
    const { params } = event;
    const field = (name: string): string | null => {
      const value = params[name];
      return typeof value === "string" ? value : null;
    };
    const ts = event.timestamp ?? null;
    const status = field("status") ?? field("call_state") ?? field("state") ?? field("dial_state");
    const fingerprint = [
      feed,
      event.event_type,
      status,
      field("conference_id"),
      field("call_id"),
      field("control_id"),
      field("tag"),
      ts,
    ];
    // Without a timestamp nothing tells a repeat from the same thing happening again.
    if (ts === null) fingerprint.push(crypto.randomUUID());
    const { rowsWritten } = this.#sql.exec(
      `INSERT OR IGNORE INTO events (at, fingerprint, event_type, status, call_id, conference_id, name, ts)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#now(),
      JSON.stringify(fingerprint),
      event.event_type,
      status,
      field("call_id"),
      field("conference_id"),
      field("name"),
      ts,
    );
    return rowsWritten > 0;
  }

  /**
   * Applies an event of RELAY's, or a signed callback's, to the placements that it bears on.
   * @param ids_known Whether its `conference_id` is RELAY's: by another nobody could be told apart who came by another way.
   */
  apply(event: RelayEvent, ids_known = true): void {
    for (const { row, happening } of this.#bearingOn(event))
      this.change(row, ids_known ? happening : withoutId(happening));
    noteFlags(this.#placements, event);
    this.#noteSize(event);
    if (event.kind === "conference" && event.params.status === "conference-end") {
      this.#ledger.checks.ended(event.params.name ?? "");
      this.#ledger.kept.emptied(event.params.name ?? "");
    }
  }

  /** An event that nobody signed: a join is believed, a leave is asked about first. */
  applyUntrusted(event: RelayEvent, ids_known: boolean): void {
    for (const { row, happening } of this.#bearingOn(event)) {
      if (happening.happened === "joined") {
        this.change(row, ids_known ? happening : withoutId(happening));
      } else if (applyEvent(row, happening, this.#now())) {
        this.#errands.add("verify", row, row.node_id);
      }
    }
    noteFlags(this.#placements, event);
    // What it gives cause for is a question, and questions are asked only so often.
    this.#noteSize(event);
  }

  #noteSize(event: RelayEvent): void {
    if (event.kind !== "conference") return;
    const { status, name, size } = event.params;
    if (name === undefined || size === undefined || !SIZED.has(status)) return;
    this.#ledger.checks.heard(name, size, event.timestamp ?? null);
  }

  /** Those of a call's placements that were not in a room yet when it ended. */
  waitingOf(event: RelayEvent): Placement[] {
    if (event.kind !== "state" || event.params.call_state !== "ended") return [];
    return this.#placements.ofCall(event.params.call_id).filter(({ wait }) => wait !== null);
  }

  #bearingOn(event: RelayEvent): { row: Placement; happening: MembershipEvent }[] {
    if (event.kind !== "conference") return [];
    const { status, call_id, conference_id, name, call_id_ending_conf } = event.params;
    if (conference_id === undefined || name === undefined) return [];
    const base = { name, conference_id, ts: event.timestamp ?? null };
    if (status === "conference-end") {
      return this.#rooms.inConference(name, conference_id).map((row) => ({
        row,
        happening: { ...base, happened: "conference_ended", ended_by: endedBy(call_id_ending_conf, row) },
      }));
    }
    const happened =
      status === "participant-join" ? "joined" : status === "participant-leave" ? "left" : null;
    const row = call_id === undefined || happened === null ? undefined : this.#placements.ofCall(call_id)[0];
    return row && happened ? [{ row, happening: { ...base, happened, ended_by: null } }] : [];
  }

  /** One placement's change, with what follows from it. */
  change(row: Placement, event: MembershipEvent): void {
    const change = applyEvent(row, event, this.#now());
    if (!change) return;
    const wasThere = row.state === "joined";
    const { state, ...set } = change.set;
    const reason = {
      joined: "participant-join",
      left: "participant-leave",
      conference_ended: "conference-end",
    }[event.happened];
    if (state === "joined") {
      if (!confirmJoin(this.#ledger, row, { ...set, reason })) return;
    } else if (state === undefined) this.#placements.update(row, set);
    else if (!this.#placements.move(row, state, { ...set, reason })) return;
    if (change.blames) this.#placements.update(row, { doubt: "taken out" });
    else if (row.doubt === "404") {
      this.#placements.update(row, { doubt: null });
      this.#health.failed("404, and the call lived", this.#now());
    }
    if (row.state === "joined") {
      this.#joined(row);
      this.#ledger.kept.unkeep(row);
    }
    if (row.state === "left") {
      const hasDropped = wasThere && event.happened === "left";
      if (hasDropped && !this.#rooms.isBack(row, this.#now() - DEAD_MS))
        this.#ledger.kept.keep(row, row.room);
      this.#errands.drop("expire", row);
      this.#errands.drop("rejoin", row);
    }
    if (change.follow === "end_call")
      this.#errands.add(row.after_url === null ? "end" : "after", row, row.node_id);
    if (change.follow === "rejoin") this.#errands.add("rejoin", row, row.node_id, this.#rejoinAt(row));
  }

  /**
   * On its hold a call comes back by itself, and is put back where it does not. Past it nothing comes but what we send;
   * a moment is left for the end of the conference to show that there is nowhere to go back to.
   */
  #rejoinAt(row: Placement): number {
    return row.stay_at === null ? (row.hold_at ?? this.#now()) + OVERDUE_MS : this.#now() + SETTLING_MS;
  }

  /** Forgets up to `limit` events older than `max_age_ms`; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#sql.exec(
      "DELETE FROM events WHERE at < ? AND seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?)",
      this.#now() - max_age_ms,
      limit,
    ).rowsWritten;
  }
}

/** A conference's end is told by its id alone, and names whom it bears on by that already. */
function withoutId(event: MembershipEvent): MembershipEvent {
  return event.happened === "conference_ended" ? event : { ...event, conference_id: null };
}

function endedBy(ending_call: string | undefined, row: Placement): MembershipEvent["ended_by"] {
  if (ending_call === undefined) return null;
  return ending_call === row.call_id ? "this call" : "another call";
}
