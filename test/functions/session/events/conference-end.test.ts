import { expect, test } from "vitest";
import type { Placement } from "../../../../functions/session/store/placement-row.ts";
import type { Placing } from "../../../../shared/placing.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

function event(status: string, conference_id: string, at: number, call_id?: string): RelayEvent {
  const of = call_id === undefined ? {} : { call_id };
  const params = { status, conference_id, name: ROOM, ...of };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

function foundByRest(ledger: Ledger, row: Placement): void {
  ledger.joins.confirm(row, { joined_by: "relay", reason: "REST found the call in its room" }, START);
}

/** A callback tells whole seconds, and an id that is not RELAY's. */
function toldByCallback(ledger: Ledger): void {
  ledger.events.apply(event("participant-join", "cf-1", START, "a"), { feed: "callback", ids_known: false });
}

/** `a`: a call of which nobody told the id of its conference; `more` comes before the end of `conf-1`. */
async function endOfConf1(
  name: string,
  {
    ended_at = START + 60_000,
    seen = foundByRest,
    more = () => {},
  }: {
    ended_at?: number;
    seen?: (ledger: Ledger, row: Placement) => void;
    more?: (ledger: Ledger) => void;
  },
): Promise<string[]> {
  return await onStorage(`conference-end-${name}`, async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, ingress: "swml" }));
    if (!row) throw new Error("there is a seat");
    seen(ledger, row);
    more(ledger);
    now = START + 120_000;
    ledger.events.apply(event("conference-end", "conf-1", ended_at));
    return ledger.pendingCommands
      .takeDue(10)
      .flatMap(({ kind, call_id }) => (kind === "end" ? [call_id] : []));
  });
}

test("a call that REST found under a name is over with the conference of that name, whose id nobody had told", async () => {
  expect(await endOfConf1("one", {})).toEqual(["a"]);
});

test("a call whose join only a callback told, by another id, is over with the conference of that name", async () => {
  expect(await endOfConf1("callback", { seen: toldByCallback })).toEqual(["a"]);
});

test("it stays where the conference ended within the second that its join was told by", async () => {
  const told = { seen: toldByCallback, ended_at: START + 900 };
  expect(await endOfConf1("callback, same second", told)).toEqual([]);
});

test("it stays where the end is older than that it was found", async () => {
  expect(await endOfConf1("older", { ended_at: START - 1_000 })).toEqual([]);
});

test("it stays where somebody is in another conference of that name, in which it may be, too", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("b", { deadline_at: START + 2_000, ingress: "swml" }));
    ledger.events.apply(event("participant-join", "conf-2", START + 1_000, "b"));
  };
  expect(await endOfConf1("two", { more })).toEqual([]);
});

test("it is over where somebody came into the next conference of that name, which was not there before this one ended", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("b", { deadline_at: START + 92_000, ingress: "swml" }));
    ledger.events.apply(event("participant-join", "conf-2", START + 90_000, "b"));
  };
  expect(await endOfConf1("next", { more })).toEqual(["a"]);
});

test("it stays where only calls by cXML were seen to join the conference that ended, though they have left", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("c", { deadline_at: START + 2_000, ingress: "cxml", join_via: "document" }));
    ledger.events.apply(event("participant-join", "conf-1", START + 1_000, "c"));
    ledger.events.apply(event("participant-leave", "conf-1", START + 30_000, "c"));
  };
  expect(await endOfConf1("cxml, left", { more })).toEqual([]);
});

test("it is over though calls by cXML are in the room, where those were seen to share a conference with others", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("c", { deadline_at: START + 2_000, ingress: "cxml", join_via: "document" }));
    ledger.events.apply(event("participant-join", "conf-1", START + 1_000, "c"));
    ledger.observations.saw("cxml_shares_conferences", true);
  };
  expect(await endOfConf1("shared", { more })).toEqual(["a"]);
});

test("it stays where calls by cXML are in the room, whose conferences may be others", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("c", { deadline_at: START + 2_000, ingress: "cxml", join_via: "document" }));
    ledger.events.apply(event("participant-join", "conf-1", START + 1_000, "c"));
  };
  expect(await endOfConf1("cxml", { more })).toEqual([]);
});

