import { expect, vi } from "vitest";
import type { Call } from "../carrier/calls.ts";
import { type Home, isIn } from "./environment.ts";
import { CHAIR, FULL, LINE, numbers, PIN, QUESTION, WELCOME } from "./rules.ts";

export interface Scenario {
  /** What holds when one version has taken over from the other. */
  title: string;
  /** It holds for an upgrade and not for a rollback. */
  only?: "upgrade";
  /** Begins when the others have begun: what it does lasts only seconds, and is to be under way when the one version ends. */
  isBrief?: true;
  /** What happens under the first version; gives what is expected of the other. */
  before(home: Home): Promise<() => Promise<void>>;
}

const REST_FAILS = { at: "rest", do: { kind: "code", code: "503" } } as const;
const COMMANDS_FAIL = ["calling.end", "calling.transfer"].map(
  (method) => ({ at: "command", match: { method }, do: { kind: "code", code: "500" } }) as const,
);
const NOTHING_IS_TOLD = [
  { at: "event", do: { kind: "lose" } },
  { at: "callback", do: { kind: "lose" } },
] as const;

const TOO_MANY = "We are sorry. There were too many wrong entries. Please call again later.";

export const scenarios: Scenario[] = [
  {
    title:
      "calls stay in their rooms, however they came and were joined; new ones come to them, and the roster shows all",
    async before(home) {
      await online(home);
      const to = numbers.team;
      const byRelay = [home.call({ to }), home.call({ to, way: "cxml" }), home.call({ to, way: "relay" })];
      const byDocument = [home.call({ to, join_via: "document" }), home.call({ to, join_via: "document" })];
      await home.inRoom("team", ...byRelay, ...byDocument);
      const asked = restLists(home);
      return async () => {
        const come = [home.call({ to }), home.call({ to, way: "cxml" }), home.call({ to, way: "relay" })];
        await home.inRoom("team", ...come);
        await home.until("REST was asked who is there", () => restLists(home) > asked);
        await rosterIs(home, "team", [...byRelay, ...come]);
        await rosterIs(home, "team", byDocument, "document");
        expect(new Set(come.map(({ conference }) => conference))).toEqual(new Set([byRelay[0]?.conference]));
        stayed(...byRelay, ...byDocument, ...come);
      };
    },
  },
  {
    title: "a participant who is taken out of the room is ended, and the seat is free",
    async before(home) {
      await online(home);
      const to = numbers.board;
      const [taken, stays] = [home.call({ to, way: "relay" }), home.call({ to })];
      const [alsoTaken, alsoStays] = [
        home.call({ to, join_via: "document" }),
        home.call({ to, join_via: "document" }),
      ];
      await home.inRoom("board", taken, stays, alsoTaken, alsoStays);
      return async () => {
        for (const call of [taken, alsoTaken]) call.conference?.leave(call.call_id);
        await home.ended(taken, alsoTaken);
        await rosterIs(home, "board", [stays]);
        await rosterIs(home, "board", [alsoStays], "document");
        await home.inRoom("board", home.call({ to }), home.call({ to, join_via: "document" }));
      };
    },
  },
  {
    title: "callers who wait get in, the longest waiter first, when a seat is free",
    async before(home) {
      await online(home);
      const to = numbers.queue;
      const seated = [home.call({ to }), home.call({ to }), home.call({ to, join_via: "document" })];
      await home.inRoom("queue", ...seated);
      const waiting: Call[] = [];
      for (const way of ["swml", "cxml", "relay"] as const) {
        const waiter = home.call({ to, way });
        await home.hears(waiter, LINE);
        waiting.push(waiter);
      }
      return async () => {
        await vi.waitFor(async () => {
          const line = (await home.roster("queue")).waiting.map(({ call_id }) => call_id);
          expect(line).toEqual(waiting.map(({ call_id }) => call_id));
        }, 5_000);
        const inside = seated.slice(0, 2);
        for (const next of waiting) {
          inside.shift()?.hangUp("hangup");
          await home.inRoom("queue", next);
          inside.push(next);
          await rosterIs(home, "queue", inside);
        }
      };
    },
  },
  {
    title: "a waiter whose turn has come, and who could not be fetched yet, has the seat that was offered",
    async before(home) {
      await online(home);
      const to = numbers.queue;
      const [leaves, stays] = [home.call({ to, way: "relay" }), home.call({ to })];
      await home.inRoom("queue", leaves, stays);
      const waiter = home.call({ to });
      await home.hears(waiter, LINE);
      home.project.change({ faults: [REST_FAILS, ...COMMANDS_FAIL] });
      leaves.hangUp("hangup");
      await home.until("it was tried to fetch the waiter", () => isRefused(home, waiter));
      return async () => {
        const later = home.call({ to });
        await home.hears(later, LINE);
        home.project.change({ faults: [] });
        await home.inRoom("queue", waiter);
        await rosterIs(home, "queue", [stays, waiter]);
      };
    },
  },
  {
    title: "the seat of a caller who dropped is kept for that caller, and for no other",
    async before(home) {
      await online(home);
      const to = numbers.desk;
      const [stays, drops] = [home.call({ to }), home.call({ to, way: "relay" })];
      await home.inRoom("desk", stays, drops);
      drops.hangUp("hangup");
      await rosterIs(home, "desk", [stays]);
      return async () => {
        const stranger = home.call({ to });
        await home.hears(stranger, FULL);
        await home.ended(stranger);
        const back = home.call({ to, from: drops.facts.from });
        await home.inRoom("desk", back);
        // The other version's promise holds for a caller who drops now, too.
        stays.hangUp("hangup");
        await rosterIs(home, "desk", [back]);
        const other = home.call({ to });
        await home.hears(other, FULL);
        // Whether it was removed or dropped, the answer to our end tells.
        await home.until("our end of the call that dropped", () => wasToldToEnd(home, stays));
        await home.ended(other);
        await home.inRoom("desk", home.call({ to, from: stays.facts.from }));
      };
    },
  },
  {
    title:
      "a SIP address as it came still names the room that lives under it, and the seat that is kept for it",
    // The version before knows an address by its text alone.
    only: "upgrade",
    async before(home) {
      await online(home);
      const from = "sip:Emil@DESKS.example.com:5060";
      const room = `own-${from}`;
      const [lives, stays] = [home.call({ to: numbers.own, from }), home.call({ to: numbers.desk })];
      const drops = home.call({ to: numbers.desk, from, way: "relay" });
      await home.inRoom(room, lives);
      await home.inRoom("desk", stays, drops);
      drops.hangUp("hangup");
      await rosterIs(home, "desk", [stays]);
      return async () => {
        await home.inRoom(room, home.call({ to: numbers.own, from }));
        stayed(lives);
        const stranger = home.call({ to: numbers.desk });
        await home.hears(stranger, FULL);
        await home.inRoom("desk", home.call({ to: numbers.desk, from }));
      };
    },
  },
  {
    title: "a caller who keyed too many wrong PINs is asked for no more, and another caller is",
    async before(home) {
      await online(home);
      const to = numbers.door;
      const callers = ["+15550100041", "sip:Emil@DESKS.example.com:5060"];
      const tried = callers.map((from) => home.call({ to, from }));
      for (let times = 1; times <= 5; times += 1) {
        for (const call of tried) {
          await home.until("the PIN is asked for", () => timesHeard(call, PIN) === times);
          call.keypad.press("0000");
        }
      }
      for (const call of tried) await home.hears(call, TOO_MANY);
      return async () => {
        for (const from of ["+15550100041", "sip:Emil@DESKS.example.com:5060"])
          await home.hears(home.call({ to, from }), TOO_MANY);
        await home.hears(home.call({ to, from: "+15550100042" }), PIN);
      };
    },
  },
  {
    title:
      "a call that could not be ended, or not be put back into its room, is when commands go through again",
    async before(home) {
      await online(home);
      const to = numbers.team;
      const [ends, rejoins] = [home.call({ to, way: "relay" }), home.call({ to })];
      const stays = home.call({ to });
      await home.joins("team", ends, stays, rejoins);
      home.project.change({ faults: [REST_FAILS, ...COMMANDS_FAIL] });
      // Less than 3 s after a document began, a leave is taken for the document's doing: the call is put back.
      for (const call of [ends, rejoins]) call.conference?.leave(call.call_id);
      await home.until("both were tried", () => isRefused(home, ends) && isRefused(home, rejoins));
      return async () => {
        home.project.change({ faults: [] });
        await home.ended(ends);
        await home.inRoom("team", rejoins);
        stayed(stays);
        await rosterIs(home, "team", [stays, rejoins]);
      };
    },
  },
  {
    title:
      "a call that somebody unsigned said to have left, and of which REST could not be asked, stays in its room",
    before: async (home) => await unsignedLeave(home),
  },
  {
    title:
      "a call that somebody unsigned said to have left stays in its room where REST lists no calls that RELAY joined",
    // The version before ends a call that REST does not list.
    only: "upgrade",
    async before(home) {
      home.project.change({ switches: { rest_lists_relay_joins: false } });
      return await unsignedLeave(home);
    },
  },
  {
    title: "the end of a conference ends its calls",
    async before(home) {
      await online(home);
      const pupils = (["swml", "relay", "cxml"] as const).map((way) =>
        home.call({ to: numbers.lesson, way }),
      );
      const chair = home.call({ to: numbers.lesson, from: CHAIR });
      const team = [home.call({ to: numbers.team }), home.call({ to: numbers.team, join_via: "document" })];
      await home.inRoom("lesson", chair, ...pupils);
      await home.inRoom("team", ...team);
      return async () => {
        // When this call is out of its hold no document of the others is so young that it is taken for the cause of a leave.
        await home.inRoom("board", home.call({ to: numbers.board }));
        chair.hangUp("hangup");
        for (const { conference } of team) conference?.end("conference-ended-via-api");
        await home.ended(...pupils, ...team);
        await rosterIs(home, "lesson", []);
        await rosterIs(home, "team", []);
      };
    },
  },
  {
    title: "webhooks and callbacks that come once more are answered, and change nothing",
    async before(home) {
      const byRelay = [home.call({ to: numbers.queue }), home.call({ to: numbers.queue, way: "cxml" })];
      await home.inRoom("queue", ...byRelay);
      const waits = home.call({ to: numbers.queue });
      await home.hears(waits, LINE);
      const byDocument = home.call({ to: numbers.queue, join_via: "document" });
      await home.inRoom("queue", byDocument);
      const calls = [...byRelay, waits, byDocument];
      const requests = calls.flatMap((call) => home.received(call));
      return async () => {
        for (const request of requests) expect((await home.send(request)).status).toBeOneOf([200, 204]);
        await rosterIs(home, "queue", byRelay);
        stayed(...byRelay, byDocument);
        expect((await home.roster("queue")).waiting).toMatchObject([{ call_id: waits.call_id }]);
        byRelay[0]?.hangUp("hangup");
        await home.inRoom("queue", waits);
      };
    },
  },
  {
    title:
      "a chair whose join could not be seen is in the room in the end, and the webhook that was answered once is again",
    // The version before ends a lone caller whom REST lists in a conference that waits, and not in one in progress.
    only: "upgrade",
    async before(home) {
      home.project.change({ faults: [REST_FAILS, ...NOTHING_IS_TOLD] });
      const chair = home.call({ to: numbers.lesson, from: CHAIR });
      await home.until("its hold is over once", () => chair.webhooks.length === 2);
      return async () => {
        home.project.change({ faults: [] });
        for (const request of home.received(chair)) expect((await home.send(request)).status).toBe(200);
        const pupil = home.call({ to: numbers.lesson });
        await home.inRoom("lesson", chair, pupil);
        expect(chair.conference).toBe(pupil.conference);
        await rosterIs(home, "lesson", [chair, pupil]);
      };
    },
  },
  {
    title: "calls in an announcement or before a question come back and get into their rooms",
    isBrief: true,
    async before(home) {
      await online(home);
      const guests = (["swml", "cxml", "relay"] as const).map((way) => home.call({ to: numbers.hall, way }));
      const callers = (["swml", "cxml", "relay"] as const).map((way) =>
        home.call({ to: numbers.bridge, way }),
      );
      await Promise.all([
        ...guests.map((call) => home.hears(call, WELCOME)),
        ...callers.map((call) => home.hears(call, QUESTION)),
      ]);
      return async () => {
        const [swml, cxml, relay] = callers;
        swml?.keypad.press("42");
        cxml?.keypad.press("42");
        // RELAY tells of keys only to a session that is there: the question is asked once more.
        await home.until("the question is heard again", () => timesHeard(relay, QUESTION) === 2);
        relay?.keypad.press("42");
        await home.inRoom("hall", ...guests);
        await home.inRoom("bridge-42", ...callers);
        await rosterIs(home, "hall", guests);
        await rosterIs(home, "bridge-42", callers);
      };
    },
  },
  {
    title: "calls in the hold after their join stay in their room, though nothing told of the join",
    isBrief: true,
    async before(home) {
      const to = numbers.team;
      const told = home.call({ to });
      await home.until("RELAY joined it", () => isIn(told, "team"));
      home.project.change({ faults: [...NOTHING_IS_TOLD] });
      const untold = [home.call({ to }), home.call({ to })];
      await home.until("RELAY joined both", () => untold.every((call) => isIn(call, "team")));
      return async () => {
        home.project.change({ faults: [] });
        await home.inRoom("team", told, ...untold);
        await rosterIs(home, "team", [told, ...untold]);
        stayed(told, ...untold);
      };
    },
  },
  {
    title: "a call that is being made when one version follows the other comes into its room",
    isBrief: true,
    async before(home) {
      await online(home);
      // The version before takes a conference that waits, which REST lists as no conference in progress, for none.
      const there = [home.call({ to: numbers.team }), home.call({ to: numbers.team })];
      await home.inRoom("team", ...there);
      const to = "+15550100201";
      home.project.change({ phones: { [to]: { does: "answers", after_ms: 3_000 } } });
      const path = `/api/tenants/${home.tenant()}/conferences/team/participants`;
      expect((await home.ask(path, { to })).status).toBe(202);
      const made = () => [...home.project.calls.values()].filter((call) => call.facts.to === to);
      await home.until("the phone rings", () => made().some(({ state }) => state === "ringing"));
      return async () => {
        await home.inRoom("team", ...made());
        await rosterIs(home, "team", [...there, ...made()]);
        expect(made()).toHaveLength(1);
      };
    },
  },
];

