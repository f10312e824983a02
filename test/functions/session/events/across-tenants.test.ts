import { describe, expect, test } from "vitest";
import type { ConferenceEventRequest } from "../../../../functions/session/contract/placement.ts";
import { whomToTell } from "../../../../functions/session/event-ingest.ts";
import { CallHistory } from "../../../../functions/session/operator/call-history.ts";
import { CircuitBreaker } from "../../../../functions/session/store/circuit-breaker.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const NOW = 1_800_000_000_000;
const HOOK = { url: "https://hooks.example.com/acme", as: "json", method: "POST" } as const;

interface Scene {
  ledger: Ledger;
  archive: CallHistory;
}

/** A project with a call of the tenant `acme`, whose rule wants to be told of everything. */
async function scene(name: string, use: (scene: Scene) => void): Promise<void> {
  await onStorage(`across-tenants-${name}`, async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => NOW,
      async () => new Set(),
    );
    const { history, placements, occupancy, suspicions, rulesets, recordings } = ledger;
    const archive = new CallHistory(
      sql,
      history,
      placements,
      occupancy,
      suspicions,
      rulesets,
      recordings,
      ledger.policies,
      ledger.speech,
      () => {},
    );
    const forwarding = { conference: HOOK, recording: HOOK };
    ledger.plan(requestOf("call-1", { deadline_at: NOW + 2_000, forwarding }));
    use({ ledger, archive });
  });
}

function event(status: string, more: Record<string, unknown>): RelayEvent {
  const params = { status, conference_id: "conf-1", call_id: "call-1", ...more };
  return { kind: "conference", event_type: "calling.conference", timestamp: NOW / 1_000, params };
}

function told(tenant: string, kind: "conference" | "recording", one: RelayEvent): ConferenceEventRequest {
  return { v: 1, project_id: "p-1", tenant, kind, event: one, trusted: false, ids_known: true };
}

describe("a callback that names a call of another tenant's", () => {
  test.each([
    ["conference", event("participant-join", { name: "other:lobby" })],
    ["recording", event("recording-completed", {})],
  ] as const)("about a %s is forwarded to the caller's own tenant alone", async (kind, one) => {
    await scene(`forwarding ${kind}`, ({ ledger: { placements, occupancy } }) => {
      expect(whomToTell(placements, occupancy, told("other", kind, one))).toEqual([]);
      expect(whomToTell(placements, occupancy, told("acme", kind, one))).toEqual([HOOK]);
    });
  });

  test("does not stand in the call's story", async () => {
    await scene("story", ({ ledger, archive }) => {
      ledger.eventLog.record(event("participant-leave", { name: "other:lobby" }), "callback", "other");
      ledger.eventLog.record(event("participant-join", { name: "acme:support" }), "relay");
      ledger.eventLog.record(event("participant-join", { name: "acme:support" }), "callback", "acme");
      const story = archive.story("acme", "call-1", { with_rulesets: false });
      const events = story?.happened.filter(({ what }) => what === "event");
      expect(events).toMatchObject([
        { feed: "relay", status: "participant-join" },
        { feed: "callback", status: "participant-join" },
      ]);
    });
  });

  test("does not make the tenant's own callback a repeat", async () => {
    await scene("fingerprint", ({ ledger: { eventLog } }) => {
      const leave = event("participant-leave", { name: "acme:support" });
      expect(eventLog.record(leave, "callback", "other")).toBe("new");
      expect(eventLog.record(leave, "callback", "acme")).toBe("new");
      expect(eventLog.record(leave, "callback", "acme")).toBe("repeat");
    });
  });

  test.each(["apply", "applyUntrusted"] as const)("mutes nobody (%s)", async (how) => {
    await scene(how, ({ ledger }) => {
      ledger.events[how](event("participant-mute", { name: "acme:support" }), {
        feed: "callback",
        tenant: "other",
      });
      expect(ledger.placements.ofCall("call-1")).toMatchObject([{ muted: 0 }]);
    });
  });
});

