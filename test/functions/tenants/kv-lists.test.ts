import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { readTenant } from "../../../functions/tenants/directory.ts";
import type { Tenant } from "../../../functions/tenants/tenant.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { callWith } from "../../shared/rules/sample.ts";
import { openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);
afterEach(() => vi.restoreAllMocks());

const rules = [
  { id: "vip", match: { from: { list: "vips" } }, place: { room: "vip" } },
  { id: "other", match: {}, place: { room: "other" } },
];

async function read(tenant: string, previous: Tenant | null = null): Promise<Tenant> {
  const found = await readTenant(env, tenant, previous);
  if (!found) throw new Error("there is no such tenant");
  return found;
}

function ruleFor({ rules: compiled }: Tenant, from: string): string | null {
  if (!compiled) throw new Error("there are no rules");
  return decide(compiled, callWith({ from }), 1_700_000_000_000, {}).rule;
}

test("a list in KV is read with the rules and anew with each refresh; a bad one, or none, leaves the last good one, said once", async () => {
  const kv = `vips-${crypto.randomUUID()}`;
  const put = (text: string) => env.DIRECTORY.put(`list/${kv}`, text);
  await put('["+15550100001"]');
  await using home = await openFixture({ rules });
  await home.putRuleset({ lists: { vips: { kv } }, rules });
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const first = await read(home.tenant);
  expect([ruleFor(first, "+15550100001"), ruleFor(first, "+15550100002")]).toEqual(["vip", "other"]);
  expect((await read(home.tenant, first)).rules).toBe(first.rules);
  await put('["+15550100002"]');
  const second = await read(home.tenant, first);
  expect([ruleFor(second, "+15550100001"), ruleFor(second, "+15550100002")]).toEqual(["other", "vip"]);
  expect(error).not.toHaveBeenCalled();
  await put("+15550100003");
  const third = await read(home.tenant, second);
  const fourth = await read(home.tenant, third);
  expect(ruleFor(fourth, "+15550100002")).toBe("vip");
  const said = error.mock.calls.flat().join("\n");
  expect(said.match(/"event":"list.bad"/g)).toHaveLength(1);
  expect(said).toContain(`"list":"list/${kv}","why":"is not JSON","serving":"the last good one"`);
  await env.DIRECTORY.delete(`list/${kv}`);
  // An isolate that never had it.
  expect(ruleFor(await read(home.tenant), "+15550100002")).toBe("vip");
});

test("a list that KV never had is empty: the rules that name it serve all the same", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  await using home = await openFixture({ rules });
  await home.putRuleset({ lists: { vips: { kv: `none-${crypto.randomUUID()}` } }, rules });
  expect(ruleFor(await read(home.tenant), "+15550100001")).toBe("other");
  expect(error.mock.calls.flat().join("\n")).toContain('"why":"KV has no such key","serving":"none"');
});
