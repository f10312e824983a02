import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readTenant } from "../../../functions/tenants/directory.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { openFixture } from "../fixture.ts";
import { askApi, origin, putProject } from "./ask.ts";

const rules = [{ id: "all", match: { to: "+1555*" }, place: { room: "lobby" } }];
const token = "stream-token-4711";
const hmac = "a".repeat(64);
const secretive = {
  lists: { pins: [{ hmac }] },
  defaults: {
    join: { stream: { url: "wss://audio.example.com/?room=1", authorization_bearer_token: token } },
  },
  rules: [
    {
      id: "bridge",
      match: { to: "+15550100199" },
      ask: { pin: { say: "PIN?", digits: "4", secret: true } },
      rules: [{ id: "in", match: { "answer.pin": { list: "pins" } }, place: { room: "board" } }],
    },
  ],
};

const get = (tenant: string) => askApi(`/tenants/${tenant}/ruleset`);

function put(tenant: string, ruleset: unknown, headers: Record<string, string>): Promise<Response> {
  const body = typeof ruleset === "string" ? ruleset : JSON.stringify(ruleset);
  return askApi(`/tenants/${tenant}/ruleset`, { method: "PUT", body, headers });
}

const stored = (tenant: string) => env.DIRECTORY.get(`ruleset/${tenant}`);

async function refusal(response: Response): Promise<[status: number, code: string]> {
  const { error } = await response.json<{ error: { code: string } }>();
  return [response.status, error.code];
}

describe("reading a tenant's ruleset", () => {
  it("answers it with the hash of its text as the tag, and every secret as ***", async () => {
    await using fixture = await openFixture({ rules });
    const text = JSON.stringify(secretive, null, 4);
    await fixture.putRuleset(text);
    const response = await get(fixture.tenant);
    expect(response.status).toBe(200);
    expect(response.headers.get("etag")).toBe(`"${await hashRuleset(text)}"`);
    const said = await response.text();
    expect(said).not.toContain(token);
    expect(said).not.toContain(hmac);
    expect(JSON.parse(said)).toEqual({
      ...secretive,
      lists: { pins: [{ hmac: "***" }] },
      defaults: {
        join: { stream: { url: "wss://audio.example.com/?room=1", authorization_bearer_token: "***" } },
      },
    });
  });

  it("shows nothing of a text in which secrets can't be told, not even of a key that is there twice", async () => {
    await using fixture = await openFixture({ rules });
    for (const text of [`{ "token": "${token}" `, `${"[".repeat(50)}"${token}"${"]".repeat(50)}`]) {
      await fixture.putRuleset(text);
      const response = await get(fixture.tenant);
      expect(response.headers.get("etag")).toBe(`"${await hashRuleset(text)}"`);
      const said = await response.text();
      expect(JSON.parse(said)).toMatchObject({ error: { code: "ruleset_unreadable" } });
      expect(response.status).toBe(409);
      expect(said).not.toContain(token);
    }
    await fixture.putRuleset(`{ "x": { "authorization_bearer_token": "${token}" }, "x": 1 }`);
    expect(await (await get(fixture.tenant)).text()).toBe('{"x":1}');
  });

  it("tells a tenant without rules from one that is not there, and from one that can't be read", async () => {
    await using fixture = await openFixture({ rules });
    await env.DIRECTORY.delete(`ruleset/${fixture.tenant}`);
    expect(await refusal(await get(fixture.tenant))).toEqual([404, "no_ruleset"]);
    expect(await refusal(await get("nobody"))).toEqual([404, "unknown_tenant"]);
    expect(await refusal(await get("No_Body"))).toEqual([404, "unknown_tenant"]);
    await env.DIRECTORY.put(`tenant/${fixture.tenant}`, "{");
    expect(await refusal(await get(fixture.tenant))).toEqual([503, "tenant_unreadable"]);
  });

  it("wants the token, as writing does", async () => {
    await using fixture = await openFixture({ rules });
    const before = await stored(fixture.tenant);
    const headers = { authorization: "Bearer wrong", "if-match": "*" };
    expect((await askApi(`/tenants/${fixture.tenant}/ruleset`, { headers })).status).toBe(401);
    expect((await put(fixture.tenant, { rules: [] }, headers)).status).toBe(401);
    expect(await stored(fixture.tenant)).toBe(before);
  });
});

