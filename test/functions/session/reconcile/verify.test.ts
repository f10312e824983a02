import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type CommandHost, runCommands } from "../../../../functions/session/commands/run-commands.ts";
import type { PendingCommand } from "../../../../functions/session/store/commands.ts";
import type { Placement } from "../../../../functions/session/store/placement-row.ts";
import type { Project } from "../../../../functions/tenants/tenant.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import type { Wait } from "../../../../shared/rules/decision.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;
const project = {
  project_id: "p-1",
  token: "made-up-token",
  rest_url: "https://example.signalwire.com",
} as Project; // What REST needs of it.

/** SignalWire's REST API, as far as a call is looked for: who is listed in the one conference, and how calls are. */
class Rest {
  listed = new Set<string>();
  readonly statuses = new Map<string, string>();
  /** Answers each request with this status instead. */
  fails_with: number | null = null;
  /** Answers each command on a call with this status. */
  commands_get: number | null = null;
  readonly asked: string[] = [];

  answer(url: URL): Response {
    this.asked.push(url.pathname);
    if (this.fails_with !== null) return new Response(null, { status: this.fails_with });
    if (this.commands_get !== null && url.pathname === "/api/calling/calls")
      return new Response(null, { status: this.commands_get });
    const call = /\/Calls\/(.+)\.json$/.exec(url.pathname)?.[1];
    if (call !== undefined) {
      const status = this.statuses.get(call);
      return status === undefined ? new Response(null, { status: 404 }) : Response.json({ status });
    }
    if (url.pathname.endsWith("/Participants.json")) {
      return Response.json({ participants: [...this.listed].map((call_sid) => ({ call_sid })) });
    }
    const isLive = url.searchParams.get("Status") === "in-progress" && this.listed.size > 0;
    return Response.json({ conferences: isLive ? [{ sid: "CF1", friendly_name: ROOM }] : [] });
  }
}

interface Scene {
  ledger: Ledger;
  rest: Rest;
  now(): number;
  /** Lets time pass, and what is due be done. */
  pass(ms: number): Promise<void>;
  /** Waiters that were put back into their line. */
  missed: string[];
}

const rest = { current: new Rest() };

