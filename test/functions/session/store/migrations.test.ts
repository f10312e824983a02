import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { RoomRequest } from "../../../../functions/session/contract/placement.ts";
import { CallFlows } from "../../../../functions/session/store/call-flows.ts";
import { Dials } from "../../../../functions/session/store/dials.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { FeedLog } from "../../../../functions/session/store/feed-log.ts";
import { migrate } from "../../../../functions/session/store/schema.ts";
import { callbackTokens } from "../../../../shared/callback-token.ts";
import { NOBODY_FOLLOWS } from "../ledger.ts";
import { at, at_s, written } from "../written.ts";

type Session = ReturnType<typeof session>;

function session(name: string) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(name));
}

/** An object whose storage an older version left behind, and that was lost since: this one's code wakes it. */
async function orphaned(version: number): Promise<Session> {
  const name = `migrations-${version}`;
  await runInDurableObject(session(name), async (_, { storage }) => {
    await storage.deleteAll();
    migrate(storage, version);
    for (const statements of written.slice(0, version)) storage.sql.exec(statements);
    await storage.sync();
  });
  await runInDurableObject(session(name), (_, state) => state.abort("deployed")).catch(() => {});
  return session(name);
}

async function versions(): Promise<number> {
  return await runInDurableObject(session("migrations-all"), (_, state) =>
    Number(state.storage.sql.exec("SELECT MAX(id) AS id FROM migrations").one()["id"]),
  );
}

const pins = {
  v: 1,
  tenant: "acme",
  from: "+15550100001",
  to: "+15550100100",
  entry: "",
  step: 1,
  answer: "a-hash",
  wrong: false,
  limits: {
    tries_per_caller: 5,
    tries_per_number: 50,
    window_s: 900,
    caller_block_s: 900,
    number_block_s: 300,
  },
} as const;

