import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { askApi } from "./api/ask.ts";
import { atEdge, exhaustedLimiter, signedCall, watchedBody } from "./edge.ts";
import { openFixture, warmUp } from "./fixture.ts";

beforeAll(warmUp);

const warn = vi.spyOn(console, "warn");
beforeEach(() => void warn.mockReset().mockImplementation(() => {}));
afterEach(() => void warn.mockReset());

const rules = [{ id: "no", match: {}, reject: { say: "The rule says no." } }];
const from_address = { "cf-connecting-ip": "203.0.113.7" };

function unsigned(url: string, headers: Record<string, string> = from_address): Request {
  return new Request(url, { method: "POST", headers, body: "{}" });
}

function lines(event: string): number {
  return warn.mock.calls.filter(([line]) => String(line).includes(`"event":"${event}"`)).length;
}

describe("a call that verifies is never limited", () => {
  test.each(["swml", "cxml"] as const)(
    "by %s, however many come from one address, and while that address attacks the tenant",
    async (via) => {
      await using home = await openFixture({ rules });
      await using cold = await openFixture({ rules });
      const { REFUSALS, keys } = exhaustedLimiter();
      const attack = async () => {
        const wrong = { ...from_address, "x-signalwire-signature": "0".repeat(40) };
        for (const tenant of [home.tenant, "made-up"]) {
          const url = `https://partyline.test/hooks/${tenant}/${via}`;
          expect((await atEdge(unsigned(url), { REFUSALS })).status).toBe(429);
          expect((await atEdge(unsigned(url, wrong), { REFUSALS })).status).toBe(429);
        }
      };
      await attack();
      const counted = keys.length;
      for (let nth = 0; nth < 100; nth += 1) {
        const call = await signedCall(home, via, { headers: from_address });
        expect((await atEdge(call, { REFUSALS })).status).toBe(200);
      }
      expect(keys.length).toBe(counted);
      await attack();
      // Nothing is kept of this tenant: the isolate is as good as cold for it.
      const first = await atEdge(await signedCall(cold, via, { headers: from_address }), { REFUSALS });
      expect([first.status, await first.text()]).toEqual([200, expect.stringContaining("The rule says no.")]);
    },
  );
});

describe("what can't show whose it is", () => {
  test("is counted by address, of IPv6 by the /64, and past the limit costs no log line", async () => {
    await using home = await openFixture({ rules });
    const { REFUSALS, keys } = exhaustedLimiter();
    const addresses = [
      "203.0.113.7",
      "2001:db8:0:1::1",
      "2001:0db8:0000:0001:ffff::2",
      "2001:db8::1",
      "::ffff:203.0.113.7",
    ];
    for (const address of addresses) {
      await atEdge(unsigned(home.webhook_url, { "cf-connecting-ip": address }), { REFUSALS });
    }
    expect(keys).toEqual([
      "203.0.113.7",
      "2001:db8:0:1::/64",
      "2001:db8:0:1::/64",
      "2001:db8:0:0::/64",
      "::ffff:203.0.113.7",
    ]);
    expect(lines("webhook.refused")).toBe(0);
  });

  test("tells by its limit nothing of which tenants there are, whichever hook it asks", async () => {
    await using home = await openFixture({ rules });
    const { REFUSALS } = exhaustedLimiter();
    for (const path of ["swml", "cxml", "conference-status?token=x", "recording-status"]) {
      for (const tenant of [home.tenant, "made-up", "NOT A TENANT"]) {
        const answer = await atEdge(unsigned(`https://partyline.test/hooks/${tenant}/${path}`), { REFUSALS });
        expect([answer.status, await answer.text()]).toEqual([429, "Too many requests"]);
      }
    }
  });

  test.each([
    ["fails", () => Promise.reject(new Error("out of order"))],
    [
      "throws",
      () => {
        throw new Error("out of order");
      },
    ],
    ["hangs", () => new Promise(() => {})],
    ["is not there", null],
  ])("is refused as ever where the limiter %s", async (_, limit) => {
    await using home = await openFixture({ rules });
    const REFUSALS = limit && { limit };
    expect((await atEdge(unsigned(home.webhook_url), { REFUSALS })).status).toBe(403);
    expect(
      (await atEdge(await signedCall(home, "swml", { headers: from_address }), { REFUSALS })).status,
    ).toBe(200);
    expect(lines("webhook.refused")).toBe(1);
  });

  test.each(["swml", "cxml"])(
    "is refused by %s before its body is read, where it brings no signature at all",
    async (via) => {
      await using home = await openFixture({ rules });
      for (const tenant of [home.tenant, "made-up"]) {
        const { body, pulls } = watchedBody();
        const url = `https://partyline.test/hooks/${tenant}/${via}`;
        expect((await atEdge(new Request(url, { method: "POST", body }))).status).toBe(403);
        expect(pulls()).toBe(0);
      }
    },
  );

  test("is served while report_until runs, and not diagnosed past the limit", async () => {
    await using home = await openFixture({ rules, tenant: { report_until: Date.now() + 3_600_000 } });
    const { REFUSALS, keys } = exhaustedLimiter();
    expect((await atEdge(unsigned(home.webhook_url), { REFUSALS })).status).toBe(200);
    expect(keys).toHaveLength(1);
    expect(lines("webhook.would_refuse")).toBe(0);
  });

  test("is limited by Cloudflare's own limiter as wrangler.toml sets it up", async () => {
    expect(env.REFUSALS).toBeDefined();
    const statuses = new Set<number>();
    for (let nth = 0; nth < 130 && !statuses.has(429); nth += 1) {
      const asked = unsigned("https://partyline.test/hooks/made-up/swml", {
        "cf-connecting-ip": "203.0.113.99",
      });
      statuses.add((await atEdge(asked)).status);
    }
    expect([...statuses]).toEqual([403, 429]);
  });
});

test("wrong admin tokens are limited by address, and the right one never is", async () => {
  const ask = (token: string) =>
    exports.default.fetch("https://partyline.test/api/tenants/nobody/calls", {
      headers: { authorization: `Bearer ${token}`, "cf-connecting-ip": "203.0.113.98" },
    });
  const statuses = new Set<number>();
  for (let nth = 0; nth < 130 && !statuses.has(429); nth += 1)
    statuses.add((await ask(`wrong-${nth}`)).status);
  expect([...statuses]).toEqual([401, 429]);
  expect((await ask(env.ADMIN_TOKEN ?? "")).status).toBe(404);
  expect((await askApi("/tenants/nobody/calls")).status).toBe(404);
});
