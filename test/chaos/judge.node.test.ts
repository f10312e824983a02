import { describe, expect, test } from "vitest";
import type { JournalEntry } from "../carrier/journal.ts";
import type { CallRecord, Stay } from "./call-record.ts";
import { cutCalls, type DialRecord, dialCrimesOf, isUntold, type LegRecord } from "./dialled.ts";
import { wasEndTold } from "./end-told.ts";
import { crimesOf, excuseOf, heldUp, leftAfterSwitch } from "./judge.ts";
import type { Operated } from "./operating.ts";
import { overCapacity } from "./over-capacity.ts";
import { recordedWithoutNotice, untoldRecordings } from "./recordings.ts";
import { differing } from "./rosters.ts";
import { APOLOGY, LINE, NOTICE } from "./rules.ts";

const room = "acme:team-a";

function stayIn(changes: Partial<Stay> = {}): Stay {
  return {
    conference_id: "c1",
    room,
    by: "relay",
    from: 100,
    to: 60_000,
    told_at: 60_001,
    untold: [],
    ended_for: 0,
    ...changes,
  };
}

/** A call that was placed by RELAY, talked for a minute and was ended when its conference was over. */
function record(changes: Partial<CallRecord> = {}): CallRecord {
  return {
    planned: {
      at_ms: 0,
      project: 0,
      tenant: "acme",
      kind: "team",
      way: "swml",
      call_id: "call",
      from: "+15550100001",
      to: "+15550100130",
      copies: 1,
      room,
      hangs_up: null,
      taken_out: null,
    },
    call: {
      call_id: "call",
      sid: "call",
      state: "ended",
      stranded: false,
      began_at: 0,
      origin: "webhook",
      end_reason: "hangup",
      joins: [],
    },
    heard: {
      heard: [{ sound: "conference", detail: room, from_ms: 100, to_ms: 60_000 }],
      longest_silence_ms: 500,
      two_sounds: false,
    },
    hung_up_at: null,
    taken_out_at: null,
    given_up: false,
    sessions: [],
    received_at: null,
    ended_at: 60_500,
    seen_until: 300_000,
    ended_in_conference: false,
    webhooks: [{ sent_at: 0, ms: 120, status: 200, failed: null }],
    commands: [
      { at: 50, method: "calling.answer", by: "relay", in_conference: false },
      { at: 90, method: "calling.join_conference", by: "relay", in_conference: false },
      { at: 60_200, method: "calling.end", by: "relay", in_conference: false },
    ],
    stays: [stayIn()],
    steps: [],
    sounds_over: [],
    rest_failed: false,
    operated: [],
    known_in: new Set(),
    ...changes,
  };
}

const base = record();
const [answer, join] = base.commands;

describe("a call that went well", () => {
  test("has nothing to complain of", () => expect(crimesOf(base)).toEqual([]));

  test("has nothing to complain of where its caller hung up before it was in a room", () => {
    expect(crimesOf(record({ stays: [], commands: [], hung_up_at: 80, ended_at: 80 }))).toEqual([]);
  });

  test("may live on where its document has put it back", () => {
    const back = stayIn({ conference_id: "c2", by: "document", from: 61_000, to: null, told_at: null });
    const call = { ...base.call, state: "answered" as const };
    expect(crimesOf(record({ call, stays: [...base.stays, back], commands: [], ended_at: null }))).toEqual(
      [],
    );
  });
});

