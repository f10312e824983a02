import { expect, test } from "vitest";
import { switchesSchema } from "../switches/index.ts";
import { FakeLeg } from "../swml/fake-leg.ts";
import { heard } from "../swml/fake-web.ts";
import type { CxmlIo, Source } from "./fetching.ts";
import { runCxml } from "./runner.ts";

type Page = string | { status?: number; content_type?: string; body?: string } | Error;

/** Runs the document at https://example.com/a over a web of pages by path; a string is what a response encloses. */
async function run(
  pages: Record<string, Page>,
  leg = new FakeLeg(),
  more: Partial<CxmlIo> = {},
  replaced = new AbortController(),
) {
  const asked: [string, string, ...(readonly [string, string])[]][] = [];
  const io: CxmlIo = {
    callIdOf: () => undefined,
    is_first: true,
    switches: switchesSchema.parse({}),
    ...more,
    fetch: async ({ url, method }, fields) => {
      const path = new URL(url).pathname;
      asked.push([method, path, ...fields]);
      const page = pages[path] ?? { status: 404 };
      if (page instanceof Error) throw page;
      const answer = typeof page === "string" ? { body: `<Response>${page}</Response>` } : page;
      return { status: 200, content_type: "text/xml; charset=utf-8", body: "", ...answer };
    },
  };
  const start: Source = { url: "https://example.com/a", method: "POST" };
  const running = runCxml(leg, start, io, replaced.signal);
  await leg.clock.run();
  return { ending: await running, asked, leg, hears: heard(leg) };
}

test("what the caller hears comes in order and as often as it loops, and the call ends when the document runs out", async () => {
  const { ending, hears, leg } = await run({
    "/a": `<Say loop="2">Hello.</Say><Pause length="2"/><Play>https://example.com/m.mp3#seconds=30</Play>`,
  });
  expect(ending).toEqual({ over: "document ended" });
  expect(hears).toEqual([
    ["say", "Hello.", 0, 360],
    ["say", "Hello.", 360, 720],
    ["silence", "silence:2", 720, 2720],
    ["audio", "https://example.com/m.mp3#seconds=30", 2720, 32_720],
  ]);
  expect(leg.call_state).toBe("ended");
  expect(leg.ear.report().longest_silence_ms).toBe(2000);
});

test("a loop of 0 goes on until another document takes over, and the call lives on", async () => {
  const leg = new FakeLeg();
  const replaced = new AbortController();
  leg.clock.at(61_000, () => replaced.abort());
  const { ending, hears } = await run(
    { "/a": `<Play loop="0">https://example.com/m.mp3#seconds=60</Play>` },
    leg,
    {},
    replaced,
  );
  expect(ending).toEqual({ over: "replaced" });
  expect(hears.map(([, , from, to]) => [from, to])).toEqual([
    [0, 60_000],
    [60_000, 61_000],
  ]);
  expect(leg.hang_ups).toEqual([]);
});

test.each<[string, Page]>([
  ["an error status", { status: 503 }],
  ["no answer", new Error("no answer within 5000 ms")],
  ["another content type", { content_type: "application/json", body: "<Response/>" }],
  ["no XML", { body: "<Response>" }],
  ["an unknown verb", "<Dance/>"],
])(
  "where the fetch brings %s, the fallback is asked the same once; without one the call is stranded",
  async (_, page) => {
    const fallback: Source = { url: "https://example.com/fallback", method: "GET" };
    const saved = await run({ "/a": page, "/fallback": "<Say>Sorry.</Say>" }, new FakeLeg(), { fallback });
    expect(saved.asked).toEqual([
      ["POST", "/a"],
      ["GET", "/fallback"],
    ]);
    expect(saved.hears[0]?.[1]).toBe("Sorry.");
    const lost = await run({ "/a": page });
    expect(lost.ending).toMatchObject({
      over: "stranded",
      reason: expect.stringContaining("https://example.com/a: "),
    });
    expect(lost.leg.hang_ups).toEqual([]);
    const violated = !(page instanceof Error) && (typeof page === "string" || page.status === undefined);
    expect(lost.leg.notes.some(({ kind }) => kind === "violation")).toBe(violated);
  },
);

test.each([
  ["all_fetches", "Sorry."],
  ["first_fetch", undefined],
] as const)(
  "the fallback is asked after a later fetch that fails by the switch: %s",
  async (reading, said) => {
    const io = {
      fallback: { url: "https://example.com/fallback", method: "POST" } as const,
      switches: switchesSchema.parse({ fallback_covers: reading }),
    };
    const pages = { "/a": "<Redirect>https://example.com/b</Redirect>", "/fallback": "<Say>Sorry.</Say>" };
    expect((await run(pages, new FakeLeg(), io)).hears[0]?.[1]).toBe(said);
    const { "/fallback": fallback } = pages;
    expect((await run({ "/fallback": fallback }, new FakeLeg(), io)).hears[0]?.[1]).toBe("Sorry.");
  },
);

test("keys go to a gather's action, without the one that finishes, and the first one ends the prompt", async () => {
  const leg = new FakeLeg();
  leg.clock.at(100, () => leg.press("1"));
  leg.clock.at(200, () => leg.press("2#"));
  const { asked, hears } = await run(
    {
      "/a": `<Gather action="https://example.com/b" method="GET"><Say>Enter your number, please.</Say></Gather>`,
      "/b": "<Hangup/>",
    },
    leg,
  );
  expect(asked).toEqual([
    ["POST", "/a"],
    ["GET", "/b", ["Digits", "12"]],
  ]);
  expect(hears).toEqual([["say", "Enter your number, please.", 0, 100]]);
});

