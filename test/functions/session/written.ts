/** When what the older versions wrote happened, ms: a moment before this one's code wakes. */
export const at = Date.now() - 60_000;
/** As events and their rows have it, seconds. */
export const at_s = at / 1_000;

const later = at + 3_600_000;
const terms = {
  rooms: ["acme:lobby"],
  strategy: "first",
  join: { beep: "onEnter" },
  for: ["admission"],
  max_s: 7_200,
  otherwise: { action: "reject" },
};
const placing = {
  action: "place",
  rooms: ["support"],
  strategy: "first",
  role: "participant",
  join: {},
  rejoin_s: 600,
  rule: "support",
  ruleset: "0".repeat(64),
  decided_at: at,
};
const walk = {
  made: null,
  tenant: "acme",
  call: {
    via: "relay",
    call_id: "walked",
    node_id: "node-1",
    direction: "inbound",
    type: "phone",
    from: "+15550100004",
    to: "+15550100100",
    headers: {},
    vars: {},
    params: {},
    details: {},
  },
  answered: true,
  next: null,
  sounding: null,
};
const request = {
  v: 1,
  project_id: "p-1",
  tenant: "acme",
  id: "board-1",
  to: "+15550100201",
  from: "+15550100100",
  device: "phone",
  timeout_s: 60,
  max_concurrent: 10,
  per_s: 1,
  room: "acme:board",
  decision: { ...placing, rooms: ["board"], looked_at: [] },
};

/** What each version of the storage has written, as that version wrote it; [n - 1] is what came with version n. */
/** A command of an operator's, as it is kept. */
const command = {
  command_id: "command-1",
  control: "mute",
  state: "done",
  changed: true,
  sent_by: "rest",
  verified_by: "event",
  room: "acme:support",
  conference_id: "conf-1",
  call_id: "in",
  at,
  settled_at: at + 100,
  said: "",
  tenant: "acme",
  wanted: null,
  request_key: null,
  fingerprint: null,
};

