import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refused, serveRuleset } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const [standing, next] = ["a".repeat(64), "b".repeat(64)];
const rule = (id: string, to: string) => ({ id, match: { to }, place: { room: id } });
const before = {
  timezone: "UTC",
  lists: { vips: ["+15550100001"] },
  rules: [
    rule("vip", "+15550100100"),
    rule("old", "+15550100101"),
    { id: "desk", match: {}, rules: [rule("support", "+15550100102"), rule("sales", "+15550100103")] },
  ],
};
const stands = { etag: `"${standing}"`, body: before };
const written = { body: { hash: next, warnings: [] } };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-push-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function push(origin: string, ruleset: unknown, ...args: string[]) {
  const [name, text] =
    typeof ruleset === "string" ? ["rules.yaml", ruleset] : ["rules.json", JSON.stringify(ruleset)];
  await writeFile(join(folder, name), text);
  return await runPartyline({
    args: ["push", name, "--url", origin, "--tenant", "acme", ...args],
    cwd: folder,
    env: { ADMIN_TOKEN: "test-admin-token" },
  });
}

describe("partyline push", { timeout: 20_000 }, () => {
  it("shows what changes, and writes over the version that it compared with", async () => {
    await using server = await serveRuleset({ get: stands, put: written });
    const after = {
      ...before,
      timezone: "Europe/Berlin",
      lists: { vips: ["+15550100001"], "late-vips": ["+15550100009"] },
      rules: [
        { id: "desk", match: {}, rules: [rule("support", "+15550100199"), rule("sales", "+15550100103")] },
        rule("vip", "+15550100100"),
        rule("new", "+15550100104"),
      ],
    };
    expect(await push(server.origin, after, "--yes")).toEqual({
      out: [
        "acme, over version aaaaaaaaaaaa:",
        "+ new",
        "- old",
        "~ support",
        '    match.to: "+15550100102" → "+15550100199"',
        "~ timezone",
        '    "UTC" → "Europe/Berlin"',
        '~ lists["late-vips"]',
        '    ["+15550100009"] (new)',
        "~ the order of the rules",
        "Written: acme has version bbbbbbbbbbbb, everywhere within 90 s.",
        "",
      ].join("\n"),
      err: "",
      code: 0,
    });
    expect(server.asked.map(({ method, url, if_match }) => ({ method, url, if_match }))).toEqual([
      { method: "GET", url: "/api/tenants/acme/ruleset", if_match: undefined },
      { method: "PUT", url: "/api/tenants/acme/ruleset", if_match: `"${standing}"` },
    ]);
    expect(server.asked[1]?.by).toMatch(/^\S+@\S+$/);
    expect(JSON.parse(server.asked[1]?.body ?? "")).toEqual(after);
  });

  it("shows what changed inside of a rule, a group and a list, long ones cut", async () => {
    const numbers = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => `+1555010${String(from + index).padStart(4, "0")}`);
    const old = {
      lists: { vips: numbers(0, 4), late: numbers(0, 2) },
      rules: [
        {
          id: "day",
          match: { to: ["+15550100100", "+15550100101"], from: { list: "vips" } },
          place: { room: "day", capacity: 20, announce: "Welcome." },
        },
        { id: "desk", match: {}, rules: [rule("support", "+15550100102"), rule("sales", "+15550100103")] },
      ],
    };
    const now = {
      lists: { vips: [...numbers(1, 4), ...numbers(10, 18)], late: numbers(0, 2).toReversed() },
      rules: [
        {
          id: "day",
          match: { to: ["+15550100101", "+15550100102"] },
          place: {
            room: "day",
            capacity: 40,
            announce: { say: "Hello." },
            role: "participant",
          },
        },
        { id: "desk", match: {}, rules: [rule("support", "+15550100102")] },
        rule("sales", "+15550100103"),
      ],
    };
    await using server = await serveRuleset({ get: { ...stands, body: old } });
    const { out, code } = await push(server.origin, now, "--dry-run");
    expect([code, out.split("\n")]).toEqual([
      3,
      [
        "acme, over version aaaaaaaaaaaa:",
        "~ day",
        '    match.to: + "+15550100102", - "+15550100100"',
        '    match.from: {"list":"vips"} (gone)',
        "    place.capacity: 20 → 40",
        '    place.announce: "Welcome." → {"say":"Hello."}',
        '    place.role: "participant" (new)',
        "~ sales",
        '    group: "desk" → ""',
        "~ lists.vips",
        '    + "+15550100010", + "+15550100011", + "+15550100012", + "+15550100013", + "+15550100014", + 3 more, - "+15550100000"',
        "~ lists.late",
        "    another order",
        "Nothing was written: this is a dry run.",
        "",
      ],
    ]);
    expect(server.asked).toHaveLength(1);
  });

  it("with --dry-run ends with 3 where it would change something, with 0 where not, and writes nothing", async () => {
    await using server = await serveRuleset({ get: stands, put: written });
    expect(await push(server.origin, before, "--dry-run")).toEqual({
      out: "Nothing to write: acme has this ruleset, version aaaaaaaaaaaa.\n",
      err: "",
      code: 0,
    });
    const { out, code } = await push(server.origin, { ...before, timezone: "UTC+1" }, "--dry-run", "--json");
    expect([code, JSON.parse(out)]).toMatchObject([1, { ok: false }]);
    const changed = await push(
      server.origin,
      { ...before, timezone: "Europe/Berlin" },
      "--dry-run",
      "--json",
    );
    expect([changed.code, JSON.parse(changed.out)]).toMatchObject([
      3,
      { ok: true, hash: standing, written: false, changes: { parts: ["timezone"] } },
    ]);
    expect(server.asked.map(({ method }) => method)).toEqual(["GET", "GET"]);
  });

  it("knows a file with secrets by its hash, if it is to the letter what stands", async () => {
    const secretive = { ...before, lists: { ...before.lists, pins: [{ hmac: "c".repeat(64) }] } };
    const hash = createHash("sha256").update(JSON.stringify(secretive)).digest("hex");
    const shown = { ...secretive, lists: { ...before.lists, pins: [{ hmac: "***" }] } };
    await using server = await serveRuleset({ get: { etag: `"${hash}"`, body: shown } });
    expect((await push(server.origin, secretive, "--dry-run")).code).toBe(0);
    const other = { ...before, lists: { ...before.lists, pins: [{ hmac: "d".repeat(64) }] } };
    expect(await push(server.origin, other, "--dry-run")).toEqual({
      out: `acme, over version ${hash.slice(0, 12)}:\n  secrets that are written out in the file, which can't be compared\nNothing was written: this is a dry run.\n`,
      err: "",
      code: 3,
    });
  });

  it("says that comments are not kept, where the file has some", async () => {
    await using server = await serveRuleset({ get: refused("no_ruleset", "None.", 404), put: written });
    const yaml = 'rules:\n  - id: a\n    match: { to: "+15550100100" }\n    place: { room: "a#b" }\n';
    expect((await push(server.origin, yaml, "--dry-run")).out).not.toContain("comments");
    expect((await push(server.origin, `# ours\n${yaml}`, "--dry-run")).out).toBe(
      "acme, a first ruleset:\n+ a\n  KV holds JSON: the comments of rules.yaml are not kept, so keep the file in git.\nNothing was written: this is a dry run.\n",
    );
  });

  it("writes a first ruleset where there is none, unless another does so first", async () => {
    await using server = await serveRuleset({ get: refused("no_ruleset", "None.", 404), put: written });
    const { out, code } = await push(server.origin, { rules: [rule("a", "+15550100100")] }, "--yes");
    expect(out).toContain("acme, a first ruleset:\n+ a\n");
    expect(code).toBe(0);
    expect(server.asked[1]).toMatchObject({ method: "PUT", if_match: undefined, if_none_match: "*" });
  });

  it("reads YAML and sends JSON", async () => {
    await using server = await serveRuleset({ get: stands, put: written });
    const yaml = 'rules:\n  - id: a\n    match: { to: "+15550100100" }\n    place: { room: a } # here\n';
    expect((await push(server.origin, yaml, "--yes")).code).toBe(0);
    expect(JSON.parse(server.asked[1]?.body ?? "")).toEqual({
      rules: [{ id: "a", match: { to: "+15550100100" }, place: { room: "a" } }],
    });
  });

  it("writes nothing where nothing would change", async () => {
    await using server = await serveRuleset({ get: stands });
    expect(await push(server.origin, before, "--yes")).toEqual({
      out: "Nothing to write: acme has this ruleset, version aaaaaaaaaaaa.\n",
      err: "",
      code: 0,
    });
    expect(server.asked).toHaveLength(1);
  });

  it("sends *** on as it stands, and a secret that is written out though nothing else changed", async () => {
    const pins = (hmac: string) => ({ ...before, lists: { ...before.lists, pins: [{ hmac }] } });
    await using server = await serveRuleset({ get: { ...stands, body: pins("***") }, put: written });
    const kept = await push(server.origin, pins("***"), "--yes");
    expect(kept.out).toContain("Nothing to write");
    const fresh = await push(server.origin, pins("c".repeat(64)), "--yes", "--json");
    expect(JSON.parse(fresh.out)).toMatchObject({ ok: true, written: true, hash: next });
    const both = { ...pins("***"), timezone: "America/New_York" };
    await push(server.origin, both, "--yes");
    expect(JSON.parse(server.asked.at(-1)?.body ?? "")).toEqual(both);
  });

  it("finds errors before it asks the Worker, names their places, and ends with 1", async () => {
    await using server = await serveRuleset({ get: stands });
    const { out, code } = await push(server.origin, "rules:\n  - id: a\n    mach: {}\n", "--yes");
    expect(code).toBe(1);
    expect(out).toContain(
      "rules.yaml:3:5: error: rules[0].mach: unknown key; allowed here: id, match, place, ",
    );
    expect(out).toContain('did you mean "match"?');
    expect(out).toMatch(/rules\.yaml: \d errors; nothing was written\n$/);
    expect(server.asked).toEqual([]);
  });

  it("shows the errors that only the Worker can find, in their places", async () => {
    const errors = [{ path: "rules[0].place.room", message: "is too long" }];
    const put = {
      status: 422,
      body: { ...(refused("bad_ruleset", "", 422).body as object), errors, warnings: [] },
    };
    await using server = await serveRuleset({ get: stands, put });
    const yaml = 'rules:\n  - id: a\n    match: { to: "+15550100100" }\n    place: { room: a }\n';
    const { out, code } = await push(server.origin, yaml, "--yes");
    expect(code).toBe(1);
    expect(out).toContain("rules.yaml:4:14: error: rules[0].place.room: is too long\n");
  });

  it("ends with 1 where another wrote meanwhile; with --force it would have written over that", async () => {
    const put = refused("version_differs", "Another version stands.", 412);
    await using server = await serveRuleset({ get: stands, put });
    const after = { rules: [rule("a", "+15550100100")] };
    const { err, code } = await push(server.origin, after, "--yes");
    expect({ err, code }).toEqual({
      err: "error: somebody else wrote in the meantime, and nothing was written: push again, and look at what changes.\n",
      code: 1,
    });
    await push(server.origin, after, "--yes", "--force");
    expect(server.asked.at(-1)).toMatchObject({ method: "PUT", if_match: "*" });
  });

  it("writes over what can't be read with --force alone", async () => {
    const get = {
      ...refused("ruleset_unreadable", "The ruleset in KV is not JSON.", 409),
      etag: `"${standing}"`,
    };
    await using server = await serveRuleset({ get, put: written });
    const after = { rules: [rule("a", "+15550100100")] };
    const careful = await push(server.origin, after, "--yes");
    expect(careful).toMatchObject({ code: 2, err: expect.stringContaining("--force writes over it") });
    expect(server.asked).toHaveLength(1);
    expect((await push(server.origin, after, "--yes", "--force")).code).toBe(0);
  });

  it("writes nothing unasked: without a terminal it wants --yes", async () => {
    await using server = await serveRuleset({ get: stands });
    const { err, code } = await push(server.origin, before);
    expect({ err, code }).toEqual({
      err: "error: there is no terminal to ask on: say --yes to write without being asked, or --dry-run to see what would change.\n",
      code: 2,
    });
    expect(server.asked).toEqual([]);
  });

  it("tells machines the same", async () => {
    const warnings = [{ path: "rules[0]", message: "is odd" }];
    await using server = await serveRuleset({ get: stands, put: { body: { hash: next, warnings } } });
    const good = await push(server.origin, { rules: [rule("vip", "+15550100100")] }, "--yes", "--json");
    expect(JSON.parse(good.out)).toEqual({
      ok: true,
      tenant: "acme",
      hash: next,
      written: true,
      changes: {
        added: [],
        removed: ["old", "desk", "support", "sales"],
        changed: [],
        reordered: false,
        parts: ["timezone", "lists.vips"],
        inside: {
          timezone: [{ path: "", before: "UTC" }],
          "lists.vips": [{ path: "", before: ["+15550100001"] }],
        },
      },
      warnings: [{ path: "rules[0]", message: "is odd", line: 1, column: 11 }],
    });
    const bad = await push(server.origin, { rules: [{ id: "a" }] }, "--yes", "--json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, errors: [{ path: "rules[0].match" }] });
  });

  it("ends with 2 where the file or the Worker can't be read", async () => {
    const env = { ADMIN_TOKEN: "test-admin-token" };
    const args = ["push", "nowhere.json", "--url", "http://127.0.0.1:1", "--tenant", "acme", "--yes"];
    const missing = await runPartyline({ args, cwd: folder, env });
    expect(missing).toMatchObject({ code: 2, err: "error: nowhere.json: there is no such file\n" });
    const deaf = await push("http://127.0.0.1:1", before, "--yes");
    expect(deaf).toMatchObject({ code: 2, err: expect.stringContaining("cannot be reached") });
  });
});