describe("with operators at work", () => {
  const about = { call_id: "call", project: 0, tenant: "acme", ms: 0 } as const;
  const answered = { room, asked_at: 50_000, answered_at: 50_500, status: 200, said: "", was_so: true };
  const removed: Operated = { ...answered, act: { ...about, act: "remove" } };
  const moved: Operated = { ...answered, act: { ...about, act: "move", to: "annexe-1" } };

  test("what is said to be done and is not so is a crime, and what is only said to be taken is none", () => {
    const muted = { ...answered, act: { ...about, act: "mute" }, was_so: false } as const;
    expect(crimesOf(record({ operated: [muted] }))).toEqual(["said_and_not_done"]);
    expect(crimesOf(record({ operated: [{ ...muted, status: 202 }] }))).toEqual([]);
    expect(crimesOf(record({ operated: [{ ...muted, was_so: true }] }))).toEqual([]);
  });

  test("a call may be where it was moved, and in no other room", () => {
    const stays = [...base.stays, stayIn({ room: "acme:annexe-1", from: 61_000, to: 62_000 })];
    const after = { ...base, stays, commands: [], ended_at: 62_500 };
    expect(crimesOf({ ...after, operated: [moved] })).not.toContain("wrong_conference");
    expect(crimesOf({ ...after, operated: [] })).toContain("wrong_conference");
  });

  test("a call that was removed may end in its conference, and one that nobody asked to be may not", () => {
    const end = { at: 50_100, method: "calling.end", by: "relay", in_conference: true } as const;
    const ended = { commands: [end], ended_at: 50_200 };
    expect(crimesOf(record({ ...ended, operated: [removed] }))).toEqual([]);
    expect(crimesOf(record(ended))).toEqual(["ended_while_in_conference"]);
  });

  test("a caller whose room was locked may be turned away, and is not to be left on the line", () => {
    const lock = { project: 0, tenant: "acme", room: "team-a", act: "lock", at_ms: 0 } as const;
    const locked = { ...answered, act: lock, asked_at: 0, answered_at: 10, was_so: null };
    const away = { stays: [], commands: [], operated: [locked] };
    expect(crimesOf(record({ ...away, ended_at: 9_000 }))).toEqual([]);
    expect(crimesOf(record({ ...away, ended_at: null }))).toContain("stranded");
  });
});

test("music that goes on in the room for less than a command takes there is no crime", () => {
  const line = { sound: "audio", detail: "line.mp3", from_ms: 0, to_ms: 0 } as const;
  const [room] = base.heard.heard.filter(({ sound }) => sound === "conference" || sound === "music");
  const until = (ms: number) =>
    record({
      heard: { ...base.heard, heard: [...base.heard.heard, { ...line, to_ms: (room?.from_ms ?? 0) + ms }] },
    });
  expect(crimesOf(until(250))).toEqual([]);
  expect(crimesOf(until(251))).toEqual(["in_two_places"]);
});

test.each<[string, Partial<CallRecord>]>([
  ["stranded", { call: { ...base.call, stranded: true } }],
  ["stranded", { stays: [], commands: [], ended_at: 9_000 }],
  ["silent_over_10_s", { heard: { ...base.heard, longest_silence_ms: 10_001 }, ended_at: 70_002 }],
  ["in_two_places", { stays: [...base.stays, stayIn({ conference_id: "c2", from: 59_000 })] }],
  [
    "in_two_places",
    {
      heard: {
        ...base.heard,
        heard: [...base.heard.heard, { sound: "say", detail: "Sorry.", from_ms: 500, to_ms: 900 }],
      },
    },
  ],
  ["second_relay_join", { commands: [join, join].flatMap((one) => (one ? [one] : [])) }],
  ["sent_after_deadline", { commands: join ? [{ ...join, at: 2_251 }] : [] }],
  ["wrong_conference", { stays: [stayIn({ room: "acme:team-b" })] }],
  ["webhook_over_5_s", { webhooks: [{ sent_at: 0, ms: 5_001, status: null, failed: "read" }] }],
  ["left_alive_after_conference", { ended_at: null }],
  ["left_alive_after_conference", { ended_at: 100_002 }],
  [
    "ended_while_in_conference",
    { commands: answer ? [{ ...answer, method: "calling.end", in_conference: true }] : [] },
  ],
  ["ended_while_in_conference", { steps: [{ at: 9_000, step: "hangup", in_conference: true }] }],
  ["ended_while_in_conference", { steps: [{ at: 9_000, step: "Hangup", in_conference: true }] }],
  ["ended_while_in_conference", { ended_in_conference: true }],
  [
    "ended_by_rejoin",
    {
      stays: [stayIn({ ended_for: 2 }), stayIn({ conference_id: "c2", from: 60_001, to: 61_000 })],
      ended_at: 61_500,
    },
  ],
])("%s is seen", (crime, changes) => {
  expect(crimesOf(record(changes))).toEqual([crime]);
});

test("a call that was out, and that a late join of RELAY's brings back without a word, may be ended", () => {
  const late = stayIn({ conference_id: "c2", from: 60_500, to: 61_000, told_at: null });
  const ended = { stays: [...base.stays, late], ended_in_conference: true, ended_at: 61_000 };
  expect(crimesOf(record(ended))).toEqual([]);
  expect(crimesOf(record({ ...ended, known_in: new Set(["c2"]) }))).toEqual(["ended_while_in_conference"]);
});