describe("writing a tenant's ruleset", () => {
  it("puts the text into KV as it was sent, answers its hash, and the tenant has these rules", async () => {
    await using fixture = await openFixture({ rules });
    const tag = (await get(fixture.tenant)).headers.get("etag") ?? "";
    const text = JSON.stringify({ rules: [{ ...rules[0], id: "other" }] }, null, 3);
    const response = await put(fixture.tenant, text, { "if-match": tag });
    const hash = await hashRuleset(text);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ hash, warnings: [] });
    expect(response.headers.get("etag")).toBe(`"${hash}"`);
    expect(await stored(fixture.tenant)).toBe(text);
    expect((await readTenant(env, fixture.tenant, null))?.rules?.hash).toBe(hash);
  });

  it("writes over the version that is named alone, in a list of versions and with a weakened tag too", async () => {
    await using fixture = await openFixture({ rules });
    const standing = await hashRuleset(JSON.stringify({ rules }));
    const [next, other] = ["one", "two"].map((id) => JSON.stringify({ rules: [{ ...rules[0], id }] }));
    const late = await put(fixture.tenant, next, { "if-match": `"${"0".repeat(64)}"` });
    expect(late.headers.get("etag")).toBe(`"${standing}"`);
    expect(await refusal(late)).toEqual([412, "version_differs"]);
    expect(await stored(fixture.tenant)).toBe(JSON.stringify({ rules }));
    const listed = `"${"0".repeat(64)}", W/"${standing}"`;
    expect((await put(fixture.tenant, next, { "if-match": listed })).status).toBe(200);
    expect(await refusal(await put(fixture.tenant, other, { "if-match": `"${standing}"` }))).toEqual([
      412,
      "version_differs",
    ]);
    expect((await put(fixture.tenant, other, { "if-match": "*" })).status).toBe(200);
    expect(await stored(fixture.tenant)).toBe(other);
  });

  it("takes a first ruleset with If-None-Match: *, and with nothing else", async () => {
    await using fixture = await openFixture({ rules });
    const first = { "if-none-match": "*" };
    expect(await refusal(await put(fixture.tenant, { rules }, first))).toEqual([412, "version_differs"]);
    await env.DIRECTORY.delete(`ruleset/${fixture.tenant}`);
    expect(await refusal(await put(fixture.tenant, { rules }, { "if-match": "*" }))).toEqual([
      412,
      "version_differs",
    ]);
    expect((await put(fixture.tenant, { rules }, first)).status).toBe(200);
    expect(await stored(fixture.tenant)).toBe(JSON.stringify({ rules }));
  });

  it("wants to be told which version, in a form that it knows", async () => {
    await using fixture = await openFixture({ rules });
    const before = await stored(fixture.tenant);
    expect(await refusal(await put(fixture.tenant, { rules: [] }, {}))).toEqual([428, "no_precondition"]);
    const odd = [
      { "if-match": "0".repeat(64) },
      { "if-match": '"abc"' },
      { "if-none-match": '"abc"' },
      { "if-match": "*", "if-none-match": "*" },
    ];
    for (const headers of odd) {
      expect(await refusal(await put(fixture.tenant, { rules: [] }, headers))).toEqual([
        400,
        "bad_precondition",
      ]);
    }
    expect(await stored(fixture.tenant)).toBe(before);
  });

  it("refuses a ruleset with errors by path, with what was meant, and writes nothing", async () => {
    await using fixture = await openFixture({ rules });
    const before = await stored(fixture.tenant);
    const typo = { rules: [{ id: "a", match: {}, plaze: { room: "a" } }] };
    const response = await put(fixture.tenant, typo, { "if-match": "*" });
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      error: { code: "bad_ruleset", message: expect.stringContaining("nothing was written") },
      errors: expect.arrayContaining([
        {
          path: "rules[0].plaze",
          message: expect.stringMatching(/^unknown key; allowed here: /),
          suggestion: "place",
        },
      ]),
      warnings: [],
    });
    for (const text of ["", "{", "null", "[".repeat(10_000), '{"rules":[],"__proto__":1}']) {
      expect((await put(fixture.tenant, text, { "if-match": "*" })).status).toBe(422);
    }
    expect(await stored(fixture.tenant)).toBe(before);
  });

  it("checks with the tenant's own prefix, and without one where its names are plain", async () => {
    await using fixture = await openFixture({ rules });
    const long = { rules: [{ ...rules[0], place: { room: "r".repeat(64) } }] };
    const prefixed = await put(fixture.tenant, long, { "if-match": "*" });
    expect(await prefixed.json()).toMatchObject({ errors: [{ path: "rules[0].place.room" }] });
    await putProject(fixture, { plain_names_for: fixture.tenant });
    expect((await put(fixture.tenant, long, { "if-match": "*" })).status).toBe(200);
  });

  it("warns of a list in KV that cannot serve, and writes the rules that name it all the same", async () => {
    await using fixture = await openFixture({ rules });
    const kv = `vips-${crypto.randomUUID()}`;
    const named = { lists: { vips: { kv } }, rules: [{ ...rules[0], match: { from: { list: "vips" } } }] };
    const warnings = async () => {
      const response = await put(fixture.tenant, named, { "if-match": "*" });
      return (await response.json<{ warnings: object[] }>()).warnings;
    };
    expect(await warnings()).toEqual([
      { path: "lists.vips.kv", message: `list/${kv} in KV is no list that can serve: KV has no such key` },
    ]);
    await env.DIRECTORY.put(`list/${kv}`, '["+15550100001"]');
    expect(await warnings()).toEqual([]);
  });

  it("answers warnings of what it has written", async () => {
    await using fixture = await openFixture({ rules });
    const unused = { lists: { vips: ["+15550100001"] }, rules };
    const response = await put(fixture.tenant, unused, { "if-match": "*" });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ warnings: [{ path: "lists.vips" }] });
  });

  it("keeps each secret whose *** is put back, and refuses one that stands for none", async () => {
    await using fixture = await openFixture({ rules });
    await fixture.putRuleset(secretive);
    const shown = await (await get(fixture.tenant)).json<typeof secretive>();
    const changed = { ...shown, timezone: "UTC" };
    const response = await put(fixture.tenant, changed, { "if-match": "*" });
    const text = (await stored(fixture.tenant)) ?? "";
    expect(JSON.parse(text)).toEqual({ ...secretive, timezone: "UTC" });
    expect(await response.json()).toEqual({ hash: await hashRuleset(text), warnings: [] });

    const more = { ...shown, lists: { pins: [...shown.lists.pins, { hmac: "***" }] } };
    const refused = await put(fixture.tenant, more, { "if-match": "*" });
    expect(refused.status).toBe(422);
    const said = await refused.text();
    expect(JSON.parse(said)).toMatchObject({
      errors: [{ path: "lists.pins[1].hmac", message: expect.stringContaining("write the secret itself") }],
    });
    expect(said).not.toContain(hmac);
    expect(await stored(fixture.tenant)).toBe(text);
  });

  it("reads 4 MiB and no more", async () => {
    await using fixture = await openFixture({ rules });
    const before = await stored(fixture.tenant);
    const text = JSON.stringify({ rules });
    const over = text + " ".repeat(4 * 1024 * 1024 - text.length + 1);
    expect(await refusal(await put(fixture.tenant, over, { "if-match": "*" }))).toEqual([413, "too_large"]);
    expect(await stored(fixture.tenant)).toBe(before);
    expect((await put(fixture.tenant, over.slice(0, -1), { "if-match": "*" })).status).toBe(200);
  });

  it("knows no tenant that is not there", async () => {
    expect(await refusal(await put("nobody", { rules }, { "if-none-match": "*" }))).toEqual([
      404,
      "unknown_tenant",
    ]);
    expect(await stored("nobody")).toBeNull();
  });
});

describe("the language's schema", () => {
  it("is there for editors, without a token, and may be kept", async () => {
    const response = await exports.default.fetch(`${origin}/schemas/ruleset.json`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/schema+json");
    expect(response.headers.get("cache-control")).toBe("public, max-age=3600");
    expect(await response.json()).toMatchObject({
      type: "object",
      properties: { rules: { type: "array" }, timezone: { type: "string" } },
      required: ["rules"],
    });
  });
});
