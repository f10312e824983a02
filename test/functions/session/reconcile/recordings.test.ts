import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ListedRecording } from "../../../../functions/rest-recordings.ts";
import {
  type Heard,
  RecordingEvents,
  type ToldOfRecording,
} from "../../../../functions/session/events/recording-events.ts";
import { RecordingReconciler } from "../../../../functions/session/reconcile/reconcile-recordings.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";

const START = 1_800_000_000_000;
const ROOM = "acme:support";
const HOOK = {
  url: "https://hooks.example.com/told",
  as: "json",
  method: "POST",
  events: ["completed"],
} as const;

/** What the rule's own server was told. */
let told: Record<string, unknown>[] = [];

beforeEach(() => {
  told = [];
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    told.push(await new Request(input, init).json());
    return new Response(null, { status: 204 });
  });
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

interface Scene {
  ledger: Ledger;
  sql: SqlStorage;
  now: number;
  /** What the rule of the next call wants to be told. */
  wanted: string[];
  /** What SignalWire lists, or that it does not answer. */
  listed: ListedRecording[] | Error;
  asked: number;
  /** What the session says does not reach the Worker. */
  isReplyLost: boolean;
  /** A call that asks for a recording comes, joins, and leaves. */
  come(call_id: string): void;
  join(call_id: string, conference_id: string | null): void;
  leave(call_id: string, conference_id: string): void;
  /** By a form of the recording callback, unless said otherwise; the Worker confirms what it is given to forward. */
  hear(params: Record<string, unknown>, told?: Partial<ToldOfRecording>): Heard | null;
  /** Looks at what is due after so long. */
  later(ms: number): Promise<void>;
  rows(): Record<string, unknown>[];
}

async function scene(name: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  await onStorage(`recordings-${name}`, async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => one.now,
      async () => new Set(),
    );
    ledger.settings.set("project_id", "p-1");
    const relayManager = {
      rest: async () => {
        one.asked += 1;
        if (one.listed instanceof Error) throw one.listed;
        return one.listed;
      },
    };
    // One question is asked of it, and its answer is a list.
    const reconciler = new RecordingReconciler(
      { ...ledger, relayManager } as unknown as ConstructorParameters<typeof RecordingReconciler>[0],
      () => one.now,
    );
    const events = new RecordingEvents(ledger.recordings, ledger.occupancy, () => one.now);
    const event = (status: string, params: Record<string, unknown>): RelayEvent => ({
      kind: "conference",
      event_type: "calling.conference",
      timestamp: one.now / 1_000,
      params: { status, name: ROOM, ...params },
    });
    const one: Scene = {
      ledger,
      sql,
      now: START,
      listed: [],
      asked: 0,
      isReplyLost: false,
      wanted: [...HOOK.events],
      come(call_id) {
        ledger.plan(
          requestOf(call_id, {
            deadline_at: one.now + 2_000,
            capacity: 99,
            join: { record: "record-from-start" },
            forwarding: { recording: { ...HOOK, events: one.wanted } },
          }),
        );
      },
      join(call_id, conference_id) {
        one.come(call_id);
        const ids_known = conference_id !== null;
        const id = conference_id ?? "by-another-id";
        ledger.events.apply(event("participant-join", { call_id, conference_id: id }), { ids_known });
      },
      leave(call_id, conference_id) {
        ledger.events.apply(event("participant-leave", { call_id, conference_id }));
      },
      hear({ status, ...params }, how = {}) {
        const heard = events.heard(event(String(status), params), {
          kind: "recording",
          tenant: "acme",
          ids_known: false,
          confirms: true,
          ...how,
        });
        if (heard?.confirm !== undefined && !one.isReplyLost) events.confirmed("acme", heard.confirm);
        return heard;
      },
      async later(ms) {
        one.now += ms;
        await reconciler.run();
      },
      rows: () =>
        ledger.recordings.page("acme", { limit: 99 }).recordings as unknown as Record<string, unknown>[],
    };
    await use(one);
  });
}