test("a gather ends at its number of digits, or when no further one comes in time", async () => {
  const full = new FakeLeg();
  full.clock.at(100, () => full.press("12345"));
  const pages = { "/a": `<Gather numDigits="4" action="https://example.com/b"/>`, "/b": "<Hangup/>" };
  expect((await run(pages, full)).asked.at(-1)).toEqual(["POST", "/b", ["Digits", "1234"]]);
  const slow = new FakeLeg();
  slow.clock.at(100, () => slow.press("12"));
  expect((await run(pages, slow)).asked.at(-1)).toEqual(["POST", "/b", ["Digits", "12"]]);
  expect(slow.clock.now()).toBe(5100);
});

test("without input a gather's action is skipped, unless it is asked for", async () => {
  const skipped = await run({
    "/a": `<Gather action="https://example.com/b" timeout="3"/><Say>Nothing came.</Say>`,
  });
  expect(skipped.asked).toEqual([["POST", "/a"]]);
  expect(skipped.hears).toEqual([["say", "Nothing came.", 3000, 3780]]);
  const told = await run({
    "/a": `<Gather action="https://example.com/b" actionOnEmptyResult="true"/>`,
    "/b": "<Hangup/>",
  });
  expect(told.asked.at(-1)).toEqual(["POST", "/b", ["Digits", ""]]);
});

test("a gather without an action fetches its own document again", async () => {
  const leg = new FakeLeg();
  leg.clock.at(100, () => leg.press("9#"));
  const { asked } = await run({ "/a": "<Gather/><Hangup/>" }, leg);
  expect(asked).toEqual([
    ["POST", "/a"],
    ["POST", "/a", ["Digits", "9"]],
  ]);
});

test("dial joins the conference; after it the next verb runs, or its action is fetched with how it went", async () => {
  const dial = (attributes: string) =>
    `<Dial ${attributes}><Conference muted="true">acme:board</Conference></Dial><Say>After.</Say>`;
  const on = await run({ "/a": dial("") });
  expect(on.leg.joined).toMatchObject([{ name: "acme:board", muted: true }]);
  expect(on.hears).toEqual([
    ["conference", "acme:board", 0, 60_000],
    ["say", "After.", 60_000, 60_360],
  ]);
  const told = await run({ "/a": dial(`action="https://example.com/b"`), "/b": "<Hangup/>" });
  expect(told.asked.at(-1)).toEqual(["POST", "/b", ["DialCallStatus", "answered"]]);
  expect(told.hears).toHaveLength(1);
  const leg = new FakeLeg();
  leg.join_result = "failed";
  const failed = await run(
    { "/a": dial(`action="https://example.com/b" method="GET"`), "/b": "<Hangup/>" },
    leg,
  );
  expect(failed.asked.at(-1)).toEqual(["GET", "/b", ["DialCallStatus", "failed"]]);
});

test("a dial's time limit takes the call out of the conference, and the document goes on", async () => {
  const { asked, hears, leg } = await run({
    "/a": `<Dial timeLimit="20" action="https://example.com/b"><Conference>a</Conference></Dial>`,
    "/b": "<Say>Time is up.</Say>",
  });
  expect(asked.at(-1)).toEqual(["POST", "/b", ["DialCallStatus", "answered"]]);
  expect(hears.map(([sound, , from, to]) => [sound, from, to])).toEqual([
    ["conference", 0, 20_000],
    ["say", 20_000, 20_660],
  ]);
  expect(leg.hang_ups).toEqual(["hangup"]);
});

test("the call to be coached is named by its sid", async () => {
  const io = { callIdOf: (sid: string) => (sid === "sid-1" ? "call-7" : undefined) };
  const { leg } = await run(
    { "/a": `<Dial><Conference coach="sid-1">a</Conference></Dial>` },
    new FakeLeg(),
    io,
  );
  expect(leg.joined).toMatchObject([{ coach: "call-7" }]);
});

test("reject refuses a call that is not answered; on one that is, it is a violation", async () => {
  const busy = await run({ "/a": `<Reject reason="busy"/>` });
  expect(busy).toMatchObject({ ending: { over: "hung up" }, leg: { hang_ups: ["busy"] }, hears: [] });
  const redirected = await run({ "/a": "<Redirect>https://example.com/b</Redirect>", "/b": "<Reject/>" });
  expect(redirected.leg.hang_ups).toEqual(["noAnswer"]);
  const late = await run({ "/a": "<Say>Hi.</Say><Reject/>" });
  expect(late.ending).toMatchObject({ over: "stranded" });
  expect(late.leg.notes).toContainEqual(expect.objectContaining({ kind: "violation", verb: "Reject" }));
});

test("a redirect goes to another document by its method, and what follows it never runs", async () => {
  const { asked, hears } = await run({
    "/a": `<Redirect method="GET">https://example.com/b</Redirect><Say>Never.</Say>`,
    "/b": "<Say>There.</Say>",
  });
  expect(asked).toEqual([
    ["POST", "/a"],
    ["GET", "/b"],
  ]);
  expect(hears.map(([, detail]) => detail)).toEqual(["There."]);
});

test("a caller who hangs up ends the document wherever it is", async () => {
  const leg = new FakeLeg();
  leg.clock.at(500, () => leg.hangUp("hangup"));
  const { ending } = await run({ "/a": `<Gather timeout="60"><Pause length="60"/></Gather>` }, leg);
  expect(ending).toEqual({ over: "hung up" });
});
