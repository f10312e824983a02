import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { tellLeft } from "../../functions/session-client.ts";
import type { Tenant } from "../../functions/tenants/tenant.ts";

afterEach(() => void vi.restoreAllMocks());

const key = { call_id: "c-1", entry: "", step: 0, lives_on: true };
const tenant = { tenant: "acme", project: { project_id: "p-1", session: {} } } as unknown as Tenant; // All of it that is read here.

/** A session that does not take so many of the first tellings. */
function sessionLosing(lost: number): { bindings: Env; taken: unknown[] } {
  const taken: unknown[] = [];
  let told = 0;
  const left = async (...said: unknown[]) => {
    told += 1;
    if (told <= lost) throw new Error("Network connection lost.");
    taken.push(said);
  };
  const sessions = { idFromName: (name: string) => name, get: () => ({ left }) };
  return { bindings: { ...env, RELAY_SESSION: sessions } as unknown as Env, taken }; // Likewise.
}

test("the session is told that a call is out of its room until it takes it, and no more than a few times", async () => {
  vi.spyOn(scheduler, "wait").mockResolvedValue();
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const brief = sessionLosing(2);
  await tellLeft(brief.bindings, tenant, key);
  expect(brief.taken).toEqual([[{ call_id: "c-1", entry: "", step: 0 }, true]]);
  expect(warn).not.toHaveBeenCalled();
  const long = sessionLosing(3);
  await tellLeft(long.bindings, tenant, key);
  expect(long.taken).toEqual([]);
  expect(warn.mock.calls.flat().join()).toContain("session.not_told");
});
