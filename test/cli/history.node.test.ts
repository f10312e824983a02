import { describe, expect, it } from "vitest";
import { type Reply, refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const [now, old, odd] = ["a".repeat(64), `ab${"c".repeat(62)}`, "d".repeat(64)];
const never = { first_seen_at: null, last_served_at: null, pushed_at: null, pushed_by: null };
const versions = [
  {
    hash: now,
    standing: true,
    kept: true,
    first_seen_at: "2026-11-27T08:00:00.000Z",
    last_served_at: "2026-11-28T14:00:00.000Z",
    pushed_at: "2026-11-27T08:00:00.000Z",
    pushed_by: "ops@laptop",
  },
  {
    hash: old,
    standing: false,
    kept: true,
    first_seen_at: "2026-11-20T09:11:12.000Z",
    last_served_at: "2026-11-27T08:01:00.000Z",
    pushed_at: "2026-11-20T09:11:12.000Z",
    pushed_by: null,
  },
  {
    hash: odd,
    standing: false,
    kept: true,
    ...never,
    first_seen_at: "2026-11-19T00:00:00.000Z",
    last_served_at: "2026-11-20T09:00:00.000Z",
  },
];
const path = "/api/tenants/acme/ruleset";
const listed: Record<string, Reply> = { [`GET ${path}/versions`]: { body: { versions } } };

function run(origin: string, command: string, ...args: string[]) {
  return runPartyline({
    args: [command, ...args, "--url", origin, "--tenant", "acme"],
    env: { ADMIN_TOKEN: "test-admin-token" },
  });
}

describe("partyline history", { timeout: 20_000 }, () => {
  it("lists the versions with who pushed them, and marks the one that stands", async () => {
    await using server = await serveRoutes(listed);
    expect(await run(server.origin, "history")).toEqual({
      out: [
        "acme, 3 versions:",
        "* aaaaaaaaaaaa  pushed 2026-11-27 08:00 UTC by ops@laptop",
        "  abcccccccccc  pushed 2026-11-20 09:11 UTC; last served 2026-11-27 08:01 UTC",
        "  dddddddddddd  written without push, seen since 2026-11-19 00:00 UTC; last served 2026-11-20 09:00 UTC",
        "",
      ].join("\n"),
      err: "",
      code: 0,
    });
    const machines = await run(server.origin, "history", "--json");
    expect(JSON.parse(machines.out)).toEqual({ ok: true, tenant: "acme", versions });
  });

  it("names a version that stands and that no call has met", async () => {
    const fresh = [{ hash: now, standing: true, kept: false, ...never }];
    await using server = await serveRoutes({ [`GET ${path}/versions`]: { body: { versions: fresh } } });
    expect((await run(server.origin, "history")).out).toBe(
      "acme, 1 version:\n* aaaaaaaaaaaa  written without push, no call came since\n",
    );
  });

  it("ends with 1 where there is none, and with 2 where the Worker can't be asked", async () => {
    await using none = await serveRoutes({ [`GET ${path}/versions`]: { body: { versions: [] } } });
    expect(await run(none.origin, "history")).toEqual({
      out: "",
      err: "error: acme has no ruleset yet.\n",
      code: 1,
    });
    await using older = await serveRoutes({
      [`GET ${path}/versions`]: refused("not_found", "The API has no such path.", 404),
    });
    expect(await run(older.origin, "history")).toEqual({
      out: "",
      err: `error: what answers at ${older.origin} is not a Partyline, or one of another version. Is the host right?\n`,
      code: 2,
    });
  });
});

describe("partyline rollback", { timeout: 20_000 }, () => {
  const rule = (capacity: number) => ({ id: "all", match: {}, place: { room: "all", capacity } });
  const routes: Record<string, Reply> = {
    ...listed,
    [`GET ${path}`]: { etag: `"${now}"`, body: { rules: [rule(20)] } },
    [`GET ${path}/versions/${old}`]: { etag: `"${old}"`, body: { rules: [rule(10)] } },
    [`POST ${path}/versions/${old}/restore`]: { body: { hash: old, warnings: [] } },
  };

  it("shows what changes, and writes the version over the one that it compared with", async () => {
    await using server = await serveRoutes(routes);
    expect(await run(server.origin, "rollback", "abcc", "--yes")).toEqual({
      out: [
        "acme, from version aaaaaaaaaaaa back to abcccccccccc:",
        "~ all",
        "    place.capacity: 20 → 10",
        "Written: acme has version abcccccccccc again, everywhere within 90 s.",
        "",
      ].join("\n"),
      err: "",
      code: 0,
    });
    expect(server.asked.at(-1)).toMatchObject({
      method: "POST",
      if_match: `"${now}"`,
      by: expect.stringMatching(/^\S+@\S+$/),
    });
  });

  it("with --dry-run writes nothing and ends with 3, and with 0 where the version stands", async () => {
    await using server = await serveRoutes({
      ...routes,
      [`GET ${path}/versions/${now}`]: { etag: `"${now}"`, body: { rules: [rule(20)] } },
    });
    const dry = await run(server.origin, "rollback", "abcc", "--dry-run");
    expect([dry.code, dry.out]).toEqual([
      3,
      expect.stringMatching(/\nNothing was written: this is a dry run\.\n$/),
    ]);
    expect(await run(server.origin, "rollback", "aaaa", "--dry-run")).toEqual({
      out: "Nothing to write: acme has version aaaaaaaaaaaa.\n",
      err: "",
      code: 0,
    });
    expect(server.asked.every(({ method }) => method === "GET")).toBe(true);
  });

  it("says why it wrote nothing", async () => {
    const twin = { ...versions[0], hash: `aaaa${"e".repeat(60)}`, standing: false };
    const errors = [{ path: "rules[0].place.room", message: "is too long" }];
    const restore = `POST ${path}/versions/${old}/restore`;
    const bad = { ...(refused("bad_ruleset", "", 422).body as object), errors, warnings: [] };
    const cases: [args: string[], more: Record<string, Reply>, err: string, code: number][] = [
      [
        ["ffff"],
        {},
        "acme has no version ffff that is kept. npx partyline history lists them; older ones are in your git.",
        1,
      ],
      [
        ["aaaa"],
        { [`GET ${path}/versions`]: { body: { versions: [...versions, twin] } } },
        "aaaa begins 2 versions: write more of it.",
        1,
      ],
      [
        ["abcc"],
        { [restore]: refused("version_differs", "Another version stands.", 412) },
        "somebody else wrote in the meantime, and nothing was written: push again, and look at what changes.",
        1,
      ],
      [
        ["abcc"],
        { [restore]: { status: 422, body: bad } },
        "this version is no longer good, and nothing was written: rules[0].place.room: is too long",
        1,
      ],
      [
        ["abcc"],
        { [`GET ${path}/versions/${old}`]: refused("unknown_version", "This version is not kept.", 404) },
        "This version is not kept.",
        1,
      ],
    ];
    for (const [args, more, err, code] of cases) {
      await using server = await serveRoutes({ ...routes, ...more });
      const ran = await run(server.origin, "rollback", ...args, "--yes");
      expect({ err: ran.err, code: ran.code }).toEqual({ err: `error: ${err}\n`, code });
    }
  });

  it("wants a hash, and leave to write", async () => {
    const odd = await run("http://127.0.0.1:1", "rollback", "HEAD~1", "--yes");
    expect([odd.code, odd.err]).toEqual([
      2,
      "error: command-argument value 'HEAD~1' is invalid for argument 'hash'. Write 4 to 64 of its hex digits, as npx partyline history shows them.\n",
    ]);
    const unasked = await run("http://127.0.0.1:1", "rollback", "abcc");
    expect([unasked.code, unasked.err]).toEqual([
      2,
      "error: there is no terminal to ask on: say --yes to write without being asked, or --dry-run to see what would change.\n",
    ]);
  });
});
