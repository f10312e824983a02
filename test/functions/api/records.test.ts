import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { openFixture } from "../fixture.ts";
import { askApi, askDoctor, carrier_host, origin, said, seal } from "./ask.ts";

const rules = [{ id: "all", match: {}, place: { room: "lobby" } }];
const any = { "if-match": "*" };

function put(path: string, record: unknown, headers: Record<string, string>): Promise<Response> {
  const body = typeof record === "string" ? record : JSON.stringify(record);
  return askApi(`${path}/record`, { method: "PUT", body, headers });
}

async function refusal(response: Response): Promise<[status: number, code: string]> {
  const { error } = await response.json<{ error: { code: string } }>();
  return [response.status, error.code];
}

interface Refused {
  errors: { path: string; message: string }[];
}

async function errorsOf(response: Response): Promise<string[]> {
  const { errors } = await response.json<Refused>();
  expect(response.status).toBe(422);
  return errors.map(({ path, message }) => `${path}: ${message}`);
}

describe("a tenant's record", () => {
  it("is read with the hash of its text as the tag, and written over that version", async () => {
    await using fixture = await openFixture({ rules });
    const { tenant, carrier } = fixture;
    const path = `/tenants/${tenant}`;
    const read = await askApi(`${path}/record`);
    const text = JSON.stringify({ project_id: carrier.project_id });
    const tag = `"${await hashRuleset(text)}"`;
    expect([read.headers.get("etag"), await read.json()]).toEqual([tag, { project_id: carrier.project_id }]);
    const changed = { project_id: carrier.project_id, join_via: "document" };
    expect(await refusal(await put(path, changed, {}))).toEqual([428, "no_precondition"]);
    expect(await refusal(await put(path, changed, { "if-none-match": "*" }))).toEqual([
      412,
      "version_differs",
    ]);
    const written = await put(path, changed, { "if-match": tag });
    const hash = await hashRuleset(JSON.stringify(changed));
    expect(await written.json()).toEqual({ hash, warnings: [] });
    expect(await refusal(await put(path, changed, { "if-match": tag }))).toEqual([412, "version_differs"]);
    expect(await env.DIRECTORY.get(`tenant/${tenant}`)).toBe(JSON.stringify(changed));
  });

  it("is refused with what is wrong with it, and without a project", async () => {
    await using fixture = await openFixture({ rules });
    const { tenant, carrier } = fixture;
    const path = `/tenants/${tenant}`;
    const before = await env.DIRECTORY.get(`tenant/${tenant}`);
    expect(
      await errorsOf(await put(path, { project_id: carrier.project_id, joinvia: "relay" }, any)),
    ).toEqual([expect.stringMatching(/^joinvia: unknown key; /)]);
    expect(await errorsOf(await put(path, { project_id: "nowhere" }, any))).toEqual([
      "project_id: there is no project nowhere: put its record first, with npx partyline project put",
    ]);
    expect(await refusal(await put(path, "project_id: x", any))).toEqual([400, "bad_request"]);
    expect(await refusal(await put("/tenants/No_Body", {}, any))).toEqual([400, "bad_id"]);
    expect(await refusal(await askApi("/tenants/nobody/record"))).toEqual([404, "no_record"]);
    expect(await env.DIRECTORY.get(`tenant/${tenant}`)).toBe(before);
  });

  it("keeps the secrets of its fallback, which are read as ***", async () => {
    await using fixture = await openFixture({ rules });
    const stream = { url: "wss://audio.example.com/", authorization_bearer_token: "stream-token" };
    const record = {
      project_id: fixture.carrier.project_id,
      fallback: { place: { room: "x", join: { stream } } },
    };
    await fixture.putTenant(record);
    const path = `/tenants/${fixture.tenant}`;
    const shown = await (await askApi(`${path}/record`)).text();
    expect(shown).not.toContain("stream-token");
    expect((await put(path, { ...JSON.parse(shown), join_via: "document" }, any)).status).toBe(200);
    const stored = (await env.DIRECTORY.get(`tenant/${fixture.tenant}`)) ?? "";
    expect(JSON.parse(stored)).toEqual({ ...record, join_via: "document" });
  });
});

