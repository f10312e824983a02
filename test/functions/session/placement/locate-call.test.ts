import { describe, expect, test } from "vitest";
import type {
  DocumentSaid,
  LookReply,
  LookRequest,
} from "../../../../functions/session/contract/placement.ts";
import { type LocateCallHost, locateCall } from "../../../../functions/session/placement/locate-call.ts";
import { CircuitBreaker } from "../../../../functions/session/store/circuit-breaker.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { RelayTrust } from "../../../../functions/session/store/relay-trust.ts";
import { Settings } from "../../../../functions/session/store/settings.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

function event(status: "join" | "leave", at: number, call_id = "a", conference_id = "conf-1"): RelayEvent {
  const params = {
    status: `participant-${status}`,
    conference_id,
    name: ROOM,
    call_id,
    size: 1,
  };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

/** Where a call is, for one that came back to us at `now`. */
function lookout(ledger: Ledger, sql: SqlStorage, now: number, wouldHaveSeen = false): LocateCallHost {
  const { placements, joins, observations } = ledger;
  const circuitBreaker = new CircuitBreaker(new Settings(new Disk(sql, Date.now), undefined));
  const line = { refused: () => {}, removed: () => {}, stays: () => {}, backToQueue: () => false };
  return {
    placements,
    joins,
    trust: new RelayTrust(placements, circuitBreaker, ledger.leaving, observations),
    observations,
    fullRooms: { unseen: () => {} },
    circuitBreaker,
    now,
    ...line,
    wouldHaveSeen: () => wouldHaveSeen,
    members: ledger.members,
    joinsWereToldSince: (tenant, at) => ledger.participants.joinsWereToldSince(tenant, at),
  };
}

/** What is to be done for calls, now or in a moment. */
function commandsIn(sql: SqlStorage) {
  return sql.exec("SELECT kind, call_id FROM errands").toArray();
}

const asked = { v: 1, call_id: "a", entry: "", step: 0, asking_step: 1, may_hold: true } as const;

async function onLedger(name: string, use: (ledger: Ledger, sql: SqlStorage) => void): Promise<void> {
  await onStorage(`looking-${name}`, async ({ sql }) => {
    use(
      new Ledger(
        sql,
        () => START,
        async () => new Set(),
      ),
      sql,
    );
  });
}

test("a call that was seen to join stays where it is, though REST does not list it and events may have been missed", async () => {
  await onLedger("joined", (ledger, sql) => {
    ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
    ledger.events.apply(event("join", START + 100));
    ledger.suspicions.gapBegan();
    for (const said of ["absent", "failed", "busy"] as const) {
      const reply = locateCall(lookout(ledger, sql, START + 3_100), { ...asked, rest: { said } });
      expect(reply).toMatchObject({ outcome: "joined", room: ROOM });
    }
  });
});

describe("a call whose leave would end the conference, and of which nothing says that it joined", () => {
  type Ask = (after_ms: number, said: "absent" | "failed", wouldHaveSeen?: boolean) => LookReply;

  async function inCharge(name: string, use: (ask: Ask) => void, areListed = true): Promise<void> {
    await onLedger(name, (ledger, sql) => {
      const row = ledger.plan(
        requestOf("a", { deadline_at: START + 2_000, join: { end_on_exit: true, beep: "false" } }),
      );
      if (row) ledger.placements.update(row, { may_stand: 1 });
      if (areListed) ledger.observations.saw("rest_lists_relay_joins", true);
      let asking_step = 0;
      use((after_ms, said, wouldHaveSeen) => {
        asking_step += 1;
        const out = lookout(ledger, sql, START + 2_000 + after_ms, wouldHaveSeen);
        return locateCall(out, { ...asked, asking_step, rest: { said } });
      });
    });
  }

  test("is held, from the second time on with a ring, as long as a list may lag; then its document joins, and cannot end it", async () => {
    await inCharge("chair", (ask) => {
      expect(ask(1_000, "absent")).not.toHaveProperty("again");
      expect(ask(4_000, "absent")).toMatchObject({ outcome: "hold", again: true });
      expect(ask(29_000, "absent")).toMatchObject({ outcome: "hold", again: true });
      const last = ask(31_000, "absent");
      expect(last).toMatchObject({ outcome: "document", may_stand: true, join: { beep: "false" } });
      expect(last).not.toHaveProperty("join.end_on_exit");
    });
  });

  test("is held for a minute where REST was never seen to list what RELAY joined", async () => {
    const use = (ask: Ask) => {
      expect(ask(1_000, "absent")).toMatchObject({ outcome: "hold" });
      expect(ask(60_000, "absent")).toMatchObject({ outcome: "hold" });
      expect(ask(61_000, "absent")).toMatchObject({ outcome: "document" });
    };
    await inCharge("chair-unlisted", use, false);
  });

  test("is held no longer where RELAY's events had no gap and were seen to tell of such joins", async () => {
    await inCharge("chair-told", (ask) => {
      expect(ask(1_000, "absent", true)).toMatchObject({ outcome: "hold" });
      expect(ask(4_000, "absent", true)).toMatchObject({ outcome: "document" });
    });
  });

  test("is held for a minute where REST fails, and joins by its document then", async () => {
    await inCharge("chair-failed", (ask) => {
      expect(ask(1_000, "failed", true)).toMatchObject({ outcome: "hold" });
      expect(ask(60_000, "failed", true)).toMatchObject({ outcome: "hold" });
      expect(ask(61_000, "failed", true)).toMatchObject({ outcome: "document" });
    });
  });
});

test("a call whose document's join failed while RELAY's may stand hears no last words as long as nothing says where it is", async () => {
  await onLedger("failed-unknown", (ledger, sql) => {
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
    if (row) ledger.placements.update(row, { may_stand: 1 });
    let asking_step = 0;
    const ask = (after_ms: number, said: "absent" | "failed") => {
      asking_step += 1;
      const out = lookout(ledger, sql, START + 2_000 + after_ms);
      return locateCall(out, { ...asked, asking_step, document_said: "failed", rest: { said } }).outcome;
    };
    expect(ask(1_000, "failed")).toBe("hold");
    expect(ask(70_000, "failed")).toBe("hold");
    // This project's lists were never seen to show what RELAY joined.
    expect(ask(700_000, "absent")).toBe("hold");
    ledger.observations.saw("rest_lists_relay_joins", true);
    expect(ask(760_000, "absent")).toBe("not_in");
  });
});

test("it hears them after a minute in which joins of others were told of, and none of its own", async () => {
  await onLedger("failed-unheard", (ledger, sql) => {
    const row = ledger.plan(requestOf("a", { deadline_at: START - 1_000 }));
    if (row) ledger.placements.update(row, { may_stand: 1 });
    let asking_step = 0;
    const ask = (after_ms: number) => {
      asking_step += 1;
      const out = lookout(ledger, sql, START + after_ms);
      return locateCall(out, { ...asked, asking_step, document_said: "failed", rest: { said: "failed" } })
        .outcome;
    };
    expect(ask(0)).toBe("hold");
    // Another tenant's say nothing of this one's.
    ledger.plan(requestOf("c", { deadline_at: START, tenant: "beta", rooms: ["beta:support"] }));
    const others = event("join", START, "c");
    if (others.kind === "conference") others.params.name = "beta:support";
    ledger.events.applyUntrusted(others, { tenant: "beta" });
    expect(ask(61_000)).toBe("hold");
    ledger.plan(requestOf("b", { deadline_at: START }));
    ledger.events.applyUntrusted(event("join", START, "b"), { tenant: "acme" });
    expect(ask(59_000)).toBe("hold");
    expect(ask(62_000)).toBe("not_in");
  });
});

test("while REST is too busy a call is held once more, and not joined anew for that", async () => {
  await onLedger("busy", (ledger, sql) => {
    ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
    const reply = locateCall(lookout(ledger, sql, START + 3_100), { ...asked, rest: { said: "busy" } });
    expect(reply.outcome).toBe("hold");
  });
});

describe("a document that asks what its join's result means", () => {
  /** @param rest what REST says of the call's room. */
  type Ask = (
    said: DocumentSaid,
    rest?: LookRequest["rest"] | "found" | "absent" | "failed",
    at?: number,
  ) => LookReply;

  /** RELAY's join was sent and its document joined after that; `joined`: some join was seen. */
  async function settled(
    name: string,
    joined: boolean,
    use: (ask: Ask, ledger: Ledger, errands: () => unknown[]) => void,
    may_stand = 1,
  ): Promise<void> {
    await onLedger(name, (ledger, sql) => {
      const row = ledger.plan(
        requestOf("a", { deadline_at: START + 2_000, after_url: "https://example.com/after" }),
      );
      if (!row) throw new Error("there is a seat");
      ledger.placements.move(row, "by_document", { joined_by: "document", may_stand });
      ledger.observations.saw("rest_lists_relay_joins", true);
      if (joined) ledger.events.apply(event("join", START + 3_000));
      let asking_step = 1_000;
      const ask: Ask = (document_said, rest, at = 4_000) => {
        asking_step += 1;
        const said = typeof rest === "string" ? { said: rest } : rest;
        const request = { ...asked, asking_step, document_said, ...(said ? { rest: said } : {}) };
        return locateCall(lookout(ledger, sql, START + at), request);
      };
      use(ask, ledger, () => commandsIn(sql));
    });
  }

  test("is told to stay where the result is `answered`: then its end does not end the call, and a leave does", async () => {
    await settled("answered", true, (ask, ledger, errands) => {
      expect(ask("answered")).toMatchObject({ outcome: "joined" });
      ledger.events.apply(event("leave", START + 60_000));
      expect(errands()).toMatchObject([{ kind: "after", call_id: "a" }]);
    });
  });

  test("is told to stay where its join failed and RELAY's was seen", async () => {
    await settled("failed, in", true, (ask, ledger, errands) => {
      expect(ask("failed")).toMatchObject({ outcome: "joined" });
      ledger.events.apply(event("leave", START + 60_000));
      expect(errands()).toMatchObject([{ kind: "after", call_id: "a" }]);
    });
  });

  test("is held as long as a list may lag before anything is said to a caller whose join failed and whom nothing shows in the room", async () => {
    await settled("failed, out", false, (ask) => {
      expect(ask("failed").outcome).toBe("hold");
      expect(ask("failed").outcome).toBe("unsettled");
      expect(ask("failed", "found").outcome).toBe("joined");
    });
    await settled("failed, nowhere", false, (ask) => {
      expect(ask("failed").outcome).toBe("hold");
      expect(ask("failed", "absent", 31_000).outcome).toBe("hold");
      expect(ask("failed", "absent", 33_000).outcome).toBe("not_in");
    });
  });

  test("is held as long as a list may show it where it was, once its leave was told of and its join failed", async () => {
    await settled("failed, left", false, (ask, ledger) => {
      const [row] = ledger.placements.currentOf("a");
      if (row) ledger.placements.update(row, { stay_at: START + 3_990 });
      ledger.events.apply(event("leave", START + 4_000));
      expect(ask("failed").outcome).toBe("hold");
      expect(ask("failed", "found", 7_000)).toMatchObject({ outcome: "hold", again: true });
      expect(ask("failed", "found", 33_000).outcome).toBe("hold");
      expect(ask("failed", "found", 35_000).outcome).toBe("joined");
    });
  });

  test("that was one too many says what the rule says of a full room, and carries the limit wherever it joins again", async () => {
    await onLedger("refused", (ledger, sql) => {
      const say = { say: "All seats are taken." };
      const when_full = { action: "reject", say } as const;
      ledger.plan(
        requestOf("a", { deadline_at: START + 2_000, join_via: "document", capacity: 2, when_full }),
      );
      const request = { ...asked, document_said: "failed" } as const;
      const reply = locateCall(lookout(ledger, sql, START + 4_000), request);
      expect(reply).toMatchObject({ outcome: "not_in", word: when_full, join: { max_participants: 2 } });
      expect(ledger.placements.ofCall("a")[0]).toMatchObject({ state: "failed", turned_away: "full" });
    });
  });

  test("joins again, twice at most, where its join is over and nothing says that the conference is", async () => {
    await settled("completed", true, (ask) => {
      expect(ask("completed").outcome).toBe("hold");
      expect(ask("completed", "absent").outcome).toBe("document");
      expect(ask("completed").outcome).toBe("hold");
      expect(ask("completed", "absent").outcome).toBe("document");
      expect(ask("completed").outcome).toBe("hold");
      expect(ask("completed", "absent").outcome).toBe("over");
    });
  });

  test("stays where it is where its join is over, and another in another conference was told of, though REST fails", async () => {
    await settled("completed, moved", true, (ask, ledger, errands) => {
      const [row] = ledger.placements.ofCall("a");
      if (row) ledger.placements.update(row, { stay_at: START + 2_900 });
      ledger.events.apply(event("leave", START + 3_166));
      ledger.events.apply(event("join", START + 3_167, "a", "conf-2"));
      expect(ask("completed").outcome).toBe("hold");
      expect(ask("completed", "failed")).toMatchObject({ outcome: "joined", reason: "RELAY's join stands" });
      ledger.events.apply(event("leave", START + 60_000, "a", "conf-2"));
      expect(errands()).toMatchObject([{ kind: "after", call_id: "a" }]);
    });
  });

  test("stays where RELAY's late join has put it since its own was over, though a list that lags does not show it", async () => {
    await settled("completed, late", true, (ask, ledger) => {
      const [row] = ledger.placements.ofCall("a");
      if (row) ledger.placements.update(row, { stay_at: START + 2_900 });
      ledger.events.apply(event("leave", START + 20_000));
      expect(ask("completed", undefined, 20_060).outcome).toBe("hold");
      ledger.events.apply(event("join", START + 20_340, "a", "conf-2"));
      const reply = ask("completed", "absent", 23_080);
      expect(reply).toMatchObject({ outcome: "joined", reason: "RELAY's join stands" });
    });
  });

  test.each([
    ["is in the room where SignalWire lists it in another conference since", "conf-2", 7_000, "joined"],
    ["is held where a list may show what was", "conf-1", 7_000, "hold"],
    ["is in the room where a list still shows it past that", "conf-1", 40_000, "joined"],
  ] as const)("that left its own join, while RELAY's may come, %s", async (name, sid, at, outcome) => {
    await settled(`left, ${name}`, true, (ask, ledger) => {
      ledger.observations.saw("conference_sid_is_conference_id", true);
      ledger.events.apply(event("leave", START + 4_000));
      expect(ask("completed").outcome).toBe("hold");
      expect(ask("completed").outcome).toBe("unsettled");
      expect(ask("completed", { said: "found", conference_sid: sid }, at).outcome).toBe(outcome);
    });
  });

  test("goes where the rule says once a leave was told of", async () => {
    await settled("completed, left", true, (ask, ledger) => {
      expect(ask("completed").outcome).toBe("hold");
      ledger.events.apply(event("leave", START + 60_000));
      expect(ask("completed").outcome).toBe("unsettled");
      const reply = ask("completed", "absent");
      expect(reply).toMatchObject({ outcome: "over", after_url: "https://example.com/after" });
    });
  });

  test("leaves the room that it joined last, whatever conference was known before", async () => {
    await settled("answered twice", true, (ask, ledger, errands) => {
      ask("answered");
      ask("answered");
      const left = event("leave", START + 60_000);
      Object.assign(left.params, { conference_id: "conf-2" });
      ledger.events.apply(left);
      expect(errands()).toMatchObject([{ kind: "after", call_id: "a" }]);
    });
  });

  test("is held while a list that shows the call may show what was, and stays where it still shows it past that", async () => {
    await onLedger("lagging", (ledger, sql) => {
      const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
      if (!row) throw new Error("there is a seat");
      ledger.placements.move(row, "by_document", { joined_by: "document", may_stand: 1 });
      const ask = (asking_step: number, at: number) =>
        locateCall(lookout(ledger, sql, START + at), {
          ...asked,
          asking_step,
          document_said: "completed",
          rest: { said: "found" },
        });
      expect(ask(1_003, 10_000).outcome).toBe("hold");
      expect(ask(1_005, 13_000)).toMatchObject({ outcome: "hold", again: true });
      expect(ask(1_007, 39_000).outcome).toBe("hold");
      expect(ask(1_009, 41_000).outcome).toBe("joined");
    });
  });

  test("has SignalWire asked about the recording that its room was to have, once it says that its join is over", async () => {
    await onLedger("recorded", (ledger, sql) => {
      const join = { record: "record-from-start" } as const;
      ledger.plan(requestOf("a", { deadline_at: START + 2_000, join_via: "document", join }));
      const request = { ...asked, document_said: "completed" } as const;
      expect(locateCall(lookout(ledger, sql, START + 60_000), request).outcome).toBe("over");
      expect(ledger.recordings.newestIn("acme", ROOM)).toMatchObject([
        { state: "expected", due_at: START + 10_000 },
      ]);
    });
  });

  test("is believed at once where no join of RELAY's can stand", async () => {
    await settled("alone", true, (ask) => expect(ask("completed").outcome).toBe("over"), 0);
    await settled("alone, failed", false, (ask) => expect(ask("failed").outcome).toBe("not_in"), 0);
  });
});

test("a chair whose join nothing shows is held: a repeat gets the same, and an older version finds no answer that it does not know", async () => {
  await onStorage("held", async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => START,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, join: { end_on_exit: true } }));
    if (row) ledger.placements.update(row, { may_stand: 1 });
    ledger.observations.saw("rest_lists_relay_joins", true);
    const out = lookout(ledger, sql, START + 3_100);
    const request = { v: 1, call_id: "a", entry: "", step: 0, may_hold: true } as const;
    const rest = { said: "absent" } as const;
    const { reason: _, ...held } = locateCall(out, { ...request, asking_step: 1, rest });
    expect(held).toMatchObject({ outcome: "hold", room: ROOM });
    expect(locateCall(out, { ...request, asking_step: 1 })).toMatchObject(held);
    expect(row?.answer).toBeNull();
    const later = lookout(ledger, sql, START + 33_000);
    expect(locateCall(later, { ...request, asking_step: 2, rest })).toMatchObject({ outcome: "document" });
  });
});
