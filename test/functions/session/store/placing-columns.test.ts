import { expect, test } from "vitest";
import type { Placement } from "../../../../functions/session/store/placement-row.ts";
import type { Placing } from "../../../../shared/placing.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const now = 1_800_000_000_000;
const otherwise = { action: "reject", say: { say: "Please call again later." } } as const;
const line = { for: ["seat"], max_s: 600, otherwise, music: "https://example.com/line.mp3" } as const;
const decided = {
  strategy: "emptiest",
  capacity: 3,
  when_full: { action: "hand_over", swml: "https://example.com/full" },
  sticky_key: "+15550100001",
  coach: { role: "moderator", if_absent: "listen", if_several: "oldest" },
  after: { action: "hand_over", swml: "https://example.com/after", cxml: "https://example.com/after.xml" },
  max_duration_s: 900,
  policies: { lock: "lobby" },
  recording_notice: { say: "This call may be recorded." },
  rejoin_s: 60,
  secret: true,
} satisfies Partial<Placing>;

const cases: [string, Partial<Placing>, Placement["state"]][] = [
  ["says no more than a room", {}, "by_document"],
  ["says everything", decided, "by_document"],
  ["lets a call wait for one of two rooms", { ...decided, wait: { ...line, for: ["seat"] } }, "waiting"],
];

test.each(cases)("a decision that %s is read from the row as it was made", async (_, more, state) => {
  await onStorage("placing", async ({ sql }) => {
    const rooms: Placing["rooms"] = state === "waiting" ? ["acme:a", "acme:b"] : ["acme:a"];
    const join = { beep: "onEnter", muted: false } as const;
    const request = requestOf("c", { deadline_at: now, ...more, rooms, join });
    const { capacity: __, ...bare } = request;
    const ledger = ledgerOf(sql);
    const { placing } = ledger.placements.plan(
      "capacity" in more ? request : bare,
      "acme:a",
      "because",
      state as "waiting" | "by_document",
    );
    expect(placing).toMatchObject({ action: "place", rooms, join, rule: "support", ...more });
    expect(read(sql).placing).toEqual(placing);
  });
});

test("a waiter's row has what was decided when its seat is taken back, whichever join it was given meanwhile", async () => {
  await onStorage("placing", async ({ sql }) => {
    const { placements } = ledgerOf(sql);
    const rooms: Placing["rooms"] = ["acme:a", "acme:b"];
    const request = requestOf("c", { deadline_at: now, ...decided, rooms, wait: { ...line, for: ["seat"] } });
    const row = placements.plan(request, "acme:a", "there is a line", "waiting");
    placements.move(row, "offered", { room: "acme:b", join: { coach: "another", muted: true } });
    expect(read(sql)).toMatchObject({ placing: row.placing, join: { coach: "another" }, room: "acme:b" });
    placements.move(row, "waiting", { reason: "could not be fetched" });
    expect(read(sql).placing).toEqual(row.placing);
  });
});

test("the version before finds in its columns what it acts by", async () => {
  await onStorage("placing", async ({ sql }) => {
    const { placements } = ledgerOf(sql);
    const rooms: Placing["rooms"] = ["acme:a", "acme:b"];
    const wait = { ...line, for: ["seat"] } satisfies Placing["wait"];
    const request = requestOf("c", {
      deadline_at: now,
      ...decided,
      rooms,
      wait,
      fetch_url: "https://example.com",
    });
    placements.plan(request, "acme:a", "there is a line", "waiting");
    const [row = {}] = sql.exec("SELECT * FROM placements").toArray();
    const texts = Object.fromEntries(
      ["when_full", "policies", "untold", "wait", "join"].map((name) => [
        name,
        JSON.parse(String(row[name])),
      ]),
    );
    const { when_full, policies, recording_notice: untold, coach, max_duration_s } = decided;
    expect({ ...row, ...texts }).toMatchObject({
      state: "waiting",
      rule: "support",
      role: "participant",
      ruleset: "r1",
      decided_at: 0,
      capacity: 3,
      after_url: "https://example.com/after",
      when_full,
      policies,
      untold,
      join: {},
      wait: {
        rooms,
        strategy: "emptiest",
        join: {},
        coach,
        max_duration_s,
        when_full,
        ...wait,
        fetch_url: "https://example.com",
      },
    });
  });
});

test("a row of this version that the version before has put into its line waits as that one says", async () => {
  await onStorage("placing", async ({ sql }) => {
    const request = requestOf("c", { deadline_at: now, rejoin_s: 60, rooms: ["acme:a"] });
    ledgerOf(sql).placements.plan(request, "acme:a", "404", "by_document");
    const rooms = ["acme:a", "acme:b"];
    const before = { rooms, strategy: "first", join: {}, for: ["seat"], max_s: 600, otherwise, asked: 2 };
    sql.exec("UPDATE placements SET state = 'waiting', wait = ?, seen_at = ?", JSON.stringify(before), now);
    expect(read(sql)).toMatchObject({
      placing: { rejoin_s: 60, rooms, wait: { for: ["seat"], max_s: 600, otherwise } },
      wait: { asked: 2 },
    });
  });
});

test("a Worker of the version before says by a URL alone where the call goes afterwards", async () => {
  await onStorage("placing", async ({ sql }) => {
    const after_url = "https://example.com/after";
    const request = requestOf("c", { deadline_at: now, after_url });
    const { placing } = ledgerOf(sql).placements.plan(request, "acme:a", "404", "by_document");
    expect(placing.after).toEqual({ action: "hand_over", swml: after_url });
  });
});

test("an offered seat and a call on its way back are known as such after a restart; the version before finds a document that joins, until the lease is over", async () => {
  await onStorage("placing", async ({ sql }) => {
    const { placements } = ledgerOf(sql);
    const wait = { ...line, for: ["seat"] } satisfies Placing["wait"];
    const row = placements.plan(
      requestOf("c", { deadline_at: now, wait }),
      "acme:support",
      "a line",
      "waiting",
    );
    const kept = () => sql.exec("SELECT state, deadline_at FROM placements").one();
    placements.move(row, "offered", { joined_by: "document", lease_until: now + 60_000 });
    expect(read(sql)).toMatchObject({ state: "offered", lease_until: now + 60_000 });
    expect([...ledgerOf(sql).placements.live.in("acme:support")]).toMatchObject([{ state: "offered" }]);
    expect(kept()).toEqual({ state: "by_document", deadline_at: now + 60_000 });
    placements.move(row, "joined", { joined_ts: now / 1_000, conference_id: "conf-1" });
    expect(read(sql)).toMatchObject({ state: "joined", lease_until: null });
    placements.move(row, "returning");
    expect(read(sql)).toMatchObject({ state: "returning", lease_until: now + 5_000 });
    expect(kept()).toMatchObject({ state: "by_document" });
    placements.move(row, "by_document", { conference_id: null });
    expect(read(sql)).toMatchObject({ state: "by_document", lease_until: null });
  });
});

function ledgerOf(sql: SqlStorage): Ledger {
  return new Ledger(
    sql,
    () => now,
    async () => new Set(),
  );
}

/** The call's row, by a session that has not seen it before. */
function read(sql: SqlStorage): Placement {
  const [row] = ledgerOf(sql).placements.ofCall("c");
  if (!row) throw new Error("there is no such row");
  return row;
}