test("after an announcement the deadline counts from the webhook that placed the call", () => {
  const planned = { ...base.planned, kind: "hall" as const };
  const steps = [{ at: 4_000, step: "transfer", in_conference: false }];
  const webhooks = [0, 4_010].map((sent_at) => ({ sent_at, ms: 20, status: 200, failed: null }));
  const commandAt = (at: number) => (join ? [{ ...join, at }] : []);
  expect(crimesOf(record({ planned, steps, webhooks, commands: commandAt(6_000) }))).toEqual([]);
  expect(crimesOf(record({ planned, steps, webhooks, commands: commandAt(6_300) }))).toEqual([
    "sent_after_deadline",
  ]);
});

describe("a call that ends in its conference", () => {
  const inside = { ended_in_conference: true };

  test("may do so where its caller hangs up, or its time is over", () => {
    expect(crimesOf(record({ ...inside, hung_up_at: 60_000 }))).toEqual([]);
    const call = { ...base.call, end_reason: "max_duration" };
    expect(crimesOf(record({ ...inside, call }))).toEqual([]);
  });

  test("and by a command or a step outside of it is no crime", () => {
    const steps = ["hangup", "Hangup", "Reject"].map((step) => ({ at: 60_100, step, in_conference: false }));
    expect(crimesOf(record({ steps }))).toEqual([]);
  });
});

describe("a moderator who is joined again", () => {
  const again = (first: Partial<Stay>, changes: Partial<CallRecord> = {}) => {
    const second = stayIn({ conference_id: "c2", from: 60_500, to: 61_000, told_at: 61_001 });
    return crimesOf(record({ stays: [stayIn(first), second], ended_at: 61_500, ...changes }));
  };

  test("has ended the room for others by that, unless an operator had taken the moderator out", () => {
    expect(again({ ended_for: 1 })).toEqual(["ended_by_rejoin"]);
    expect(again({ ended_for: 1 }, { taken_out_at: 60_000 })).toEqual([]);
  });

  test("harms nobody where the room was empty, or is another room", () => {
    expect(again({ ended_for: 0 })).toEqual([]);
    const elsewhere = stayIn({ room: "acme:team-b", from: 60_500, to: 61_000, told_at: 61_001 });
    const planned = { ...base.planned, overflow: ["acme:team-b"] };
    expect(
      crimesOf(record({ planned, stays: [stayIn({ ended_for: 1 }), elsewhere], ended_at: 61_500 })),
    ).toEqual([]);
  });
});

describe("a call that a context's client is offered", () => {
  const planned = { ...base.planned, way: "relay" as const };
  const joinAt = (at: number) => (join ? [{ ...join, at }] : []);
  const rang = { planned, webhooks: [], stays: [], commands: [], given_up: true };

  test("is nobody's where nobody ever acknowledged it, and stranded where somebody did and let it ring", () => {
    expect(crimesOf(record({ ...rang, received_at: null }))).toEqual([]);
    expect(crimesOf(record({ ...rang, received_at: 100 }))).toEqual(["stranded"]);
  });

  test("may hear the apology where REST failed, too, and only there", () => {
    const sorry = {
      sound: "say" as const,
      detail: "Your call cannot be connected right now.",
      from_ms: 0,
      to_ms: 9,
    };
    const away = { planned, stays: [], commands: [], heard: { ...base.heard, heard: [sorry] } };
    expect(crimesOf(record({ ...away, rest_failed: true }))).toEqual([]);
    expect(crimesOf(record(away))).toEqual(["stranded"]);
    expect(crimesOf(record({ ...away, planned: base.planned, rest_failed: true }))).toEqual(["stranded"]);
  });

  test("is joined in time after it was offered, or after the last sound before the room", () => {
    const offered = { planned, webhooks: [], received_at: 0 };
    expect(crimesOf(record({ ...offered, commands: joinAt(2_200) }))).toEqual([]);
    expect(crimesOf(record({ ...offered, commands: joinAt(2_300) }))).toEqual(["sent_after_deadline"]);
    const heard = { ...offered, sounds_over: [{ at: 4_000 }] };
    expect(crimesOf(record({ ...heard, commands: joinAt(6_200) }))).toEqual([]);
    expect(crimesOf(record({ ...heard, commands: joinAt(6_300) }))).toEqual(["sent_after_deadline"]);
    const answered = (...times: number[]) => times.flatMap((at) => (answer ? [{ ...answer, at }] : []));
    const taken_up = { ...offered, commands: [...answered(20, 3_000), ...joinAt(5_000)] };
    expect(crimesOf(record(taken_up))).toEqual([]);
    const once = { ...offered, commands: [...answered(3_000), ...joinAt(5_000)] };
    expect(crimesOf(record(once))).toEqual(["sent_after_deadline"]);
  });
});