export const written = [
  `INSERT INTO facts (name, value) VALUES ('project_id', 'p-1'), ('breaker', '{"failures":2,"open_until":null}');
   INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, capacity, room, "join",
     rule, role, ruleset, decided_at, reason, live, created_at, deadline_at, hold_at, conference_id, joined_ts, asking_step, answer)
   VALUES
     ('in', '', 0, 'acme', 'node-1', '+15550100001', 'joined', 'relay', 5, 'acme:support', '{"beep":"onEnter"}',
      'support', 'participant', 'r1', ${at}, 'participant-join', 1, ${at}, ${at + 2_000}, ${at + 100},
      'conf-1', ${at_s + 0.2}, 1, '{"v":1,"outcome":"joined","room":"acme:support","join":{},"reason":"seen"}'),
     ('gone', '', 0, 'acme', 'node-1', '+15550100002', 'left', 'document', 5, 'acme:support', '{}',
      'support', 'participant', 'r1', ${at}, 'participant-leave', 0, ${at + 500}, ${at + 2_500}, NULL,
      'conf-1', ${at_s + 0.7}, NULL, NULL);
   INSERT INTO events (at, fingerprint, event_type, status, call_id, conference_id, name, ts) VALUES
     (${at + 200}, '["relay","calling.conference","participant-join","conf-1","in",null,null,${at_s + 0.2}]',
      'calling.conference', 'participant-join', 'in', 'conf-1', 'acme:support', ${at_s + 0.2});
   INSERT INTO errands (kind, call_id, entry, step, node_id, due_at) VALUES ('expire', 'in', '', 0, 'node-1', 9999999999999);
   INSERT INTO counters (name, total) VALUES ('command_ok', 7);`,

  `INSERT INTO journal (at, tenant, call_id, kind, data) VALUES (${at}, 'acme', 'in', 'webhook',
     '{"received_at":${at},"purpose":"fresh","entry":"","step":0,"from":"+15550100001","to":"+15550100100"}');
   INSERT INTO rulesets (tenant, hash, part, text, last_used, served_at) VALUES ('acme', 'r1', 0, '{"rules":[]}', 1, 1);
   UPDATE placements SET muted = 1, trail = '[${at},"planned","planned"],[${at + 200},"joined","participant-join"]'
     WHERE call_id = 'in';`,

  `INSERT INTO pin_guards (tenant, kind, who, tries, closings, closed_until, forget_at) VALUES
     ('acme', 'caller', '+15550100003', '[]', 2, ${later}, ${later + 86_400_000}),
     ('acme', 'number', '+15550100100', '[${at}]', 0, 0, ${later});
   INSERT INTO pin_tries (call_id, entry, step, answer, verdict, forget_at) VALUES
     ('tried', '', 1, 'a-hash', 'caller', ${later});`,

  `INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, room, "join", rule, role, ruleset, decided_at,
     reason, live, created_at, deadline_at, wait, seen_at, trail)
   VALUES ('waits', '', 0, 'acme', 'node-1', '+15550100005', 'waiting', 'acme:lobby', '{"beep":"onEnter"}', 'lobby',
     'participant', 'r1', ${at}, 'there is a line', 1, ${at}, ${at + 2_000}, '${JSON.stringify(terms)}', ${at},
     '[${at},"waiting","there is a line"]');`,

  `UPDATE placements SET over_capacity = 1 WHERE call_id = 'in';
   INSERT INTO room_checks (room, due_at, not_before, checked_at, strangers) VALUES ('acme:support', NULL, ${at}, ${at}, 2);`,

  `INSERT INTO walks (call_id, context, received_at, state) VALUES
     ('walked', 'main', ${at}, '${JSON.stringify(walk)}'), ('walked before', 'main', ${at - 1_000}, NULL);`,

  `INSERT INTO kept_seats (call_id, entry, step, tenant, "from", "to", keep_s, placing, made_at, room, until) VALUES
     ('gone', '', 0, 'acme', '+15550100002', '+15550100100', 600, '${JSON.stringify(placing)}', ${at}, 'acme:support', ${later});`,

  `INSERT INTO dials (tag, tenant, id, state, reason, request, call_id, node_id, created_at, updated_at, sent_at) VALUES
     ('tag-1', 'acme', 'board-1', 'busy', 'the line is busy', '${JSON.stringify(request)}', 'dialled', 'node-1', ${at}, ${at + 900}, ${at + 10});`,

  `INSERT INTO dials (tag, tenant, id, state, reason, request, created_at, updated_at, sent_at) VALUES
     ('tag-2', 'acme', 'board-2', 'no_answer', 'nobody answered', '${JSON.stringify({ ...request, id: "board-2" })}', ${at}, ${at}, ${at + 20});
   INSERT INTO walks (call_id, context, received_at, state) VALUES ('walked first', 'main', ${at - 2_000}, NULL);`,

  `UPDATE placements SET presumed_gone_at = ${at}, ingress = 'swml' WHERE call_id = 'in';
   INSERT INTO observations (question, reading, first_at, last_at, times) VALUES ('call_sid_is_call_id', 'true', ${at}, ${at}, 3);`,

  `INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, room, "join", rule, role, ruleset,
     decided_at, reason, live, created_at, deadline_at, conference_id, joined_ts)
   VALUES ('ended', '', 0, 'acme', 'node-1', '+15550100006', 'joined', 'relay', 'acme:over', '{}', 'over', 'participant', 'r1',
     ${at}, 'participant-join', 1, ${at}, ${at + 2_000}, 'conf-2', ${at_s + 0.3});
   INSERT INTO conference_ends (room, conference_id, feed, trusted, tenant, found_cxml, found_others, ended_by, ts, at) VALUES
     ('acme:over', 'conf-2', 'callback', 1, NULL, 0, 0, 'another', ${at_s + 9}, ${at + 9_000});`,

  `INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, capacity, room, "join", rule, role, ruleset,
     decided_at, reason, live, created_at, deadline_at, when_full)
   VALUES ('refused', '', 0, 'acme', 'node-1', '+15550100007', 'by_document', 'document', 2, 'acme:small', '{}', 'small',
     'participant', 'r1', ${at}, 'RELAY is down', 1, ${at}, ${at + 2_000}, '{"action":"reject","say":{"say":"All seats are taken."}}');`,

  `INSERT INTO tenants (tenant, record) VALUES ('acme', '{"project_id":"p-1"}') ON CONFLICT DO UPDATE SET record = excluded.record;
   INSERT INTO tenants (tenant, plain) VALUES ('default', 1);`,
  `INSERT INTO recordings (id, tenant, room, conference_id, sid, state, url, duration_s, started_at, ended_at, told) VALUES
     ('rec-1', 'acme', 'acme:support', 'conf-1', 'r-1', 'completed', 'https://files.example.com/r-1', 12, ${at}, ${at + 12_000}, 1);`,

  `UPDATE placements SET untold = '{"say":"This call is recorded."}' WHERE call_id = 'in';
   INSERT INTO recorded_rooms (room, conference_id, since) VALUES ('acme:support', 'conf-1', ${at});`,

  `INSERT INTO dials (tag, tenant, id, state, reason, request, call_id, node_id, segment_id, created_at, updated_at, sent_at) VALUES
     ('tag-3', 'acme', 'board-3', 'ended', 'hangup', '${JSON.stringify({ ...request, id: "board-3" })}', 'rang', 'node-1', 'segment-1',
     ${at}, ${at}, ${at + 5});`,

  `INSERT INTO tokens (id, tenant, digest, data, created_at, expires_at) VALUES
     ('acme-1', 'acme', 'a-hash', '{"name":"wallboard","scopes":["rooms:read"],"rooms":null,"mask_numbers":true,"created_by":"admin"}', ${at}, NULL);
   INSERT INTO audit (at, tenant, entry) VALUES (${at}, 'acme',
     '{"token":"acme-1","name":"wallboard","action":"call.end","target":{},"sent_by":null,"outcome":"ok","status":202,"verified_by":null,"ms":3}');`,

  `INSERT INTO recordings (id, tenant, room, state, started_at, due_at) VALUES
     ('rec-2', 'globex', 'globex:support', 'in-progress', ${at}, ${at + 3_600_000});
   INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, room, "join", hooks, rule, role, ruleset,
     decided_at, reason, live, created_at, deadline_at)
   VALUES ('short', '', 0, 'acme', 'node-1', '+15550100008', 'by_document', 'document', 'acme:short', '{"beep":"false"}',
     'https://partyline.example.com/hooks/acme', 'short', 'participant', 'r1', ${at}, 'RELAY is down', 1, ${at}, ${at + 2_000});`,

  `UPDATE rulesets SET kept_at = 2, pushed_at = 3, pushed_by = 'ops@example.com' WHERE hash = 'r1';`,
  `INSERT INTO control_commands (id, tenant, request_key, data) VALUES ('command-1', 'acme', NULL, '${JSON.stringify(command)}');
   INSERT INTO room_policies (room, kind, about, tenant, at, until, data) VALUES
     ('acme:support', 'lock', '', 'acme', ${at}, ${later}, '{"mode":"refuse"}');`,
  `INSERT INTO feeds (tenant, floor, until) VALUES ('acme', 40, ${later});
   INSERT INTO feed_events (tenant, seq, at, frame) VALUES
     ('acme', 41, ${at}, '{"v":1,"seq":41,"type":"rules.changed","at":${at},"data":{"hash":"r1"}}');
   INSERT INTO feed_tickets (digest, tenant, bearer, until) VALUES ('a-hash', 'acme', '{}', ${at});
   INSERT INTO webhooks (id, tenant, project_id, url, types, secrets, state, dropped, created_at) VALUES
     ('hook-1', 'acme', 'p-1', 'https://hooks.example.com/', '["rules.changed"]', '[]', 'disabled', 3, ${at});
   INSERT INTO webhook_deliveries (webhook, seq, type, body, state, attempts, reason, due_at, created_at, updated_at) VALUES
     ('hook-1', 41, 'rules.changed', '{}', 'failed', 1, 'the receiver answered 410', NULL, ${at}, ${at});`,

  `INSERT INTO recording_copies (recording, tenant, state, sha256, size_bytes, copied_at, attempts, due_at) VALUES
     ('rec-1', 'acme', 'kept', 'a-hash', 9, ${at}, 0, NULL);`,
  `INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, capacity, room, "join", rule, role, ruleset,
     decided_at, reason, live, created_at, deadline_at, lease_until, wait, seen_at, placing, trail)
   VALUES ('offered', '', 0, 'acme', 'node-1', '+15550100009', 'by_document', 'document', 2, 'acme:small-2', '{"beep":"onEnter"}', 'small',
     'participant', 'r1', ${at}, 'its turn has come', 1, ${at}, ${later}, ${later}, '${JSON.stringify({ ...terms, rooms: ["acme:small-2"] })}',
     ${at}, '{"strategy":"emptiest","wait":{"for":["seat"],"max_s":7200,"otherwise":{"action":"reject"}}}',
     '[${at},"waiting","there is a line"],[${at},"offered","its turn has come"]');`,

  `INSERT INTO recordings (id, tenant, room, conference_id, state, started_at, ended_at, leg) VALUES
     ('rec-3', 'initech', 'initech:recorded', 'c-7', 'completed', ${at}, ${at},
     '{"of":null,"part":1,"call_id":"recorded","control_id":"r-7","wanted":"recording","over":0}');`,

  `INSERT INTO recordings (id, tenant, room, state, started_at, begin_told) VALUES ('rec-4', 'begun', 'begun:hall', 'in-progress', ${at}, 0);`,
];
