import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DialsPage } from "../../../functions/session/contract/dial.ts";
import type { CallsPage } from "../../../functions/session/operator/call-history.ts";
import type { ConferencesPage } from "../../../functions/session/operator/roster.ts";
import type { RecordingsPage } from "../../../functions/session/store/recordings.ts";
import { COMMON_CALLER, fill, LONG_CALL } from "./filled.ts";
import { emptied, requestOf } from "./ledger.ts";
import { SqlRecording } from "./sql-recording.ts";

/** Rows that may be read for what a call waits for, for one page of the API, and in one turn of the alarm. */
const OF_WEBHOOK = 100;
const OF_PAGE = 1_000;
const OF_TURN = 5_000;
/** Statements of one turn, some ten microseconds each. */
const STATEMENTS = 1_500;

const CALLS = 150_000;
const LIVE = 50_000;
const ROOMS = 200;
const now = Date.now();

let recording: SqlRecording;

function session() {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName("at-size"));
}

/** Rows that were read meanwhile: in all, in the first turn, and the most in any; and the most statements in any. */
async function read(use: () => Promise<unknown>) {
  recording.takeTurns();
  await use();
  const turns = recording.takeTurns();
  return {
    rows: turns.reduce((sum, { rows }) => sum + rows, 0),
    at_first: turns[0]?.rows ?? 0,
    of_turn: Math.max(0, ...turns.map(({ rows }) => rows)),
    statements: Math.max(0, ...turns.map(({ statements }) => statements)),
  };
}

beforeAll(async () => {
  await runInDurableObject(session(), async (_, { storage }) => {
    await emptied(storage);
    fill(storage, { calls: CALLS, live: LIVE, rooms: ROOMS, now });
    await storage.sync();
    recording = new SqlRecording(storage.sql);
  });
  await runInDurableObject(session(), (_, state) => state.abort("lost")).catch(() => {});
});

afterAll(() => {
  recording.stop();
  vi.unstubAllGlobals();
});

