import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, type MockInstance, test, vi } from "vitest";
import { type Fixture, warmUp } from "../../fixture.ts";
import { openContext, plain, session, subscribed } from "../calls/context-fixture.ts";

beforeAll(warmUp);
afterEach(() => vi.restoreAllMocks());

function keyOf(home: Fixture): string {
  return `project/${home.carrier.project_id}`;
}

/** The object is gone, and its alarm brings it back. */
async function lose(home: Fixture): Promise<void> {
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  await runDurableObjectAlarm(session(home));
}

/** KV does not answer for records of projects. */
function failKv(how: () => Promise<string | null>): void {
  const get = env.DIRECTORY.get.bind(env.DIRECTORY) as (key: string) => Promise<string | null>;
  const failing = (key: string) => (key.startsWith("project/") ? how() : get(key));
  // Objects have the binding's own object; what they call is its prototype's.
  vi.spyOn(Object.getPrototypeOf(env.DIRECTORY), "get").mockImplementation(failing as never);
}

function said(spy: MockInstance): string {
  return spy.mock.calls.flat().join("\n");
}

describe("a session that is lost while the project's record can't be read", () => {
  test("takes its contexts' calls again by the last good record, and says so: KV fails", async () => {
    await using home = await openContext([plain]);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    failKv(() => Promise.reject(new Error("KV GET failed: 503")));
    await lose(home);
    await expect.poll(() => subscribed(home), { timeout: 8_000 }).toEqual(["main"]);
    expect(said(error)).toMatch(/"event":"session.record_kept".*KV GET failed/);
  });

  test("the same where KV hangs", async () => {
    await using home = await openContext([plain]);
    vi.spyOn(console, "error").mockImplementation(() => {});
    failKv(() => new Promise(() => {}));
    await lose(home);
    await expect.poll(() => subscribed(home), { timeout: 8_000 }).toEqual(["main"]);
  });

  test("the same where the record is no JSON", async () => {
    await using home = await openContext([plain]);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    await env.DIRECTORY.put(keyOf(home), "{");
    await lose(home);
    await expect.poll(() => subscribed(home), { timeout: 8_000 }).toEqual(["main"]);
    expect(said(error)).toMatch(/"event":"session.record_kept".*is not JSON/);
  });

  test("keeps no secret of it that is not sealed", async () => {
    await using home = await openContext([plain]);
    await runInDurableObject(session(home), (_, { storage }) => {
      const facts = JSON.stringify(storage.sql.exec("SELECT name, value FROM facts").toArray());
      expect(facts).toContain("credentials");
      expect(facts).not.toContain(home.carrier.token);
      expect(facts).not.toContain(home.carrier.signing_key);
    });
  });
});

describe("a record that was deleted", () => {
  test("is gone: the session lets go of RELAY, and does not come back by what it kept", async () => {
    await using home = await openContext([plain]);
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    await env.DIRECTORY.delete(keyOf(home));
    await lose(home);
    await runDurableObjectAlarm(session(home));
    expect(await session(home).status()).toMatchObject({ state: "idle", contexts: [] });
    expect(said(error)).toMatch(/"event":"session.record_gone"/);
    // What was kept is gone with it: an outage of KV after that brings nothing back.
    failKv(() => Promise.reject(new Error("KV GET failed: 503")));
    await lose(home);
    expect(await session(home).status()).toMatchObject({ state: "idle", contexts: [] });
  });
});