const done: ListedRecording = {
  sid: "r-1",
  state: "completed",
  url: "https://files.example.com/r-1",
  duration_s: 12,
  size_bytes: 192_000,
  started_at: null,
};

const byRelay = {
  kind: undefined,
  tenant: undefined,
  ids_known: true,
} as unknown as Partial<ToldOfRecording>; // As RELAY's events come.

test("a form without any id is about the conference that was live at the recording's start", async () => {
  await scene("forms", async (one) => {
    one.join("a", "conf-1");
    one.hear({ status: "recording-in-progress", recording_sid: "r-1" });
    one.now += 60_000;
    one.leave("a", "conf-1");
    one.now += 30_000;
    one.join("b", "conf-2");
    one.hear({ status: "recording-in-progress", recording_sid: "r-2" });
    one.now += 1_000;
    // It comes late.
    one.hear({ status: "recording-completed", recording_sid: "r-1", recording_duration: 60 });
    expect(one.rows()).toMatchObject([
      { conference_id: "conf-2", sid: "r-2", state: "in-progress" },
      { conference_id: "conf-1", sid: "r-1", state: "completed", duration_s: 60 },
    ]);
  });
});

test("whom the rule wanted told when it began is told, though another conference's rule wants others told", async () => {
  await scene("told", async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    one.now += 60_000;
    one.ledger.plan(
      requestOf("b", {
        deadline_at: one.now + 2_000,
        forwarding: { recording: { ...HOOK, events: ["completed"], url: "https://hooks.example.com/other" } },
      }),
    );
    const end = { status: "recording-completed", recording_sid: "r-1", recording_duration: 5 };
    expect(one.hear(end)?.forward).toMatchObject({ url: HOOK.url });
  });
});

test("one recording stays one, in whichever order and by whatever ids it is told of", async () => {
  const tellings: [Record<string, unknown>, Partial<ToldOfRecording>][] = [
    [{ status: "record-start", conference_id: "conf-1" }, byRelay],
    [{ status: "recording-in-progress", recording_sid: "r-1" }, {}],
    [{ status: "record-stop", conference_id: "conf-1", recording_duration: 20, recording_url: "u" }, byRelay],
    [{ status: "recording-completed", recording_sid: "r-1", recording_duration: 20, recording_url: "u" }, {}],
    [
      { status: "conference-end", conference_id: "conf-1", recording_url: "u", recording_duration: 20 },
      { kind: "conference", ids_known: true },
    ],
  ];
  const orders = [
    [0, 1, 2, 3, 4],
    [1, 0, 3, 2, 4],
    [3, 4, 2, 1, 0],
    [2, 3, 0, 1, 4],
    [4, 3, 2, 1, 0],
  ];
  for (const [index, order] of orders.entries()) {
    await scene(`orders-${index}`, async (one) => {
      one.join("a", "conf-1");
      one.now += 20_000;
      const forwards = order.flatMap((n) => {
        const [params, how] = tellings[n] ?? [{}, {}];
        return one.hear(params, how)?.forward ?? [];
      });
      await one.later(600_000);
      expect(one.rows(), String(order)).toMatchObject([
        { conference_id: "conf-1", sid: "r-1", state: "completed", duration_s: 20, url: "u" },
      ]);
      expect(forwards, String(order)).toHaveLength(1);
      expect(told).toEqual([]);
    });
  }
});