/** What this code makes of what came with each version. */
const seen: ((found: Session, version: number) => Promise<void>)[] = [
  async (found, version) => {
    using status = await found.status();
    expect(status).toMatchObject({ counters: { command_ok: 7 }, breaker: { failures: 2 } });
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:support")).toMatchObject({
      conference_id: "conf-1",
      participants: [
        {
          call_id: "in",
          confirmed: true,
          joined_by: "relay",
          muted: version >= 2,
          over_capacity: version >= 5,
        },
      ],
      strangers: version >= 5 ? 2 : 0,
    });
    const story = await archive.story("acme", "in", { with_rulesets: false });
    expect(story).toMatchObject({ outcome: "joined", room: "acme:support" });
    expect(story?.happened.map(({ what }) => what)).toContain("event");
    expect(story?.happened.some(({ what }) => what === "webhook")).toBe(version >= 2);
    const key = { call_id: "in", entry: "", step: 0 };
    expect(await found.look({ v: 1, ...key, asking_step: 1 })).toMatchObject({ room: "acme:support" });
  },
  async (found) => {
    using archive = await found.archive();
    expect(await archive.lastGood("acme")).toEqual({ hash: "r1", text: '{"rules":[]}' });
  },
  async (found) => {
    using desk = await found.pins();
    const closed = await desk.closed("acme");
    expect(closed).toMatchObject({ callers: [{ who: "+15550100003", closings: 2 }], numbers: [] });
    // Said of this very answer before: it is no new try.
    expect(await found.askPins({ ...pins, call_id: "tried" })).toMatchObject({ closed: "caller" });
    expect(await found.askPins({ ...pins, call_id: "new" })).toMatchObject({ allowed: true });
  },
  async (found) => {
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:lobby")).toMatchObject({
      waiting: [{ call_id: "waits", for: "admission", since: at, position: 1 }],
    });
    using usher = await found.usher();
    expect(await usher.admit({ tenant: "acme", room: "acme:lobby", call_id: "waits" })).toBe(true);
    expect(await archive.conference("acme", "acme:lobby")).toMatchObject({
      participants: [{ call_id: "waits" }],
      waiting: [],
    });
  },
  async (found, version) => {
    using usher = await found.usher();
    const wanted = { tenant: "acme", rooms: ["acme:support"], strategy: "first", capacity: 9, join: {} };
    // Two strangers, from version 7 on a seat that is kept, and the participant, unless presumed gone.
    const others = version >= 7 ? 3 : 2;
    expect(await usher.callerNumber(wanted as RoomRequest)).toBe(others + (version >= 10 ? 1 : 2));
  },
  async (found) => {
    await runInDurableObject(found, (_, { storage }) => {
      const callFlows = new CallFlows(new Disk(storage.sql, Date.now), Date.now);
      expect(callFlows.open(9)).toMatchObject([
        { call_id: "walked", context: "main", state: { tenant: "acme" } },
      ]);
      expect(callFlows.has("walked before")).toBe(true);
    });
  },
  async (found) => {
    using usher = await found.usher();
    const numbers = { tenant: "acme", from: "+15550100002", to: "+15550100100" };
    const placing = await usher.returning({ ...numbers, call_id: "back" });
    expect(JSON.parse(placing ?? "null")).toMatchObject({ rule: "support", rooms: ["support"] });
  },
  async (found) => {
    using dialer = await found.dialer();
    expect(await dialer.view("acme", "board-1")).toMatchObject({
      state: "busy",
      to: "+15550100201",
      room: "acme:board",
      call_id: "dialled",
    });
  },
  async (found) => {
    await runInDurableObject(found, (_, { storage }) => {
      expect(new Dials(new Disk(storage.sql, Date.now), Date.now, NOBODY_FOLLOWS).lastSentAt()).toBe(at + 20);
      expect(new CallFlows(new Disk(storage.sql, Date.now), Date.now).oldest()).toBe(at - 2_000);
    });
  },
  async (found) => {
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:support")).toMatchObject({
      participants: [{ call_id: "in", presumed_gone: true }],
    });
    using status = await found.status();
    expect(status).toMatchObject({
      presumed_gone: 1,
      observations: [{ question: "call_sid_is_call_id", reading: "true", times: 3 }],
    });
  },
  async (found) => {
    using archive = await found.archive();
    await runDurableObjectAlarm(found);
    await expect.poll(() => archive.conference("acme", "acme:over")).toBeNull();
  },
  async (found) => {
    const asked = { v: 1, call_id: "refused", entry: "", step: 0, asking_step: 1_002 } as const;
    const reply = await found.look({ ...asked, document_said: "failed" });
    expect(reply).toMatchObject({ outcome: "not_in", word: { say: { say: "All seats are taken." } } });
  },
  async (found) => {
    using tenants = await found.tenants();
    expect(await tenants.lastGood("acme")).toMatchObject({ tenant: '{"project_id":"p-1"}' });
    expect(await tenants.naming("default")).toBe("plain");
  },
  async (found) => {
    using archive = await found.archive();
    expect(await archive.recordings("acme", { limit: 9 })).toMatchObject({
      recordings: [{ id: "rec-1", room: "acme:support", state: "completed", sid: "r-1", duration_s: 12 }],
    });
  },
  async (found) => {
    using usher = await found.usher();
    const request: RoomRequest = { tenant: "acme", rooms: ["acme:support"], strategy: "first", join: {} };
    expect(await usher.isRecorded(request)).toBe(true);
  },
  async (found) => {
    await runInDurableObject(found, (_, { storage }) => {
      const dials = new Dials(new Disk(storage.sql, Date.now), Date.now, NOBODY_FOLLOWS);
      expect(dials.byCall("rang")).toMatchObject({ segment_id: "segment-1" });
    });
  },
  async (found) => {
    using access = await found.apiAccess();
    expect(await access.verify("acme", "acme-1", "a-hash")).toMatchObject({ scopes: ["rooms:read"] });
    expect(await access.audit("acme", { limit: 9 })).toMatchObject({ entries: [{ at, action: "call.end" }] });
  },
  async (found) => {
    const reply = await found.look({ v: 1, call_id: "short", entry: "", step: 0, asking_step: 1 });
    const [token] = await callbackTokens(
      { credentials_key: env.CREDENTIALS_KEY ?? "", signing_keys: [] },
      "acme",
    );
    expect(reply).toMatchObject({
      outcome: "document",
      join: {
        beep: "false",
        status_callback: `https://partyline.example.com/hooks/acme/conference-status?token=${token}`,
        status_callback_event_type: "relay",
      },
    });
    using archive = await found.archive();
    expect(await archive.recordings("globex", { limit: 9 })).toMatchObject({ recordings: [{ id: "rec-2" }] });
  },
  async (found) => {
    using archive = await found.archive();
    const version = { hash: "r1", first_at: 2, pushed_at: 3, pushed_by: "ops@example.com" };
    expect(await archive.versions("acme", 9)).toMatchObject([version]);
  },
  async (found) => {
    using controls = await found.conferenceControl();
    expect(await controls.command("acme", "command-1")).toMatchObject({ control: "mute", state: "done" });
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:support")).toMatchObject({ locked: { mode: "refuse" } });
  },
  async (found) => {
    using webhooks = await found.webhooks();
    expect(await webhooks.list("acme")).toMatchObject([{ id: "hook-1", state: "disabled", dropped: 3 }]);
    expect(await webhooks.page("acme", "hook-1", null, 9)).toMatchObject({
      deliveries: [{ id: "msg_hook-1_41", state: "failed", reason: "the receiver answered 410" }],
    });
    await runInDurableObject(found, (_, { storage }) => {
      const log = new FeedLog(new Disk(storage.sql, Date.now), Date.now);
      expect([log.isKept("acme"), log.hasAllAfter("acme", 40)]).toEqual([true, true]);
      expect(log.after("acme", 40, 1)).toMatchObject([{ seq: 41 }]);
    });
  },
  async (found) => {
    using archive = await found.archive();
    expect(await archive.recording("acme", "rec-1")).toMatchObject({
      copy: { sha256: "a-hash", size_bytes: 9, copied_at: at },
    });
  },
  async (found) => {
    using usher = await found.usher();
    const request: RoomRequest = { tenant: "acme", rooms: ["acme:small-2"], strategy: "first", join: {} };
    expect(await usher.callerNumber(request)).toBe(2);
    const asked = { v: 1, call_id: "offered", entry: "", step: 0, asking_step: 1 } as const;
    expect(await found.look(asked)).toMatchObject({
      outcome: "document",
      join: { beep: "onEnter", max_participants: 2 },
    });
  },
  async (found) => {
    using archive = await found.archive();
    const { recordings } = await archive.recordings("initech", { limit: 9 });
    expect(recordings).toMatchObject([
      { id: "rec-3", part: { of: "rec-3", number: 1, call_id: "recorded" } },
    ]);
    using controls = await found.conferenceControl();
    expect(await controls.command("acme", "command-1")).toMatchObject({ control: "mute" });
  },
  async (found) => {
    await runInDurableObject(found, (_, { storage }) => {
      const told = storage.sql.exec("SELECT id, begin_told FROM recordings WHERE id IN ('rec-1', 'rec-4')");
      expect(Object.fromEntries([...told].map(({ id, begin_told }) => [id, begin_told]))).toEqual({
        // Whatever was told of it, its own version did.
        "rec-1": 1,
        "rec-4": 0,
      });
    });
  },
];

