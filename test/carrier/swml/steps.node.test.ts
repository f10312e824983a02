import { expect, test } from "vitest";
import { FakeLeg } from "./fake-leg.ts";
import { branch, heard, runInline } from "./fake-web.ts";

test("play answers, and each sound lasts as long as it should, one after another", async () => {
  const leg = new FakeLeg();
  const urls = [
    "say:Hi.",
    "say:Connecting you now.",
    "silence:1.5",
    "ring:3:us",
    "ring:us",
    "ring:20:us",
    "https://example.com/a.mp3",
    "https://example.com/a.mp3#seconds=0.5",
  ];
  await runInline(leg, [{ play: { urls } }]);
  expect(heard(leg)).toEqual([
    ["say", "Hi.", 0, 300],
    ["say", "Connecting you now.", 300, 1440],
    ["silence", "silence:1.5", 1440, 2940],
    ["ring", "ring:3:us", 2940, 5940],
    ["ring", "ring:us", 5940, 7940],
    ["ring", "ring:20:us", 7940, 27_940],
    ["audio", "https://example.com/a.mp3", 27_940, 29_940],
    ["audio", "https://example.com/a.mp3#seconds=0.5", 29_940, 30_440],
  ]);
  expect(leg.ear.report()).toMatchObject({ two_sounds: false, longest_silence_ms: 1500 });
});

test("play with auto_answer false does not answer", async () => {
  const leg = new FakeLeg();
  let state = "";
  leg.clock.at(100, () => {
    state = leg.call_state;
  });
  await runInline(leg, [{ play: { url: "say:Early media.", auto_answer: false } }]);
  expect(state).toBe("ringing");
});

test("hangup ends the call with its reason, and nothing after it runs", async () => {
  const leg = new FakeLeg();
  const ending = await runInline(leg, [{ hangup: { reason: "busy" } }, { play: { url: "say:Never." } }]);
  expect(ending).toEqual({ over: "hung up" });
  expect(leg.hang_ups).toEqual(["busy"]);
  expect(heard(leg)).toEqual([]);
});

test.each([
  ["without a max_duration", [{ answer: {} }], 14_400_000],
  ["with one", [{ answer: { max_duration: 60 } }], 60_000],
  [
    "with a later one, which counts from then",
    [{ answer: { max_duration: 60 } }, { sleep: 30_000 }, { answer: { max_duration: 60 } }],
    90_000,
  ],
  [
    "with a later answer that says nothing of it",
    [{ answer: { max_duration: 60 } }, { sleep: 30_000 }, { answer: {} }],
    60_000,
  ],
])("a call answered %s is cut when its time has passed", async (_, steps, ms) => {
  const leg = new FakeLeg();
  await runInline(leg, [...steps, { sleep: -1 }]);
  expect([leg.hang_ups, leg.clock.now()]).toEqual([["max_duration"], ms]);
});

test("switch runs the case of the variable's value, else the default, and without one the document fails", async () => {
  const steps = (value: string) => [
    { set: { choice: value } },
    {
      switch: {
        variable: "choice",
        case: { "1": [{ play: { url: "say:one" } }] },
        default: [{ play: { url: "say:other" } }],
      },
    },
  ];
  for (const [value, line] of [
    ["1", "one"],
    ["toString", "other"],
  ] as const) {
    const leg = new FakeLeg();
    await runInline(leg, steps(value));
    expect(heard(leg)[0]?.[1]).toBe(line);
  }
  const without = [{ switch: { variable: "vars.none", case: { "1": [{ hangup: {} }] } } }];
  expect(await runInline(new FakeLeg(), without)).toMatchObject({ over: "stranded" });
});

test("cond runs what the first true condition says", async () => {
  const leg = new FakeLeg();
  await runInline(leg, [
    { set: { n: 5 } },
    {
      cond: [
        branch("vars.missing.deep", [{ play: { url: "say:wrong" } }]),
        branch("n > 4", [{ play: { url: "say:right" } }]),
        { else: [{ play: { url: "say:neither" } }] },
      ],
    },
  ]);
  expect(heard(leg).map(([, detail]) => detail)).toEqual(["right"]);
});

test("join_conference lasts until the conference is over, and ends the call where it has no result", async () => {
  const leg = new FakeLeg();
  const join = { name: "acme:board", muted: true };
  expect(await runInline(leg, [{ join_conference: join }, { play: { url: "say:Never." } }])).toEqual({
    over: "hung up",
  });
  expect(leg.joined).toEqual([join]);
  expect(heard(leg)).toEqual([["conference", "acme:board", 0, 60_000]]);
});

test.each([
  { outcome: "failed" as const, line: "That did not work." },
  { outcome: "completed" as const, line: "Goodbye." },
])("join_conference's result speaks where it $outcome", async ({ outcome, line }) => {
  const leg = new FakeLeg();
  leg.join_result = outcome;
  const result = {
    variable: "join_conference_result",
    case: { failed: [{ play: { url: "say:That did not work." } }] },
    default: [{ play: { url: "say:Goodbye." } }],
  };
  expect(await runInline(leg, [{ join_conference: { name: "acme:board", result } }])).toEqual({
    over: "document ended",
  });
  expect(leg.vars).toMatchObject({ join_conference_result: outcome, return_value: outcome });
  expect(leg.joined).toEqual([{ name: "acme:board" }]);
  expect(heard(leg).at(-1)?.[1]).toBe(line);
});