test("an event that names no conference is about the recording whose conference or recording it has the id of", async () => {
  await scene("nameless", async (one) => {
    one.join("a", "conf-1");
    one.now += 20_000;
    const nameless = { name: undefined };
    one.hear({ ...nameless, status: "record-start", conference_id: "conf-1" }, byRelay);
    expect(one.rows()).toMatchObject([{ room: ROOM, state: "in-progress" }]);
    one.hear({ status: "recording-in-progress", recording_sid: "r-1" });
    const end = { ...nameless, status: "recording-completed", recording_sid: "r-1", recording_duration: 20 };
    one.hear(end, { tenant: "other" });
    expect(one.rows()).toMatchObject([{ state: "in-progress" }]);
    expect(one.ledger.recordings.page("other", { limit: 9 }).recordings).toEqual([]);
    expect(one.hear(end)?.forward).toMatchObject({ url: HOOK.url });
    one.hear({ ...nameless, status: "record-stop", conference_id: "conf-9" }, byRelay);
    expect(one.rows()).toMatchObject([{ conference_id: "conf-1", sid: "r-1", state: "completed" }]);
  });
});

test("a conference that is recorded once more has two recordings", async () => {
  await scene("twice", async (one) => {
    one.join("a", "conf-1");
    const id = { conference_id: "conf-1" };
    for (const recording_url of ["u-1", "u-2"]) {
      one.now += 60_000;
      one.hear({ ...id, status: "record-start" }, byRelay);
      one.now += 20_000;
      one.hear({ ...id, status: "record-stop", recording_url, recording_duration: 20 }, byRelay);
    }
    one.now -= 19_000;
    one.hear({ ...id, status: "record-pause" }, byRelay);
    expect(one.rows()).toMatchObject([
      { state: "completed", url: "u-2" },
      { state: "completed", url: "u-1" },
    ]);
  });
});

test("where RELAY alone tells of its end, the rule's server is told in the callback's place, once", async () => {
  await scene("relay", async (one) => {
    one.join("a", "conf-1");
    one.now += 20_000;
    const stop = {
      status: "record-stop",
      conference_id: "conf-1",
      recording_duration: 20,
      recording_url: "u",
    };
    one.hear(stop, byRelay);
    await one.later(1_000);
    expect(told).toEqual([]);
    await one.later(10_000);
    await one.later(600_000);
    expect(told).toMatchObject([
      {
        project_id: "p-1",
        params: { status: "record-stop", name: ROOM, recording_url: "u", recording_duration: 20 },
      },
    ]);
    expect(one.asked).toBe(0);
  });
});

const stop = { status: "record-stop", conference_id: "conf-1", recording_duration: 20, recording_url: "u" };
const form = { status: "recording-completed", recording_sid: "r-1" };
const again = { isRepeat: true };

test("a callback of SignalWire's that comes after one of ours in its place is forwarded all the same, once", async () => {
  await scene("late", async (one) => {
    one.join("a", "conf-1");
    one.hear(stop, byRelay);
    await one.later(11_000);
    expect(told).toHaveLength(1);
    expect(one.hear(form)?.forward).toMatchObject({ url: HOOK.url });
    expect(one.hear(form, again)?.forward).toBeNull();
    await one.later(600_000);
    expect(told).toHaveLength(1);
  });
});

test("an end whose telling nobody confirmed is told when its callback comes again, and then no more", async () => {
  await scene("unconfirmed", async (one) => {
    one.join("a", "conf-1");
    one.isReplyLost = true;
    expect(one.hear(form)?.forward).toMatchObject({ url: HOOK.url });
    one.isReplyLost = false;
    await one.later(2_000);
    expect(one.hear(form, again)?.forward).toMatchObject({ url: HOOK.url });
    expect(one.hear(form, again)?.forward).toBeNull();
    await one.later(600_000);
    expect(told).toEqual([]);
  });
});

test("an end whose telling nobody confirmed, and that does not come again, is told in the callback's place", async () => {
  await scene("unrepeated", async (one) => {
    one.join("a", "conf-1");
    one.isReplyLost = true;
    one.hear(form);
    // RELAY's own event makes it no earlier: the Worker may be at it still.
    one.hear(stop, byRelay);
    await one.later(20_000);
    expect(told).toEqual([]);
    await one.later(10_000);
    expect(told).toMatchObject([{ params: { status: "record-stop", recording_sid: "r-1" } }]);
    await one.later(600_000);
    expect(told).toHaveLength(1);
  });
});

