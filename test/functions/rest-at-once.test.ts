import { beforeAll, expect, test } from "vitest";
import { openHouse, warmUp } from "./house.ts";

beforeAll(warmUp);

const CALLS = 9;
const SLOW_MS = 300;
const rules = [{ id: "alone", match: {}, place: { room: "{from|digits}" } }];

test("after a gap REST gets no more than three requests of a session at once, slow as it is, and every call is asked about", async () => {
  await using home = await openHouse({ rules, carrier: { speed: 10 } });
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
  const at = (await asked()).map((entry) => entry.at).sort((a, b) => a - b);
  // A fourth would come while three wait for their answers.
  const soonest = at.slice(3).map((later, index) => later - (at[index] ?? 0));
  expect(Math.min(...soonest)).toBeGreaterThanOrEqual(SLOW_MS - 5);
});