describe("joins of calls that RELAY did not know, told by callbacks without a signature", () => {
  const rooms = ["call-2", "call-3", "call-4"].map((call_id) => ({ call_id, name: `acme:${call_id}` }));

  function unknownToRelay({ placements, ...ledger }: Ledger, tenant = "acme"): void {
    for (const { call_id, name } of rooms) {
      const request = requestOf(call_id, { deadline_at: NOW + 2_000, join_via: "document", tenant });
      const row = placements.plan({ ...request, rooms: [name] }, name, "404", "by_document");
      placements.update(row, { doubt: "404" });
      ledger.events.applyUntrusted(event("participant-join", { call_id, name }), { tenant });
    }
  }

  test("make that tenant's calls join by document, and nobody else's", async () => {
    await scene("unsigned joins", ({ ledger }) => {
      unknownToRelay(ledger);
      expect(ledger.circuitBreaker.mayTry(NOW, "acme")).toBe(false);
      expect(ledger.circuitBreaker.mayTry(NOW, "other")).toBe(true);
      expect(ledger.circuitBreaker.breaker).toMatchObject({ failures: 0 });
    });
  });

  test("count for the project once RELAY tells of them, too, and for the tenant no second time", async () => {
    await scene("proved joins", ({ ledger }) => {
      unknownToRelay(ledger);
      for (const joined of rooms) ledger.events.apply(event("participant-join", joined));
      expect(ledger.circuitBreaker.breaker).toMatchObject({ failures: 1, tenants: ["acme"] });
      expect(ledger.circuitBreaker.breakerOf("acme")).toMatchObject({ failures: 3 });
    });
  });

  test("teach nothing about conferences of one name", async () => {
    await scene("split", ({ ledger }) => {
      const name = "acme:support";
      for (const [call_id, conference_id, at] of [
        ["call-2", "conf-1", 1],
        ["call-3", "conf-2", 2],
        ["call-4", "conf-1", 3],
      ] as const) {
        ledger.plan(requestOf(call_id, { deadline_at: NOW + 2_000, capacity: 9 }));
        const one = event("participant-join", { call_id, name, conference_id });
        ledger.events.applyUntrusted({ ...one, timestamp: NOW / 1_000 + at }, { tenant: "acme" });
      }
      expect(ledger.splits.all()).toMatchObject([{ room: name }]);
      expect(ledger.observations.all()).toEqual([]);
    });
  });
});

test("breakers of their own are kept for so many tenants, and no more", async () => {
  await scene("many tenants", ({ ledger: { circuitBreaker } }) => {
    for (let n = 0; n < 1_010; n += 1)
      circuitBreaker.failed("404, and the call lived", NOW, `t${n}`, "tenant");
    expect(Object.keys(circuitBreaker.ofTenants)).toHaveLength(1_000);
    expect(circuitBreaker.ofTenants["t1009"]).toMatchObject({ failures: 1 });
    circuitBreaker.succeeded(NOW, "t1009", false);
    expect(circuitBreaker.ofTenants["t1009"]).toBeUndefined();
  });
});

test("the tenant's one call that tries RELAY again is not spent where the project's breaker stops it", async () => {
  await scene("one trial", ({ ledger: { circuitBreaker } }) => {
    for (let n = 0; n < 3; n += 1) circuitBreaker.failed("404, and the call lived", NOW, "acme", "tenant");
    const HOUR_MS = 3_600_000;
    for (const tenant of ["t1", "t2", "t3"]) circuitBreaker.failed("409", NOW + 1_000, tenant);
    expect(circuitBreaker.mayTry(NOW + HOUR_MS, "acme")).toBe(false);
    expect(circuitBreaker.mayTry(NOW + HOUR_MS + 1_000, "acme")).toBe(true);
    expect(circuitBreaker.mayTry(NOW + HOUR_MS + 1_000, "acme")).toBe(false);
  });
});

describe("calls that RELAY fails to place", () => {
  /** Three calls of each tenant's that RELAY answered with 404, and that come back. */
  function comeBack({ placements, trust }: Ledger, tenants: readonly string[]): void {
    for (const tenant of tenants) {
      for (const n of [1, 2, 3]) {
        const request = requestOf(`${tenant}-${n}`, { deadline_at: NOW + 2_000, tenant });
        const row = placements.plan(request, `${tenant}:room-${n}`, "404", "by_document");
        placements.update(row, { doubt: "404" });
        trust.callLives(row, NOW);
      }
    }
  }

  test("slow down their own tenant alone, and no others of its project, after a restart too", async () => {
    await scene("one tenant", ({ ledger }) => {
      comeBack(ledger, ["acme"]);
      for (const circuitBreaker of [ledger.circuitBreaker, new CircuitBreaker(ledger.settings)]) {
        expect(circuitBreaker.mayTry(NOW, "acme")).toBe(false);
        expect(circuitBreaker.mayTry(NOW, "other")).toBe(true);
      }
    });
  });

  test("of three tenants slow down the whole project", async () => {
    await scene("three tenants", ({ ledger }) => {
      comeBack(ledger, ["acme", "t2"]);
      expect(ledger.circuitBreaker.mayTry(NOW, "other")).toBe(true);
      comeBack(ledger, ["t3"]);
      expect(ledger.circuitBreaker.mayTry(NOW, "other")).toBe(false);
      expect(new CircuitBreaker(ledger.settings).mayTry(NOW, "other")).toBe(false);
    });
  });

  test("were not told of by tenant in the version before: what it counted opens nothing, and what it opened stays open", async () => {
    await scene("before", ({ ledger: { settings } }) => {
      settings.set("breaker", '{"failures":2,"open_until":null,"trial_at":null}');
      const counted = new CircuitBreaker(settings);
      counted.failed("409", NOW, "acme");
      expect(counted.mayTry(NOW, "other")).toBe(true);
      settings.set("breaker", `{"failures":3,"open_until":${NOW + 1_000},"trial_at":null}`);
      const open = new CircuitBreaker(settings);
      expect(open.mayTry(NOW, "other")).toBe(false);
      expect(open.mayTry(NOW + 1_000, "other")).toBe(true);
    });
  });
});