describe("a project's record", () => {
  it("shows no secret, not even one under a key that is none, and keeps those whose *** is put back", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    const path = `/projects/${project_id}`;
    const [old, next] = [await seal(project_id, "old"), await seal(project_id, "next")];
    const record = { space: `http://${carrier_host}`, credentials: old, signing_keys: [old] };
    const key = `project/${project_id}`;
    await env.DIRECTORY.put(key, JSON.stringify({ ...record, token: "PT-made-up" }));
    const shown = { space: record.space, credentials: "***", signing_keys: ["***"] };
    expect(await (await askApi(`${path}/record`)).json()).toEqual({ ...shown, token: "***" });

    const stored = async () => JSON.parse((await env.DIRECTORY.get(key)) ?? "");
    expect((await put(path, shown, any)).status).toBe(200);
    expect(await stored()).toEqual(record);
    // A key that is rotated.
    expect((await put(path, { ...shown, signing_keys: [next, "***"] }, any)).status).toBe(200);
    expect(await stored()).toEqual({ ...record, signing_keys: [next, old] });
    expect(await errorsOf(await put(path, shown, any))).toEqual([
      expect.stringMatching(/^signing_keys\[0\]: .* which of them it was can't be told/),
    ]);
    expect((await put(path, { ...shown, signing_keys: [next] }, any)).status).toBe(200);
    expect(await stored()).toEqual({ ...record, signing_keys: [next] });
  });

  it("is refused where its secrets do not open, and warns of contexts whose tenants are not there", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    const path = `/projects/${project_id}`;
    const before = await env.DIRECTORY.get(`project/${project_id}`);
    const good = await seal(project_id, "token");
    const record = { space: "example", credentials: good, signing_keys: [good] };
    const elsewhere = await seal("another-project", "token");
    expect(await errorsOf(await put(path, { ...record, signing_keys: [good, elsewhere] }, any))).toEqual([
      expect.stringMatching(/^signing_keys\[1\]: a sealed secret does not open/),
    ]);
    expect(await errorsOf(await put(path, { ...record, credentials: "PT-made-up" }, any))).toEqual([
      expect.stringMatching(/^credentials: not a sealed secret/),
    ]);
    expect(
      await errorsOf(
        await put("/projects/made-up", { ...record, credentials: "***" }, { "if-none-match": "*" }),
      ),
    ).toEqual([
      expect.stringMatching(
        /^credentials: "\*\*\*" keeps the secret that the stored record has here, and it has none/,
      ),
    ]);
    expect(await env.DIRECTORY.get(`project/${project_id}`)).toBe(before);
    const contexts = { main: fixture.tenant, other: "not-yet" };
    const written = await put(path, { ...JSON.parse(before ?? ""), contexts }, any);
    expect(await written.json()).toMatchObject({
      warnings: [
        {
          path: "contexts.other",
          message: "there is no tenant not-yet yet: its calls are not taken until then",
        },
      ],
    });
  });
});

describe("records", () => {
  it("are listed in pages, with what tells them apart", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    await env.DIRECTORY.put("tenant/a-bad-one", "project_id: x");
    const found: unknown[] = [];
    let next: string | null = "";
    while (next !== null) {
      const after: string = next === "" ? "" : `&after=${encodeURIComponent(next)}`;
      const page: { tenants: unknown[]; next: string | null } = await (
        await askApi(`/tenants?limit=1${after}`)
      ).json();
      expect(page.tenants.length).toBeLessThan(2);
      found.push(...page.tenants);
      next = page.next;
    }
    expect(found).toContainEqual({ tenant: "a-bad-one", project_id: null });
    expect(found).toContainEqual({ tenant: fixture.tenant, project_id });
    const projects: unknown = await (await askApi("/projects")).json();
    expect(projects).toMatchObject({
      projects: expect.arrayContaining([{ project: project_id, space: `http://${carrier_host}` }]),
    });
    await env.DIRECTORY.delete("tenant/a-bad-one");
  });

  it("want the token", async () => {
    for (const path of ["/tenants", "/projects", "/tenants/acme/record", "/projects/p/record"])
      expect((await askApi(path, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
  });

  it("that are YAML in KV are named by the doctor, with the command that helps", async () => {
    await using fixture = await openFixture({ rules });
    const { tenant, carrier } = fixture;
    const { project_id } = carrier;
    const keys = [`tenant/${tenant}`, `project/${project_id}`, `ruleset/${tenant}`] as const;
    const command = [
      `npx partyline tenant put ${tenant} tenant.yaml --url ${origin} --force`,
      `npx partyline project put ${project_id} project.yaml --url ${origin} --force`,
      `npx partyline push rules.yaml --url ${origin} --tenant ${tenant} --force`,
    ];
    for (const [index, key] of keys.entries()) {
      const before = (await env.DIRECTORY.get(key)) ?? "";
      await env.DIRECTORY.put(key, "# ours\nproject_id: p\nrules:\n  - id: a\n");
      const reply = await askDoctor(tenant, fixture.webhook_url);
      const check = (["tenant", "project", "ruleset"] as const)[index] ?? "tenant";
      expect(said(reply, check)).toContain(
        `✗ ${key} in KV is YAML, and KV holds JSON. → Write it again from the YAML file, which this command turns into JSON: ${command[index]}`,
      );
      if (check !== "ruleset") {
        const path = check === "tenant" ? `/tenants/${tenant}` : `/projects/${project_id}`;
        expect(await refusal(await askApi(`${path}/record`))).toEqual([409, "record_unreadable"]);
        expect((await put(path, before, any)).status).toBe(200);
      }
      await env.DIRECTORY.put(key, before);
    }
  });
});