describe("a caller who keys a PIN", () => {
  const planned = { ...base.planned, kind: "bridge" as const, keys: [{ press: "4711#", ms: 0 }] };
  const told = (detail: string) => ({
    ...base.heard,
    heard: [{ sound: "say" as const, detail, from_ms: 100, to_ms: 900 }],
  });
  const away = { planned, stays: [], commands: [], ended_at: 9_000 };

  test("may be told that it was wrong, or that none is taken, and is stranded where nothing was said", () => {
    for (const words of ["Please ask for your PIN.", "We are sorry. PINs cannot be taken right now."]) {
      expect(crimesOf(record({ ...away, heard: told(words) }))).toEqual([]);
    }
    expect(crimesOf(record({ ...away, heard: told("Please key in") }))).toEqual(["stranded"]);
  });

  test("and knows none is in the wrong room in any, and stranded where the call goes on without end", () => {
    const unknowing = { ...planned, room: null };
    expect(crimesOf(record({ planned: unknowing }))).toEqual(["wrong_conference"]);
    expect(crimesOf(record({ ...away, planned: unknowing, ended_at: null }))).toEqual(["stranded"]);
    expect(crimesOf(record({ ...away, planned: unknowing }))).toEqual([]);
  });

  test("has a deadline for the join that counts from the webhook that brought the keys", () => {
    const steps = [{ at: 4_000, step: "prompt", in_conference: false }];
    const webhooks = [0, 7_000].map((sent_at) => ({ sent_at, ms: 20, status: 200, failed: null }));
    const joinAt = (at: number) => (join ? [{ ...join, at }] : []);
    expect(crimesOf(record({ planned, steps, webhooks, commands: joinAt(9_200) }))).toEqual([]);
    expect(crimesOf(record({ planned, steps, webhooks, commands: joinAt(9_300) }))).toEqual([
      "sent_after_deadline",
    ]);
  });
});

describe("a caller who stands in the line", () => {
  const planned = { ...base.planned, kind: "queue" as const, overflow: [] };
  const heard = {
    ...base.heard,
    heard: [{ sound: "audio" as const, detail: LINE, from_ms: 0, to_ms: 90 }, ...base.heard.heard],
  };
  const unserved = { planned, heard, stays: [], commands: [] };

  test("and is there yet when everybody has gone was forgotten", () => {
    expect(crimesOf(record({ ...unserved, ended_at: null }))).toEqual(["stranded", "forgotten"]);
  });

  test("is stranded where the call ends without the room, unless the caller hung up", () => {
    expect(crimesOf(record({ ...unserved, ended_at: 9_000 }))).toEqual(["stranded"]);
    expect(crimesOf(record({ ...unserved, ended_at: 9_000, hung_up_at: 9_000 }))).toEqual([]);
  });

  test("is served once", () => {
    expect(crimesOf(record({ planned, heard }))).toEqual([]);
    const again = stayIn({ conference_id: "c2", from: 68_200, to: 68_400, told_at: 68_401 });
    const back = { ...again, from: 60_100 };
    expect(crimesOf(record({ planned, heard, stays: [...base.stays, back], ended_at: 68_500 }))).toEqual([]);
    expect(crimesOf(record({ planned, heard, stays: [...base.stays, again], ended_at: 68_500 }))).toEqual([
      "served_twice",
    ]);
  });
});

