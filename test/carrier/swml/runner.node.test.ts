import { expect, test } from "vitest";
import { FakeLeg } from "./fake-leg.ts";
import { type Answer, branch, heard, main, runInline, runUrl, web } from "./fake-web.ts";
import { runDocument } from "./runner.ts";

test("a document is fetched with the call, its variables and its params, and the call ends when main runs out", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web({ "https://example.com/a": [{ answer: {} }] }, { params: { x: 1 } });
  expect(await runUrl(leg, "https://example.com/a", io)).toEqual({ over: "document ended" });
  const call = {
    call_id: "call-1",
    from: "+15550100001",
    to: "+15550100100",
    call_state: "ringing",
    headers: [],
  };
  expect(posts).toEqual([{ url: "https://example.com/a", call, vars: {}, params: { x: 1 } }]);
  expect(leg.hang_ups).toEqual(["hangup"]);
});

test.each<[string, Answer]>([
  ["an error status", { status: 503, body: "" }],
  ["no JSON", { status: 200, body: "<Response/>" }],
  ["no SWML", { status: 200, body: '{"version":"1.0.0","sections":{"main":[{"dance":{}}]}}' }],
  ["no answer in time", new Error("no answer within 5000 ms")],
])("where the fetch brings %s, the fallback gets the same POST once", async (_, answer) => {
  const leg = new FakeLeg();
  const { io, posts } = web(
    { "https://example.com/a": answer, "https://example.com/fallback": [{ play: { url: "say:Sorry." } }] },
    { fallback_url: "https://example.com/fallback", params: { x: 1 } },
  );
  expect(await runUrl(leg, "https://example.com/a", io)).toEqual({ over: "document ended" });
  expect(posts.map(({ url }) => url)).toEqual(["https://example.com/a", "https://example.com/fallback"]);
  expect(posts[1]).toEqual({ ...posts[0], url: "https://example.com/fallback" });
  expect(heard(leg)[0]?.[1]).toBe("Sorry.");
});

test("without a fallback, or with one that fails too, the call is stranded and left to the carrier to end", async () => {
  const leg = new FakeLeg();
  const { io, posts } = web(
    { "https://example.com/fallback": { status: 500, body: "" } },
    { fallback_url: "https://example.com/fallback" },
  );
  expect(await runUrl(leg, "https://example.com/a", io)).toEqual({
    over: "stranded",
    reason: "https://example.com/a: status 404; fallback: https://example.com/fallback: status 500",
  });
  expect(posts).toHaveLength(2);
  expect(leg.hang_ups).toEqual([]);
  expect(await runUrl(new FakeLeg(), "https://example.com/a", web({}).io)).toMatchObject({
    over: "stranded",
  });
});

test("a document against the grammar is a violation that names the path", async () => {
  const leg = new FakeLeg();
  const ending = await runInline(leg, [{ play: { url: "say:Hi.", loud: true } }]);
  expect(ending.over).toBe("stranded");
  expect(leg.notes).toContainEqual(
    expect.objectContaining({
      kind: "violation",
      errors: [expect.objectContaining({ path: "sections.main.0.play.loud" })],
    }),
  );
});

test("a step that is wrong once expanded strands the call and is a violation", async () => {
  const leg = new FakeLeg();
  expect(
    await runInline(leg, [{ join_conference: { name: "a", region: `\${vars.nowhere}` } }]),
  ).toMatchObject({
    over: "stranded",
  });
  expect(leg.notes).toContainEqual(expect.objectContaining({ kind: "violation", step: "join_conference" }));
});

test("a caller's text in a document becomes code, and the journal shows it", async () => {
  const leg = new FakeLeg();
  leg.headers = [{ name: "X-Room", value: `\${process.env}` }];
  const careless = (body: { call?: unknown }) => {
    // The fake leg's own headers.
    const call = body.call as { headers: { value: string }[] };
    return [{ play: { url: `say:Room ${call.headers[0]?.value}` } }];
  };
  await runUrl(leg, "https://example.com/a", web({ "https://example.com/a": careless }).io);
  expect(leg.notes).toContainEqual(
    expect.objectContaining({ kind: "document", step: "play", expanded: `\${process.env}` }),
  );
});

test("steps inside a case are expanded when they run, not before", async () => {
  const leg = new FakeLeg();
  await runInline(leg, [
    {
      cond: [branch("true", [{ set: { n: 1 } }, { play: { url: `say:n is \${vars.n}` } }])],
    },
  ]);
  expect(heard(leg)[0]?.[1]).toBe("n is 1");
});

test("sleep -1 never ends by itself; the signal replaces the document at once and the call lives on", async () => {
  const leg = new FakeLeg();
  const replaced = new AbortController();
  const document = main({ answer: {} }, { sleep: -1 }, { hangup: {} });
  const running = runDocument(leg, { document }, web({}).io, replaced.signal);
  leg.clock.at(3_600_000, () => {
    replaced.abort();
    expect(leg.call_state).toBe("answered");
  });
  await leg.clock.run();
  expect(await running).toEqual({ over: "replaced" });
  // Four hours after its answer SignalWire ends a call for which nothing else was said.
  expect([leg.hang_ups, leg.clock.now()]).toEqual([["max_duration"], 14_400_000]);
});

test("on abort whatever is heard stops at once", async () => {
  const leg = new FakeLeg();
  const replaced = new AbortController();
  leg.clock.at(1000, () => replaced.abort());
  const document = main({ join_conference: { name: "acme:board" } });
  const running = runDocument(leg, { document }, web({}).io, replaced.signal);
  await leg.clock.run();
  expect(await running).toEqual({ over: "replaced" });
  expect(heard(leg)).toEqual([["conference", "acme:board", 0, 1000]]);
});

test("a caller who hangs up ends the document wherever it is", async () => {
  const leg = new FakeLeg();
  leg.clock.at(500, () => leg.hangUp("hangup"));
  expect(
    await runInline(leg, [{ play: { url: "say:A line that is longer than that." } }, { sleep: -1 }]),
  ).toEqual({
    over: "hung up",
  });
  expect(leg.hang_ups).toEqual(["hangup"]);
});
