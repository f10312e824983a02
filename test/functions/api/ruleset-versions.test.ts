import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ComparedCall, Comparison, Version } from "../../../shared/api/ruleset.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { answerHmac } from "../../../shared/secret-answer.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { call, key } from "../pin-caller.ts";
import { askApi } from "./ask.ts";

beforeAll(warmUp);

const support = { id: "support", match: { to: "+15550100100" }, place: { room: "support" } };
const stored = (tenant: string) => env.DIRECTORY.get(`ruleset/${tenant}`);
const tagOf = async (text: string) => `"${await hashRuleset(text)}"`;

function put(tenant: string, text: string, by?: string): Promise<Response> {
  const headers = { "if-match": "*", ...(by === undefined ? {} : { "x-partyline-by": by }) };
  return askApi(`/tenants/${tenant}/ruleset`, { method: "PUT", body: text, headers });
}

async function versionsOf(tenant: string): Promise<Version[]> {
  const response = await askApi(`/tenants/${tenant}/ruleset/versions`);
  expect(response.status).toBe(200);
  return (await response.json<{ versions: Version[] }>()).versions;
}

async function refusal(response: Response): Promise<[status: number, code: string]> {
  const { error } = await response.json<{ error: { code: string } }>();
  return [response.status, error.code];
}

describe("versions of a tenant's ruleset", () => {
  const texts = [10, 20].map((capacity) =>
    JSON.stringify({
      lists: { pins: [{ hmac: "a".repeat(64) }] },
      rules: [{ ...support, place: { room: "support", capacity } }],
    }),
  ) as [string, string];

  it("are kept with who wrote them, can be read without their secrets, and restored with them", async () => {
    await using fixture = await openFixture({ rules: [support] });
    const { tenant } = fixture;
    const [first, second] = await Promise.all(texts.map(hashRuleset));
    const unseen = await hashRuleset(JSON.stringify({ rules: [support] }));
    const never = { first_seen_at: null, last_served_at: null, pushed_at: null, pushed_by: null };
    expect(await versionsOf(tenant)).toEqual([{ hash: unseen, standing: true, kept: false, ...never }]);

    await put(tenant, texts[0], "ops@laptop");
    await put(tenant, texts[1], "\u00fcmlaut");
    const iso = expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
    const times = { first_seen_at: iso, last_served_at: iso, pushed_at: iso };
    const kept = await versionsOf(tenant);
    expect(kept.toSorted((a, b) => Number(a.standing) - Number(b.standing))).toEqual([
      { hash: first, standing: false, kept: true, ...times, pushed_by: "ops@laptop" },
      { hash: second, standing: true, kept: true, ...times, pushed_by: null },
    ]);

    const path = `/tenants/${tenant}/ruleset/versions/${first}`;
    const shown = await askApi(path);
    expect(shown.headers.get("etag")).toBe(`"${first}"`);
    expect(await shown.json()).toEqual({ ...JSON.parse(texts[0]), lists: { pins: [{ hmac: "***" }] } });

    const restore = (headers: Record<string, string>) =>
      askApi(`${path}/restore`, { method: "POST", headers });
    expect(await refusal(await restore({}))).toEqual([428, "no_precondition"]);
    expect(await refusal(await restore({ "if-match": `"${first}"` }))).toEqual([412, "version_differs"]);
    expect(await stored(tenant)).toBe(texts[1]);
    const restored = await restore({ "if-match": `"${second}"`, "x-partyline-by": "night@shift" });
    expect([restored.status, await restored.json()]).toMatchObject([200, { hash: first }]);
    expect(await stored(tenant)).toBe(texts[0]);
    expect(await versionsOf(tenant)).toContainEqual(
      expect.objectContaining({ hash: first, standing: true, pushed_by: "night@shift" }),
    );
  });

  it("are known too where calls were served by them and the API did not write them", async () => {
    await using fixture = await openFixture({ rules: [support] });
    const hash = await hashRuleset(JSON.stringify({ rules: [support] }));
    await placed(fixture, "+15550100001");
    await expect
      .poll(() => versionsOf(fixture.tenant))
      .toMatchObject([{ hash, standing: true, kept: true, pushed_at: null, pushed_by: null }]);
  });

  it("are refused where they are not kept, and where there is no such tenant", async () => {
    await using fixture = await openFixture({ rules: [support] });
    const path = (tenant: string) => `/tenants/${tenant}/ruleset/versions/${"0".repeat(64)}`;
    const restore = { method: "POST", headers: { "if-match": "*" } };
    expect(await refusal(await askApi(path(fixture.tenant)))).toEqual([404, "unknown_version"]);
    expect(await refusal(await askApi(`${path(fixture.tenant)}/restore`, restore))).toEqual([
      404,
      "unknown_version",
    ]);
    expect(await refusal(await askApi(path("nobody")))).toEqual([404, "unknown_tenant"]);
    expect(await refusal(await askApi(`${path("nobody")}/restore`, restore))).toEqual([
      404,
      "unknown_tenant",
    ]);
  });
});

