import { describe, expect, test, vi } from "vitest";
import type { FeedGrant } from "../../../../functions/session/contract/feed.ts";
import { tellCommand } from "../../../../functions/session/operator/tell-commands.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import type { Wait } from "../../../../shared/rules/decision.ts";
import { onStorage, requestOf } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";
import { SqlRecording } from "../sql-recording.ts";
import { Client, EVERYTHING, Followed, randomFrom, until } from "./feed-fixture.ts";

const WAIT: Wait = { for: ["admission", "seat"], max_s: 3_600, otherwise: { action: "reject" } };

function told(
  status: string,
  room: string,
  call_id: string | null,
  at: number,
  conference = room,
): RelayEvent {
  const params = {
    status,
    conference_id: `${conference}-1`,
    name: room,
    ...(call_id === null ? {} : { call_id }),
  };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1_000, params };
}

/** A day of conferences: whatever may happen to a call, in any order. */
class Day {
  #calls = 0;
  readonly #random: () => number;
  readonly #on: Followed;

  constructor(on: Followed, seed: number) {
    this.#on = on;
    this.#random = randomFrom(seed);
  }

  any<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.#random() * of.length)];
  }

  chance(of: number): boolean {
    return this.#random() < of;
  }

  happens(): void {
    const { ledger } = this.#on;
    this.#on.pass(this.#random() * 900);
    const room = `acme:room-${Math.floor(this.#random() * 5)}`;
    const call = this.any([...ledger.placements.live.all()]);
    const row = call && ledger.placements.find(call);
    const act = this.#random();
    if (!row || act < 0.22) this.#arrives(room, this.chance(0.25));
    else if (row.state === "waiting") this.#ofWaiter(row.call_id);
    else if (row.state !== "joined")
      this.#on.ledger.events.apply(told("participant-join", row.room, row.call_id, this.#on.now));
    else if (act < 0.35) ledger.events.apply(told("participant-leave", row.room, row.call_id, this.#on.now));
    else if (act < 0.37) ledger.events.apply(told("conference-end", row.room, null, this.#on.now));
    else if (act < 0.4) this.#isLocked(row.room);
    else if (act < 0.45) this.#isRecorded(row.room);
    else if (act < 0.5)
      ledger.placements.update(row, { presumed_gone_at: this.chance(0.5) ? this.#on.now : null });
    else {
      const status = this.any(["mute", "unmute", "hold", "unhold"]);
      ledger.events.apply(told(`participant-${status}`, row.room, row.call_id, this.#on.now));
    }
  }

  #arrives(room: string, waits: boolean): void {
    const { ledger, now } = this.#on;
    // Some come to the same room again, under another entry.
    const again = this.chance(0.1) ? this.any([...ledger.placements.live.all()])?.call_id : undefined;
    this.#calls += 1;
    const call_id = again ?? `c-${this.#calls}`;
    const entry = again === undefined ? "" : `e-${this.#calls}`;
    const rooms: [string, ...string[]] = waits ? [room, "acme:room-9"] : [room];
    const request = requestOf(call_id, { entry, rooms, deadline_at: now + 2_000, capacity: 999, wait: WAIT });
    if (waits) ledger.placements.plan(request, room, "a line", "waiting");
    else ledger.plan(request);
  }

  #ofWaiter(call_id: string): void {
    const { placements } = this.#on.ledger;
    const row = placements.ofCall(call_id).find(({ state }) => state === "waiting");
    if (!row) return;
    if (row.admitted === 0 && this.chance(0.3)) placements.update(row, { admitted: 1 });
    else if (this.chance(0.6))
      placements.move(row, "offered", { room: this.any(row.placing.rooms) ?? row.room });
    else placements.move(row, "failed", this.chance(0.5) ? { turned_away: "declined" } : {});
  }

  #isLocked(room: string): void {
    const { policies } = this.#on.ledger;
    if (policies.lockOf(room) !== null) policies.drop(room, "lock");
    else {
      const until = this.chance(0.5) ? this.#on.now + 20_000 : null;
      policies.set<"lock">({
        room,
        kind: "lock",
        about: "",
        tenant: "acme",
        until,
        data: { mode: "refuse" },
      });
    }
  }

  #isRecorded(room: string): void {
    const { recordings } = this.#on.ledger;
    const open = recordings.newestIn("acme", room).find(({ ended_at }) => ended_at === null);
    if (!open) recordings.add({ tenant: "acme", room, state: "in-progress", started_at: this.#on.now });
    else if (this.chance(0.4))
      recordings.update(open, { state: open.state === "paused" ? "in-progress" : "paused" });
    else
      recordings.update(open, {
        state: this.any(["completed", "failed", "lost"]) ?? "lost",
        ended_at: this.#on.now,
        url: "https://files.example.com/r",
      });
  }
}

test("a client that is cut at random ends with the picture of one that never was, over 10,000 events", async () => {
  await onStorage("feed-cut", async ({ sql }) => {
    const on = new Followed(sql, { most: 300 });
    const day = new Day(on, 42);
    const [steady, cut, fresh] = [new Client(), new Client(), new Client()];
    steady.connect(on.feed);
    cut.connect(on.feed);
    const first = on.log.seqOf("acme");
    let cuts = 0;
    for (let checked = first; on.log.seqOf("acme") < first + 10_000; ) {
      for (let n = 0; n < 20; n += 1) day.happens();
      // Now and then for so long that what it misses is kept no more.
      if (cut.isConnected ? day.chance(0.4) : day.chance(0.3)) {
        if (cut.isConnected) cut.cut();
        else cut.connect(on.feed);
        cuts += 1;
      }
      if (day.chance(0.7)) await scheduler.wait(0);
      if (on.log.seqOf("acme") < checked + 1_000) continue;
      checked = on.log.seqOf("acme");
      await until(() => steady.picture.seq === checked);
      fresh.connect(on.feed, EVERYTHING, null);
      await until(() => fresh.picture.seq === checked);
      fresh.cut();
      expect(fresh.picture.rooms()).toEqual(steady.picture.rooms());
    }
    if (!cut.isConnected) cut.connect(on.feed);
    await until(() => cut.picture.seq === on.log.seqOf("acme") && steady.picture.seq === cut.picture.seq);
    expect(cut.picture.rooms()).toEqual(steady.picture.rooms());
    expect(steady.picture.rooms().length).toBeGreaterThan(2);
    expect(cuts).toBeGreaterThan(100);
    const came = cut.types();
    expect(came.filter((type) => type === "resumed").length).toBeGreaterThan(10);
    expect(came.filter((type) => type === "gap").length).toBeGreaterThan(2);
    // It lost none without a word.
    expect(steady.types()).not.toContain("gap");
    const seqs = steady.frames.filter(({ type }) => type !== "snapshot").map(({ seq }) => seq);
    expect(seqs).toEqual([...Array(seqs.length).keys()].map((n) => first + 1 + n));
  });
});

/** A call comes to its room. */
function joins(on: Followed, call_id: string, room = "acme:board"): void {
  on.ledger.plan(requestOf(call_id, { rooms: [room], capacity: 999, deadline_at: on.now + 2_000 }));
  on.pass(10);
  on.ledger.events.apply(told("participant-join", room, call_id, on.now));
}

test("who speaks is told once, though two ways tell it, and to nobody where servers alone are told what happens", async () => {
  await onStorage("feed-speech", async ({ sql }) => {
    const on = new Followed(sql);
    const { speech } = on.ledger;
    const says = (status: string, call_id: string, at: number, tenant?: string) =>
      speech.heard(told(`participant-speech-${status}`, "acme:board", call_id, at), tenant);
    joins(on, "c-1");
    on.ledger.webhooks.add({
      id: "w-1",
      tenant: "acme",
      project_id: "p-1",
      url: "https://hooks.example.com/",
      types: null,
      secrets: [],
      state: "active",
      dropped: 0,
      created_at: on.now,
    });
    const before = on.log.seqOf("acme");
    says("start", "c-1", on.now);
    says("stop", "c-1", on.now + 1);
    expect(on.log.seqOf("acme")).toBe(before);
    const client = new Client();
    client.connect(on.feed);
    on.pass(1_000);
    says("start", "c-1", on.now);
    says("start", "c-1", on.now, "acme");
    // Another tenant's callback, another room, and what came late.
    says("stop", "c-1", on.now, "other");
    speech.heard(told("participant-speech-stop", "acme:other", "c-1", on.now));
    says("stop", "c-1", on.now - 500);
    expect(speech.of({ call_id: "c-1", room: "acme:board" })).toBe(true);
    says("stop", "c-1", on.now + 500);
    on.ledger.events.apply(told("participant-mute", "acme:board", "c-1", on.now + 600));
    await until(() => client.types().includes("participant.updated"));
    const spoken = client.frames.filter(({ type }) => type === "participant.speaking");
    expect(spoken.map(({ data }) => data)).toEqual([
      { room: "acme:board", call_id: "c-1", speaking: true },
      { room: "acme:board", call_id: "c-1", speaking: false },
    ]);
  });
});

test("a lock is told when it begins, when it is over, and to a client that comes between", async () => {
  await onStorage("feed-lock", async ({ sql }) => {
    const on = new Followed(sql);
    const [client, late] = [new Client(), new Client()];
    client.connect(on.feed);
    const { policies } = on.ledger;
    on.ledger.plan(requestOf("c-1", { rooms: ["acme:room-1"], deadline_at: on.now + 2_000 }));
    on.ledger.events.apply(told("participant-join", "acme:room-1", "c-1", on.now));
    const until_ms = on.now + 5_000;
    const data = { mode: "lobby" } as const;
    policies.set<"lock">({
      room: "acme:room-1",
      kind: "lock",
      about: "",
      tenant: "acme",
      until: until_ms,
      data,
    });
    late.connect(on.feed);
    await until(() => late.types().includes("snapshot"));
    expect(late.picture.rooms()).toMatchObject([{ locked: { mode: "lobby", until: until_ms } }]);
    on.pass(6_000);
    policies.forget();
    await until(() => client.types().includes("room.unlocked") && late.types().includes("room.unlocked"));
    expect(client.types().filter((type) => type.includes("lock"))).toEqual(["room.locked", "room.unlocked"]);
    expect(late.picture.rooms()).toMatchObject([{ locked: null }]);
  });
});

const COMMAND = {
  command_id: "command-1",
  changed: true,
  sent_by: "relay",
  verified_by: "event",
  room: "acme:room-1",
  conference_id: null,
  call_id: "c-1",
  at: 1,
  settled_at: 2,
  said: "",
} as const;

const there = { call_id: "c-1", conference_id: null, muted: false, held: false, coaching: null };

test.each([
  ["remove", "done", ["participant.removed", "command.done"]],
  ["move", "done", ["participant.moved", "command.done"]],
  ["move", "failed", ["command.failed"]],
  ["mute", "refused", ["command.failed"]],
] as const)("of a %s that is %s the feed tells %j", async (control, state, types) => {
  await onStorage(`feed-command-${control}-${state}`, async ({ sql }) => {
    const on = new Followed(sql);
    const client = new Client();
    client.connect(on.feed);
    tellCommand(on.feed, "acme", {
      ...COMMAND,
      control,
      state,
      participant: { ...there, room: "acme:room-2" },
    });
    await until(() => client.types().includes(types.at(-1) ?? ""));
    expect(client.types().filter((type) => type !== "snapshot" && type !== "resumed")).toEqual(types);
    const moved = client.frames.find(({ type }) => type === "participant.moved");
    if (moved) expect(moved.data).toEqual({ room: "acme:room-1", call_id: "c-1", to: "acme:room-2" });
  });
});

describe("while nobody follows the tenant", () => {
  test("a join writes no row of the feed's, and reads none but the first", async () => {
    await onStorage("feed-unfollowed", async ({ sql }) => {
      const on = new Followed(sql);
      joins(on, "c-1");
      const recording = new SqlRecording(sql);
      joins(on, "c-2");
      recording.stop();
      expect(recording.statements.length).toBeGreaterThan(2);
      expect(recording.statements.filter((statement) => /feed|webhook/.test(statement))).toEqual([]);
      expect(sql.exec("SELECT COUNT(*) AS n FROM feeds").one()["n"]).toBe(0);
      expect(sql.exec("SELECT COUNT(*) AS n FROM feed_events").one()["n"]).toBe(0);
    });
  });

  test("what happens is missed, and a client that comes back is told so", async () => {
    await onStorage("feed-lapsed", async ({ sql }) => {
      const on = new Followed(sql);
      const client = new Client();
      client.connect(on.feed);
      await until(() => client.frames.length === 1);
      joins(on, "c-1");
      await until(() => client.frames.length === 4);
      client.cut();
      const { seq } = client.picture;
      // For a while events are kept.
      on.pass(599_000);
      joins(on, "c-2");
      client.connect(on.feed);
      await until(() => client.picture.rooms()[0]?.participants.length === 2);
      expect(client.types()).toEqual([
        "snapshot",
        ...["call.placed", "room.started", "participant.joined"],
        "resumed",
        ...["call.placed", "participant.joined"],
      ]);
      client.cut();
      await until(() => !on.readers.has("acme"));
      on.pass(601_000);
      joins(on, "c-3");
      client.connect(on.feed);
      await until(() => client.picture.rooms()[0]?.participants.length === 3);
      expect(client.types().slice(-2)).toEqual(["gap", "snapshot"]);
      expect(client.picture.seq).toBeGreaterThan(seq ?? 0);
    });
  });
});

test("what happens at the moment at which a reader has been sent all is sent to it at once, too", async () => {
  await onStorage("feed-moment", async ({ sql }) => {
    const on = new Followed(sql);
    const client = new Client(false);
    client.connect(on.feed);
    await until(() => client.frames.length === 1);
    for (let later = 0; later < 12; later += 1) {
      for (let turns = 0; turns < 5; turns += 1) await scheduler.wait(0);
      const turn = vi.spyOn(on.ledger.turns, "next").mockImplementationOnce(async () => {
        void happensAfter(later);
      });
      const happensAfter = async (microtasks: number): Promise<void> => {
        for (let n = 0; n < microtasks; n += 1) await null;
        on.feed.tell("acme", "rules.changed", { hash: `h-${later}` });
      };
      client.acknowledge();
      await until(() => turn.mock.calls.length > 0);
      turn.mockRestore();
      await until(() => client.picture.seq === on.log.seqOf("acme"));
      expect(client.frames).toHaveLength(later + 2);
    }
  });
});

test("a client stays connected while the object sleeps, and is sent what happens when it is awake", async () => {
  await onStorage("feed-slept", async ({ sql }) => {
    let on = new Followed(sql);
    const [client, behind] = [new Client(), new Client(false)];
    client.connect(on.feed);
    behind.connect(on.feed);
    for (let n = 0; n < 8; n += 1) {
      for (let m = 0; m < 30; m += 1) joins(on, `c-${n}-${m}`);
      await until(() => client.picture.seq === on.log.seqOf("acme"));
      for (let turn = 0; turn < 5; turn += 1) await scheduler.wait(0);
      on = new Followed(sql, { wakes: on });
    }
    expect(client.picture.rooms()[0]?.participants).toHaveLength(240);
    expect(client.types().filter((type) => type !== "call.placed" && type !== "participant.joined")).toEqual([
      "snapshot",
      "room.started",
    ]);
    expect(behind.frames).toHaveLength(256);
    behind.acknowledge();
    await until(() => behind.picture.seq === client.picture.seq);
    expect(behind.picture.rooms()).toEqual(client.picture.rooms());
    expect(behind.frames.map(({ seq }) => seq)).toEqual(client.frames.map(({ seq }) => seq));
  });
});

describe("a reader that acknowledges nothing", () => {
  test("is sent 256 frames, then a gap and a snapshot when it does again", async () => {
    await onStorage("feed-slow", async ({ sql }) => {
      const on = new Followed(sql, { most: 100 });
      const [slow, other] = [new Client(false), new Client()];
      slow.connect(on.feed);
      other.connect(on.feed);
      for (let n = 0; n < 300; n += 1) {
        joins(on, `c-${n}`);
        if (n % 20 === 0) await scheduler.wait(0);
      }
      await until(() => other.picture.rooms()[0]?.participants.length === 300);
      expect(slow.frames).toHaveLength(256);
      const recording = new SqlRecording(sql);
      joins(on, "c-beside");
      const [turn] = recording.takeTurns();
      recording.stop();
      // The call's own turn has no more to do for it.
      expect(turn?.rows).toBeLessThan(50);
      await until(() => other.picture.rooms()[0]?.participants.length === 301);
      slow.acknowledge();
      await until(() => slow.picture.seq === other.picture.seq);
      expect(slow.types().slice(256)).toEqual(["gap", "snapshot"]);
      expect(slow.picture.rooms()).toEqual(other.picture.rooms());
    });
  });

  test("is not waited for longer than half a minute", async () => {
    await onStorage("feed-stalled", async ({ sql }) => {
      const on = new Followed(sql);
      const slow = new Client(false);
      slow.connect(on.feed);
      for (let n = 0; n < 150; n += 1) joins(on, `c-${n}`);
      await until(() => slow.frames.length === 256);
      // It takes another turn until the rest is found to be too much.
      for (let turn = 0; turn < 5; turn += 1) await scheduler.wait(0);
      on.pass(29_000);
      joins(on, "c-late");
      await scheduler.wait(0);
      expect(slow.closed).toBeNull();
      on.pass(2_000);
      joins(on, "c-later");
      await until(() => slow.closed !== null);
      expect(slow.closed).toBe(4408);
      expect(slow.frames).toHaveLength(256);
    });
  });

  test("gets a long snapshot only as fast as it acknowledges the parts", async () => {
    await onStorage("feed-parts", async ({ sql }) => {
      const on = new Followed(sql);
      for (let n = 0; n < 1_300; n += 1) joins(on, `c-${n}`, `acme:room-${n % 13}`);
      const slow = new Client(false);
      slow.connect(on.feed);
      await until(() => slow.frames.length === 4);
      joins(on, "c-new", "acme:room-0");
      for (let turn = 0; turn < 20; turn += 1) await scheduler.wait(0);
      expect(slow.frames).toHaveLength(4);
      slow.acknowledge();
      await until(() => slow.types().includes("participant.joined"));
      expect(slow.frames.flatMap((frame) => (frame.type === "snapshot" ? [frame.data.more] : []))).toEqual([
        ...[true, true, true, true, true, true],
        false,
      ]);
      expect(slow.picture.rooms().reduce((sum, { participants }) => sum + participants.length, 0)).toBe(
        1_301,
      );
    });
  });
});

test("storage without room closes the feed and nothing else, and what was missed is a gap", async () => {
  await onStorage("feed-full", async ({ sql }) => {
    const on = new Followed(sql);
    const client = new Client();
    client.connect(on.feed);
    joins(on, "c-1");
    await until(() => client.picture.rooms().length === 1);
    const full = new SqlFaults(
      sql,
      (statement) => needsRoom(statement) && statement.includes("feed_events"),
      FULL,
    );
    joins(on, "c-2");
    expect(on.ledger.occupancy.countJoined("acme:board")).toBe(2);
    await until(() => client.closed !== null);
    expect(client.closed).toBe(1013);
    full[Symbol.dispose]();
    client.connect(on.feed);
    await until(() => client.picture.rooms()[0]?.participants.length === 2);
    expect(client.types().slice(-2)).toEqual(["gap", "snapshot"]);
  });
});

test("what happens to another tenant's calls is not told, by a feed or to an endpoint", async () => {
  await onStorage("feed-others", async ({ sql }) => {
    const on = new Followed(sql);
    const client = new Client();
    client.connect(on.feed);
    await until(() => client.frames.length === 1);
    on.feed.follow("globex");
    const request = { tenant: "globex", rooms: ["globex:board"] as [string], deadline_at: on.now };
    on.ledger.plan(requestOf("c-1", request));
    on.ledger.events.apply(told("participant-join", "globex:board", "c-1", on.now));
    expect(on.log.after("globex", 0, 9)).toHaveLength(3);
    joins(on, "c-2");
    await until(() => client.types().includes("participant.joined"));
    expect(JSON.stringify(client.frames)).not.toContain("globex");
    expect(client.frames).toHaveLength(4);
  });
});

describe("a token that may not see all", () => {
  test("is sent what is about its rooms and in its scopes, without numbers", async () => {
    await onStorage("feed-grants", async ({ sql }) => {
      const on = new Followed(sql);
      joins(on, "c-0", "acme:secret");
      const client = new Client();
      const grant: FeedGrant = {
        token: "t-1",
        scopes: ["rooms:read"],
        rooms: ["bo*"],
        mask_numbers: true,
        expires_at: null,
      };
      client.connect(on.feed, grant);
      await until(() => client.frames.length === 1);
      joins(on, "c-1", "acme:secret");
      joins(on, "c-2", "acme:board");
      on.feed.tell("acme", "rules.changed", { hash: "h" });
      await until(() => client.types().includes("participant.joined"));
      expect(client.types()).toEqual(["snapshot", "room.started", "participant.joined"]);
      expect(JSON.stringify(client.frames)).not.toMatch(/secret|5550100001/);
      on.feed.revoke("acme", "t-1");
      await until(() => client.closed !== null);
      expect(client.closed).toBe(4401);
    });
  });

  test("is sent nothing once it has expired", async () => {
    await onStorage("feed-expires", async ({ sql }) => {
      const on = new Followed(sql);
      const client = new Client();
      client.connect(on.feed, { ...EVERYTHING, token: "t-1", expires_at: on.now + 1_000 });
      await until(() => client.frames.length === 1);
      on.pass(1_000);
      joins(on, "c-1");
      await until(() => client.closed !== null);
      expect([client.closed, client.frames.length]).toEqual([4401, 1]);
    });
  });
});

/** What a change of the ledger tells, beside what came before it. */
async function tellsOf(before: (on: Followed) => void, change: (on: Followed) => void): Promise<unknown[]> {
  return await onStorage("feed-tells", async ({ sql }) => {
    const on = new Followed(sql);
    before(on);
    const client = new Client();
    client.connect(on.feed);
    await until(() => client.frames.length === 1);
    change(on);
    await until(() => client.picture.seq === on.log.seqOf("acme"));
    return client.frames.slice(1).map(({ type, data }) => [type, data]);
  });
}

function waits(on: Followed): void {
  const request = requestOf("c-1", { rooms: ["acme:board"], deadline_at: on.now + 2_000, wait: WAIT });
  on.ledger.placements.plan(request, "acme:board", "there is a line", "waiting");
}

function only(on: Followed, call_id = "c-1") {
  const [row] = on.ledger.placements.ofCall(call_id);
  if (!row) throw new Error("there is no such call");
  return row;
}

const participant = { call_id: "c-1", from: "+15550100001", role: "participant", muted: false, held: false };
const recording = { id: expect.any(String), since: 7 };

test.each<[string, (on: Followed) => void, (on: Followed) => void, unknown[]]>([
  [
    "the first participant starts the room, and others join it",
    () => {},
    (on) => {
      joins(on, "c-1");
      joins(on, "c-2");
    },
    [
      ["call.placed", { room: "acme:board", call_id: "c-1", rule: "support" }],
      ["room.started", { room: "acme:board", recordings: [], locked: null }],
      ["participant.joined", { room: "acme:board", participant }],
      ["call.placed", { call_id: "c-2" }],
      ["participant.joined", { participant: { ...participant, call_id: "c-2" } }],
    ],
  ],
  [
    "the last participant ends it",
    (on) => joins(on, "c-1"),
    (on) => on.ledger.events.apply(told("participant-leave", "acme:board", "c-1", on.now + 9_000)),
    [
      ["participant.left", { room: "acme:board", call_id: "c-1", reason: "participant-leave" }],
      ["room.ended", { room: "acme:board" }],
    ],
  ],
  [
    "a participant is muted",
    (on) => joins(on, "c-1"),
    (on) => on.ledger.events.apply(told("participant-mute", "acme:board", "c-1", on.now + 9_000)),
    [["participant.updated", { room: "acme:board", participant: { ...participant, muted: true } }]],
  ],
  [
    "what operators are not shown is no news",
    (on) => joins(on, "c-1"),
    (on) => on.ledger.placements.update(only(on), { verified_at: on.now, segment_id: "s-1" }),
    [],
  ],
  [
    "a caller waits",
    () => {},
    waits,
    [
      [
        "lobby.waiting",
        { rooms: ["acme:board"], waiter: { call_id: "c-1", for: ["admission", "seat"], admitted: false } },
      ],
    ],
  ],
  [
    "an operator lets a waiter in, who then gets a seat",
    waits,
    (on) => {
      on.ledger.placements.update(only(on), { admitted: 1 });
      on.ledger.placements.move(only(on), "offered");
    },
    [
      ["lobby.waiting", { waiter: { admitted: true } }],
      ["lobby.admitted", { rooms: ["acme:board"], call_id: "c-1", room: "acme:board" }],
    ],
  ],
  [
    "a waiter is turned away",
    waits,
    (on) => on.ledger.placements.move(only(on), "failed", { turned_away: "declined" }),
    [["lobby.rejected", { call_id: "c-1", why: "declined" }]],
  ],
  [
    "a waiter hangs up",
    waits,
    (on) => on.ledger.placements.move(only(on), "failed"),
    [["lobby.left", { call_id: "c-1" }]],
  ],
  [
    "a caller finds no seat",
    () => {},
    (on) =>
      on.ledger.placements.plan(
        requestOf("c-1", { deadline_at: on.now }),
        "acme:board",
        "2 of 2 taken",
        "failed",
        "full",
      ),
    [["call.refused", { room: "acme:board", call_id: "c-1", why: "full", reason: "2 of 2 taken" }]],
  ],
  [
    "a rule refuses a caller",
    () => {},
    (on) => {
      const row = {
        received_at: 1,
        purpose: "fresh",
        entry: "",
        step: 0,
        from: "+15550100001",
        to: "",
      } as const;
      on.ledger.history.webhook(
        { tenant: "acme", call_id: "c-1" },
        { ...row, outcome: "reject", rule: "night" },
      );
      on.ledger.history.webhook({ tenant: "acme", call_id: "c-2" }, { ...row, outcome: "ask", rule: "pin" });
    },
    [["call.refused", { room: null, call_id: "c-1", from: "+15550100001", rule: "night", why: "reject" }]],
  ],
  [
    "a recording goes its way",
    (on) => joins(on, "c-1"),
    (on) => {
      const { recordings } = on.ledger;
      const row = recordings.add({ tenant: "acme", room: "acme:board", state: "expected", started_at: 7 });
      if (!row) throw new Error("there is no room");
      for (const state of ["in-progress", "paused", "in-progress", "completed"] as const)
        recordings.update(row, { state });
      recordings.update(row, { url: "https://files.example.com/r-1" });
    },
    [
      ["recording.started", { room: "acme:board", recording: { ...recording, state: "in-progress" } }],
      ["recording.paused", { recording: { ...recording, state: "paused" } }],
      ["recording.resumed", { recording: { ...recording, state: "in-progress" } }],
      ["recording.stopped", { recording: { ...recording, state: "completed" } }],
      ["recording.available", { recording: { ...recording, state: "completed" } }],
    ],
  ],
  [
    "a recording fails, and another finds nothing to record",
    (on) => joins(on, "c-1"),
    (on) => {
      for (const state of ["failed", "absent"] as const) {
        const row = on.ledger.recordings.add({
          tenant: "acme",
          room: "acme:board",
          state: "expected",
          started_at: 7,
        });
        if (row) on.ledger.recordings.update(row, { state });
      }
    },
    [["recording.failed", { recording: { ...recording, state: "failed" } }]],
  ],
  [
    "the rules change",
    (on) => on.ledger.rulesets.keep("acme", { hash: "h-1", text: "{}" }),
    (on) => {
      on.ledger.rulesets.serves("acme", "h-1");
      on.ledger.rulesets.keep("acme", { hash: "h-2", text: "{}" });
      // Elsewhere the version before serves for another minute.
      on.pass(1_000);
      on.ledger.rulesets.serves("acme", "h-1");
      on.ledger.rulesets.serves("acme", "h-2");
    },
    [["rules.changed", { hash: "h-2" }]],
  ],
  [
    "two conferences live under one name",
    (on) => {
      joins(on, "c-1");
      joins(on, "c-2");
      on.ledger.plan(requestOf("c-3", { rooms: ["acme:board"], capacity: 9, deadline_at: on.now }));
      on.ledger.events.apply(told("participant-join", "acme:board", "c-3", on.now + 1, "other"));
      on.ledger.plan(requestOf("c-4", { rooms: ["acme:board"], capacity: 9, deadline_at: on.now }));
    },
    (on) => on.ledger.events.apply(told("participant-join", "acme:board", "c-4", on.now + 2)),
    [
      ["participant.joined", { participant: { call_id: "c-4" } }],
      [
        "room.split",
        { room: "acme:board", conference_ids: expect.arrayContaining(["acme:board-1", "other-1"]) },
      ],
    ],
  ],
])("%s", async (_, before, change, expected) => {
  expect(await tellsOf(before, change)).toMatchObject(expected);
});
