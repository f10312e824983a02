import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { outboundCall } from "../../../../shared/call.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;
const DAYS_MS = 3 * 24 * 3_600_000;

interface Scene {
  ledger: Ledger;
  pass(ms: number): void;
  event(status: string, timestamp: number): RelayEvent;
}

async function scene(name: string, use: (scene: Scene) => void): Promise<void> {
  await onStorage(`same-id-${name}`, async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    use({
      ledger,
      pass: (ms) => {
        now += ms;
      },
      event: (status, timestamp) => ({
        kind: "conference",
        event_type: "calling.conference",
        timestamp,
        params: { status: `participant-${status}`, conference_id: "conf-1", name: ROOM, call_id: "a" },
      }),
    });
  });
}

function states({ placements }: Ledger): string[] {
  return placements.ofCall("a").map(({ state, step }) => `${step} ${state}`);
}

describe("a call with an id that another had days ago", () => {
  test("is placed as a fresh one, and its documents are asked about as its own", async () => {
    const session = () => env.RELAY_SESSION.getByName("same-id-placed");
    const request = requestOf("a", { deadline_at: Date.now() + 2_000, join_via: "document" });
    await session().place(request);
    await runInDurableObject(session(), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE placements SET state = 'left', live = 0, created_at = created_at - ?",
        DAYS_MS,
      );
    });
    await runInDurableObject(session(), (_, state) => state.abort("lost")).catch(() => {});
    const asked = { v: 1, call_id: "a", entry: "", step: 0, asking_step: 1 } as const;
    expect(await session().look(asked)).toMatchObject({ outcome: "unsettled", is_unknown: true });
    const fresh = { ...request, deadline_at: Date.now() + 2_000 };
    expect(await session().place(fresh)).toMatchObject({ outcome: "document", counted: true });
    expect(await session().look(asked)).toMatchObject({ outcome: "document", room: ROOM });
  });

  test("has events of its own: they move nothing of the other's", async () => {
    await scene("events", ({ ledger, pass, event }) => {
      ledger.plan(requestOf("a", { deadline_at: START + 2_000, step: 3 }));
      ledger.events.apply(event("join", START / 1_000));
      pass(DAYS_MS);
      ledger.events.apply(event("leave", (START + DAYS_MS) / 1_000));
      expect(states(ledger)).toEqual(["3 joined"]);
      ledger.plan(requestOf("a", { deadline_at: START + DAYS_MS + 2_000 }));
      ledger.events.apply(event("join", (START + DAYS_MS) / 1_000 + 1));
      ledger.events.apply(event("leave", (START + DAYS_MS) / 1_000 + 9));
      expect(states(ledger)).toEqual(["0 left", "3 joined"]);
    });
  });

  test("takes no seat beside the other's, where nothing told that the other left", async () => {
    await scene("seat", ({ ledger, pass, event }) => {
      ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
      ledger.events.apply(event("join", START / 1_000));
      pass(DAYS_MS);
      ledger.plan(requestOf("a", { deadline_at: START + DAYS_MS + 2_000 }));
      expect(states(ledger)).toEqual(["0 accepted"]);
      expect(ledger.occupancy.taken(ROOM)).toBe(1);
    });
  });

  test("is taken when RELAY offers it, and walked", async () => {
    await scene("offered", ({ ledger, pass }) => {
      const call = outboundCall({ call_id: "a", from: "+15550100001", to: "+15550100100" });
      const { callFlows, history } = ledger;
      const said = { outcome: "document", rule: null, room: null, ms: 1 } as const;
      const note = { received_at: START, purpose: "fresh", entry: "", step: 0, from: "", to: "" } as const;
      history.webhook({ tenant: "acme", call_id: "a" }, { ...note, ...said });
      const first = callFlows.claim(call, "main");
      expect(first?.received_at).toBe(START);
      callFlows.close("a");
      expect([callFlows.has("a"), callFlows.claim(call, "main"), history.knows("a")]).toEqual([
        true,
        null,
        true,
      ]);
      pass(DAYS_MS);
      expect([callFlows.has("a"), history.knows("a")]).toEqual([false, false]);
      expect(callFlows.claim(call, "support")).toMatchObject({ context: "support" });
      expect(callFlows.open(9)).toMatchObject([{ call_id: "a", context: "support" }]);
    });
  });
});

describe("an event with a time at which it can't have happened", () => {
  test.each([
    ["milliseconds for seconds", 1e12],
    ["a negative number", -1],
    ["the year 1970", 1],
    ["next year", START / 1_000 + 365 * 86_400],
    ["no number", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
  ])("such as %s is taken to have happened when it came", async (name, timestamp) => {
    for (const how of ["apply", "applyUntrusted"] as const) {
      await scene(`${name} ${how}`, ({ ledger, pass, event }) => {
        const tell = (status: string, ts: number) => {
          const one = event(status, ts);
          ledger.eventLog.record(one, "callback", "acme");
          ledger.events[how](one, { feed: "callback", tenant: "acme" });
        };
        ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
        tell("join", timestamp);
        expect(ledger.placements.ofCall("a")).toMatchObject([{ joined_ts: START / 1_000 }]);
        pass(60_000);
        tell("leave", timestamp);
        expect(ledger.occupancy.taken(ROOM)).toBe(0);
        pass(60_000);
        expect(ledger.eventLog.record(event("leave", timestamp), "callback", "acme")).toBe("new");
      });
    }
  });

  test("does not hide the leave that comes after it", async () => {
    await scene("hidden", ({ ledger, pass, event }) => {
      ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
      ledger.events.apply(event("join", 1e12));
      pass(60_000);
      ledger.events.apply(event("leave", START / 1_000 + 60));
      expect(states(ledger)).toEqual(["0 left"]);
    });
  });
});