describe("silence after a room", () => {
  const silent = (told_at: number | null, changes: Partial<CallRecord> = {}) =>
    record({
      heard: { ...base.heard, longest_silence_ms: 20_000 },
      stays: [stayIn({ told_at, untold: ["callback not signed"] })],
      ended_at: 80_000,
      ...changes,
    });

  test("is nobody's fault while nothing has told of the leave that can be believed", () => {
    expect(crimesOf(silent(null))).toEqual([]);
    expect(crimesOf(silent(75_000))).toEqual([]);
  });

  test("is ours from ten seconds after something has", () => {
    expect(crimesOf(silent(69_000))).toEqual(["silent_over_10_s"]);
    expect(crimesOf(silent(60_001))).toEqual(["silent_over_10_s"]);
  });

  test("is none where something is heard, such as the document that comes after", () => {
    const after = { sound: "audio" as const, detail: "voicemail", from_ms: 62_000, to_ms: 79_000 };
    const heard = { ...base.heard, heard: [...base.heard.heard, after] };
    expect(crimesOf(silent(60_001, { heard }))).toEqual([]);
  });

  test("goes for being left alive, too", () => {
    const alive = { heard: base.heard, ended_at: 200_000 };
    expect(crimesOf(silent(null, alive))).toEqual([]);
    expect(crimesOf(silent(199_000, alive))).toEqual([]);
    expect(crimesOf(silent(61_000, alive))).toEqual(["left_alive_after_conference"]);
  });

  test("is ours where it was before the room, or between two rooms", () => {
    const sounds = (...spans: [number, number][]) => ({
      heard: spans.map(([from_ms, to_ms]) => ({
        sound: "conference" as const,
        detail: room,
        from_ms,
        to_ms,
      })),
      longest_silence_ms: 20_000,
      two_sounds: false,
    });
    expect(crimesOf(silent(null, { heard: sounds([11_000, 60_000]) }))).toEqual(["silent_over_10_s"]);
    const between = {
      heard: sounds([100, 40_000], [55_000, 60_000]),
      stays: [
        stayIn({ to: 40_000, told_at: null }),
        stayIn({ conference_id: "c2", from: 55_000, told_at: null }),
      ],
    };
    expect(crimesOf(silent(null, between))).toEqual(["silent_over_10_s"]);
  });

  test("is not stranded yet while it is held with a ring, for a minute at most", () => {
    const { planned } = record({});
    const held = (rings: number, { detail, way }: { detail: string; way: "swml" | "relay" }) =>
      record({
        planned: { ...planned, way },
        stays: [],
        ended_at: null,
        heard: {
          heard: Array.from({ length: rings }, (_, index) => ({
            sound: "ring",
            detail,
            from_ms: index * 3_000,
            to_ms: null,
          })),
          longest_silence_ms: 0,
          two_sounds: false,
        } as unknown as CallRecord["heard"],
      });
    const byDocument = { detail: "ring:3:us", way: "swml" } as const;
    const byRelay = { detail: "ring:2:us", way: "relay" } as const;
    for (const how of [byDocument, byRelay]) {
      expect(crimesOf(held(21, how))).toEqual([]);
      expect(crimesOf(held(22, how))).toContain("stranded");
    }
    // The ring of a call that nobody held is no excuse.
    expect(crimesOf(held(1, { ...byDocument, detail: byRelay.detail }))).toContain("stranded");
  });

  test("keeps its seat, for which others wait with an excuse", () => {
    const queue = { ...base.planned, kind: "queue", room } as const;
    const line = {
      heard: [{ sound: "audio", detail: LINE, from_ms: 0, to_ms: null }],
      longest_silence_ms: 0,
      two_sounds: false,
    } as const;
    const waiter = record({
      planned: { ...queue, call_id: "waiter" },
      heard: line as unknown as CallRecord["heard"],
      stays: [],
      ended_at: null,
    });
    expect(crimesOf(waiter)).toContain("forgotten");
    const gone = (changes: Partial<CallRecord>) => [
      waiter,
      record({ planned: queue, stays: [stayIn({ told_at: null })], ended_at: null, ...changes }),
    ];
    expect([...heldUp(gone({})).keys()]).toEqual([waiter]);
    expect(heldUp(gone({ stays: [stayIn()] })).size).toBe(0);
    expect(heldUp(gone({ ended_at: 61_000 })).size).toBe(0);
  });

  test("has its excuse told, and where it is ours or none there is no excuse", () => {
    expect(excuseOf(silent(null))).toBe(
      "in silence for 20.0 s after it left acme:team-a: nobody told of it (callback not signed)",
    );
    expect(excuseOf(silent(75_000))).toContain("it was told 15.0 s after it");
    expect(excuseOf(silent(60_001))).toBeNull();
    expect(excuseOf(base)).toBeNull();
  });
});

