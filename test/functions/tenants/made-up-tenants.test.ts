import { beforeAll, expect, test, vi } from "vitest";
import { atEdge, signedCall, watchedBody, watchedKv } from "../edge.ts";
import { openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

const rules = [{ id: "no", match: {}, reject: { say: "The rule says no." } }];

test("2,100 unsigned requests for made-up tenants cost one read each, and a tenant is served on while KV fails", async () => {
  await using home = await openFixture({ rules });
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { DIRECTORY, keys, fail } = watchedKv();
  expect((await atEdge(await signedCall(home, "swml"), { DIRECTORY })).status).toBe(200);
  keys.length = 0;
  for (let nth = 0; nth < 2_100; nth += 1) {
    const url = `https://partyline.test/hooks/made-up-${nth}/${nth % 2 ? "swml" : "conference-status?token=x"}`;
    expect((await atEdge(new Request(url, { method: "POST", body: "{}" }), { DIRECTORY })).status).toBe(403);
  }
  // The session keeps the tenant's records behind its answer, and KV notes where.
  expect(keys.filter((key) => key !== `served/${home.tenant}`)).toHaveLength(2_100);
  fail();
  const answer = await atEdge(await signedCall(home, "swml"), { DIRECTORY });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("The rule says no.")]);
  warn.mockRestore();
});

test("a status callback shows its token before a ruleset is read or its own body is", async () => {
  await using home = await openFixture({ rules });
  const { DIRECTORY, keys } = watchedKv();
  const { body, pulls } = watchedBody();
  for (const kind of ["conference-status", "recording-status"]) {
    const url = home.webhook_url.replace(/swml$/, `${kind}?token=${"x".repeat(32)}`);
    const asked = new Request(url, { method: "POST", body: kind === "recording-status" ? body : "{}" });
    expect((await atEdge(asked, { DIRECTORY })).status).toBe(403);
  }
  expect(keys).toEqual([`tenant/${home.tenant}`, `project/${home.carrier.project_id}`]);
  expect(pulls()).toBe(0);
});

test("a tenant whose record can't be read any more, and then KV neither, is served by the last good one", async () => {
  await using home = await openFixture({ rules });
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  const { DIRECTORY, fail } = watchedKv();
  const answered = async () => (await atEdge(await signedCall(home, "swml"), { DIRECTORY })).status;
  const now = vi.spyOn(Date, "now");
  const began = Date.now();
  expect(await answered()).toBe(200);
  await home.putTenant({ report_until: "when it suits" });
  now.mockReturnValue(began + 40_000);
  expect(await answered()).toBe(200);
  fail();
  now.mockReturnValue(began + 80_000);
  expect(await answered()).toBe(200);
  const logged = error.mock.calls.flat().join("\n");
  expect(logged.match(/"event":"(record.bad|directory.stale)"/g)).toEqual([
    '"event":"record.bad"',
    '"event":"directory.stale"',
  ]);
  now.mockRestore();
  error.mockRestore();
});
