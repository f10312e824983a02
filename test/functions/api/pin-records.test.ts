import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { KEY_CHECK } from "../../../shared/api/pins.ts";
import { pinId } from "../../../shared/pin-id.ts";
import { answerHmac } from "../../../shared/secret-answer.ts";
import { openFixture } from "../fixture.ts";
import { call, key } from "../pin-caller.ts";
import { askApi } from "./ask.ts";

const rules = [
  {
    id: "bridge",
    match: {},
    ask: { pin: { say: "PIN?", digits: "4", secret: true, wrong: "Wrong." } },
    rules: [{ id: "in", match: { "answer.pin": { pins: true } }, reject: { say: "Right." } }],
  },
];

const credentials_key = env.CREDENTIALS_KEY ?? "";

function put(tenant: string, body: unknown): Promise<Response> {
  return askApi(`/tenants/${tenant}/pins/records`, { method: "PUT", body: JSON.stringify(body) });
}

async function refusal(response: Response): Promise<[status: number, code: string]> {
  const { error } = await response.json<{ error: { code: string } }>();
  return [response.status, error.code];
}

test("a PIN that is added is taken, is listed in pages without its digits, and is not taken once it is revoked", async () => {
  await using fixture = await openFixture({ rules });
  const { tenant } = fixture;
  const check = await answerHmac(credentials_key, tenant, KEY_CHECK);
  const [hmac, other] = [
    await answerHmac(credentials_key, tenant, "4711"),
    await answerHmac(credentials_key, tenant, "0815"),
  ];
  const pins = [{ hmac, room: "board", role: "chair", note: "Ada" }, { hmac: other }];
  expect(await (await put(tenant, { check, pins })).json()).toEqual({ written: 2 });
  const hears = async (from: string) => {
    const { asked } = await call(fixture, { from, to: "+15550100100" });
    return (await key(fixture, asked, "4711")).document;
  };
  expect(await hears("+15550100001")).toContain("Right.");

  const path = `/tenants/${tenant}/pins/records`;
  await env.DIRECTORY.put(`pins/${tenant}/${"0".repeat(64)}`, "{");
  const listed: unknown[] = [];
  let query: string | null = "?limit=2";
  while (query !== null) {
    const page: { pins: unknown[]; next: string | null } = await (await askApi(`${path}${query}`)).json();
    listed.push(...page.pins);
    query = page.next === null ? null : `?limit=2&after=${encodeURIComponent(page.next)}`;
  }
  expect(listed).toHaveLength(3);
  const shown = [
    { id: await pinId(hmac), room: "board", role: "chair", note: "Ada" },
    { id: await pinId(other) },
    { id: await pinId("0".repeat(64)), bad: true },
  ];
  expect(listed).toEqual(expect.arrayContaining(shown));

  const revoke = async () => await askApi(`${path}/${await pinId(hmac)}`, { method: "DELETE" });
  expect((await revoke()).status).toBe(204);
  expect(await refusal(await revoke())).toEqual([404, "unknown_pin"]);
  expect(await env.DIRECTORY.get(`pins/${tenant}/${hmac}`)).toBeNull();
});

test("PINs made with another CREDENTIALS_KEY, bad records and unknown tenants are refused, and nothing is written", async () => {
  await using fixture = await openFixture({ rules });
  const { tenant } = fixture;
  const check = await answerHmac(credentials_key, tenant, KEY_CHECK);
  const hmac = "1".repeat(64);
  const wrong = await answerHmac(btoa("x".repeat(32)), tenant, KEY_CHECK);
  expect(await refusal(await put(tenant, { check: wrong, pins: [{ hmac }] }))).toEqual([409, "other_key"]);
  const bad = await put(tenant, { check, pins: [{ hmac }, { hmac, rooom: "x" }, { hmac: "4711" }] });
  expect([bad.status, await bad.json()]).toMatchObject([
    422,
    {
      error: { message: expect.stringMatching(/pins\[1\]\.rooom: .*pins\[2\]\.hmac: must be 64 hex digits/) },
    },
  ]);
  expect(await refusal(await put(tenant, { check, pins: [] }))).toEqual([422, "bad_request"]);
  expect(await refusal(await put("nobody", { check, pins: [{ hmac }] }))).toEqual([404, "unknown_tenant"]);
  expect((await env.DIRECTORY.list({ prefix: `pins/${tenant}/` })).keys).toEqual([]);
});