describe("in a project that is told of no leave", () => {
  const left = (call_id: string, asked_at: number, left_at: number, told_at: number | null = null) =>
    record({
      planned: { ...base.planned, call_id },
      heard: { ...base.heard, heard: [] },
      stays: [stayIn({ from: asked_at, to: left_at, told_at })],
      commands: [{ at: asked_at, method: "calling.join_conference", by: "relay", in_conference: false }],
      ended_at: null,
    });
  const three = [left("a", 0, 10_000), left("b", 0, 20_000), left("c", 0, 30_000)];

  test("a caller whom RELAY joins a minute after three were left in silence must not be left as well", () => {
    const late = left("d", 95_001, 96_000);
    expect(leftAfterSwitch([...three, late])).toEqual(new Set([late]));
  });

  test("one before that, or after two, or where a document joined, may be", () => {
    expect(leftAfterSwitch([...three, left("d", 94_999, 96_000)]).size).toBe(0);
    expect(leftAfterSwitch([...three.slice(1), left("d", 95_001, 96_000)]).size).toBe(0);
    const joined = left("d", 95_001, 96_000);
    const byDocument = { ...joined, stays: joined.stays.map((one) => ({ ...one, by: "document" as const })) };
    expect(leftAfterSwitch([...three, byDocument]).size).toBe(0);
  });

  test("nothing is asked where one leave was told: there is evidence in that project", () => {
    const late = left("d", 95_001, 96_000);
    expect(leftAfterSwitch([...three, left("e", 0, 5_000, 5_001), late]).size).toBe(0);
  });
});

describe("a call that we made", () => {
  const facts = { from: "+1", to: "+2", type: "phone", direction: "outbound", headers: [] } as const;
  const dialled = (lasted_ms: number, end_reason = "max_duration") => ({
    call_id: "out",
    facts: { ...facts, origin: "dial" as const, tag: "t1" },
    end_reason,
    times: { start_time: 0, answer_time: 1_000, end_time: 1_000 + lasted_ms },
  });
  const asked = (more: object, max_duration?: number) => {
    const device = { type: "phone", params: max_duration === undefined ? {} : { max_duration } };
    const params = { tag: "t1", devices: [[device]], ...more };
    return [{ seq: 1, at: 0, kind: "frame_in" as const, frame: { method: "calling.dial", params } }];
  };

  test("is cut where its time is over before the limit of its device, or of its dial, which is in minutes", () => {
    expect(cutCalls([dialled(10_000)], asked({ max_duration: 10 }, 600))).toHaveLength(1);
    expect(cutCalls([dialled(10_000)], asked({ max_duration: 10 }))).toHaveLength(1);
  });

  /** Answered, put into its room a second later, and ended with that. */
  const leg = (changes: Partial<LegRecord> = {}): LegRecord => ({
    call_id: "out",
    named_at: 500,
    answered_at: 1_000,
    told_at: 1_100,
    joined_at: 2_000,
    hung_up_at: null,
    ended_at: 60_000,
    seen_until: 90_000,
    heard: [],
    ...changes,
  });
  const made = (legs: LegRecord[], changes: Partial<DialRecord> = {}): DialRecord => ({
    planned: { project: 0, id: "dial-0", at_ms: 0 },
    taken: true,
    state: "left",
    connected: true,
    legs,
    rest_tells: true,
    ...changes,
  });

  test("and that came to its room has nothing to complain of", () => {
    expect(dialCrimesOf(made([leg()]))).toEqual([]);
    expect(dialCrimesOf(made([], { taken: false, state: null }))).toEqual([]);
    expect(dialCrimesOf(made([], { state: "failed" }))).toEqual([]);
  });

  test("is in silence where its answer was told of, or could be asked for, and nothing is heard for over 10 s", () => {
    const late = { joined_at: 30_000 };
    expect(dialCrimesOf(made([leg(late)]))).toEqual(["dialled_in_silence"]);
    expect(dialCrimesOf(made([leg({ ...late, told_at: null })]))).toEqual(["dialled_in_silence"]);
    const heard = [{ from: 5_000, to: 21_000, detail: "ring" }];
    expect(dialCrimesOf(made([leg({ ...late, heard })]))).toEqual([]);
    const untold = made([leg({ ...late, told_at: null })], { rest_tells: false });
    expect([dialCrimesOf(untold), isUntold(untold)]).toEqual([[], true]);
    const unnamed = made([leg({ ...late, told_at: null, named_at: null })]);
    expect([dialCrimesOf(unnamed), isUntold(unnamed)]).toEqual([[], true]);
  });

  test("is lost where it was taken and is neither known nor made, or where an answered callee is given up", () => {
    const nowhere = leg({ joined_at: null, ended_at: 5_000 });
    const apology = [{ from: 1_500, to: 4_900, detail: `We are sorry. ${APOLOGY}` }];
    expect(dialCrimesOf(made([leg()], { state: null }))).toEqual(["dial_lost"]);
    expect(dialCrimesOf(made([], { state: "queued" }))).toEqual(["dial_lost"]);
    expect(dialCrimesOf(made([], { state: "dialing" }))).toEqual(["dial_lost"]);
    expect(dialCrimesOf(made([], { state: "sending" }))).toEqual([]);
    expect(dialCrimesOf(made([], { state: "queued", connected: false }))).toEqual([]);
    expect(dialCrimesOf(made([nowhere]))).toEqual(["dial_lost"]);
    expect(dialCrimesOf(made([{ ...nowhere, heard: apology }], { state: "failed" }))).toEqual(["dial_lost"]);
    expect(dialCrimesOf(made([{ ...nowhere, heard: apology }]))).toEqual([]);
    expect(dialCrimesOf(made([{ ...nowhere, hung_up_at: 4_900 }]))).toEqual([]);
  });

  test("rings one phone once", () => {
    expect(dialCrimesOf(made([leg(), leg()]))).toEqual(["dialled_twice"]);
  });

  test("is not cut at its limit, nor where somebody hung up", () => {
    expect(cutCalls([dialled(600_000)], asked({ max_duration: 10 }, 600))).toEqual([]);
    expect(cutCalls([dialled(10_000, "hangup")], asked({}, 600))).toEqual([]);
  });
});

