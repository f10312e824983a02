import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { examine } from "../../../../functions/api/doctor/examine.ts";
import { sessionOf } from "../../../../functions/session-client.ts";
import { readProject } from "../../../../functions/tenants/records.ts";
import type { DoctorReply } from "../../../../shared/api/doctor.ts";
import { type Fixture, openFixture } from "../../fixture.ts";
import { askDoctor, origin, putProject, said } from "../ask.ts";

const rules = [{ id: "all", match: { to: "+1555*" }, place: { room: "lobby" } }];

/** Cloudflare's jurisdictions, which workerd has not: the same name is another object in each. */
function cloudflare(): Env {
  const inside = (where: string): object => ({
    idFromName: (name: string) => env.RELAY_SESSION.idFromName(`${where}${name}`),
    get: (id: DurableObjectId) => env.RELAY_SESSION.get(id),
    jurisdiction: (other: string) => inside(`${other}/`),
  });
  // As much of a namespace as the Worker uses.
  return { ...env, RELAY_SESSION: inside("") as Env["RELAY_SESSION"] };
}

async function examined(fixture: Fixture, jurisdiction: string | undefined): Promise<DoctorReply> {
  await putProject(fixture, jurisdiction === undefined ? {} : { session: { jurisdiction } });
  return await examine(cloudflare(), fixture.tenant, fixture.webhook_url, origin);
}

async function sessionId(fixture: Fixture): Promise<string> {
  const project = await readProject(env, fixture.carrier.project_id);
  return String(sessionOf(cloudflare(), project).id);
}

describe("session.jurisdiction", () => {
  test("names the project's session in that jurisdiction", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    expect(await sessionId(fixture)).toBe(String(env.RELAY_SESSION.idFromName(project_id)));
    for (const jurisdiction of ["eu", "fedramp", "us"]) {
      await putProject(fixture, { session: { jurisdiction } });
      const own = env.RELAY_SESSION.idFromName(`${jurisdiction}/${project_id}`);
      expect(await sessionId(fixture)).toBe(String(own));
    }
  });

  test("is one of those that Cloudflare has", async () => {
    await using fixture = await openFixture({ rules });
    await putProject(fixture, { session: { jurisdiction: "mars" } });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "project")).toEqual([expect.stringContaining("session.jurisdiction: ")]);
  });
});

describe("the doctor, of a project's jurisdiction", () => {
  test("is content with the one that was first, however often it is asked", async () => {
    await using fixture = await openFixture({ rules });
    for (let n = 0; n < 2; n += 1) expect(await examined(fixture, "eu")).toMatchObject({ ok: true });
  });

  test.each([
    [undefined, "eu", "has session.jurisdiction eu, and .* without one: .* take session.jurisdiction out of"],
    ["eu", undefined, 'has no session.jurisdiction, and .* under eu: .* set session.jurisdiction to "eu" in'],
    [
      "us",
      "fedramp",
      'has session.jurisdiction fedramp, and .* under us: .* set session.jurisdiction to "us" in',
    ],
  ])("refuses to have it changed from %s to %s, and begins no session there", async (first, then, words) => {
    await using fixture = await openFixture({ rules });
    expect(await examined(fixture, first)).toMatchObject({ ok: true });
    const reply = await examined(fixture, then);
    expect(reply.ok).toBe(false);
    const [, jurisdiction] = said(reply, "project");
    expect(jurisdiction).toMatch(new RegExp(`^✗ The record ${words} project/${fixture.carrier.project_id}`));
    expect(said(reply, "relay")).toEqual([]);
    const project = await readProject(env, fixture.carrier.project_id);
    expect(await sessionOf(cloudflare(), project).usedSince()).toBeNull();
  });

  test("takes the first value back, also where calls came under the other meanwhile", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    await examined(fixture, "eu");
    await putProject(fixture, {});
    const project = await readProject(env, project_id);
    const first = env.RELAY_SESSION.getByName(`eu/${project_id}`);
    const since = await first.usedSince();
    await expect.poll(() => Date.now()).toBeGreaterThan(since ?? 0);
    await sessionOf(cloudflare(), project).reconnect(project_id, project.version);
    expect(await examined(fixture, undefined)).toMatchObject({ ok: false });
    expect(await examined(fixture, "eu")).toMatchObject({ ok: true });
  });

  test("knows a session that an older version began as the first", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id } = fixture.carrier;
    await runInDurableObject(env.RELAY_SESSION.getByName(project_id), (_, { storage }) => {
      storage.sql.exec("INSERT INTO facts (name, value) VALUES ('project_id', ?)", project_id);
    });
    expect(await examined(fixture, "eu")).toMatchObject({ ok: false });
    expect(await examined(fixture, undefined)).toMatchObject({ ok: true });
  });

  test("says so where a session does not answer", async () => {
    await using fixture = await openFixture({ rules });
    const broken = {
      ...cloudflare().RELAY_SESSION,
      jurisdiction: () => ({ idFromName: () => ({}), get: silent }),
    };
    const wrong = { ...env, RELAY_SESSION: broken as unknown as Env["RELAY_SESSION"] };
    const reply = await examine(wrong, fixture.tenant, fixture.webhook_url, origin);
    expect(said(reply, "project")[1]).toMatch(
      /^✗ Whether the project has a session in another .* overloaded/,
    );
  });
});

function silent(): object {
  return { usedSince: () => Promise.reject(new Error("overloaded")) };
}