describe(`with ${CALLS + LIVE} calls kept, ${LIVE} of them in rooms`, () => {
  test("a start reads one slice, and the others in turns of their own", async () => {
    const { rows, of_turn } = await read(async () => {
      // The alarm is looked at last.
      await runInDurableObject(session(), (_, { storage }) => storage.deleteAlarm());
      using status = await session().status();
      expect(status.live_placements).toBe(LIVE);
    });
    expect(rows).toBeGreaterThanOrEqual(LIVE);
    expect(of_turn).toBeLessThanOrEqual(OF_TURN);
  });

  test("a webhook that reaches no room is noted, once, by a few rows", async () => {
    const note = { received_at: now, purpose: "fresh", entry: "", step: 0, from: "", to: "" } as const;
    const said = { outcome: "reject", rule: null, ruleset: "hash-7", room: null, ms: 1 } as const;
    for (const call_id of ["new", "new", LONG_CALL]) {
      const { rows } = await read(async () => {
        using archive = await session().archive();
        await archive.note({ v: 1, project_id: "p-1", tenant: "acme", call_id, note, said });
      });
      expect(rows, call_id).toBeLessThanOrEqual(OF_WEBHOOK);
    }
  });

  test("a call is placed by a few rows, into a room with hundreds in it too", async () => {
    const placing = { project_id: "p-1", deadline_at: Date.now() + 5_000, join_via: "document" } as const;
    // The room's seats that are kept are counted once after a start.
    for (const room of ["acme:room-1", "acme:room-2", "acme:room-3"])
      await session().place(
        requestOf("first", { ...placing, entry: room, rooms: [room], capacity: 100_000 }),
      );
    const { rows } = await read(async () => {
      const request = requestOf("second", {
        ...placing,
        rooms: ["acme:room-1", "acme:room-2"],
        strategy: "emptiest",
        capacity: 100_000,
        sticky_key: "key-8",
        rejoin: { s: 600, to: "+15550100100", placing: {} as never },
        note: { received_at: now, purpose: "fresh", entry: "", step: 0, from: "", to: "" },
      });
      expect(await session().place(request)).toMatchObject({ outcome: "document" });
    });
    expect(rows).toBeLessThanOrEqual(OF_WEBHOOK);
  });

  test("a caller who dropped is found among all who hide their number by a few rows", async () => {
    const { rows } = await read(async () => {
      using usher = await session().usher();
      await usher.returning({ tenant: "acme", from: COMMON_CALLER, to: "+15550100100", call_id: "back" });
    });
    expect(rows).toBeLessThanOrEqual(OF_WEBHOOK);
  });

  test("an event is taken by a few rows: a join, a leave, and the end of a conference of hundreds", async () => {
    const tell = async (status: string, call_id: string | null) => {
      const params = { status, conference_id: "conf-3", name: "acme:room-3", size: 1 };
      await session().conferenceEvent({
        v: 1,
        project_id: "p-1",
        kind: "conference",
        trusted: true,
        ids_known: true,
        event: {
          kind: "conference",
          event_type: "calling.conference",
          timestamp: Date.now() / 1_000,
          params: call_id === null ? params : { ...params, call_id },
        },
      });
    };
    const { rows: joining } = await read(() => tell("participant-join", "first"));
    const { rows: leaving } = await read(() => tell("participant-leave", `call-${CALLS + 3}`));
    const { at_first: ending } = await read(() => tell("conference-end", null));
    expect(Math.max(joining, leaving, ending)).toBeLessThanOrEqual(OF_WEBHOOK);
    using archive = await session().archive();
    const isOver = async () => (await archive.conference("acme", "acme:room-3")) === null;
    const { of_turn } = await read(() => expect.poll(isOver, { timeout: 10_000 }).toBe(true));
    expect(of_turn).toBeLessThanOrEqual(OF_TURN);
  });

  test("a story, long as it may be, comes in pages, and none is lost", async () => {
    using archive = await session().archive();
    let after: string | undefined;
    let told = 0;
    for (let page = 0; page === 0 || after !== undefined; page += 1) {
      const { rows } = await read(async () => {
        const query = { with_rulesets: false, ...(after === undefined ? {} : { after }) };
        const story = await archive.story("acme", LONG_CALL, query);
        told += story?.happened.filter(({ what }) => what !== "placement").length ?? 0;
        after = story?.next ?? undefined;
      });
      expect(rows).toBeLessThanOrEqual(OF_PAGE);
    }
    // One each of its own, and one webhook that was noted above.
    expect(told).toBe(10_000 + 2 + 1);
  });

  test("a page of calls reads a few rows, whatever fits, and the pages together have every call once", async () => {
    using archive = await session().archive();
    const page = async (query: Parameters<typeof archive.calls>[1], tenant = "acme"): Promise<CallsPage> => {
      let found: CallsPage | null = null;
      const { rows } = await read(async () => {
        found = await archive.calls(tenant, query);
      });
      expect(rows, JSON.stringify(query)).toBeLessThanOrEqual(OF_PAGE);
      if (!found) throw new Error("no page came");
      return found;
    };
    expect((await page({ limit: 200, rule: "nosuch", after: 100_000 })).next).not.toBeNull();
    const seen = new Set<string>();
    let after: number | undefined;
    for (let pages = 0; pages < 60; pages += 1) {
      const { calls, next } = await page({ limit: 200, ...(after === undefined ? {} : { after }) });
      for (const { call_id } of calls) {
        expect(seen.has(call_id), call_id).toBe(false);
        seen.add(call_id);
      }
      after = next ?? undefined;
    }
    expect(seen.has(LONG_CALL)).toBe(true);
    expect(seen.size).toBeGreaterThan(4_000);
    expect((await page({ limit: 50, outcome: "joined" }, "globex")).calls).toHaveLength(50);
  });

  test("a page of dials reads a few rows, and the pages are in order", async () => {
    using dialer = await session().dialer();
    let after: number | undefined;
    const ids: string[] = [];
    for (let pages = 0; pages < 3; pages += 1) {
      const { rows } = await read(async () => {
        const page: DialsPage = await dialer.page("globex", {
          limit: 200,
          ...(after === undefined ? {} : { after }),
        });
        ids.push(...page.dials.map(({ id }) => id));
        after = page.next ?? undefined;
      });
      expect(rows).toBeLessThanOrEqual(OF_PAGE);
    }
    const newest = CALLS + LIVE;
    expect(ids).toEqual(Array.from({ length: 600 }, (_, index) => `id-${newest - index * 10}`));
  });

  test("conferences are listed by no rows at all, in pages by name", async () => {
    using archive = await session().archive();
    let after: string | undefined;
    const names: string[] = [];
    for (let page = 0; page === 0 || after !== undefined; page += 1) {
      const { rows } = await read(async () => {
        const found: ConferencesPage = await archive.conferencesPage("acme", {
          limit: 70,
          ...(after === undefined ? {} : { after }),
        });
        names.push(...found.conferences.map(({ name }) => name));
        after = found.next ?? undefined;
      });
      expect(rows).toBeLessThanOrEqual(OF_PAGE);
    }
    expect(names).toEqual([...names].sort());
    // Every tenth call is another tenant's, and the conference of one room has ended.
    expect(names).toHaveLength(ROOMS - ROOMS / 10 - 1);
  });

  test("a recording's callback is taken by a few rows, into a room with thousands of recordings too", async () => {
    for (const [status, recording_sid] of [
      ["recording-in-progress", "new"],
      ["recording-completed", "new"],
      ["recording-completed", "sid-77"],
      ["recording-completed", undefined],
    ]) {
      const { rows } = await read(async () => {
        await session().conferenceEvent({
          v: 1,
          project_id: "p-1",
          tenant: "acme",
          kind: "recording",
          trusted: true,
          ids_known: false,
          event: {
            kind: "conference",
            event_type: "calling.conference",
            params: { status: String(status), name: "acme:room-7", recording_sid },
          },
        });
      });
      expect(rows, status).toBeLessThanOrEqual(OF_WEBHOOK);
    }
  });

  test.each([{}, { room: "acme:room-7" }, { conference_id: "conf-7" }])(
    "a page of recordings reads a few rows, and the pages are in order: %o",
    async (query) => {
      using archive = await session().archive();
      let after: string | undefined;
      const times: number[] = [];
      for (let pages = 0; pages < 3; pages += 1) {
        const { rows } = await read(async () => {
          const page: RecordingsPage = await archive.recordings("acme", {
            limit: 200,
            ...query,
            ...(after === undefined ? {} : { after }),
          });
          times.push(...page.recordings.map(({ started_at }) => started_at));
          after = page.next ?? undefined;
        });
        expect(rows).toBeLessThanOrEqual(OF_PAGE);
        if (after === undefined) break;
      }
      expect(times.length).toBeGreaterThan(100);
      expect(times).toEqual([...times].sort((a, b) => b - a));
    },
  );

  test("callers and numbers that take no PIN are listed by a few rows", async () => {
    const { rows } = await read(async () => {
      using pins = await session().pins();
      expect((await pins.closed("acme")).callers).toHaveLength(500);
    });
    expect(rows).toBeLessThanOrEqual(OF_PAGE);
  });

  test("an alarm forgets, and sees to all who are in doubt, in turns of a few rows and statements each", async () => {
    const countDoubted = async () =>
      await runInDurableObject(session(), (_, { storage }) =>
        Number(
          storage.sql.exec("SELECT COUNT(*) AS doubted FROM errands WHERE kind = 'verify'").one()["doubted"],
        ),
      );
    // What comes from outside in the middle of a turn would be counted with it.
    vi.stubGlobal("fetch", () => new Promise(() => {}));
    const { rows, of_turn, statements } = await read(async () => {
      await runInDurableObject(session(), (_, { storage }) => storage.setAlarm(Date.now() + 60_000));
      expect(await runDurableObjectAlarm(session())).toBe(true);
      // Nothing was heard of RELAY: everybody whom it had joined is asked about, few at a time, and REST answers nothing.
      await expect.poll(countDoubted, { timeout: 10_000 }).toBeGreaterThan(100);
    });
    expect(rows).toBeGreaterThan(0);
    expect(of_turn).toBeLessThanOrEqual(OF_TURN);
    expect(statements).toBeLessThanOrEqual(STATEMENTS);
  });
});