describe("in a recorded conference", () => {
  const recording = { sid: "r1", since: 10_000, state: "stopped" as const, duration_s: 20 };
  const recorded = [{ conference_id: "c1", recording }];
  const told = { sound: "say" as const, detail: NOTICE, from_ms: 0, to_ms: 90 };

  test("a caller who was there meanwhile and heard no notice is counted", () => {
    expect(recordedWithoutNotice([base], recorded)).toEqual([base]);
    const informed = record({ heard: { ...base.heard, heard: [told, ...base.heard.heard] } });
    expect(recordedWithoutNotice([informed], recorded)).toEqual([]);
    const plainer = { ...told, detail: "This call may be recorded." };
    const otherwise = record({ heard: { ...base.heard, heard: [plainer, ...base.heard.heard] } });
    expect(recordedWithoutNotice([otherwise], recorded)).toEqual([]);
    expect(recordedWithoutNotice([record({ stays: [stayIn({ from: 31_000 })] })], recorded)).toEqual([]);
    // Inside before: there is a moment for the announcement.
    const left = (to: number) => [record({ stays: [stayIn({ from: 0, to })] })];
    expect(recordedWithoutNotice(left(19_000), recorded)).toEqual([]);
    expect(recordedWithoutNotice(left(21_000), recorded)).toHaveLength(1);
    const late = [record({ stays: [stayIn({ from: 12_000, to: 13_000 })] })];
    expect(recordedWithoutNotice(late, recorded)).toEqual(late);
  });

  test("a recording of whose end the rule's server was not told is counted", () => {
    const told = [
      JSON.stringify({ params: { recording_url: "https://files.example.com/recordings/r1.wav" } }),
    ];
    const untold = [{ conference_id: "c1", sid: "r1" }];
    expect(untoldRecordings(recorded, told)).toEqual([]);
    expect(untoldRecordings(recorded, ["r2"])).toEqual(untold);
    expect(
      untoldRecordings([{ conference_id: "c1", recording: { ...recording, state: "paused" } }], []),
    ).toEqual([]);
  });

  test("a recording's end was told by whatever said after it that its conference, or a stay in it, was over", () => {
    const at = (ms: number, kind: JournalEntry["kind"], facts: object) =>
      ({ seq: ms, at: ms, kind, ...facts }) as JournalEntry;
    const before = [
      at(1_000, "conference", { conference_id: "c1", status: "participant-join", call_id: "a" }),
      at(1_500, "conference", { conference_id: "c1", status: "participant-leave", call_id: "b" }),
      at(2_000, "status_callback", { conference_id: "c1", status: "participant-leave", http_status: 204 }),
      at(9_000, "conference", { conference_id: "c1", status: "participant-leave", call_id: "a" }),
      at(9_000, "recording", { conference_id: "c1", status: "completed" }),
      at(9_001, "webhook", { call_id: "b", status: 200 }),
      at(9_001, "status_callback", { conference_id: "c2", status: "conference-end", http_status: 204 }),
      at(9_002, "status_callback", { conference_id: "c1", status: "conference-end", http_status: 503 }),
    ];
    const event = (params: object) => ({ frame: { method: "signalwire.event", params: { params } } });
    expect(wasEndTold(before, "c1")).toBe(false);
    for (const told of [
      at(9_003, "status_callback", { conference_id: "c1", status: "conference-end", http_status: 204 }),
      at(9_003, "webhook", { call_id: "a", status: 200 }),
      at(9_003, "frame_out", event({ call_id: "a", call_state: "ended" })),
      at(8_990, "frame_out", event({ conference_id: "c1", status: "record-stop" })),
    ])
      expect(wasEndTold([...before, told], "c1")).toBe(true);
    // One of two is said to be out, which says nothing of the other.
    const other = at(9_000, "conference", {
      conference_id: "c1",
      status: "participant-leave",
      call_id: "d",
    });
    const [webhook, another] = ["a", "d"].map((call_id) => at(9_003, "webhook", { call_id, status: 200 }));
    if (webhook) expect(wasEndTold([...before, other, webhook], "c1")).toBe(false);
    if (webhook && another) expect(wasEndTold([...before, other, webhook, another], "c1")).toBe(true);
  });
});