describe("a recording of whose caller nothing told that they joined", () => {
  const over: [string, (one: Scene) => void][] = [
    ["a leave is told of", (one) => one.leave("a", "conf-1")],
    [
      "the call is over",
      (one) => {
        const params = { call_id: "a", call_state: "ended" };
        one.ledger.events.apply({ kind: "state", event_type: "calling.call.state", params });
      },
    ],
  ];
  test.each(over)("is asked about, and its end told, once %s", async (_, isOver) => {
    await scene("untold", async (one) => {
      one.come("a");
      one.now += 60_000;
      isOver(one);
      one.listed = [done];
      await one.later(10_000);
      expect(told).toMatchObject([{ params: { status: "record-stop", recording_sid: "r-1" } }]);
    });
  });

  test("is told by what RELAY says of its end, once a leave was told of", async () => {
    await scene("untold, RELAY", async (one) => {
      one.come("a");
      one.now += 6_000;
      one.leave("a", "conf-1");
      one.hear(stop, byRelay);
      expect(one.rows()).toMatchObject([{ conference_id: "conf-1", state: "completed", duration_s: 20 }]);
      await one.later(10_000);
      expect(told).toMatchObject([{ params: { status: "record-stop", recording_url: "u" } }]);
    });
  });

  test("that another's of the conference was told of is not asked about again", async () => {
    await scene("known", async (one) => {
      one.join("b", "conf-1");
      one.hear({ status: "recording-completed", recording_sid: "r-1", recording_duration: 60 });
      one.come("a");
      one.leave("a", "conf-1");
      await one.later(600_000);
      expect(one.asked).toBe(0);
      expect(one.rows()).toHaveLength(1);
    });
  });
});

const start = { status: "record-start", conference_id: "conf-1" };
const both = ["in-progress", "completed"];
const statuses = () => told.map(({ params }) => (params as { status: string }).status);

test("where RELAY alone tells that it began, a rule's server that wants it is told in the callback's place, once", async () => {
  await scene("began", async (one) => {
    one.wanted = both;
    one.join("a", "conf-1");
    one.hear(start, byRelay);
    await one.later(5_000);
    expect(told).toEqual([]);
    await one.later(6_000);
    expect(told).toMatchObject([{ timestamp: START / 1_000, params: { ...start, name: ROOM } }]);
    // SignalWire's own, late, says nothing new.
    expect(one.hear(start)?.forward).toBeNull();
    await one.later(600_000);
    expect(one.hear(form)?.forward).toMatchObject({ url: HOOK.url });
    await one.later(600_000);
    expect(told).toHaveLength(1);
  });
});

test("a callback that tells that it began is forwarded, and nothing goes out in its place", async () => {
  await scene("began-by-callback", async (one) => {
    one.wanted = both;
    one.join("a", "conf-1");
    one.hear(start, byRelay);
    expect(one.hear(start)?.forward).toMatchObject({ url: HOOK.url });
    await one.later(600_000);
    expect(told).toEqual([]);
  });
});

test("a recording that is over before its beginning was told has both told, whatever tells of the end", async () => {
  for (const [name, how] of [["relay", byRelay] as const, ["callback", {}] as const]) {
    told = [];
    await scene(`began-and-over-${name}`, async (one) => {
      one.wanted = both;
      one.join("a", "conf-1");
      one.hear(start, byRelay);
      one.now += 2_000;
      one.hear(stop, how);
      await one.later(11_000);
      await one.later(1_000);
      expect(statuses()).toEqual(name === "relay" ? ["record-start", "record-stop"] : ["record-start"]);
      await one.later(600_000);
      expect(one.rows()).toMatchObject([{ state: "completed" }]);
      expect(statuses()).toHaveLength(name === "relay" ? 2 : 1);
    });
  }
});

