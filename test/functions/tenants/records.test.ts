import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { RpcSession } from "../../../functions/session-client.ts";
import { readTenant } from "../../../functions/tenants/directory.ts";
import { handOverRecords } from "../../../functions/tenants/last-good-records.ts";
import { readProject } from "../../../functions/tenants/records.ts";
import type { Tenant } from "../../../functions/tenants/tenant.ts";
import { readRecord, recordProblems, tenantRecord } from "../../../shared/records.ts";
import { askApi, askDoctor, putProject, said, seal } from "../api/ask.ts";
import { signedCall } from "../edge.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);
afterEach(() => vi.restoreAllMocks());

const rules = [{ id: "no", match: {}, reject: { say: "Nobody home." } }];

/** The tenant as an isolate reads it that has nothing, or something, of it. */
async function read(fixture: Fixture, previous: Tenant | null = null): Promise<Tenant> {
  const found = await readTenant(env, fixture.tenant, previous);
  if (!found) throw new Error("there is no such tenant");
  return found;
}

/** The tenant's records are handed over to its session. */
async function handedOver(found: Tenant): Promise<void> {
  await handOverRecords({ env, session: new RpcSession(env, found.project) }, found);
}

function lines(level: "warn" | "error", event: string): () => Record<string, unknown>[] {
  const spy = vi.spyOn(console, level).mockImplementation(() => {});
  return () =>
    spy.mock.calls
      .map(([line]): Record<string, unknown> => JSON.parse(String(line)))
      .filter((line) => line["event"] === event);
}

describe("unknown keys of a record", () => {
  test.each([
    ["", { joinvia: "document" }, "joinvia"],
    ["pin_limits", { pin_limits: { tries: 3 } }, "pin_limits.tries"],
    ["dial", { dial: { allow: ["+1555*"], from: ["+15550100100"], max: 3 } }, "dial.max"],
    ["the fallback", { fallback: { reject: { say: "Bye." }, rejekt: {} } }, "fallback.rejekt"],
    [
      "the fallback's join",
      { fallback: { place: { room: "a", join: { mutd: true } } } },
      "fallback.place.join.mutd",
    ],
    [
      "what a wait says",
      { fallback: { place: { room: "a", wait: { for: "moderator", musik: "x" } } } },
      "fallback.place.wait.musik",
    ],
  ])("in %s are an error where it is written, and left out where it serves", (_, more, path) => {
    const text = JSON.stringify({ project_id: "p", ...more });
    expect(recordProblems("tenant", text)).toMatchObject([
      { path, message: expect.stringMatching(/^unknown key/) },
    ]);
    expect(readRecord(tenantRecord, text)).toMatchObject({ ok: true, unknown: [{ path }] });
  });

  test("are left out, and the log says so once", async () => {
    await using fixture = await openFixture({
      rules,
      tenant: { joinvia: "document", join_via: "document", pin_limits: { tries: 3 } },
    });
    await putProject(fixture, { stay_up: true });
    const told = lines("warn", "record.unknown_key");
    const found = await read(fixture);
    expect(found.record.join_via).toBe("document");
    await read(fixture);
    const [tenant, project] = [`tenant/${fixture.tenant}`, `project/${fixture.carrier.project_id}`];
    expect(told().map(({ record, path, meant }) => [record, path, meant])).toEqual([
      [tenant, "pin_limits.tries", undefined],
      [tenant, "joinvia", "join_via"],
      [project, "stay_up", undefined],
    ]);
  });

  test("are wrong by the doctor's word, with the key that was meant", async () => {
    await using fixture = await openFixture({ rules, tenant: { joinvia: "document" } });
    await putProject(fixture, { session: { keep_day: 3 } });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(reply.ok).toBe(false);
    expect(said(reply, "tenant")).toEqual([
      expect.stringMatching(/^✓/),
      expect.stringMatching(
        /^✗ tenant\/.* in KV, joinvia: unknown key; .* → Did you mean "join_via"\? Fix the record/,
      ),
    ]);
    expect(said(reply, "project")).toEqual([
      expect.stringMatching(/^✓/),
      expect.stringMatching(
        /^✗ project\/.* in KV, session\.keep_day: unknown key; .* → Did you mean "keep_days"\? /,
      ),
    ]);
  });
});