describe("a roster", () => {
  const counted = (certain: number, uncertain = 0, name = room) => ({ name, certain, uncertain });
  const found = (certain: number, uncertain: number, carrier: number) => [
    { name: room, certain, uncertain, carrier },
  ];

  test("differs where it has more for certain than are there, or fewer than are there for all its doubts", () => {
    expect(differing(new Map([[room, 1]]), [counted(2)])).toEqual(found(2, 0, 1));
    expect(differing(new Map([[room, 3]]), [counted(1, 1)])).toEqual(found(1, 1, 3));
    expect(differing(new Map([[room, 1]]), [])).toEqual(found(0, 0, 1));
    expect(differing(new Map(), [counted(1)])).toEqual(found(1, 0, 0));
  });

  test("does not differ because of those who are presumed gone or doubted, whether they are there or not", () => {
    expect(differing(new Map([[room, 1]]), [counted(1, 1)])).toEqual([]);
    expect(differing(new Map([[room, 2]]), [counted(1, 1)])).toEqual([]);
    expect(differing(new Map(), [counted(0, 1)])).toEqual([]);
  });

  test("may spell a name another way, and have two conferences of one name", () => {
    const two = [counted(1, 0, " Acme:Team-A"), counted(2)];
    expect(differing(new Map([[room, 3]]), two)).toEqual([]);
  });
});

describe("where a room has two seats", () => {
  const seated = (call_id: string, from: number, to: number | null) =>
    record({
      planned: { ...base.planned, call_id, overflow: [] },
      call: { ...base.call, call_id },
      stays: [stayIn({ from, to, told_at: to })],
    });
  const [a, b, c] = [seated("a", 0, 50), seated("b", 10, null), seated("c", 40, null)];

  test("the third who joins is seen", () => {
    expect(overCapacity([c, b, a], new Set())).toEqual(new Set([c]));
  });

  test("one who joins as another leaves is not, nor one whom the Worker has flagged", () => {
    expect(overCapacity([seated("c", 50, null), b, a], new Set()).size).toBe(0);
    expect(overCapacity([c, b, a], new Set(["c"])).size).toBe(0);
  });

  test("a caller who was told that all seats are taken is not stranded, one who was told nothing is", () => {
    const planned = { ...base.planned, overflow: ["acme:team-a-2"] };
    const told = { sound: "say" as const, detail: "All seats are taken.", from_ms: 100, to_ms: 900 };
    const away = { planned, stays: [], commands: [], ended_at: 9_000 };
    expect(crimesOf(record({ ...away, heard: { ...base.heard, heard: [told] } }))).toEqual([]);
    expect(crimesOf(record({ ...away, heard: { ...base.heard, heard: [] } }))).toEqual(["stranded"]);
  });
});
