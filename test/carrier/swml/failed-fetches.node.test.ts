import { expect, test } from "vitest";
import { FakeLeg } from "./fake-leg.ts";
import { type Answer, heard, runInline, runUrl, web } from "./fake-web.ts";

const gone: Answer = { status: 503, body: "" };
const next = { play: { url: "say:The next step." } };
const ways = ["transfer", "execute"] as const;
const lines = (leg: FakeLeg) => heard(leg).map(([, detail]) => detail);

test.each(ways)("a failed fetch by %s strands the call", async (way) => {
  const { io } = web({ "https://example.com/b": gone });
  const leg = new FakeLeg();
  expect(await runInline(leg, [{ [way]: "https://example.com/b" }, next], io)).toMatchObject({
    over: "stranded",
    reason: expect.stringContaining("status 503"),
  });
  expect(lines(leg)).toEqual([]);
});

test.each(
  ways.flatMap((way) => [
    { way, how: "an error status", answer: gone },
    { way, how: "no answer", answer: new Error("connection refused") },
  ]),
)(
  "where the switch says so, a document goes on after $way where its fetch brought $how",
  async ({ way, answer }) => {
    const { io } = web(
      { "https://example.com/b": answer },
      { switches: { failed_fetch_of_transfer: "next_step" } },
    );
    const leg = new FakeLeg();
    const inner = { switch: { variable: "none", case: {}, default: [{ [way]: "https://example.com/b" }] } };
    expect(await runInline(leg, [inner, next], io)).toEqual({ over: "document ended" });
    expect(lines(leg)).toEqual(["The next step."]);
  },
);

test.each(ways)("%s to what is no SWML strands the call whatever the switch says", async (way) => {
  const { io } = web(
    { "https://example.com/b": { status: 200, body: "{}" } },
    { switches: { failed_fetch_of_transfer: "next_step" } },
  );
  expect(await runInline(new FakeLeg(), [{ [way]: "https://example.com/b" }, next], io)).toMatchObject({
    over: "stranded",
  });
});

test.each(ways)(
  "where the switch says so, a failed fetch by %s is made twice more, 1 s apart",
  async (way) => {
    const switches = { failed_fetch_of_transfer: "retried" } as const;
    const leg = new FakeLeg();
    const back_ms = 2000;
    const late = web(
      { "https://example.com/b": () => (leg.now() < back_ms ? gone : [{ play: { url: "say:There." } }]) },
      { switches },
    );
    expect(await runInline(leg, [{ [way]: "https://example.com/b" }], late.io)).toEqual({
      over: "document ended",
    });
    expect(lines(leg)).toEqual(["There."]);
    const never = web({ "https://example.com/b": gone }, { switches });
    const lost = new FakeLeg();
    expect(await runInline(lost, [{ [way]: "https://example.com/b" }], never.io)).toMatchObject({
      over: "stranded",
    });
    expect([never.posts.length, lost.now()]).toEqual([3, 2000]);
  },
);

test("a call's first fetch is made once whatever the switch says", async () => {
  const { io, posts } = web(
    { "https://example.com/a": gone },
    { switches: { failed_fetch_of_transfer: "retried" } },
  );
  expect(await runUrl(new FakeLeg(), "https://example.com/a", io)).toMatchObject({ over: "stranded" });
  expect(posts).toHaveLength(1);
});

test.each([
  ["all_fetches", ["Sorry."]],
  ["first_fetch", []],
] as const)(
  "the fallback is asked after a later fetch that fails by the switch: %s",
  async (reading, said) => {
    const options = {
      fallback_url: "https://example.com/fallback",
      switches: { fallback_covers: reading },
    };
    const pages = {
      "https://example.com/a": [{ transfer: "https://example.com/b" }],
      "https://example.com/fallback": [{ play: { url: "say:Sorry." } }],
    };
    const later = new FakeLeg();
    await runUrl(later, "https://example.com/a", web(pages, options).io);
    expect(lines(later)).toEqual(said);
    const first = new FakeLeg();
    await runUrl(first, "https://example.com/none", web(pages, options).io);
    expect(lines(first)).toEqual(["Sorry."]);
  },
);