test("the API says what is wrong with a record that is to be written", async () => {
  const check = async (kind: string, body: string) => {
    const answer = await askApi(`/check/${kind}`, { method: "POST", body });
    return [answer.status, await answer.json()];
  };
  expect(await check("tenant", '{ "project_id": "p-1", "join_via": "document" }')).toEqual([
    200,
    { ok: true },
  ]);
  expect(await check("tenant", '{ "project_id": "p-1", "joinvia": "document" }')).toEqual([
    422,
    {
      error: { code: "bad_record", message: "The record has an error." },
      errors: [{ path: "joinvia", message: expect.stringMatching(/^unknown key/), suggestion: "join_via" }],
    },
  ]);
  const project =
    '{ "space": "example", "credentials": "v1.x", "signing_keys": [], "session": { "keepdays": 3 } }';
  expect(await check("project", project)).toMatchObject([
    422,
    { errors: [{ path: "signing_keys" }, { path: "session.keepdays", suggestion: "keep_days" }] },
  ]);
  expect(await check("tenant", "{")).toMatchObject([400, { error: { code: "bad_request" } }]);
  expect(await check("ruleset", "{}")).toMatchObject([404, {}]);
});

describe("a record that has gone bad", () => {
  const ofTenant = { join_via: "document", url_fragment: "rt=8000" };
  const tenantTexts: [what: string, text: (project_id: string) => string][] = [
    [
      "a tenant's with a value that can't be",
      (project_id) => JSON.stringify({ project_id, join_via: "pigeon" }),
    ],
    ["a tenant's that is not JSON", (project_id) => `{ "project_id": "${project_id}", }`],
    [
      "a tenant's with a bad fallback",
      (project_id) => JSON.stringify({ project_id, fallback: { place: {} } }),
    ],
  ];

  test.each(tenantTexts)("%s leaves the last good one serving", async (_, text) => {
    await using fixture = await openFixture({ rules, tenant: ofTenant });
    const before = await read(fixture);
    await handedOver(before);
    await env.DIRECTORY.put(`tenant/${fixture.tenant}`, text(fixture.carrier.project_id));
    const told = lines("error", "record.bad");
    // In an isolate that had it, and in one that has nothing.
    const after = await read(fixture, before);
    expect(after.record).toEqual(before.record);
    expect((await read(fixture, after)).record).toEqual(before.record);
    expect(told()).toHaveLength(1);
    expect((await read(fixture)).record).toEqual(before.record);
    const call = await signedCall(fixture, "swml");
    expect(await (await exports.default.fetch(call)).text()).toContain("Nobody home.");
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "tenant")[0]).toBe(
      `✗ tenant/${fixture.tenant} in KV is bad: the last good version serves.`,
    );
    expect(said(reply, "tenant")[1]).toMatch(/^✗ tenant\/\S+ in KV/);
    await fixture.putTenant({});
    expect((await read(fixture, after)).record.join_via).toBe("relay");
  });

  const without = (project_id: string) => JSON.stringify({ ...ofTenant, project_id, join_via: "pigeon" });
  test.each<[what: string, text: (project_id: string) => string]>([
    ...Object.keys(tenantRecord.shape).map((key): [string, (project_id: string) => string] => [
      `a value of ${key} that can't be`,
      (project_id) => JSON.stringify({ project_id, ...ofTenant, [key]: -1 }),
    ]),
    ["a project_id that no project has", () => JSON.stringify({ ...ofTenant, project_id: "mistyped" })],
    ["a project_id of blanks and more that is bad", () => without("not one")],
    ["no project_id", () => JSON.stringify(ofTenant)],
    ["nothing in it", () => ""],
  ])(
    "a tenant's with %s leaves the last good one serving in an isolate that has nothing",
    async (_, text) => {
      await using fixture = await openFixture({ rules, tenant: ofTenant });
      const before = await read(fixture);
      await handedOver(before);
      await env.DIRECTORY.put(`tenant/${fixture.tenant}`, text(fixture.carrier.project_id));
      const told = lines("error", "record.bad");
      const fresh = await read(fixture);
      expect([fresh.record, fresh.project]).toEqual([before.record, before.project]);
      expect(told()).toMatchObject([{ record: `tenant/${fixture.tenant}` }]);
      const call = await signedCall(fixture, "swml");
      expect(await (await exports.default.fetch(call)).text()).toContain("Nobody home.");
      const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
      expect(said(reply, "tenant")[0]).toMatch(/^✗ /);
    },
  );

  test("a tenant's of which the Worker noted nothing is found by the project that it names", async () => {
    await using fixture = await openFixture({ rules, tenant: ofTenant });
    const before = await read(fixture);
    await handedOver(before);
    await env.DIRECTORY.delete(`served/${fixture.tenant}`);
    await env.DIRECTORY.put(`tenant/${fixture.tenant}`, without(fixture.carrier.project_id));
    expect((await read(fixture)).record).toEqual(before.record);
    await env.DIRECTORY.put(`tenant/${fixture.tenant}`, JSON.stringify(ofTenant));
    await expect(read(fixture)).rejects.toThrow("in KV is not as it should be: project_id: ");
  });

  test("a tenant's whose project was deleted is gone with it", async () => {
    await using fixture = await openFixture({ rules, tenant: ofTenant });
    await handedOver(await read(fixture));
    await env.DIRECTORY.delete(`project/${fixture.carrier.project_id}`);
    await expect(read(fixture)).rejects.toThrow("there is no record project/");
    await env.DIRECTORY.put(`tenant/${fixture.tenant}`, JSON.stringify({ project_id: "mistyped" }));
    await expect(read(fixture)).rejects.toThrow("there is no record project/");
  });

  test("where it is kept is written to KV once for all isolates, and again when the project is another", async () => {
    await using fixture = await openFixture({ rules, tenant: ofTenant });
    await using other = await openFixture({ rules });
    const found = await read(fixture);
    const put = vi.spyOn(env.DIRECTORY, "put");
    for (let isolate = 0; isolate < 2; isolate += 1) await handedOver(found);
    expect(put.mock.calls).toEqual([
      [`served/${fixture.tenant}`, JSON.stringify({ project_id: fixture.carrier.project_id })],
    ]);
    await fixture.putTenant({ project_id: other.carrier.project_id });
    await handedOver(await read(fixture));
    expect(await env.DIRECTORY.get(`served/${fixture.tenant}`, "json")).toEqual({
      project_id: other.carrier.project_id,
    });
  });

  const projectTexts: [what: string, put: (fixture: Fixture) => Promise<void>, words: RegExp][] = [
    [
      "a value that can't be",
      (fixture) => putProject(fixture, { signing_keys: [] }),
      /signing_keys: must not be empty/,
    ],
    [
      "a secret that does not open",
      async (fixture) =>
        await putProject(fixture, {
          credentials: await seal(fixture.carrier.project_id, "x", btoa("another key of thirty-two bytes.")),
        }),
      /a sealed secret does not open/,
    ],
    [
      "text that is not JSON",
      (fixture) => env.DIRECTORY.put(`project/${fixture.carrier.project_id}`, '{ "space": '),
      /is not JSON/,
    ],
  ];

  test.each(projectTexts)("a project's with %s leaves the last good one serving", async (_, put, words) => {
    await using fixture = await openFixture({ rules });
    const before = await read(fixture);
    await handedOver(before);
    await put(fixture);
    const after = await read(fixture, before);
    expect(after.project).toBe(before.project);
    expect((await read(fixture, after)).project).toBe(before.project);
    const fresh = await read(fixture);
    expect(fresh.project).toEqual(before.project);
    expect((await readProject(env, fixture.carrier.project_id)).version).toBe(before.project.version);
    const call = await signedCall(fixture, "cxml");
    expect(await (await exports.default.fetch(call)).text()).toContain("Nobody home.");
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "project")[0]).toMatch(/^✗ project\/.* in KV is bad: the last good version serves\./);
    expect(said(reply, "project")[1]).toMatch(words);
  });

  test("an isolate's first call is what has the session keep them", async () => {
    await using fixture = await openFixture({ rules, tenant: ofTenant });
    await (await exports.default.fetch(await signedCall(fixture, "swml"))).text();
    await vi.waitFor(async () => {
      const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(fixture.carrier.project_id));
      const { tenant, project } = await session.tenants().lastGood(fixture.tenant);
      expect([tenant, project]).toEqual([
        expect.stringContaining("rt=8000"),
        expect.stringContaining("credentials"),
      ]);
    });
  });

  test("that never was good is told of as before, and keeps no other tenant's", async () => {
    await using fixture = await openFixture({ rules, tenant: { join_via: "pigeon" } });
    await expect(read(fixture)).rejects.toThrow("in KV is not as it should be: join_via: ");
  });
});