test("a server that does not take a beginning is tried three times, and hears the end all the same", async () => {
  await scene("began-in-vain", async (one) => {
    one.wanted = both;
    one.join("a", "conf-1");
    one.hear(start, byRelay);
    const refusing = vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(null, { status: 500 }));
    for (let tried = 0; tried < 6; tried += 1) await one.later(11_000);
    expect(refusing).toHaveBeenCalledTimes(3);
    refusing.mockRestore();
    expect(one.hear(form)?.forward).toMatchObject({ url: HOOK.url });
  });
});

test("a repeat that is forwarded to nobody leaves what is untold untold", async () => {
  await scene("repeat", async (one) => {
    one.join("a", "conf-1");
    one.hear(form, { ...again, confirms: false });
    await one.later(60_000);
    expect(told).toHaveLength(1);
  });
});

test("a Worker that confirms nothing, of the version before, is taken to have told", async () => {
  await scene("older", async (one) => {
    one.join("a", "conf-1");
    const older = { confirms: false };
    expect(one.hear(form, older)?.forward).toMatchObject({ url: HOOK.url });
    expect(one.hear(form, { ...older, ...again })?.forward).toBeNull();
    await one.later(600_000);
    expect(told).toEqual([]);
  });
});

test.each(["failed", "absent"] as const)("one that SignalWire lists as %s is so at once", async (state) => {
  await scene(state, async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    const [row] = one.ledger.recordings.newestIn("acme", ROOM);
    if (row) one.ledger.recordings.update(row, { forward: { ...HOOK, as: "form", events: ["absent"] } });
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      told.push(Object.fromEntries(new URLSearchParams(await new Request(input, init).text())));
      return new Response(null, { status: 204 });
    });
    one.listed = [{ ...done, state, url: null, duration_s: null, size_bytes: null }];
    await one.later(10_000);
    expect(one.rows()).toMatchObject([{ state, sid: "r-1", url: null }]);
    expect(told).toMatchObject([{ RecordingStatus: state, RecordingSid: "r-1", FriendlyName: ROOM }]);
    await one.later(86_400_000);
    expect(one.asked).toBe(1);
  });
});

test("one that failed is not taken for another of the room that goes on", async () => {
  await scene("failed-before", async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    one.listed = [
      { ...done, sid: "r-0", state: "failed" },
      { ...done, state: "in-progress" },
    ];
    await one.later(10_000);
    expect(one.rows()).toMatchObject([{ state: "expected" }]);
  });
});

test("a tenant whose server hangs, and who has many recordings, keeps others' waiting for one try, and has its next run for its own others", async () => {
  await scene("hangs", async (one) => {
    const ended = { room: ROOM, state: "completed", started_at: START } as const;
    const hung = { ...HOOK, events: ["completed"], url: "https://hung.example.com/told" };
    for (let n = 0; n < 30; n += 1)
      one.ledger.recordings.add({ ...ended, tenant: "acme", forward: hung, due_at: START + n });
    for (const tenant of ["globex", "initech"]) {
      const forward = { ...HOOK, events: ["completed"], url: `${HOOK.url}/${tenant}` };
      one.ledger.recordings.add({ ...ended, tenant, forward, due_at: START + 900 });
    }
    const { promise, resolve } = Promise.withResolvers<Response>();
    const urls: string[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const { url } = new Request(input, init);
      urls.push(url);
      return url === hung.url ? await promise : new Response(null, { status: 204 });
    });
    const run = one.later(1_000);
    await expect.poll(() => urls).toEqual([hung.url]);
    one.now += 18_000;
    resolve(new Response(null, { status: 204 }));
    await run;
    expect(urls).toEqual([hung.url, `${HOOK.url}/globex`, `${HOOK.url}/initech`]);
  });
});

