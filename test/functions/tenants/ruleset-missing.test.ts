import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { RpcSession } from "../../../functions/session-client.ts";
import { readTenant } from "../../../functions/tenants/directory.ts";
import { handOver } from "../../../functions/tenants/last-good-ruleset.ts";
import type { Tenant } from "../../../functions/tenants/tenant.ts";
import { openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);
afterEach(() => vi.restoreAllMocks());

const rules = [{ id: "support", match: {}, place: { room: "support" } }];

async function read(tenant: string, previous: Tenant | null = null): Promise<Tenant> {
  const found = await readTenant(env, tenant, previous);
  if (!found) throw new Error("there is no such tenant");
  return found;
}

function errors(): () => string {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  return () => error.mock.calls.flat().join("\n");
}

describe("a ruleset that is in KV no more", () => {
  test("serves on in an isolate that had it, and the log says so once", async () => {
    await using home = await openFixture({ rules });
    const said = errors();
    const before = await read(home.tenant);
    await env.DIRECTORY.delete(`ruleset/${home.tenant}`);
    const after = await read(home.tenant, before);
    expect(after.rules?.hash).toBe(before.rules?.hash);
    const later = await read(home.tenant, after);
    expect(later.rules?.hash).toBe(before.rules?.hash);
    expect(said().match(/"event":"ruleset.missing"/g)).toHaveLength(1);
  });

  test("serves on from the tenant's session in an isolate that never had it", async () => {
    await using home = await openFixture({ rules });
    const said = errors();
    const before = await read(home.tenant);
    await handOver(new RpcSession(env, before.project), before);
    await env.DIRECTORY.delete(`ruleset/${home.tenant}`);
    expect((await read(home.tenant)).rules?.hash).toBe(before.rules?.hash);
    expect(said()).toMatch(/"event":"ruleset.missing"/);
  });

  test("and whose session can't be asked, is asked for again at the next refresh", async () => {
    await using home = await openFixture({ rules });
    errors();
    const before = await read(home.tenant);
    await handOver(new RpcSession(env, before.project), before);
    await env.DIRECTORY.delete(`ruleset/${home.tenant}`);
    const cut = new Proxy(env, {
      get: (all, name) => {
        if (name === "RELAY_SESSION") throw new Error("out of reach");
        return all[name as keyof Env];
      },
    });
    const blind = await readTenant(cut, home.tenant, null);
    expect(blind?.rules_text).toBeNull();
    expect((await read(home.tenant, blind)).rules?.hash).toBe(before.rules?.hash);
  });
});

test("a tenant that never had a ruleset is served by its fallback, and nothing is logged", async () => {
  await using home = await openFixture({ rules, tenant: { fallback: { reject: { say: "Nobody home." } } } });
  await env.DIRECTORY.delete(`ruleset/${home.tenant}`);
  const said = errors();
  const { rules: served } = await read(home.tenant);
  expect(served?.fallback).not.toBeNull();
  expect(served?.rules).toEqual([]);
  expect(said()).toBe("");
});
