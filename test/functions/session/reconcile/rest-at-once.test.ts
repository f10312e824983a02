import { beforeAll, expect, test } from "vitest";
import { openFixture, warmUp } from "../../fixture.ts";
import { call, openContext } from "../calls/context-fixture.ts";

beforeAll(warmUp);

const CALLS = 9;
const SLOW_MS = 300;
/** So slow that a list comes in time all the same. */
const LATE_MS = 100;
const rules = [{ id: "alone", match: {}, place: { room: "{from|digits}" } }];

test("after a gap REST gets no more than three requests of a session at once, slow as it is, and every call is asked about", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 } });
  const calls = await Promise.all(
    Array.from({ length: CALLS }, async (_, index) => {
      const caller = { from: `+1555010020${index}`, to: "+15550100100", url: home.webhook_url };
      const { call_id } = await home.carrier.placeCall(caller);
      await home.carrier.wait({
        call: { call_id, in_conference: `${home.tenant}:1555010020${index}` },
        timeout_ms: 15_000,
      });
      return call_id;
    }),
  );
  await home.carrier.change({ faults: [{ at: "rest", do: { kind: "delay", ms: SLOW_MS } }] });
  await home.carrier.sockets("disconnect");
  const asked = async () => await home.carrier.journal({ kind: "rest" });
  const isAbout = (path: unknown) => calls.some((call_id) => String(path).includes(`/Calls/${call_id}.json`));
  await expect
    .poll(async () => (await asked()).filter(({ path }) => isAbout(path)).length, { timeout: 15_000 })
    .toBe(CALLS);
  expect(soonest(await asked())).toBeGreaterThanOrEqual(SLOW_MS - 5);
});

test("calls by a context whose joins nobody answered ask REST no more than three at once, and get into their rooms", async () => {
  await using home = await openContext(rules, {
    carrier: {
      faults: [
        { at: "command", match: { method: "calling.join_conference" }, do: { kind: "ignore" } },
        { at: "rest", match: { method: "GET" }, do: { kind: "delay", ms: LATE_MS } },
      ],
    },
  });
  const from = Array.from({ length: CALLS }, (_, index) => `+1555010030${index}`);
  const calls = await Promise.all(from.map((number) => call(home, number)));
  for (const [index, call_id] of calls.entries())
    await home.carrier.wait({
      call: { call_id, in_conference: `${home.tenant}:1555010030${index}` },
      timeout_ms: 20_000,
    });
  const asked = await home.carrier.journal({ kind: "rest" });
  const lists = asked.filter(({ path }) => String(path).includes("/Conferences.json"));
  expect(lists.length).toBeGreaterThanOrEqual(CALLS);
  expect(soonest(asked.filter(({ method }) => method === "GET"))).toBeGreaterThanOrEqual(LATE_MS - 5);
});

/** How soon after one another a request and the third after it came, ms: with at most three at once as late as they are slow. */
function soonest(asked: readonly { at: number }[]): number {
  const at = asked.map((entry) => entry.at).sort((a, b) => a - b);
  return Math.min(...at.slice(3).map((later, index) => later - (at[index] ?? 0)));
}
