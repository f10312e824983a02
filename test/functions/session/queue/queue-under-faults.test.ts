import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { openFixture, warmUp } from "../../fixture.ts";
import { callFrom, inWaitingRoom, lineOf, lose, room, session } from "../../waiting-room-fixture.ts";

beforeAll(warmUp);

describe("ten callers before two seats", () => {
  test("are served in order, nobody twice and nobody forgotten, whatever is lost, refused, dropped or aborted", async () => {
    await using home = await openFixture({
      rules: [room(2)],
      tenant: { join_via: "document" },
      carrier: {
        speed: 8,
        seed: 7,
        faults: [
          { at: "callback", probability: 0.2, do: { kind: "lose" } },
          { at: "command", match: { method: "calling.transfer" }, times: 2, do: { kind: "refuse" } },
          { at: "rest", times: 2, do: { kind: "refuse" } },
          { at: "command", match: { method: "calling.transfer" }, times: 2, do: { kind: "swallow" } },
        ],
      },
    });
    const calls: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      const call_id = await callFrom(home, `+15550100${200 + n}`);
      calls.push(call_id);
      if (n < 2) await inWaitingRoom(home, call_id);
      else await expect.poll(() => lineOf(home), { timeout: 10_000 }).toContain(call_id);
    }
    await runDurableObjectAlarm(session(home));
    const served: string[] = [];
    const seen = new Set(calls.slice(0, 2));
    for (let round = 0; served.length < 10; round += 1) {
      if (round === 3) await lose(home);
      if (round === 6) await home.carrier.sockets("drop");
      const [oldest] = (await home.carrier.conferences()).flatMap(({ participants }) => participants);
      if (oldest) await home.carrier.hangUp(oldest.call_id);
      await expect
        .poll(
          async () => {
            const there = (await home.carrier.conferences()).flatMap(({ participants }) =>
              participants.map(({ call_id }) => call_id),
            );
            expect(there.length).toBeLessThanOrEqual(2);
            const fresh = there.filter((call_id) => !seen.has(call_id));
            for (const call_id of fresh) {
              seen.add(call_id);
              served.push(call_id);
            }
            return fresh.length;
          },
          { timeout: 20_000, interval: 50 },
        )
        .toBeGreaterThan(0);
    }
    expect(served).toEqual(calls.slice(2));
    for (const call_id of calls) {
      const call = await home.carrier.call(call_id);
      expect(call).toMatchObject({ stranded: false, two_sounds: false });
      expect(new Set(call.joins.map(({ conference }) => conference)).size).toBe(1);
    }
  }, 90_000);
});