async function unsignedLeave(home: Home): Promise<() => Promise<void>> {
  const to = numbers.team;
  const [stays, doubted] = [home.call({ to }), home.call({ to })];
  await home.inRoom("team", stays, doubted);
  home.project.change({ faults: [REST_FAILS] });
  const asked = home.project.rest_requests;
  expect((await home.sendUnsignedLeave(doubted)).status).toBe(204);
  await home.until("REST was asked", () => home.project.rest_requests > asked);
  return async () => {
    const lists = restLists(home);
    home.project.change({ faults: [] });
    await home.until("REST was asked who is there", () => restLists(home) > lists);
    await home.inRoom("team", home.call({ to }));
    stayed(stays, doubted);
    // The doubt does not hide the call's own leave.
    doubted.conference?.leave(doubted.call_id);
    await home.ended(doubted);
  };
}

/** The project's RELAY session is up, so that calls of contexts are taken. */
async function online(home: Home): Promise<void> {
  await home.ask(`/api/projects/${home.project.project_id}/session/reconnect`, {});
  await home.until("the session is up", () =>
    [...home.project.sessions.values()].some(({ link, contexts }) => link !== null && contexts.size > 0),
  );
}

function timesHeard(call: Call | undefined, words: string): number {
  return call?.ear.report().heard.filter(({ detail }) => detail.includes(words)).length ?? 0;
}

