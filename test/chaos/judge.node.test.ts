import { describe, expect, test } from "vitest";
import { crimesOf } from "./judge.ts";
import { overCapacity } from "./over-capacity.ts";
import type { CallRecord, Stay } from "./records.ts";
import { LINE } from "./rules.ts";

const room = "acme:team-a";

/** A call that was placed by RELAY, talked for a minute and was ended when its conference was over. */
function record(changes: Partial<CallRecord> = {}): CallRecord {
  const stay: Stay = { conference_id: "c1", room, from: 100, to: 60_000, told_at: 60_001 };
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
      joins: [{ at: 100, conference: room, by: "relay", left_at: 60_000 }],
    },
    heard: {
      heard: [{ sound: "conference", detail: room, from_ms: 100, to_ms: 60_000 }],
      longest_silence_ms: 500,
      two_sounds: false,
    },
    hung_up_at: null,
    given_up: false,
    received_at: null,
    ended_at: 60_500,
    webhooks: [{ sent_at: 0, ms: 120, status: 200, failed: null }],
    commands: [
      { at: 50, method: "calling.answer", by: "relay", in_conference: false },
      { at: 90, method: "calling.join_conference", by: "relay", in_conference: false },
      { at: 60_200, method: "calling.end", by: "relay", in_conference: false },
    ],
    stays: [stay],
    steps: [],
    sounds_over: [],
    rest_failed: false,
    ...changes,
  };
}

const base = record();
const [stay] = base.stays;
const [answer, join] = base.commands;

describe("a call that went well", () => {
  test("has nothing to complain of", () => expect(crimesOf(base)).toEqual([]));

  test("has nothing to complain of where its caller hung up before it was in a room", () => {
    expect(crimesOf(record({ stays: [], commands: [], hung_up_at: 80, ended_at: 80 }))).toEqual([]);
  });

  test("may live on where its document has put it back", () => {
    const back = { conference_id: "c2", room, from: 61_000, to: null, told_at: null };
    const joins = [
      ...base.call.joins,
      { at: 61_000, conference: room, by: "document" as const, left_at: null },
    ];
    const call = { ...base.call, state: "answered" as const, joins };
    expect(crimesOf(record({ call, stays: [...base.stays, back], commands: [], ended_at: null }))).toEqual(
      [],
    );
  });
});

test.each<[string, Partial<CallRecord>]>([
  ["stranded", { call: { ...base.call, stranded: true } }],
  ["stranded", { stays: [], commands: [], ended_at: 9_000 }],
  ["silent_over_10_s", { heard: { ...base.heard, longest_silence_ms: 10_001 } }],
  [
    "in_two_places",
    { stays: [...base.stays, { conference_id: "c2", room, from: 59_000, to: 60_000, told_at: 60_001 }] },
  ],
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
  ["wrong_conference", { stays: stay ? [{ ...stay, room: "acme:team-b" }] : [] }],
  ["webhook_over_5_s", { webhooks: [{ sent_at: 0, ms: 5_001, status: null, failed: "read" }] }],
  ["left_alive_after_conference", { ended_at: null }],
  ["left_alive_after_conference", { ended_at: 100_001 }],
  [
    "ended_while_in_conference",
    { commands: answer ? [{ ...answer, method: "calling.end", in_conference: true }] : [] },
  ],
  ["ended_while_in_conference", { steps: [{ at: 9_000, step: "hangup", in_conference: true }] }],
  ["ended_while_in_conference", { steps: [{ at: 9_000, step: "Hangup", in_conference: true }] }],
])("%s is seen", (crime, changes) => {
  expect(crimesOf(record(changes))).toEqual([crime]);
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
    const again = { conference_id: "c2", room, from: 64_200, to: 64_400, told_at: 64_401 };
    const back = { ...again, from: 60_100 };
    expect(crimesOf(record({ planned, heard, stays: [...base.stays, back], ended_at: 64_500 }))).toEqual([]);
    expect(crimesOf(record({ planned, heard, stays: [...base.stays, again], ended_at: 64_500 }))).toEqual([
      "served_twice",
    ]);
  });
});

describe("silence after a room", () => {
  const silent = (sid: string, told_at: number | null, changes: Partial<CallRecord> = {}) =>
    crimesOf(
      record({
        call: { ...base.call, sid },
        heard: { ...base.heard, longest_silence_ms: 20_000 },
        stays: base.stays.map((one) => ({ ...one, told_at })),
        ended_at: 80_000,
        ...changes,
      }),
    );

  test("is nobody's fault while neither feed has told of the leave, and REST knows the call by another name", () => {
    expect(silent("another", null)).toEqual([]);
    expect(silent("another", 75_000)).toEqual([]);
  });

  test("is ours where REST could have told us, or somebody did ten seconds ago", () => {
    expect(silent("call", null)).toEqual(["silent_over_10_s"]);
    expect(silent("another", 69_000)).toEqual(["silent_over_10_s"]);
  });

  test("goes for being left alive, too", () => {
    const alive = { heard: base.heard, ended_at: 200_000 };
    expect(silent("another", null, alive)).toEqual([]);
    expect(silent("another", 199_000, alive)).toEqual([]);
    expect(silent("another", 61_000, alive)).toEqual(["left_alive_after_conference"]);
    expect(silent("call", null, alive)).toEqual(["left_alive_after_conference"]);
  });

  test("is ours where it was before the room", () => {
    const late = [{ sound: "conference" as const, detail: room, from_ms: 11_000, to_ms: 60_000 }];
    const heard = { ...base.heard, heard: late, longest_silence_ms: 20_000 };
    expect(silent("another", null, { heard })).toEqual(["silent_over_10_s"]);
  });
});

describe("where a room has two seats", () => {
  const seated = (call_id: string, from: number, to: number | null) =>
    record({
      planned: { ...base.planned, call_id, overflow: [] },
      call: { ...base.call, call_id },
      stays: [{ conference_id: "c1", room, from, to, told_at: to }],
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