beforeEach(() => {
  rest.current = new Rest();
  vi.stubGlobal("fetch", async (input: RequestInfo | URL) => {
    const request = new Request(input);
    return rest.current.answer(new URL(request.url));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

async function scene(name: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  await onStorage(`verify-${name}`, async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const missed: string[] = [];
    const host = {
      ...ledger,
      now: () => now,
      connection: () => null,
      protocol: () => null,
      relayManager: {
        rest: async (_: string, ms: number, work: (project: Project, signal: AbortSignal) => unknown) =>
          await work(project, AbortSignal.timeout(ms)),
      },
      undecided: () => {},
      queue: {
        ended: () => {},
        missed: ({ call_id }: PendingCommand) => missed.push(call_id),
        takeBack: ({ call_id }: PendingCommand) => missed.push(call_id) > 0,
      },
      told: () => {},
    } as unknown as CommandHost; // What commands need of the queue.
    const pass = async (ms: number) => {
      for (const end = now + ms; now < end; now += 5_000) await runCommands(host);
    };
    await use({ ledger, rest: rest.current, now: () => now, pass, missed });
  });
}

/** A call whose turn has come, and which was not seen in its room yet. */
function called({ ledger, now }: Scene, call_id: string): Placement {
  const wait: Wait = { for: ["seat"], max_s: 600, otherwise: { action: "reject" } };
  const request = requestOf(call_id, { deadline_at: now() + 60_000, wait });
  const row = ledger.placements.plan(request, ROOM, "there is a line", "waiting");
  const offer = { joined_by: "document", reason: "its turn has come", lease_until: now() + 60_000 } as const;
  ledger.placements.move(row, "offered", offer);
  return row;
}

function event(call_id: string, status: "join" | "leave", at: number): RelayEvent {
  const params = { status: `participant-${status}`, conference_id: "conf-1", name: ROOM, call_id };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

/** Calls that RELAY joined, each seen to join a while ago. */
async function joined({ ledger, now, rest: { listed }, pass }: Scene, ...call_ids: string[]): Promise<void> {
  for (const call_id of call_ids) {
    ledger.plan(requestOf(call_id, { deadline_at: now() + 2_000, capacity: call_ids.length }));
    ledger.events.apply(event(call_id, "join", now()));
    listed.add(call_id);
  }
  await pass(60_000);
}

function endings({ ledger }: Scene): string[] {
  return ledger.pendingCommands.takeDue(10).flatMap(({ kind, call_id }) => (kind === "end" ? [call_id] : []));
}

function stateOf({ ledger }: Scene, call_id: string): string | undefined {
  return ledger.placements.ofCall(call_id)[0]?.state;
}

describe("a call that somebody unsigned says to have left", () => {
  test("is ended when two lists of a proved REST, half a minute apart, are without it", async () => {
    await scene("confirmed", async (it) => {
      await joined(it, "a", "b");
      it.rest.listed.delete("a");
      it.ledger.events.applyUntrusted(event("a", "leave", it.now()), { tenant: "acme" });
      await it.pass(5_000);
      expect(stateOf(it, "a")).toBe("joined");
      await it.pass(35_000);
      expect(stateOf(it, "a")).toBe("left");
      expect(stateOf(it, "b")).toBe("joined");
    });
  });

  test("is left alone where REST lists nothing, for as long as it is asked", async () => {
    await scene("alone", async (it) => {
      await joined(it, "a");
      it.rest.listed.clear();
      it.ledger.events.applyUntrusted(event("a", "leave", it.now()), { tenant: "acme" });
      await it.pass(1_800_000);
      expect(stateOf(it, "a")).toBe("joined");
      expect(it.ledger.occupancy.taken(ROOM)).toBe(0);
      expect(endings(it)).toEqual([]);
      // And it is not asked about for ever.
      const asked = it.rest.asked.length;
      await it.pass(600_000);
      expect(it.rest.asked).toHaveLength(asked);
    });
  });

  test("is over where its own status says so: no list is asked for, and nothing is sent", async () => {
    await scene("status", async (it) => {
      await joined(it, "a", "b");
      it.rest.statuses.set("a", "completed");
      it.ledger.events.applyUntrusted(event("a", "leave", it.now()), { tenant: "acme" });
      await it.pass(5_000);
      expect(stateOf(it, "a")).toBe("left");
      expect(it.rest.asked.filter((path) => path.includes("Conferences"))).toEqual([]);
      expect(endings(it)).toEqual([]);
    });
  });

  test("makes the calls of its tenant, and of no other, join by document when it is the third in a row with no second source", async () => {
    await scene("leaving", async (it) => {
      await joined(it, "a", "b", "c");
      it.rest.listed.clear();
      for (const call_id of ["a", "b", "c"]) {
        expect(it.ledger.leaving.mayTry(it.now(), "acme")).toBe(true);
        it.ledger.events.applyUntrusted(event(call_id, "leave", it.now()), { tenant: "acme" });
        await it.pass(120_000);
      }
      expect(it.ledger.leaving.mayTry(it.now(), "acme")).toBe(false);
      expect(it.ledger.leaving.mayTry(it.now(), "other")).toBe(true);
    });
  });

  test("starts the count anew where RELAY or a signed callback tells of a leave in between", async () => {
    await scene("counted anew", async (it) => {
      await joined(it, "a", "b", "c", "d");
      it.rest.listed.clear();
      for (const call_id of ["a", "b"]) {
        it.ledger.events.applyUntrusted(event(call_id, "leave", it.now()), { tenant: "acme" });
        await it.pass(120_000);
      }
      it.ledger.events.apply(event("d", "leave", it.now()));
      it.ledger.events.applyUntrusted(event("c", "leave", it.now()), { tenant: "acme" });
      await it.pass(120_000);
      expect(it.ledger.leaving.mayTry(it.now(), "acme")).toBe(true);
    });
  });
});

describe("a call that is asked about after a gap", () => {
  test.each([
    ["an empty list", (it: Scene) => it.rest.listed.clear()],
    ["429", (it: Scene) => (it.rest.fails_with = 429)],
    ["500", (it: Scene) => (it.rest.fails_with = 500)],
    ["403", (it: Scene) => (it.rest.fails_with = 403)],
    ["404 to everything", (it: Scene) => (it.rest.fails_with = 404)],
  ])("stays in its room and keeps its seat where REST answers with %s", async (name, spoil) => {
    await scene(name, async (it) => {
      await joined(it, "a", "b");
      spoil(it);
      for (const call_id of ["a", "b"]) {
        const [row] = it.ledger.placements.ofCall(call_id);
        if (row) it.ledger.pendingCommands.add("verify", row, row.node_id);
      }
      await it.pass(120_000);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["joined", "joined"]);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      expect(endings(it)).toEqual([]);
    });
  });
});

test("a call that is to be put back into its room is taken to be there by a list only when its lease is over: until then the list may lag", async () => {
  await scene("put back", async (it) => {
    await joined(it, "a");
    const [row] = it.ledger.placements.ofCall("a");
    if (!row) throw new Error("it has joined");
    it.ledger.placements.move(row, "returning");
    it.rest.listed.add("a");
    const verify = async () => {
      it.ledger.pendingCommands.add("verify", row, row.node_id);
      await it.pass(5_000);
      return stateOf(it, "a");
    };
    expect(await verify()).toBe("returning");
    await it.pass(35_000);
    expect(await verify()).toBe("joined");
  });
});

describe("a waiter whose turn has come", () => {
  test("keeps it where a list does not show the call, which may be in its room", async () => {
    await scene("turn kept", async (it) => {
      const row = called(it, "a");
      await joined(it, "b");
      it.ledger.pendingCommands.add("verify", row, row.node_id);
      await it.pass(60_000);
      expect([stateOf(it, "a"), it.missed]).toEqual(["offered", []]);
    });
  });

  test.each([
    ["is over where its own status says so", "completed", ["left", []]],
    ["has its old place again where nothing says so, and its seat passes on", null, ["offered", ["a"]]],
  ] as const)("and whom SignalWire refuses to fetch with 422 %s", async (name, status, found) => {
    await scene(`refused, ${name}`, async (it) => {
      const row = called(it, "a");
      it.rest.commands_get = 422;
      if (status !== null) it.rest.statuses.set("a", status);
      it.ledger.pendingCommands.add("fetch", row, row.node_id);
      await it.pass(5_000);
      expect([stateOf(it, "a"), it.missed]).toEqual(found);
    });
  });

  test("has its old place again where nothing could fetch it for a minute, and its seat passes on", async () => {
    await scene("turn lost", async (it) => {
      const row = called(it, "a");
      it.rest.fails_with = 500;
      it.ledger.pendingCommands.add("fetch", row, row.node_id);
      await it.pass(120_000);
      expect(it.missed).toEqual(["a"]);
    });
  });
});

test("a call that outlives its room is ended when one of RELAY and REST is back, however long that takes", async () => {
  await scene("outage", async (it) => {
    await joined(it, "a");
    it.rest.fails_with = 500;
    it.ledger.events.apply(event("a", "leave", it.now()));
    await it.pass(3_600_000);
    expect(it.ledger.pendingCommands.nextDue()).not.toBeNull();
    it.rest.fails_with = null;
    await it.pass(120_000);
    expect(it.rest.asked.filter((path) => path === "/api/calling/calls").length).toBeGreaterThan(50);
  });
});
