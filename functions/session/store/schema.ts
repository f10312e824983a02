import { log } from "../../log.ts";
import { isFull } from "./disk.ts";

/** Each runs once, in order, ever; new ones are added at the end and none is changed after it has shipped. */
const migrations: readonly string[] = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

   CREATE TABLE placements (
     seq INTEGER PRIMARY KEY, call_id TEXT NOT NULL, entry TEXT NOT NULL, step INTEGER NOT NULL,
     tenant TEXT NOT NULL, node_id TEXT, "from" TEXT NOT NULL, state TEXT NOT NULL, joined_by TEXT,
     turned_away TEXT, capacity INTEGER, sticky_key TEXT, after_url TEXT,
     room TEXT NOT NULL, "join" TEXT NOT NULL, forwarding TEXT,
     rule TEXT, role TEXT NOT NULL, ruleset TEXT NOT NULL, decided_at INTEGER NOT NULL,
     reason TEXT NOT NULL, live INTEGER NOT NULL, created_at INTEGER NOT NULL, deadline_at INTEGER NOT NULL,
     doubt TEXT, hold_at INTEGER, stay_at INTEGER, conference_id TEXT, joined_ts REAL, left_ts REAL,
     verified_at INTEGER, asking_step INTEGER, answer TEXT,
     UNIQUE (call_id, entry, step)
   );
   -- What an index holds, an update of it writes twice: these hold what hardly changes.
   CREATE INDEX placements_by_seat ON placements (room) WHERE live = 1;
   CREATE INDEX placements_by_forwarding ON placements (room, created_at) WHERE forwarding IS NOT NULL;
   CREATE INDEX placements_by_sticky_key ON placements (tenant, sticky_key, created_at) WHERE sticky_key IS NOT NULL;

   CREATE TABLE events (
     seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, fingerprint TEXT NOT NULL UNIQUE,
     event_type TEXT NOT NULL, status TEXT, call_id TEXT, conference_id TEXT, name TEXT, ts REAL
   );

   CREATE TABLE errands (
     id INTEGER PRIMARY KEY, kind TEXT NOT NULL, call_id TEXT NOT NULL, node_id TEXT,
     entry TEXT NOT NULL, step INTEGER NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL,
     UNIQUE (kind, call_id, entry, step)
   );
   CREATE INDEX errands_by_due ON errands (due_at);

   CREATE TABLE counters (name TEXT PRIMARY KEY, total INTEGER NOT NULL) WITHOUT ROWID;`,

  `CREATE TABLE journal (
     seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant TEXT NOT NULL, call_id TEXT NOT NULL, kind TEXT NOT NULL,
     data TEXT NOT NULL
   );
   CREATE INDEX journal_by_call ON journal (call_id);
   -- With the row's seq in it, as every index: newest first without a sort.
   CREATE INDEX journal_by_tenant ON journal (tenant);

   CREATE TABLE rulesets (
     tenant TEXT NOT NULL, hash TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL,
     last_used INTEGER NOT NULL, served_at INTEGER NOT NULL,
     PRIMARY KEY (tenant, hash, part)
   );

   ALTER TABLE placements ADD COLUMN trail TEXT NOT NULL DEFAULT '';
   ALTER TABLE placements ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN flags_ts REAL;
   CREATE INDEX events_by_call ON events (call_id) WHERE call_id IS NOT NULL;`,

  `CREATE TABLE pin_guards (
     tenant TEXT NOT NULL, kind TEXT NOT NULL, who TEXT NOT NULL,
     tries TEXT NOT NULL, closings INTEGER NOT NULL, closed_until INTEGER NOT NULL, forget_at INTEGER NOT NULL,
     PRIMARY KEY (tenant, kind, who)
   ) WITHOUT ROWID;
   CREATE INDEX pin_guards_by_age ON pin_guards (forget_at);
   CREATE TABLE pin_tries (
     seq INTEGER PRIMARY KEY, call_id TEXT NOT NULL, entry TEXT NOT NULL, step INTEGER NOT NULL,
     answer TEXT NOT NULL, verdict TEXT NOT NULL, forget_at INTEGER NOT NULL,
     UNIQUE (call_id, entry, step, answer)
   );
   CREATE INDEX pin_tries_by_age ON pin_tries (forget_at);`,

  `ALTER TABLE placements ADD COLUMN wait TEXT;
   ALTER TABLE placements ADD COLUMN seen_at INTEGER;
   ALTER TABLE placements ADD COLUMN admitted INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX placements_waiting ON placements (seq) WHERE state = 'waiting';`,

  `ALTER TABLE placements ADD COLUMN over_capacity INTEGER NOT NULL DEFAULT 0;

   CREATE TABLE room_checks (
     room TEXT PRIMARY KEY, due_at INTEGER, not_before INTEGER NOT NULL DEFAULT 0,
     checked_at INTEGER NOT NULL DEFAULT 0, strangers INTEGER NOT NULL DEFAULT 0
   ) WITHOUT ROWID;
   CREATE INDEX room_checks_by_due ON room_checks (due_at) WHERE due_at IS NOT NULL;`,

  `CREATE TABLE walks (
     call_id TEXT PRIMARY KEY, context TEXT NOT NULL, received_at INTEGER NOT NULL, state TEXT
   ) WITHOUT ROWID;
   CREATE INDEX walks_by_open ON walks (received_at) WHERE state IS NOT NULL;`,

  `CREATE TABLE kept_seats (
     seq INTEGER PRIMARY KEY, call_id TEXT NOT NULL, entry TEXT NOT NULL, step INTEGER NOT NULL,
     tenant TEXT NOT NULL, "from" TEXT NOT NULL, "to" TEXT NOT NULL, keep_s INTEGER NOT NULL, placing TEXT NOT NULL,
     made_at INTEGER NOT NULL, room TEXT, until INTEGER, claimed_by TEXT, claimed_until INTEGER,
     UNIQUE (call_id, entry, step)
   );
   CREATE INDEX kept_seats_by_caller ON kept_seats (tenant, "from", "to") WHERE until IS NOT NULL;
   CREATE INDEX kept_seats_by_end ON kept_seats (until) WHERE until IS NOT NULL;`,

  `CREATE TABLE dials (
     tag TEXT PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
     request TEXT NOT NULL, call_id TEXT, node_id TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
     sent_at INTEGER, UNIQUE (tenant, id)
   );
   CREATE INDEX dials_by_call ON dials (call_id) WHERE call_id IS NOT NULL;
   CREATE INDEX dials_open ON dials (state) WHERE state IN ('queued', 'sending', 'dialing', 'ringing');`,

  // What the alarm and each dial look for, among all that is kept.
  `CREATE INDEX dials_by_sending ON dials (sent_at) WHERE sent_at IS NOT NULL;
   CREATE INDEX walks_by_age ON walks (received_at);`,

  // What is known for and against a participant, and what SignalWire was seen to do.
  `ALTER TABLE placements ADD COLUMN ingress TEXT;
   ALTER TABLE placements ADD COLUMN segment_id TEXT;
   ALTER TABLE placements ADD COLUMN doubted_at INTEGER;
   ALTER TABLE placements ADD COLUMN presumed_gone_at INTEGER;
   ALTER TABLE placements ADD COLUMN unsigned_leave_at INTEGER;
   ALTER TABLE placements ADD COLUMN missed_at INTEGER;
   ALTER TABLE placements ADD COLUMN rejoins INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN may_stand INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN lives_on INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN relay_took TEXT;
   ALTER TABLE placements ADD COLUMN rest_took INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE placements ADD COLUMN held_back_at INTEGER;
   UPDATE placements SET may_stand = 1 WHERE live = 1 AND (joined_by = 'relay' OR state = 'sending');

   CREATE TABLE observations (
     question TEXT NOT NULL, reading TEXT NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, times INTEGER NOT NULL,
     PRIMARY KEY (question, reading)
   ) WITHOUT ROWID;`,

  // What is asked for among all that is kept is found by an index, each of which holds few rows or hardly changes; and
  // conferences that have ended while their participants are still to be worked through.
  `CREATE INDEX rulesets_by_service ON rulesets (tenant, served_at);
   CREATE INDEX rulesets_by_age ON rulesets (last_used);
   CREATE INDEX pin_guards_closed ON pin_guards (tenant, kind, closed_until, closings) WHERE closed_until > 0;
   CREATE INDEX kept_seats_by_claim ON kept_seats (claimed_by) WHERE claimed_by IS NOT NULL;
   CREATE INDEX kept_seats_by_room ON kept_seats (room, until) WHERE room IS NOT NULL;
   CREATE INDEX room_checks_with_strangers ON room_checks (room) WHERE strangers > 0;
   CREATE INDEX dials_queued ON dials (tenant) WHERE state = 'queued';
   CREATE INDEX dials_under_way ON dials (tenant) WHERE state IN ('sending', 'dialing', 'ringing');
   CREATE INDEX dials_by_tenant ON dials (tenant);

   CREATE TABLE conference_ends (
     id INTEGER PRIMARY KEY, room TEXT NOT NULL, conference_id TEXT NOT NULL, feed TEXT NOT NULL, trusted INTEGER NOT NULL,
     tenant TEXT, found_cxml INTEGER NOT NULL, found_others INTEGER NOT NULL, ended_by TEXT, ts REAL, at INTEGER NOT NULL
   );`,

  // What a caller is told whose join SignalWire refused for want of a seat.
  `ALTER TABLE placements ADD COLUMN when_full TEXT;`,

  // The last good record of each tenant, and whether its rooms carry its prefix: of calls that are up, the newest tells.
  `CREATE TABLE tenants (tenant TEXT PRIMARY KEY, record TEXT, plain INTEGER, renamed_at INTEGER) WITHOUT ROWID;
   CREATE INDEX tenants_renamed ON tenants (tenant) WHERE renamed_at IS NOT NULL;
   INSERT INTO tenants (tenant, plain) SELECT tenant, plain FROM (
     SELECT tenant, substr(room, 1, length(tenant) + 1) <> tenant || ':' AS plain, MAX(seq)
     FROM placements WHERE live = 1 GROUP BY tenant);`,
  `CREATE TABLE recordings (
     seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, room TEXT NOT NULL,
     conference_id TEXT, conference_sid TEXT, sid TEXT, state TEXT NOT NULL, url TEXT, duration_s REAL, size_bytes INTEGER,
     started_at INTEGER NOT NULL, ended_at INTEGER, forward TEXT, told INTEGER NOT NULL DEFAULT 0,
     asked INTEGER NOT NULL DEFAULT 0, due_at INTEGER
   );
   CREATE INDEX recordings_by_time ON recordings (tenant, started_at);
   CREATE INDEX recordings_by_room ON recordings (tenant, room, started_at);
   CREATE INDEX recordings_by_conference ON recordings (conference_id, started_at) WHERE conference_id IS NOT NULL;
   CREATE INDEX recordings_by_sid ON recordings (sid) WHERE sid IS NOT NULL;
   CREATE INDEX recordings_by_due ON recordings (due_at) WHERE due_at IS NOT NULL;`,

  // What callers are told if their room is recorded, and the rooms that are.
  `ALTER TABLE placements ADD COLUMN untold TEXT;
   CREATE TABLE recorded_rooms (room TEXT PRIMARY KEY, conference_id TEXT, since INTEGER NOT NULL) WITHOUT ROWID;`,

  // By which a dialled leg's voice log is asked for, where no event tells whether it was answered.
  `ALTER TABLE dials ADD COLUMN segment_id TEXT;`,

  // Who may use the API, and what they did, which nothing changes afterwards.
  `CREATE TABLE tokens (
     id TEXT PRIMARY KEY, tenant TEXT NOT NULL, digest TEXT NOT NULL, data TEXT NOT NULL, created_at INTEGER NOT NULL,
     expires_at INTEGER
   ) WITHOUT ROWID;
   CREATE INDEX tokens_by_tenant ON tokens (tenant);
   CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
   CREATE TABLE audit (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant TEXT NOT NULL, entry TEXT NOT NULL);
   CREATE INDEX audit_by_tenant ON audit (tenant);
   CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END;`,

  // Each tenant's recordings that are due are found though another has thousands. And where our own callbacks of a join go, where its
  // text is kept without their URLs.
  `CREATE INDEX recordings_by_tenants_due ON recordings (tenant, due_at) WHERE due_at IS NOT NULL;
   ALTER TABLE placements ADD COLUMN hooks TEXT;`,

  // Since when a version of a ruleset is kept, and who wrote it by the API.
  `ALTER TABLE rulesets ADD COLUMN kept_at INTEGER;
   ALTER TABLE rulesets ADD COLUMN pushed_at INTEGER;
   ALTER TABLE rulesets ADD COLUMN pushed_by TEXT;`,
  // What operators did to conferences, and what was decided for a room until it is over.
  `ALTER TABLE placements ADD COLUMN coaching TEXT;
   ALTER TABLE placements ADD COLUMN policies TEXT;
   CREATE TABLE control_commands (
     seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, request_key TEXT, data TEXT NOT NULL,
     UNIQUE (tenant, request_key)
   );
   CREATE TABLE room_policies (
     room TEXT NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, tenant TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER,
     data TEXT NOT NULL, PRIMARY KEY (room, kind, about)
   ) WITHOUT ROWID;`,
  // What is told of each tenant's conferences as it happens: to clients that listen, and to servers of the tenant's own.
  `CREATE TABLE feeds (tenant TEXT PRIMARY KEY, floor INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE feed_events (
     id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, frame TEXT NOT NULL
   );
   CREATE UNIQUE INDEX feed_events_by_tenant ON feed_events (tenant, seq);
   CREATE TABLE feed_tickets (
     digest TEXT PRIMARY KEY, tenant TEXT NOT NULL, bearer TEXT NOT NULL, until INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE INDEX feed_tickets_by_age ON feed_tickets (until);

   CREATE TABLE webhooks (
     id TEXT PRIMARY KEY, tenant TEXT NOT NULL, project_id TEXT NOT NULL, url TEXT NOT NULL, types TEXT, secrets TEXT NOT NULL,
     state TEXT NOT NULL, dropped INTEGER NOT NULL, created_at INTEGER NOT NULL
   );
   CREATE INDEX webhooks_by_tenant ON webhooks (tenant);
   CREATE TABLE webhook_deliveries (
     id INTEGER PRIMARY KEY, webhook TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
     state TEXT NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL, due_at INTEGER,
     created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
   );
   CREATE UNIQUE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook, seq);
   CREATE INDEX webhook_deliveries_by_due ON webhook_deliveries (webhook, due_at) WHERE due_at IS NOT NULL;`,
  // Copies of recordings' sound in the Worker's bucket: those that are there, are to be made, and are to be deleted.
  `CREATE TABLE recording_copies (
     recording TEXT PRIMARY KEY, tenant TEXT NOT NULL, state TEXT NOT NULL, sha256 TEXT, size_bytes INTEGER, copied_at INTEGER,
     attempts INTEGER NOT NULL, due_at INTEGER
   ) WITHOUT ROWID;
   CREATE INDEX recording_copies_by_due ON recording_copies (due_at) WHERE due_at IS NOT NULL;`,

  // What was decided for the call, as far as no column of its own holds it; and until when a place that is kept for it is.
  `ALTER TABLE placements ADD COLUMN placing TEXT;
   ALTER TABLE placements ADD COLUMN lease_until INTEGER;`,

  // A recording that an operator started in a live conference: each part of it is made of one call.
  `ALTER TABLE recordings ADD COLUMN leg TEXT;
   CREATE INDEX recordings_by_leg ON recordings (started_at) WHERE leg IS NOT NULL AND ended_at IS NULL;
   -- Operators' commands are counted by tenant: the oldest of each go by themselves.
   ALTER TABLE control_commands ADD COLUMN number INTEGER;
   UPDATE control_commands SET number = seq;
   CREATE INDEX control_commands_by_tenant ON control_commands (tenant, number);`,

  // Whether the rule's server was told that a recording began. Of those that are known by now nothing more is told.
  "ALTER TABLE recordings ADD COLUMN begin_told INTEGER NOT NULL DEFAULT 1;",
];

/** Rows of old history that make room for a migration at a time, and how often they do in one start. */
const HISTORY_ROWS = 5_000;
const TRIES = 20;
/** Repeats of webhooks and events are told by what is younger than this. */
const HISTORY_MS = 3_600_000;

/**
 * Brings the storage of whichever version wrote it to this one's. Synchronous and in one transaction: all or nothing.
 *
 * In a full object a migration may find no room. The oldest history makes some, as it does for rows. If that is not enough the session
 * does not start: calls are placed by their documents, and each request or alarm starts it anew, with so much less history.
 * @param upTo the version to stop at: how an older one's storage is made for a test.
 */
export function migrate(storage: DurableObjectStorage, upTo = migrations.length): void {
  for (let tries = 1; ; tries += 1) {
    try {
      storage.transactionSync(() => migrateTo(storage.sql, upTo));
      return;
    } catch (error) {
      if (!isFull(error) || tries > TRIES || !makeRoom(storage.sql)) throw error;
    }
  }
}

function migrateTo(sql: SqlStorage, upTo: number): void {
  sql.exec("CREATE TABLE IF NOT EXISTS migrations (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)");
  const done = versionOf(sql);
  for (const [index, statements] of migrations.entries()) {
    if (index < done || index >= upTo) continue;
    sql.exec(statements);
    sql.exec("INSERT INTO migrations (id, at) VALUES (?, ?)", index + 1, Date.now());
  }
}

function versionOf(sql: SqlStorage): number {
  return sql.exec<{ id: number }>("SELECT COALESCE(MAX(id), 0) AS id FROM migrations").one().id;
}

/** Deletes old history, nothing that is live or that an operator did; false where there was none. */
function makeRoom(sql: SqlStorage): boolean {
  const version = versionOf(sql);
  const history = version >= 2 ? ["events", "journal"] : version >= 1 ? ["events"] : [];
  const deleted = history.map(
    (table) =>
      sql
        .exec(
          `DELETE FROM ${table} WHERE seq IN (
           SELECT seq FROM ${table} WHERE at < ? ${table === "journal" ? "AND kind = 'webhook'" : ""} ORDER BY seq LIMIT ?
         ) RETURNING seq`,
          Date.now() - HISTORY_MS,
          HISTORY_ROWS,
        )
        .toArray().length,
  );
  if (deleted.every((rows) => rows === 0)) return false;
  log("error", "migration.no_room", { version, deleted });
  return true;
}