test("a tenant with thousands of recordings that are due keeps no other tenant's waiting", async () => {
  await scene("thousands", async ({ ledger: { recordings }, sql, ...one }) => {
    sql.exec(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000)
       INSERT INTO recordings (id, tenant, room, state, started_at, due_at)
       SELECT 'rec-' || i, 'busy', 'busy:room', 'completed', ?1, ?1 - i FROM n`,
      one.now - 10_000,
    );
    const add = (tenant: string, due_at: number) =>
      recordings.add({ tenant, room: `${tenant}:room`, state: "completed", started_at: one.now, due_at });
    for (const tenant of ["acme", "globex"]) add(tenant, one.now - 1);
    add("zenith", one.now + 1);
    const of = () => recordings.takeDue(6, 4).map(({ tenant }) => tenant);
    expect(of()).toEqual(["acme", "busy", "busy", "busy", "busy", "globex"]);
    expect(recordings.takeDue(3, 4).map(({ tenant, due_at }) => [tenant, due_at])).toEqual([
      ["acme", one.now - 1],
      ["busy", one.now - 16_000],
      ["busy", one.now - 15_999],
    ]);
    // Where the last look ended, the next begins.
    expect(of()).toEqual(["globex", "acme", "busy", "busy", "busy", "busy"]);
  });
});

test("servers that fail are tried three times, once in a turn, and have no other tenant wait for that", async () => {
  await scene("fails", async (one) => {
    const ended = { room: ROOM, state: "completed", started_at: START } as const;
    const hooks = ["acme", "globex", "initech"].map((tenant) => {
      const forward = { ...HOOK, events: ["completed"], url: `${HOOK.url}/${tenant}` };
      one.ledger.recordings.add({ ...ended, tenant, forward, due_at: START });
      return forward.url;
    });
    const [acme, globex, initech] = hooks;
    const pause = vi.spyOn(scheduler, "wait");
    const urls: string[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const { url } = new Request(input, init);
      urls.push(url);
      return new Response(null, { status: url === initech ? 204 : 503 });
    });
    await one.later(1_000);
    expect(urls).toEqual([acme, globex, initech]);
    expect(pause).not.toHaveBeenCalled();
    for (let n = 0; n < 4; n += 1) await one.later(60_000);
    expect(urls.filter((url) => url === acme)).toHaveLength(3);
    expect(urls).toHaveLength(7);
    expect(one.ledger.recordings.nextDue()).toBeNull();
  });
});

test("where nothing tells of its end, SignalWire's list is asked when everybody has left", async () => {
  await scene("listed", async (one) => {
    one.join("a", "conf-1");
    await one.later(3_600_000);
    expect(one.asked).toBe(0);
    one.leave("a", "conf-1");
    one.listed = new Error("REST answered 503");
    await one.later(10_000);
    one.listed = [{ ...done, state: "in-progress" }];
    await one.later(10_000);
    expect(one.rows()).toMatchObject([{ state: "expected" }]);
    one.listed = [done];
    await one.later(30_000);
    expect(one.rows()).toMatchObject([
      { state: "completed", sid: "r-1", url: done.url, duration_s: 12, size_bytes: 192_000 },
    ]);
    expect(told).toMatchObject([
      { params: { status: "record-stop", recording_url: done.url, recording_sid: "r-1" } },
    ]);
    await one.later(3_600_000);
    expect(one.asked).toBe(3);
  });
});

test("of two that followed upon one another in a room, of which nothing was told, both are made good", async () => {
  await scene("two", async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    one.listed = [done, { ...done, sid: "r-2" }];
    await one.later(10_000);
    await one.later(1_000);
    const rows = one.rows().map(({ sid, state }) => `${sid} ${state}`);
    expect(rows.sort()).toEqual(["r-1 completed", "r-2 completed"]);
    expect(told).toMatchObject([{ params: { recording_sid: "r-1" } }, { params: { recording_sid: "r-2" } }]);
  });
});

test("one that nothing ever told of, nor any list, was none; one that began is lost", async () => {
  await scene("none", async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    for (let n = 0; n < 6; n += 1) await one.later(3_600_000);
    expect(one.rows()).toEqual([]);
    one.join("b", "conf-2");
    one.hear({ status: "record-start", conference_id: "conf-2" }, byRelay);
    one.leave("b", "conf-2");
    for (let n = 0; n < 6; n += 1) await one.later(3_600_000);
    expect(one.rows()).toMatchObject([{ state: "lost", conference_id: "conf-2" }]);
    expect(told).toEqual([]);
    expect(one.ledger.recordings.nextDue()).toBeNull();
  });
});

test.each([
  ["REST cannot be reached", new Error("REST answered 503")],
  ["a list shows it as going on", [{ ...done, state: "in-progress" }]],
] as const)("one is not given up while %s, and is made good after that", async (name, listed) => {
  await scene(name, async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    one.listed = listed instanceof Error ? listed : [...listed];
    for (let n = 0; n < 12; n += 1) await one.later(3_600_000);
    expect(one.rows()).toMatchObject([{ state: "expected" }]);
    one.listed = [done];
    await one.later(3_600_000);
    expect(one.rows()).toMatchObject([{ state: "completed", sid: "r-1" }]);
  });
});

test("one that was deleted while SignalWire was asked does not come back", async () => {
  await scene("deleted", async (one) => {
    one.join("a", "conf-1");
    one.leave("a", "conf-1");
    const [row] = one.ledger.recordings.newestIn("acme", ROOM);
    one.listed = [done];
    const asking = one.later(10_000);
    if (row) one.ledger.recordings.drop(row);
    await asking;
    expect(one.rows()).toEqual([]);
    expect(told).toEqual([]);
  });
});

test("another tenant's recording is neither changed nor shown", async () => {
  await scene("tenants", async (one) => {
    one.join("a", "conf-1");
    one.hear({ status: "recording-in-progress", recording_sid: "r-1" });
    const foreign = { status: "recording-completed", recording_sid: "r-1", recording_url: "theirs" };
    one.hear(foreign, { tenant: "globex" });
    expect(one.rows()).toMatchObject([{ state: "in-progress", url: null }]);
    const [row] = one.rows();
    expect(one.ledger.recordings.find("globex", String(row?.["id"]))).toBeNull();
    const query = { limit: 9, conference_id: "conf-1" };
    expect(one.ledger.recordings.page("globex", query).recordings).toEqual([]);
  });
});

test("where there is no room for it the callback is to come again, and the rule's server is told", async () => {
  await scene("full", async (one) => {
    one.join("a", "conf-1");
    const [row] = one.ledger.recordings.newestIn("acme", ROOM);
    if (row) one.ledger.recordings.drop(row);
    vi.spyOn(console, "error").mockImplementation(() => {});
    using _full = new SqlFaults(one.sql, needsRoom, FULL);
    const end = { status: "recording-completed", recording_sid: "r-1" };
    expect(one.hear(end)).toMatchObject({ unwritten: true, forward: { url: HOOK.url } });
  });
});

test("pages lead through all of them, newest first, whatever is asked for", async () => {
  await scene("pages", async (one) => {
    for (let n = 0; n < 25; n += 1) {
      one.ledger.recordings.add({
        tenant: n % 5 === 0 ? "globex" : "acme",
        room: n % 2 === 0 ? ROOM : "acme:other",
        conference_id: `conf-${n % 3}`,
        state: "completed",
        // Several began at once.
        started_at: START + Math.floor(n / 4) * 1_000,
      });
    }
    const all = (query: Record<string, unknown>) => {
      const ids: unknown[] = [];
      let after: string | undefined;
      do {
        const page = one.ledger.recordings.page("acme", { limit: 3, ...query, ...(after ? { after } : {}) });
        ids.push(...page.recordings.map(({ id }) => id));
        after = page.next ?? undefined;
      } while (after !== undefined);
      expect(new Set(ids).size).toBe(ids.length);
      return ids.length;
    };
    expect(all({})).toBe(20);
    expect(all({ room: ROOM })).toBe(10);
    expect(all({ conference_id: "conf-1" })).toBe(7);
    expect(all({ since: START + 1_000, until: START + 3_000 })).toBe(6);
  });
});
