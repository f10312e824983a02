/** How much is kept. */
export interface Filling {
  /** Calls that are over, each with a row of every kind. */
  calls: number;
  /** Calls in rooms, after those. */
  live: number;
  /** Rooms that the live ones are in, evenly. */
  rooms: number;
  now: number;
}

/** The call of which everything is kept in thousands. */
export const LONG_CALL = "call-7";
/** The caller of whom everything is kept in thousands, as of all who hide their number. */
export const COMMON_CALLER = "anonymous";

/** Fills migrated storage as years of use would, in one transaction. Numbers begin at 1; every tenth call is another tenant's. */
export function fill(storage: DurableObjectStorage, { calls, live, rooms, now }: Filling): void {
  const all = calls + live;
  const { sql } = storage;
  const rows = (count: number, insert: string, values: string) =>
    sql.exec(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) INSERT INTO ${insert} SELECT ${values} FROM n`,
    );
  const tenant = "CASE i % 10 WHEN 0 THEN 'globex' ELSE 'acme' END";
  const at = `${now} - (${all} - i) * 10`;
  const isLive = `(i > ${calls})`;
  const note = `'{"received_at":' || (${at}) || ',"purpose":"fresh","entry":"","step":0,"from":"+15550100001","to":"+15550100100",'
    || '"outcome":"reject","rule":"closed","room":null,"ms":3}'`;
  storage.transactionSync(() => {
    rows(
      all,
      `placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, capacity, sticky_key, room, "join", forwarding,
         rule, role, ruleset, decided_at, reason, live, created_at, deadline_at, conference_id, joined_ts, verified_at, ingress)`,
      `'call-' || i, '', 0, ${tenant}, 'node-1', '+1555' || i, CASE ${isLive} WHEN 1 THEN 'joined' ELSE 'left' END, 'relay', 100000,
         CASE i % 2 WHEN 0 THEN 'key-' || (i % 100) END, 'acme:room-' || (i % ${rooms}), '{}',
         CASE i % 20 WHEN 0 THEN '{"conference":null,"recording":null}' END,
         'support', 'participant', 'r1', ${at}, 'participant-join', ${isLive}, ${at}, ${at}, 'conf-' || (i % ${rooms}),
         (${at}) / 1000.0, ${at}, 'swml'`,
    );
    rows(
      all,
      "journal (at, tenant, call_id, kind, data)",
      `${at}, ${tenant}, 'call-' || i, 'webhook', ${note}`,
    );
    rows(
      5_000,
      "journal (at, tenant, call_id, kind, data)",
      `${now}, 'acme', '${LONG_CALL}', 'webhook', ${note}`,
    );
    rows(
      all,
      "events (at, fingerprint, event_type, status, call_id, conference_id, name, ts)",
      `${at}, '["relay",' || i || ']', 'calling.conference', 'participant-join', 'call-' || i, 'conf-1', 'acme:room-1', 1.5`,
    );
    rows(
      5_000,
      "events (at, fingerprint, event_type, status, call_id, conference_id, name, ts)",
      `${now}, '["callback",' || i || ']', 'calling.conference', 'participant-mute', '${LONG_CALL}', 'conf-1', 'acme:room-1', 1.5`,
    );
    rows(all, "walks (call_id, context, received_at, state)", `'call-' || i, 'main', ${at}, NULL`);
    rows(
      all,
      "dials (tag, tenant, id, state, reason, request, call_id, node_id, created_at, updated_at, sent_at)",
      `'tag-' || i, ${tenant}, 'id-' || i, 'ended', 'hung up',
         '{"to":"+15550100201","from":"+15550100100","room":"acme:room-1","decision":{"role":"participant"}}',
         'call-' || i, 'node-1', ${at}, ${at}, ${at}`,
    );
    rows(
      all,
      `kept_seats (call_id, entry, step, tenant, "from", "to", keep_s, placing, made_at, room, until, claimed_by, claimed_until)`,
      `'call-' || i, '', 0, 'acme', CASE i % 2 WHEN 0 THEN '${COMMON_CALLER}' ELSE '+1555' || i END, '+15550100100', 600, '{}', ${at},
         'acme:room-' || (i % ${rooms}), ${now} + CASE i % 100 WHEN 1 THEN 100000 ELSE -i END, 'back-' || (i % 5000), ${at}`,
    );
    rows(
      all,
      "errands (kind, call_id, entry, step, due_at)",
      `'expire', 'call-' || i, '', 0, ${now} + 60000 + i`,
    );
    rows(
      2_000,
      "rulesets (tenant, hash, part, text, last_used, served_at)",
      `'acme', 'hash-' || i, 0, '{}', ${now} - 100 * 86400000 - i, i`,
    );
    rows(
      all,
      "pin_guards",
      `'acme', 'caller', '+1555' || i, '[]', i % 2, (i % 2) * (${now} + 1000000 + i), ${now} + 1000000 + i`,
    );
    rows(
      all,
      "pin_tries (call_id, entry, step, answer, verdict, forget_at)",
      `'call-' || i, '', 0, '', 'caller', ${at}`,
    );
    // An older version's storage has no recordings.
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'recordings'").toArray().length > 0)
      rows(
        100_000,
        "recordings (id, tenant, room, conference_id, sid, state, url, started_at, ended_at, told, due_at)",
        `'rec-' || i, ${tenant}, 'acme:room-' || (i % 20), 'conf-' || (i % 500), 'sid-' || i, 'completed', 'https://files.example.com', ${at},
           ${at} + 9, 1, CASE WHEN i % 1000 = 0 THEN ${now} + 86400000 + i END`,
      );
    rows(20_000, "room_checks (room, checked_at)", `'acme:room-' || i, ${now} - 86400000`);
  });
}