test("it is over though calls by cXML are in the room, where REST found it in the conference of that very id", async () => {
  const more = (ledger: Ledger) => {
    ledger.plan(requestOf("c", { deadline_at: START + 2_000, ingress: "cxml", join_via: "document" }));
    ledger.events.apply(event("participant-join", "cf-1", START + 1_000, "c"), { ids_known: false });
  };
  const found = (sid: string) => (ledger: Ledger, row: Placement) => ledger.corrections.found(row, sid);
  expect(await endOfConf1("sid, cxml", { seen: found("conf-1"), more })).toEqual(["a"]);
  expect(await endOfConf1("other sid, cxml", { seen: found("CF1"), more })).toEqual([]);
});

test("it stays where REST found it in a conference of another id, which may be one of its own", async () => {
  const found = (ledger: Ledger, row: Placement) => ledger.corrections.found(row, "conf-9");
  expect(await endOfConf1("other sid", { seen: found })).toEqual([]);
  const more = (ledger: Ledger) => ledger.observations.saw("conference_sid_is_conference_id", false);
  expect(await endOfConf1("other ids", { seen: found, more })).toEqual(["a"]);
});

test("a call that RELAY's late join takes out of its document's is not ended, for that join is told of a moment later", async () => {
  await onStorage("conference-end-late", async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, ingress: "swml" }));
    if (!row) throw new Error("there is a seat");
    const document = { joined_by: "document", stay_at: START, may_stand: 1, lives_on: 1 } as const;
    ledger.placements.move(row, "by_document", document);
    ledger.events.apply(event("participant-join", "conf-1", START + 10, "a"));
    now = START + 5_000;
    ledger.events.apply(event("participant-leave", "conf-1", now, "a"));
    expect(ledger.pendingCommands.takeDue(10)).toEqual([]);
    ledger.events.apply(event("participant-join", "conf-2", now, "a"));
    now += 60_000;
    expect(ledger.pendingCommands.takeDue(10)).toEqual([]);
    expect(row.state).toBe("joined");
  });
});

test("a seat is not kept in a conference whose end was told of before its leaves", async () => {
  await onStorage("conference-end-kept", async ({ sql }) => {
    const now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const rejoin = { s: 65, to: "+15550100100", placing: { rooms: ["support"] } as unknown as Placing }; // Kept as it is.
    const calls = Array.from({ length: 20 }, (_, index) => `c${index}`);
    for (const call_id of calls) {
      const { capacity: _, ...request } = requestOf(call_id, {
        deadline_at: now + 2_000,
        ingress: "swml",
        rejoin,
      });
      ledger.plan(request);
      ledger.heldSeats.promise(request);
      ledger.events.apply(event("participant-join", "conf-1", now + 1_000, call_id));
    }
    ledger.events.apply(event("conference-end", "conf-1", now + 60_000));
    for (const call_id of calls)
      ledger.events.apply(event("participant-leave", "conf-1", now + 60_000, call_id));
    expect(ledger.heldSeats.countIn(ROOM)).toBe(0);
  });
});

test("a call that a document of ours may take out late is put back when it leaves, once, and by no other answer", async () => {
  await onStorage("taken-out-late", async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const wanted = requestOf("a", { deadline_at: START + 2_000, ingress: "relay", join_via: "document" });
    const row = ledger.plan(wanted);
    if (!row) throw new Error("there is a seat");
    ledger.participants.mayBeTakenOut("a");
    ledger.events.apply(event("participant-join", "conf-1", START + 1_000, "a"));
    now = START + 20_000;
    ledger.events.apply(event("participant-leave", "conf-1", now, "a"));
    expect(ledger.pendingCommands.takeDue(10)).toEqual([]);
    now += 1_000;
    expect(ledger.pendingCommands.takeDue(10)).toMatchObject([{ kind: "rejoin", call_id: "a" }]);
    ledger.events.apply(event("participant-join", "conf-2", now, "a"));
    now += 5_000;
    ledger.events.apply(event("participant-leave", "conf-2", now, "a"));
    expect(ledger.placements.ofCall("a")[0]?.state).toBe("left");
  });
});

test("a call that has joined another conference since stays there, though its first join is told of again within that second", async () => {
  await onStorage("conference-end-again", async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => START,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, ingress: "swml" }));
    if (!row) throw new Error("there is a seat");
    // Whole seconds: which of the two joins is the newer cannot be told from them.
    const joins = (conference_id: string) =>
      ledger.events.apply(event("participant-join", conference_id, START, "a"));
    joins("conf-1");
    joins("conf-2");
    ledger.events.apply(event("conference-end", "conf-1", START));
    joins("conf-1");
    expect(row).toMatchObject({ state: "joined", conference_id: "conf-2" });
  });
});