/** Since its first join no call has left its room for a moment. */
function stayed(...calls: Call[]): void {
  expect(calls.map(({ joins }) => joins.map(({ left_at }) => left_at))).toEqual(calls.map(() => [null]));
}

async function rosterIs(
  home: Home,
  room: string,
  calls: readonly Call[],
  join_via?: "document",
): Promise<void> {
  const ids = calls.map(({ call_id }) => call_id).sort();
  await vi.waitFor(async () => {
    const { participants } = await home.roster(room, join_via);
    expect(participants.map(({ call_id }) => call_id).sort()).toEqual(ids);
  }, 5_000);
}

/** How often REST was asked for a room's conferences. */
function restLists({ project }: Home): number {
  return project.journal.after(0, "rest").filter(({ path }) => String(path).includes("/Conferences.json"))
    .length;
}

/** A command about the call was tried and refused. */
function isRefused({ project }: Home, { call_id }: Call): boolean {
  return project.journal
    .after(0, "fault")
    .some(
      ({ at_point, facts }) => at_point === "command" && (facts as { call_id?: string }).call_id === call_id,
    );
}

function wasToldToEnd({ project }: Home, { call_id }: Call): boolean {
  return project.journal.after(0, "frame_in").some(({ frame }) => {
    const { method, params } = frame as { method?: string; params?: { call_id?: string } }; // As the carrier's sessions write it.
    return method === "calling.end" && params?.call_id === call_id;
  });
}
