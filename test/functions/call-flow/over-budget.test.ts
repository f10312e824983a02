import { env, exports } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { readTenant } from "../../../functions/tenants/directory.ts";
import { signJson } from "../../../shared/signature.ts";
import { askApi, askDoctor } from "../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { caller, openContext } from "../session/calls/context-fixture.ts";

const [when, too] = ["params.l.exists(x, x in params.m)", "params.l.exists(y, y in params.m)"];
const rules = [
  { id: "barred", match: { headers: { "X-Site": "lab-*" } }, reject: { reason: "busy" } },
  { id: "named", match: { params: { site: "lab-*" } }, reject: { reason: "busy" } },
  { id: "listed", match: { when }, reject: { reason: "busy" } },
  { id: "listed-too", match: { when: too }, reject: { reason: "busy" } },
  { id: "any", match: {}, place: { room: "any" } },
];
const tenant = { fallback: { place: { room: "desk" } } };

beforeAll(warmUp);

/** The lines of the log that tell of an event while something is done. */
async function logged<Result>(event: string, work: () => Promise<Result>): Promise<[Result, unknown[]]> {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const result = await work();
  const lines = warn.mock.calls.map(([line]) => JSON.parse(String(line)) as { event: string });
  warn.mockRestore();
  return [result, lines.filter((line) => line.event === event)];
}

// The simulator sends no SIP headers by cXML.
test.each([
  ["swml", "barred", "headers.x-site"],
  ["relay", "barred", "headers.x-site"],
  ["cxml", "named", "params.site"],
] as const)(
  "a call by %s with a text that is larger than rules may read gets the tenant's fallback, and the log says why",
  async (via, rule, what) => {
    await using home = await openContext(rules, { tenant });
    const text = "x".repeat(4_097);
    const cxml = `${home.webhook_url.replace(/swml$/, "cxml")}?site=${text}`;
    const [, lines] = await logged("decide.over_budget", async () => {
      const placed = await home.carrier.placeCallVia(
        via,
        { swml: home.webhook_url, cxml, relay: "main" },
        {
          ...caller,
          from: "sip:amy@desks.example.com",
          type: "sip",
          headers: [{ name: "X-Site", value: text }],
        },
      );
      const in_desk = { call_id: placed.call_id, in_conference: `${home.tenant}:desk` };
      await home.carrier.wait({ call: in_desk, timeout_ms: 15_000 });
    });
    const { tenant: id } = home;
    expect(lines[0]).toEqual({
      level: "warn",
      event: "decide.over_budget",
      tenant: id,
      call: expect.any(String),
      rule,
      what,
    });
  },
);

/** A webhook as SignalWire signs it, with these parameters. */
async function ask(home: Fixture, params: object): Promise<Response> {
  const { from, to } = caller;
  const call = { call_id: crypto.randomUUID(), node_id: "node-1", from, to, headers: [] };
  const body = JSON.stringify({ call, vars: {}, params });
  const signature = await signJson(
    "SHA-256",
    home.carrier.signing_key,
    home.webhook_url,
    new TextEncoder().encode(body),
  );
  return await exports.default.fetch(home.webhook_url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-signalwire-sha256-signature": signature },
    body,
  });
}

test("rules that can take too long serve where they are in KV, and leave to the fallback what would", async () => {
  await using home = await openFixture({ rules, tenant: { ...tenant, join_via: "document" } });
  const list = (name: string, length: number) => Array.from({ length }, (_, index) => `${name}${index}`);
  const [found, loads] = await logged("ruleset.over_budget", () => readTenant(env, home.tenant, null));
  expect(found?.rules?.rules).toHaveLength(5);
  expect(loads).toEqual([
    {
      level: "warn",
      event: "ruleset.over_budget",
      tenant: home.tenant,
      project: home.carrier.project_id,
      steps: expect.any(Number),
    },
  ]);
  for (const [length, room, over] of [
    [3, "any", []],
    [1_000, "desk", [{ rule: "listed-too", what: "steps" }]],
    [15_000, "desk", [{ rule: "listed", what: "params.l" }]],
  ] as const) {
    const [response, lines] = await logged("decide.over_budget", () =>
      ask(home, { l: list("l", length), m: list("m", length) }),
    );
    expect(await response.text()).toContain(`"${home.tenant}:${room}"`);
    expect(lines).toEqual(over.map((why) => expect.objectContaining({ tenant: home.tenant, ...why })));
  }
});

test("rules that can take too long are not written, and the doctor names them where they serve", async () => {
  await using home = await openFixture({ rules });
  const path = "rules[2].match.when";
  const written = await askApi(`/tenants/${home.tenant}/ruleset`, {
    method: "PUT",
    headers: { "if-match": "*" },
    body: JSON.stringify({ rules }),
  });
  expect(written.status).toBe(422);
  expect(await written.json()).toMatchObject({
    errors: [{ path, message: expect.stringMatching(/^can make a decision take [\d,]+ steps/) }],
  });
  const { findings } = await askDoctor(home.tenant, home.webhook_url);
  const found = findings.filter(({ check }) => check === "ruleset");
  expect(found).toMatchObject([
    { ok: true, message: "The ruleset is good: 5 rules." },
    { ok: false, message: expect.stringContaining(`${path}: can make a decision take`) },
  ]);
});
