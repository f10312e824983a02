import { expect, test } from "vitest";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { Ledger, onStorage } from "./ledger.ts";

const NOW = 1_800_000_000_000;

/** A recording's form, which names no conference. */
function form(params: Record<string, unknown>, timestamp: number | undefined = NOW / 1_000): RelayEvent {
  return {
    kind: "conference",
    event_type: "calling.conference",
    ...(timestamp === undefined ? {} : { timestamp }),
    params: { status: "recording-completed", ...params },
  };
}

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  ["rooms", { name: "acme:one" }, { name: "acme:two" }],
  [
    "recordings of one room",
    { name: "acme:one", recording_sid: "r-1" },
    { name: "acme:one", recording_sid: "r-2" },
  ],
  [
    "recordings of a conference",
    { conference_id: "c", recording_sid: "r-1" },
    { conference_id: "c", recording_sid: "r-2" },
  ],
])(
  "forms of two %s within one second are two, and each is a repeat when it comes again",
  async (what, one, two) => {
    await onStorage(`event-log-${what}`, async ({ sql }) => {
      const { eventLog } = new Ledger(
        sql,
        () => NOW,
        async () => new Set(),
      );
      const record = (params: Record<string, unknown>) => eventLog.record(form(params), "callback", "acme");
      expect([one, two, one, two].map(record)).toEqual(["new", "new", "repeat", "repeat"]);
    });
  },
);

test("a repeat of what a session took that is gone by now says so, for as long as SignalWire repeats", async () => {
  await onStorage("event-log-restart", async ({ sql }) => {
    let now = NOW;
    const start = () =>
      new Ledger(
        sql,
        () => now,
        async () => new Set(),
      ).eventLog;
    const record = (log: Ledger["eventLog"], name: string) => log.record(form({ name }), "callback", "acme");
    const first = start();
    expect([record(first, "acme:one"), record(first, "acme:one")]).toEqual(["new", "repeat"]);
    const second = start();
    expect(record(second, "acme:one")).toBe("repeat after a restart");
    expect([record(second, "acme:two"), record(second, "acme:two")]).toEqual(["new", "repeat"]);
    now += 60_000;
    expect(record(second, "acme:one")).toBe("repeat");
  });
});

test("an event that the version before wrote down, whole, is no news for the session that follows it", async () => {
  await onStorage("event-log-before", async ({ sql }) => {
    const happened = {
      ...form({ name: "acme:one", conference_id: "conf-1" }),
      event_type: "calling.conference",
    };
    const print = `["callback","calling.conference","recording-completed","conf-1",null,null,null,${NOW / 1_000},{"tenant":"acme"}]`;
    sql.exec(
      "INSERT INTO events (at, fingerprint, event_type) VALUES (?, ?, 'calling.conference')",
      NOW,
      print,
    );
    const { eventLog } = new Ledger(
      sql,
      () => NOW,
      async () => new Set(),
    );
    expect(eventLog.record(happened, "callback", "acme")).toBe("repeat after a restart");
    expect(eventLog.record(happened, "relay")).toBe("new");
    expect(eventLog.record(happened, "callback", "globex")).toBe("new");
  });
});

test("the version before reads in an event's row how it came and whose callback it was", async () => {
  await onStorage("event-log-after", async ({ sql }) => {
    const { eventLog } = new Ledger(
      sql,
      () => NOW,
      async () => new Set(),
    );
    const happened = form({ name: "acme:one", conference_id: "conf-1", call_id: "c-1" });
    eventLog.record(happened, "callback", "acme");
    eventLog.record(happened, "relay");
    const rows = sql.exec(
      "SELECT json_extract(fingerprint, '$[0]') AS feed, json_extract(fingerprint, '$[8].tenant') AS told, status FROM events",
    );
    const status = "recording-completed";
    expect(rows.toArray()).toEqual([
      { feed: "callback", told: "acme", status },
      { feed: "relay", told: null, status },
    ]);
  });
});
