import { expect, test } from "vitest";
import { FakeLeg } from "./fake-leg.ts";
import { heard, live, main, runInline, runUrl, web } from "./fake-web.ts";
import { runDocument } from "./runner.ts";

test("transfer replaces the params, and the variables travel along", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web(
    {
      "https://example.com/a": [
        { set: { tier: "gold", room: `board-\${params.x}` } },
        { sleep: 250 },
        { transfer: { dest: "https://example.com/b", params: { y: "%{vars.room}" } } },
      ],
      "https://example.com/b": [{ unset: ["tier"] }, { transfer: "https://example.com/c" }],
      "https://example.com/c": [{ hangup: {} }],
    },
    { params: { x: 1 } },
  );
  await runUrl(leg, "https://example.com/a", io);
  expect(posts.map(({ params, vars }) => [params, vars])).toEqual([
    [{ x: 1 }, {}],
    [{ y: "board-1" }, { tier: "gold", room: "board-1" }],
    [{}, { room: "board-1" }],
  ]);
});

test("transfer also goes to a section and to an inline document", async () => {
  const leg = new FakeLeg();
  const inline = JSON.stringify(main({ play: { url: "say:Welcome %{params.who}." } }));
  const document = {
    sections: {
      main: [{ transfer: "second" }],
      second: [{ transfer: { dest: inline, params: { who: "Ada" } } }],
    },
  };
  const running = runDocument(leg, { document }, web({}).io, live);
  await leg.clock.run();
  expect(await running).toEqual({ over: "document ended" });
  // Every string is expanded, so a document in a string is too: by the outer document's params, not by its own.
  expect(heard(leg)).toEqual([["say", "Welcome .", 0, 540]]);
});

test("the 33rd transfer strands the call, and the 32nd does not", async () => {
  const pages = (most: number) => ({
    "https://example.com/a": (body: { params?: unknown }) => {
      // The page's own params, as the test wrote them.
      const { n } = body.params as { n: number };
      const next = { transfer: { dest: "https://example.com/a", params: { n: n + 1 } } };
      return n < most ? [next] : [{ hangup: {} }];
    },
  });
  const few = web(pages(32), { params: { n: 0 } });
  expect(await runUrl(new FakeLeg(), "https://example.com/a", few.io)).toEqual({ over: "hung up" });
  const many = web(pages(33), { params: { n: 0 } });
  expect(await runUrl(new FakeLeg(), "https://example.com/a", many.io)).toEqual({
    over: "stranded",
    reason: "more than 32 transfers and gotos in one call",
  });
});

test.each([
  [false, { over: "document ended" }],
  [true, { over: "stranded", reason: "more than 32 transfers and gotos in one call" }],
])("an execute counts as a transfer only by the switch: %s", async (counts, ending) => {
  const { io } = web(
    { "https://example.com/sub": [{ return: 1 }] },
    { switches: { execute_counts_as_transfer: counts } },
  );
  const rounds = (most: number) =>
    Array.from({ length: most }, () => ({ execute: "https://example.com/sub" }));
  expect(await runInline(new FakeLeg(), rounds(32), io)).toEqual({ over: "document ended" });
  expect(await runInline(new FakeLeg(), rounds(33), io)).toEqual(ending);
});

test("transfers count for the call, also where another document took over in between", async () => {
  const leg = new FakeLeg();
  const jumps = (most: number) => [
    { set: { n: 0 } },
    { label: "again" },
    { set: { n: "%{vars.n + 1}" } },
    { goto: { label: "again", when: `vars.n <= ${most}` } },
    { sleep: -1 },
  ];
  const replaced = new AbortController();
  leg.clock.at(1000, () => replaced.abort());
  const first = runDocument(leg, { document: main(...jumps(20)) }, web({}).io, replaced.signal);
  await leg.clock.run();
  expect(await first).toEqual({ over: "replaced" });
  expect(await runInline(leg, jumps(13))).toMatchObject({ over: "stranded" });
});