describe("storage that an older version wrote", () => {
  test("is read by this one as its own, whichever version it was", async () => {
    // Each migration has rows of its time, and somebody who looks for them.
    expect([written.length, seen.length]).toEqual([await versions(), await versions()]);
    for (let version = 1; version <= written.length; version += 1) {
      const found = await orphaned(version);
      for (const look of seen.slice(0, version)) await look(found, version);
    }
  });

  test("tells how tenants' rooms are named by the newest of the calls that are up", async () => {
    const before = written.findIndex((statements) => statements.includes("INTO tenants"));
    const found = session("migrations-names");
    await runInDurableObject(found, async (_, { storage }) => {
      await storage.deleteAll();
      migrate(storage, before);
      const calls: [string, string, string, number][] = [
        ["one", "default", "default:board", 1],
        ["two", "default", "board", 1],
        ["three", "acme", "board", 1],
        ["four", "acme", "acme:board", 1],
        ["gone", "left", "board", 0],
      ];
      for (const [call_id, tenant, room, live] of calls) {
        storage.sql.exec(
          `INSERT INTO placements (call_id, entry, step, tenant, "from", state, room, "join", role, ruleset, decided_at, reason, live,
             created_at, deadline_at) VALUES (?, '', 0, ?, '', 'joined', ?, '{}', 'participant', 'r1', 0, '', ?, ?, ?)`,
          call_id,
          tenant,
          room,
          live,
          at,
          at,
        );
      }
      await storage.sync();
    });
    await runInDurableObject(found, (_, state) => state.abort("deployed")).catch(() => {});
    using tenants = await session("migrations-names").tenants();
    expect([
      await tenants.naming("default"),
      await tenants.naming("acme"),
      await tenants.naming("left"),
    ]).toEqual(["plain", "prefixed", null]);
  });

  test("goes on where it was: an old row's leave frees its seat", async () => {
    const found = await orphaned(1);
    await found.conferenceEvent({
      v: 1,
      project_id: "p-1",
      kind: "conference",
      trusted: true,
      ids_known: true,
      event: {
        kind: "conference",
        event_type: "calling.conference",
        timestamp: at_s + 30,
        params: { status: "participant-leave", conference_id: "conf-1", name: "acme:support", call_id: "in" },
      },
    });
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:support")).toBeNull();
    await runInDurableObject(found, (_, state) => {
      const kinds = state.storage.sql.exec<{ kind: string }>("SELECT kind FROM errands").toArray();
      expect(kinds.map(({ kind }) => kind)).toEqual(["end"]);
    });
  });
});
