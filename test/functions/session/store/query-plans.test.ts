/// <reference types="vite/types/importMeta.d.ts" />
import { expect, test } from "vitest";
import type { DialRequest } from "../../../../functions/session/contract/dial.ts";
import { ApiAccess } from "../../../../functions/session/operator/api-access.ts";
import { CallHistory } from "../../../../functions/session/operator/call-history.ts";
import { TenantRecords } from "../../../../functions/session/operator/tenant-records.ts";
import { PinLimiter } from "../../../../functions/session/pins/pin-limiter.ts";
import { FeedLog } from "../../../../functions/session/store/feed-log.ts";
import { Rulesets } from "../../../../functions/session/store/rulesets.ts";
import type { Placing } from "../../../../shared/placing.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";
import { SqlRecording } from "../sql-recording.ts";
import { sqlTextsIn } from "../sql-texts.ts";

const sources = import.meta.glob<string>("../../../../functions/session/**/*.ts", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** What runs once for each version of the storage is not what calls wait for. */
const UNCHECKED = ["store/schema.ts"];

/** Tables of a few rows, whatever is kept: single values, names from our own code, ends that are being worked through, rooms that are recorded now, and what operators decided for rooms that are live. */
const SMALL = ["facts", "counters", "observations", "conference_ends", "recorded_rooms", "room_policies"];

/** What reads more than a row that it names, and why that is little whatever is kept. */
const BOUNDED: { statement: string; step: string; why: string }[] = [
  {
    statement: "FROM recording_copies WHERE recording > '' ORDER BY recording LIMIT 1",
    step: "SEARCH recording_copies USING PRIMARY KEY (recording>?)",
    why: "the first one",
  },
  {
    statement: "FROM placements WHERE call_id = ? ORDER BY",
    step: "SEARCH placements USING INDEX sqlite_autoindex_placements_1 (call_id=?)",
    why: "one call's placements: 30 are kept",
  },
  {
    statement: "FROM placements WHERE call_id = ? ORDER BY",
    step: "USE TEMP B-TREE FOR ORDER BY",
    why: "one call's placements: 30 are kept",
  },
  {
    statement: "room_checks_with_strangers WHERE strangers > 0",
    step: "SCAN room_checks USING INDEX room_checks_with_strangers",
    why: "rooms with strangers in them, each checked again within a minute",
  },
  {
    statement: "WHERE room > ? ORDER BY room LIMIT ?",
    step: "SEARCH room_checks USING PRIMARY KEY (room>?)",
    why: "a slice, by its limit",
  },
  {
    statement: "DELETE FROM room_checks WHERE room > ? AND room <= ?",
    step: "SEARCH room_checks USING PRIMARY KEY (room>? AND room<?)",
    why: "the slice that was read before",
  },
  {
    statement: "DELETE FROM control_commands",
    step: "SEARCH control_commands USING INDEX control_commands_by_tenant (tenant=? AND number<?)",
    why: "the one that is too old by the one that was added",
  },
  {
    statement: "recordings_by_leg",
    step: "SCAN recordings USING INDEX recordings_by_leg",
    why: "recordings that operators started and that go on, by its limit",
  },
  {
    statement: "rulesets",
    step: "INDEX sqlite_autoindex_rulesets_1 (tenant=? AND hash=?)",
    why: "the parts of one version, nine at most",
  },
  {
    statement: "dials_open WHERE",
    step: "SCAN dials USING COVERING INDEX dials_open",
    why: "the first of those that are open",
  },
  {
    statement: "tenants_renamed WHERE",
    step: "SCAN tenants USING INDEX tenants_renamed",
    why: "the first of those whose rooms were renamed, once after each start",
  },
  {
    statement: "AS may_go FROM",
    step: "USING INTEGER PRIMARY KEY (rowid>?)",
    why: "a slice of the oldest rows, by its limit",
  },
  {
    statement: "walks_by_open WHERE state IS NOT NULL",
    step: "SCAN walks USING",
    why: "walks under way, by its limit",
  },
  {
    statement: "dials_under_way WHERE",
    step: "SCAN dials USING INDEX dials_under_way",
    why: "phones that ring, by its limit",
  },
  {
    statement: "FROM placements INDEXED BY placements_by_seat WHERE live = 1 AND room = ?",
    step: "SEARCH placements USING INDEX placements_by_seat (room=?)",
    why: "live rows of one room, once after each start",
  },
  {
    statement: "FROM kept_seats INDEXED BY kept_seats_by_room WHERE room = ? AND until > ?",
    step: "SEARCH kept_seats USING COVERING INDEX kept_seats_by_room",
    why: "seats that are kept of one room, once after each start",
  },
];

test("no statement of the session's reads more than a few rows of what is kept, or sorts it", async () => {
  await onStorage("query-plans", async ({ sql }) => {
    const recording = new SqlRecording(sql);
    try {
      await useAll(sql);
    } finally {
      recording.stop();
    }
    const { statements } = recording;
    const texts = Object.entries(sources)
      .filter(([path]) => !UNCHECKED.some((name) => path.endsWith(`/${name}`)))
      .flatMap(([, source]) => sqlTextsIn(source));
    const unseen = texts.filter((text) => !statements.some((statement) => isIn(text, statement)));
    expect(unseen, "statements that this test does not run").toEqual([]);
    expect(statements.flatMap((statement) => faultsOf(sql, statement))).toEqual([]);
  });
});

test("a statement that reads a whole table, or sorts it, is found out", async () => {
  await onStorage("query-plans", async ({ sql }) => {
    for (const statement of [
      "SELECT MAX(until) FROM kept_seats",
      "SELECT call_id FROM journal WHERE tenant = ? ORDER BY at",
      "SELECT state FROM dials WHERE tenant = ?",
      "SELECT 1 FROM journal WHERE call_id = ? AND tenant = ?",
    ])
      expect(faultsOf(sql, statement), statement).not.toEqual([]);
  });
});

/** Whether the text, whose gaps anything may fill, is in the statement. */
function isIn(text: readonly string[], statement: string): boolean {
  let at = 0;
  for (const part of text) {
    const found = statement.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}

function faultsOf(sql: SqlStorage, statement: string): string[] {
  const plan = sql.exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${statement}`, ...valuesFor(statement));
  return [...plan].flatMap(({ detail }) =>
    isSound(sql, statement, detail) ? [] : [`${statement}\n  ${detail}`],
  );
}

function isSound(sql: SqlStorage, statement: string, step: string): boolean {
  if (BOUNDED.some((one) => statement.includes(one.statement) && step.includes(one.step))) return true;
  if (/^(SCALAR|CORRELATED SCALAR|LIST) SUBQUERY|^CO-ROUTINE|^MATERIALIZE/.test(step)) return true;
  // The few rows that another step found, or that are given.
  if (/^SCAN (json_each|CONSTANT ROW)/.test(step)) return true;
  if (/^SCAN \(subquery/.test(step)) return statement.includes("LIMIT ?");
  const [, way, table, by, columns] =
    step.match(/^(SCAN|SEARCH) (\S+)(?: USING (.+?))?(?: \((.*)\))?$/) ?? [];
  if (table === undefined) return false;
  if (SMALL.includes(table)) return true;
  if (way === "SCAN") return false;
  // The first or last row of all; of what is no row's number SQLite would read every one, and calls it a search all the same.
  if (by === undefined) return /(MIN|MAX)\((seq|rowid|id)\)/.test(statement);
  if (by === "INTEGER PRIMARY KEY")
    // Of the oldest so many.
    return columns === "rowid=?" || /< \(SELECT MIN\((seq|rowid|id)\) \+ \? FROM/.test(statement);
  const named = by.match(/INDEX (\S+)$/)?.[1];
  if (named !== undefined && !named.startsWith("sqlite_autoindex"))
    return statement.includes(`INDEXED BY ${named}`) && /LIMIT|SELECT (MIN|MAX)\(/.test(statement);
  return (columns?.match(/=\?/g)?.length ?? 0) === uniqueColumns(sql, table, named);
}

/** Of the table's primary key, or of the index behind it. */
function uniqueColumns(sql: SqlStorage, table: string, index: string | undefined): number {
  return index === undefined
    ? sql.exec(`SELECT 1 FROM pragma_table_info('${table}') WHERE pk > 0`).toArray().length
    : sql.exec(`SELECT 1 FROM pragma_index_info('${index}')`).toArray().length;
}

function valuesFor(statement: string): null[] {
  const numbered = [...statement.matchAll(/\?(\d+)/g)].map(([, n]) => Number(n));
  const count = numbered.length > 0 ? Math.max(...numbered) : (statement.match(/\?/g)?.length ?? 0);
  return Array.from({ length: count }, () => null);
}

/** Every statement at least once: a session's ledger, used as a session does. */
async function useAll(sql: SqlStorage): Promise<void> {
  let now = 1_800_000_000_000;
  const ledger = new Ledger(
    sql,
    () => now,
    async () => new Set(["in", "stranger"]),
  );
  useFacts(ledger);
  usePins(
    new PinLimiter(
      ledger.disk,
      () => now,
      () => {},
    ),
  );
  useCallFlowsAndDials(ledger);
  useCommands(ledger);
  useControls(ledger);
  const about = { tenant: "acme", call_id: "in" };
  const row = ledger.plan(requestOf("in", { deadline_at: now + 2_000, sticky_key: "+15550100001" }));
  ledger.plan(requestOf("waits", { deadline_at: now, rooms: ["acme:lobby"], join_via: "document" }));
  ledger.placements.plan(
    requestOf("waits", { deadline_at: now, rooms: ["acme:lobby"], step: 1 }),
    "acme:lobby",
    "a line",
    "waiting",
  );
  for (let step = 0; step < 31; step += 1)
    ledger.placements.plan(
      requestOf("again", { deadline_at: now, step }),
      "acme:lobby",
      "full",
      "failed",
      "full",
    );
  expect(ledger.occupancy.waiting.has("acme:lobby")).toBe(true);
  ledger.occupancy.ofCaller("acme", "me");
  ledger.occupancy.forwardingOf("acme:support", "conference");
  const placing = { rooms: ["support"] } as unknown as Placing; // Kept as it is, whatever it says.
  const promised = requestOf("in", { deadline_at: now, rejoin: { s: 600, to: "+15550100100", placing } });
  ledger.heldSeats.promise(promised);
  const happens = (status: string, at: number) => {
    const event = conferenceEvent(status, at, "in");
    if (ledger.eventLog.record(event, "relay") === "new") ledger.events.apply(event);
    ledger.eventLog.record(event, "relay");
  };
  happens("participant-join", now);
  happens("participant-leave", now + 9_000);
  ledger.occupancy.taken("acme:support");
  ledger.recorded.began("acme:support", "conf-1");
  ledger.recorded.ended("acme:support", "conf-1");
  ledger.heldSeats.dropped(promised);
  ledger.heldSeats.claim({ tenant: "acme", from: "+15550100001", to: "+15550100100", call_id: "back" });
  ledger.heldSeats.take("back");
  ledger.heldSeats.unkeep(promised);
  ledger.heldSeats.isPromised(promised);
  ledger.heldSeats.removed(promised);
  if (row) ledger.corrections.release(row, "for its place in the journal");
  ledger.checks.demandAfter("acme:support", 0);
  ledger.checks.refused("acme:support", 1);
  await ledger.reconciler.run();
  ledger.checks.nextDue();
  ledger.checks.ended("acme:support");
  for (let n = 0; n < 30; n += 1) {
    ledger.plan(requestOf(`c-${n}`, { deadline_at: now + 2_000, capacity: 99, rooms: ["acme:all"] }));
    ledger.events.apply(conferenceEvent("participant-join", now, `c-${n}`, "acme:all"));
  }
  ledger.events.apply(conferenceEvent("conference-end", now + 1_000, null, "acme:all"));
  while (!ledger.backlog.isEmpty) ledger.backlog.work();
  const archive = new CallHistory(
    sql,
    ledger.history,
    ledger.placements,
    ledger.occupancy,
    ledger.suspicions,
    ledger.rulesets,
    ledger.recordings,
    ledger.policies,
    ledger.speech,
    () => {},
  );
  useRecordings(ledger);
  await useFeed(ledger, () => now);
  useApiAccess(ledger, () => now);
  for (const more of [{}, { room: "acme:support" }, { conference_id: "c-1" }])
    archive.recordings("acme", { limit: 9, since: 1, ...more });
  const note = { received_at: now, purpose: "fresh", entry: "", step: 0, from: "", to: "" } as const;
  const said = { outcome: "reject", rule: null, ruleset: "r1", room: null, ms: 1 } as const;
  archive.note({ v: 1, project_id: "p-1", tenant: "acme", call_id: "in", note, said });
  archive.keep("acme", { hash: "r1", text: "{}" });
  archive.lastGood("acme");
  archive.pushed("acme", { hash: "r1", text: "{}" }, null);
  archive.versions("acme", 9);
  archive.decisions("acme", { limit: 9 });
  archive.story("acme", "in", { with_rulesets: true });
  archive.calls("acme", { limit: 9, after: 9_999 });
  const tenants = new TenantRecords(ledger.disk, ledger.settings, ledger.namings, async () => {});
  await tenants.keep({ tenant: "acme", project_id: "p-1", project_version: "1", record: "{}" });
  tenants.lastGood("acme");
  for (const naming of ["plain", "prefixed", "plain"] as const)
    ledger.namings.settle({ tenant: "acme", rooms: ["acme:named"], naming });
  ledger.history.knows("in");
  ledger.history.action(about, { deed: "end", by: "rest", said: "done" });
  ledger.history.oldest();
  now += 100 * 24 * 3_600_000;
  await ledger.reconciler.routine();
  for (const limit of [1, 2]) {
    ledger.placements.forgetOver(1, limit);
    ledger.history.forgetHistory(1, limit);
    ledger.callFlows.forgetOver(1, limit);
  }
  for (const table of [
    ledger.placements,
    ledger.eventLog,
    ledger.history,
    ledger.callFlows,
    ledger.dials,
    ledger.rulesets,
    ledger.recordings,
  ])
    table.forget(1, 100);
  for (const table of [ledger.tokens, ledger.audit]) table.forget(100);
  ledger.audit.nextForget();
  ledger.heldSeats.forget(100);
  ledger.heldSeats.nextForget();
  useFull(sql, ledger);
}

/** What is done where there is no room. */
function useFull(sql: SqlStorage, { pendingCommands, callFlows, rulesets }: Ledger): void {
  pendingCommands.add("end", { call_id: "full", entry: "", step: 0 }, null);
  using full = new SqlFaults(sql, needsRoom, FULL);
  pendingCommands.takeDue(9);
  callFlows.close("walked");
  full[Symbol.dispose]();
  using _later = new SqlFaults(sql, (statement) => statement.startsWith("INSERT"), FULL);
  expect(() => rulesets.keep("acme", { hash: "r2", text: "{}" })).toThrow(FULL);
}

function useControls({ controls, policies, placements, pendingCommands }: Ledger): void {
  const command = {
    command_id: "command-1",
    control: "mute",
    state: "requested",
    changed: true,
    sent_by: null,
    verified_by: null,
    room: "acme:support",
    conference_id: null,
    call_id: "in",
    at: 0,
    settled_at: null,
    said: "",
    tenant: "acme",
    wanted: null,
    request_key: "one",
    fingerprint: "f",
  } as const;
  controls.add(command);
  controls.update(command);
  controls.find("acme", "command-1");
  controls.under("acme", "one");
  const until = Number.MAX_SAFE_INTEGER;
  policies.set<"lock">({
    room: "r",
    kind: "lock",
    about: "",
    tenant: "acme",
    until,
    data: { mode: "refuse" },
  });
  policies.drop("r", "lock");
  const moved = placements.plan(
    requestOf("moved", { deadline_at: 0 }),
    "acme:support",
    "moved",
    "by_document",
  );
  placements.withdraw(moved);
  pendingCommands.dueOf("expire", moved);
}

function useFacts({ settings, counters, observations }: Ledger): void {
  settings.set("project_id", "p-1");
  settings.forgetResume();
  settings.drop("project_id");
  counters.add("calls");
  counters.run();
  observations.saw("call_sid_is_call_id", true);
}

function usePins(pinLimiter: PinLimiter): void {
  const limits = {
    tries_per_caller: 1,
    tries_per_number: 9,
    window_s: 9,
    caller_block_s: 9,
    number_block_s: 9,
  };
  const question = { v: 1, tenant: "acme", call_id: "in", from: "+15550100001", to: "+15550100100" } as const;
  pinLimiter.ask({ ...question, entry: "", step: 0, answer: "a", wrong: true, limits });
  pinLimiter.closed("acme");
  pinLimiter.letIn("acme", "+15550100001");
  pinLimiter.forget(9);
  pinLimiter.nextForget();
}

function useCallFlowsAndDials({ callFlows, dials }: Ledger): void {
  const call = { call_id: "walked", call_state: "answered" } as Parameters<typeof callFlows.claim>[0]; // As much as is kept of it.
  const flow = callFlows.claim({ ...call, headers: {}, vars: {}, params: {}, details: {} }, "main");
  if (flow) callFlows.update(flow, { answered: true });
  callFlows.has("walked");
  callFlows.isOpen("walked");
  callFlows.open(9);
  callFlows.close("walked");
  callFlows.oldest();
  expect(callFlows.areOpen).toBe(false);
  const request = { tenant: "acme", id: "1" } as DialRequest; // As much as the table reads of it.
  const dial = dials.add("tag-1", request);
  dials.find("acme", "1");
  dials.byCall("in");
  dials.ofTenant("acme", 9, 9);
  expect([dials.heads().length, dials.areOpen]).toEqual([1, true]);
  dials.update(dial, { state: "ringing" });
  dials.underWay();
  dials.countQueued("acme", 9);
  dials.countUnderWay("acme", 9);
  dials.lastSentAt();
  dials.oldest();
}

function useApiAccess(ledger: Ledger, now: () => number): void {
  const access = new ApiAccess(
    ledger,
    now,
    () => {},
    () => {},
  );
  const grant = { name: "wall", scopes: [], rooms: null, mask_numbers: false, expires_at: null };
  const whose = { project_id: "p-1", tenant: "acme", id: "acme-1", digest: "d", created_by: "admin" };
  access.create({ ...whose, ...grant });
  access.verify("acme", "acme-1", "d");
  access.revoke("acme", "acme-1");
  access.record("p-1", "acme", {
    at: now(),
    token: "acme-1",
    name: "wall",
    action: "call.end",
    target: {},
    sent_by: null,
    outcome: "ok",
    status: 200,
    verified_by: null,
    ms: 1,
  });
  access.audit("acme", { limit: 9 });
}

async function useFeed(
  { disk, webhooks, deliveries, feedTickets }: Ledger,
  now: () => number,
): Promise<void> {
  const log = new FeedLog(disk, now, 1);
  new Rulesets(disk, now, { isFollowed: () => true, rulesServed: () => {} }).serves("acme", "r1");
  log.begin("acme", now());
  for (let n = 0; n < 200; n += 1) log.add("acme", { type: "rules.changed", data: { hash: "h" } });
  log.after("acme", 0, 9);
  log.lose("acme");
  log.nextForget();
  log.forget(-1, 9);
  const grant = { token: null, scopes: null, rooms: null, mask_numbers: false, expires_at: null };
  await feedTickets.add("ticket", "acme", grant, now());
  await feedTickets.take("ticket", "acme");
  const url = "https://hooks.example.com/";
  const made = { secrets: [], state: "active", dropped: 0, created_at: now() } as const;
  webhooks.byId("hook-1");
  webhooks.add({ id: "hook-1", tenant: "acme", project_id: "p-1", url, types: null, ...made });
  const [webhook] = webhooks.of("acme");
  if (!webhook) throw new Error("there is no such webhook");
  webhooks.update(webhook, { dropped: 1 });
  deliveries.add("hook-1", { seq: 1, type: "rules.changed", body: "{}" });
  const delivery = deliveries.find("hook-1", 1);
  if (!delivery) throw new Error("there is no such delivery");
  deliveries.update(delivery, delivery);
  deliveries.nextOf("hook-1");
  deliveries.nextWaiting("");
  deliveries.page("hook-1", 9, 9);
  deliveries.trim("hook-1", 9);
  deliveries.nextForget();
  deliveries.forget(9);
  deliveries.purge("hook-1", 9);
  webhooks.drop(webhook);
}

function useRecordings({ recordings, recordingCopies }: Ledger): void {
  recordingCopies.viewOf("none");
  recordingCopies.begin(() => {});
  const about = { tenant: "acme", room: "acme:support", state: "expected", started_at: 1 } as const;
  const row = recordings.add(about);
  if (!row) throw new Error("there was no room");
  recordings.update(row, { sid: "r-1", conference_id: "c-1", due_at: 1 });
  recordings.find("acme", row.id);
  recordings.bySid("r-1");
  recordings.ofConference("c-1");
  recordings.newestIn("acme", "acme:support");
  recordings.openParts();
  recordings.begunIn("acme", "acme:support", 0, 9);
  recordings.takeDue(9, 9);
  recordings.nextDue();
  recordings.oldest();
  recordings.update(row, { state: "completed" });
  const copy = recordingCopies.find(row.id);
  if (!copy) throw new Error("no copy is wanted");
  recordingCopies.nextDue();
  recordingCopies.takeDue(1);
  recordingCopies.failed(copy);
  recordingCopies.made(copy, { sha256: "0", size_bytes: 1 });
  recordings.drop(row);
  recordingCopies.deleted(copy);
}

function useCommands({ pendingCommands }: Ledger): void {
  const key = { call_id: "in", entry: "", step: 0 };
  pendingCommands.add("verify", key, null);
  pendingCommands.drop("end", key);
  pendingCommands.takeOver();
  const [pending] = pendingCommands.takeDue(9);
  if (!pending) throw new Error("nothing was due");
  pendingCommands.has(pending);
  pendingCommands.putOff(pending, 1, { counts: true });
  pendingCommands.retry(pending);
  pendingCommands.done(pending);
  pendingCommands.nextDue();
}

function conferenceEvent(
  status: string,
  at: number,
  call_id: string | null,
  name = "acme:support",
): RelayEvent {
  const params = {
    status,
    conference_id: `${name}-1`,
    name,
    size: 7,
    ...(call_id === null ? {} : { call_id }),
  };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1_000, params };
}