test("goto jumps to a label of its section while its condition holds, and counts with the transfers", async () => {
  const leg = new FakeLeg();
  const ending = await runInline(leg, [
    { set: { n: 0 } },
    { label: "again" },
    { set: { n: `\${vars.n + 1}` } },
    { goto: { label: "again", when: "vars.n < 3" } },
    { play: { url: `say:\${n} times.` } },
  ]);
  expect(ending).toEqual({ over: "document ended" });
  expect(heard(leg)).toEqual([["say", "3 times.", 0, 480]]);
  expect(await runInline(new FakeLeg(), [{ label: "a" }, { goto: { label: "a" } }])).toMatchObject({
    over: "stranded",
  });
  expect(await runInline(new FakeLeg(), [{ goto: { label: "nowhere" } }])).toMatchObject({
    over: "stranded",
    reason: 'goto: no label "nowhere" in section main',
  });
});

test("execute comes back with return's value, its own params and the caller's after", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web(
    {
      "https://example.com/a": [
        { execute: { dest: "https://example.com/sub", params: { q: 1 } } },
        { execute: { dest: "https://example.com/empty" } },
        { play: { url: `say:\${return_value}/\${params.mine}.` } },
      ],
      "https://example.com/sub": [{ return: { room: "board" } }, { hangup: {} }],
      "https://example.com/empty": [{ return: `got \${vars.return_value.room}` }],
    },
    { params: { mine: "kept" } },
  );
  expect(await runUrl(leg, "https://example.com/a", io)).toEqual({ over: "document ended" });
  expect(heard(leg)[0]?.[1]).toBe("got board/kept.");
  expect(posts.map(({ params }) => params)).toEqual([{ mine: "kept" }, { q: 1 }, {}]);
});

test("execute's result branches on the value that came back, and a hang-up inside it ends the call", async () => {
  const leg = new FakeLeg();
  const { io } = web({
    "https://example.com/sub": [{ return: "go" }],
    "https://example.com/end": [{ hangup: { reason: "decline" } }],
  });
  const result = { case: { go: [{ execute: "https://example.com/end" }] }, default: [] };
  expect(await runInline(leg, [{ execute: { dest: "https://example.com/sub", result } }], io)).toEqual({
    over: "hung up",
  });
  expect(leg.hang_ups).toEqual(["decline"]);
});

test("a document that executes itself is stopped", async () => {
  const { io } = web({ "https://example.com/a": [{ execute: "https://example.com/a" }] });
  expect(await runUrl(new FakeLeg(), "https://example.com/a", io)).toMatchObject({ over: "stranded" });
});

test("sections execute one another, each coming back with its own value, and switch tells them apart", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web({
    "https://example.com/line": () => [{ return: leg.now() < 5000 ? "wait" : "go" }],
  });
  const document = {
    sections: {
      main: [
        { execute: { dest: "outer", params: { who: "Ada" } } },
        { switch: { variable: "return_value", case: { go: [{ play: { url: "say:Your turn." } }] } } },
      ],
      outer: [
        { execute: { dest: "inner", params: { url: "https://example.com/line" } } },
        {
          switch: {
            variable: "return_value",
            case: { wait: [{ play: { url: "https://example.com/m.mp3#seconds=10" } }] },
            default: [{ return: "never" }],
          },
        },
        { execute: { dest: "inner", params: { url: "https://example.com/line" } } },
        { return: "%{return_value}" },
      ],
      inner: [{ execute: "%{params.url}" }, { return: "%{return_value}" }, { hangup: {} }],
    },
  };
  const running = runDocument(leg, { document }, io, live);
  await leg.clock.run();
  expect(await running).toEqual({ over: "document ended" });
  expect(posts).toHaveLength(2);
  expect(heard(leg)).toEqual([
    ["audio", "https://example.com/m.mp3#seconds=10", 0, 10_000],
    ["say", "Your turn.", 10_000, 10_600],
  ]);
  expect(leg.ear.report().longest_silence_ms).toBe(0);
});

test("a transfer out of an executed section never comes back", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web({ "https://example.com/b": [{ play: { url: "say:There." } }] });
  const document = {
    sections: {
      main: [{ execute: "outer" }, { play: { url: "say:Never." } }],
      outer: [{ execute: "inner" }, { play: { url: "say:Never either." } }],
      inner: [{ transfer: { dest: "https://example.com/b", params: { n: 1 } } }],
    },
  };
  const running = runDocument(leg, { document }, io, live);
  await leg.clock.run();
  expect(await running).toEqual({ over: "document ended" });
  expect(posts).toMatchObject([{ params: { n: 1 } }]);
  expect(heard(leg).map(([, detail]) => detail)).toEqual(["There."]);
});
