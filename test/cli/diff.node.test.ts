import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const hash = "a".repeat(64);
const path = "/api/tenants/acme/ruleset/diff";
const call = (call_id: string, minute: number, elsewhere: object | null = null, left_out: string[] = []) => ({
  call_id,
  at: `2026-11-28T10:${minute}:00.000Z`,
  from: "+15550100001",
  to: "+15550100100",
  left_out,
  elsewhere,
});
const support = { action: "place", rule: "support", rooms: ["support"], role: "participant", join: {} };
const closed = {
  step: 0,
  now: support,
  draft: { action: "reject", rule: "closed", say: { say: "Closed." } },
  changed: ["action", "rooms", "role", "say"],
  why: [
    'Rule support no longer decides: to: "+15550100100" is not "+15550100199".',
    "Rule closed matches every call.",
  ],
};
const muted = {
  step: 1,
  now: support,
  draft: { ...support, join: { muted: true }, capacity: 20 },
  changed: ["capacity", "join.muted"],
  why: [],
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-diff-"));
  await writeFile(
    join(folder, "rules.yaml"),
    'rules:\n  - id: closed\n    match: {}\n    reject: { say: "Closed." }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

function diff(origin: string, ...args: string[]) {
  return runPartyline({
    args: ["diff", "rules.yaml", "--url", origin, "--tenant", "acme", ...args],
    cwd: folder,
    env: { ADMIN_TOKEN: "test-admin-token" },
  });
}

describe("partyline diff", { timeout: 20_000 }, () => {
  it("lists the calls that would land elsewhere, those alike together, with where and why", async () => {
    await using server = await serveRoutes({
      [`POST ${path}`]: {
        body: {
          ruleset: hash,
          calls: [call("c5", 50, closed), call("c4", 40), call("c3", 30, muted, ["headers.x-token"])],
          next: 7,
        },
      },
      [`POST ${path}?after=7`]: {
        body: { ruleset: hash, calls: [call("c4", 20, closed), call("c2", 10, closed)], next: null },
      },
    });
    expect(await diff(server.origin)).toEqual({
      out: [
        "rules.yaml against version aaaaaaaaaaaa, on the last 4 calls since 2026-11-28 10:10 UTC:",
        "",
        "c5  2026-11-28 10:50 UTC  +15550100001 → +15550100100",
        "c4  2026-11-28 10:40 UTC  +15550100001 → +15550100100",
        "c2  2026-11-28 10:10 UTC  +15550100001 → +15550100100",
        "  - placed as participant in support (rule support)",
        '  + rejected with {"say":"Closed."} (rule closed)',
        '    Rule support no longer decides: to: "+15550100100" is not "+15550100199".',
        "    Rule closed matches every call.",
        "",
        "c3  2026-11-28 10:30 UTC  +15550100001 → +15550100100",
        "  - placed as participant in support (rule support)",
        "  + placed as participant in support (rule support)",
        "    capacity: (none) → 20",
        "    join.muted: (none) → true",
        "",
        "4 calls would land elsewhere.",
        "Of 1 call something was not kept, such as a secret: rules that look at it may decide otherwise.",
        "",
      ].join("\n"),
      err: "",
      code: 3,
    });
    expect(server.asked.map(({ body }) => JSON.parse(body).rules[0].id)).toEqual(["closed", "closed"]);
  });

  it("ends with 0 where none would, and where no call is kept", async () => {
    await using same = await serveRoutes({
      [`POST ${path}`]: { body: { ruleset: null, calls: [call("c1", 10)], next: null } },
    });
    expect(await diff(same.origin)).toEqual({
      out: "rules.yaml against no ruleset, on the last 1 call since 2026-11-28 10:10 UTC:\nNone would land elsewhere.\n",
      err: "",
      code: 0,
    });
    await using none = await serveRoutes({
      [`POST ${path}`]: { body: { ruleset: hash, calls: [], next: null } },
    });
    expect(await diff(none.origin)).toEqual({
      out: "No call is kept that could be decided again.\n",
      err: "",
      code: 0,
    });
  });

  it("looks at as many calls as it is told, and gives machines those that land elsewhere", async () => {
    const calls = [call("c3", 30), call("c2", 20, closed), call("c1", 10, closed)];
    await using server = await serveRoutes({ [`POST ${path}`]: { body: { ruleset: hash, calls, next: 9 } } });
    const { out, code } = await diff(server.origin, "--calls", "2", "--json");
    expect([code, JSON.parse(out)]).toEqual([
      3,
      { ok: true, tenant: "acme", ruleset: hash, looked_at: 2, elsewhere: [calls[1]] },
    ]);
    expect(server.asked).toHaveLength(1);
    expect((await diff(server.origin, "--calls", "0")).err).toContain("Write a number from 1 to 1000.");
  });

  it("places the draft's errors, those too that only the Worker finds, and ends with 1", async () => {
    const errors = [{ path: "rules[0].reject.say", message: "is odd" }];
    const body = { ...(refused("bad_ruleset", "", 422).body as object), errors, warnings: [] };
    await using server = await serveRoutes({ [`POST ${path}`]: { status: 422, body } });
    expect(await diff(server.origin)).toEqual({
      out: "rules.yaml:4:15: error: rules[0].reject.say: is odd\nrules.yaml: 1 error; nothing was compared\n",
      err: "",
      code: 1,
    });
  });
});