describe("a draft, compared on the last calls", () => {
  async function compare(tenant: string, rules: unknown, query = ""): Promise<Response> {
    const body = typeof rules === "string" ? rules : JSON.stringify({ rules });
    return await askApi(`/tenants/${tenant}/ruleset/diff${query}`, { method: "POST", body });
  }

  async function elsewhere(
    tenant: string,
    rules: unknown,
  ): Promise<Record<string, ComparedCall["elsewhere"]>> {
    const { calls } = await (await compare(tenant, rules)).json<Comparison>();
    return Object.fromEntries(calls.map((one) => [one.from, one.elsewhere]));
  }

  it("says which would land elsewhere, and why", async () => {
    const vip = { id: "vip", match: { from: "+15550100001" }, place: { room: "vip" } };
    const rules = [vip, support];
    await using fixture = await openFixture({ rules });
    const { tenant } = fixture;
    for (const from of ["+15550100001", "+15550100002"]) await placed(fixture, from);
    await expect.poll(async () => Object.keys(await elsewhere(tenant, rules)).length).toBe(2);
    const [vips, others] = ["+15550100001", "+15550100002"] as const;
    const at = { step: expect.any(Number) };
    const inVip = { action: "place", rule: "vip", rooms: ["vip"] };
    const inSupport = { action: "place", rule: "support", rooms: ["support"] };
    const matched = 'Rule support matches: to: "+15550100100" is "+15550100100".';

    const cases: [what: string, draft: unknown[], wanted: Record<string, unknown>][] = [
      ["nothing, where nothing differs", rules, { [vips]: null, [others]: null }],
      [
        "nothing, where another rule does the same",
        [{ ...vip, id: "important" }, support],
        { [vips]: null, [others]: null },
      ],
      [
        "a rule that is gone",
        [support],
        {
          [vips]: {
            ...at,
            now: inVip,
            draft: inSupport,
            changed: ["rooms"],
            why: ["The draft has no rule vip.", matched],
          },
          [others]: null,
        },
      ],
      [
        "a rule that stands behind another now",
        [support, vip],
        {
          [vips]: { changed: ["rooms"], why: ["Rule vip comes after rule support in the draft.", matched] },
          [others]: null,
        },
      ],
      [
        "a rule that matches no longer",
        [{ ...vip, match: { from: "+15550100009" } }, support],
        {
          [vips]: {
            changed: ["rooms"],
            why: ['Rule vip no longer decides: from: "+15550100001" is not "+15550100009".', matched],
          },
          [others]: null,
        },
      ],
      [
        "a rule that matches every call, and a group that leads on",
        [{ ...vip, place: undefined, rules: [{ id: "in", match: {}, place: { room: "in" } }] }, support],
        {
          [vips]: {
            draft: { rule: "in" },
            why: ["Rule vip leads to rule in now.", "Rule in matches every call."],
          },
          [others]: null,
        },
      ],
      [
        "a rule that does something else, and one that no call meets any more",
        [{ ...vip, place: { room: "vip", capacity: 3, join: { muted: true } } }],
        {
          [vips]: { now: inVip, draft: { ...inVip, capacity: 3 }, why: [] },
          [others]: {
            now: inSupport,
            draft: { action: "reject", rule: null },
            why: ["The draft has no rule support.", "No rule of the draft matches."],
          },
        },
      ],
    ];
    for (const [what, draft, wanted] of cases)
      expect([what, await elsewhere(tenant, draft)]).toMatchObject([what, wanted]);
    const changed = (
      await elsewhere(tenant, [{ ...vip, place: { room: "vip", capacity: 3, join: { muted: true } } }])
    )[vips]?.changed;
    expect(changed).toEqual(expect.arrayContaining(["capacity", "join.muted"]));
    expect(await stored(tenant)).toBe(JSON.stringify({ rules }));
  });

  it("decides secret answers again by what they matched, and shows neither HMAC nor token", async () => {
    await using fixture = await openFixture({ rules: [] });
    const { tenant } = fixture;
    const right = await answerHmac(env.CREDENTIALS_KEY ?? "", tenant, "4711");
    const bridge = (place: object) => ({
      id: "bridge",
      match: {},
      ask: { pin: { say: "PIN?", digits: "4", secret: true } },
      rules: [{ id: "in", match: { "answer.pin": { hmac: right } }, place }],
    });
    await fixture.putRuleset({ rules: [bridge({ room: "board" })] });
    const { asked } = await call(fixture, { from: "+15550100001", to: "+15550100100" });
    await key(fixture, asked, "4711");
    const token = "stream-token-4711";
    const stream = { url: "wss://audio.example.com/", authorization_bearer_token: token };
    const draft = bridge({ room: "garden", join: { stream } });
    let said = "";
    await expect
      .poll(async () => {
        said = await (await compare(tenant, [draft])).text();
        return (JSON.parse(said) as Comparison).calls[0]?.elsewhere;
      })
      .toMatchObject({ now: { rooms: ["board"] }, draft: { rooms: ["garden"] } });
    for (const secret of [right, token]) expect(said).not.toContain(secret);
  });

  it("refuses a draft with errors by path, keeps what *** stands for, and knows its queries", async () => {
    await using fixture = await openFixture({ rules: [support] });
    const { tenant } = fixture;
    const bad = await compare(tenant, [{ id: "a" }]);
    expect([bad.status, await bad.json()]).toMatchObject([
      422,
      {
        error: { code: "bad_ruleset", message: expect.stringContaining("nothing was compared") },
        errors: expect.arrayContaining([expect.objectContaining({ path: "rules[0].match" })]),
      },
    ]);
    const masked = JSON.stringify({ lists: { pins: [{ hmac: "***" }] }, rules: [support] });
    expect((await compare(tenant, masked)).status).toBe(422);
    await fixture.putRuleset({ lists: { pins: [{ hmac: "a".repeat(64) }] }, rules: [support] });
    expect(await (await compare(tenant, masked)).json()).toEqual({
      ruleset: (await tagOf((await stored(tenant)) ?? "")).slice(1, -1),
      calls: [],
      next: null,
    });
    expect(await refusal(await compare(tenant, [support], "?after=x"))).toEqual([400, "bad_request"]);
    expect(await refusal(await compare("nobody", [support]))).toEqual([404, "unknown_tenant"]);
  });
});

async function placed(fixture: Fixture, from: string): Promise<void> {
  const { call_id } = await fixture.carrier.placeCall({ from, to: "+15550100100", url: fixture.webhook_url });
  await fixture.carrier.wait({
    journal: { kind: "document", contains: { call_id, step: "answer" } },
    timeout_ms: 10_000,
  });
}
