import { describe, expect, test } from "vitest";
import { Archive } from "../../../functions/session/archive.ts";
import type { ConferenceEventRequest } from "../../../functions/session/contract.ts";
import { whomToTell } from "../../../functions/session/forwarding.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "./ledger.ts";

const NOW = 1_800_000_000_000;
const HOOK = { url: "https://hooks.example.com/acme", as: "json", method: "POST" } as const;

interface Scene {
  ledger: Ledger;
  archive: Archive;
}

/** A project with a call of the tenant `acme`, whose rule wants to be told of everything. */
async function scene(name: string, use: (scene: Scene) => void): Promise<void> {
  await onStorage(`across-tenants-${name}`, async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => NOW,
      async () => new Set(),
    );
    const { journal, placements, rooms, doubts, rulesets } = ledger;
    const archive = new Archive(sql, journal, placements, rooms, doubts, rulesets, () => {});
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
    await scene(`forwarding ${kind}`, ({ ledger: { placements, rooms } }) => {
      expect(whomToTell(placements, rooms, told("other", kind, one))).toEqual([]);
      expect(whomToTell(placements, rooms, told("acme", kind, one))).toEqual([HOOK]);
    });
  });

  test("does not stand in the call's story", async () => {
    await scene("story", ({ ledger, archive }) => {
      ledger.events.record(event("participant-leave", { name: "other:lobby" }), "callback", "other");
      ledger.events.record(event("participant-join", { name: "acme:support" }), "relay");
      ledger.events.record(event("participant-join", { name: "acme:support" }), "callback", "acme");
      const story = archive.story("acme", "call-1", { with_rulesets: false });
      const events = story?.happened.filter(({ what }) => what === "event");
      expect(events).toMatchObject([
        { feed: "relay", status: "participant-join" },
        { feed: "callback", status: "participant-join" },
      ]);
    });
  });

  test("does not make the tenant's own callback a repeat", async () => {
    await scene("fingerprint", ({ ledger: { events } }) => {
      const leave = event("participant-leave", { name: "acme:support" });
      expect(events.record(leave, "callback", "other")).toBe(true);
      expect(events.record(leave, "callback", "acme")).toBe(true);
      expect(events.record(leave, "callback", "acme")).toBe(false);
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
