import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRulesetFile } from "../../cli/ruleset-file.ts";
import { refused, serveRuleset } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const hash = "a".repeat(64);
const ruleset = {
  lists: { vips: ["+15550100001"], pins: [{ hmac: "***" }] },
  rules: [{ id: "all", match: { from: { list: "vips" } }, place: { room: "lobby" } }],
};
const stands = { get: { etag: `"${hash}"`, body: ruleset } };

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-pull-"));
});
afterAll(() => rm(folder, { recursive: true }));

function pull(origin: string, ...args: string[]) {
  return runPartyline({
    args: ["pull", "--url", origin, "--tenant", "acme", ...args],
    cwd: folder,
    env: { ADMIN_TOKEN: "test-admin-token" },
  });
}

describe("partyline pull", { timeout: 20_000 }, () => {
  it("prints the tenant's ruleset, and which version it is beside it", async () => {
    await using server = await serveRuleset(stands);
    const { out, err, code } = await pull(server.origin);
    expect(JSON.parse(out)).toEqual(ruleset);
    expect({ err, code }).toEqual({ err: "acme, version aaaaaaaaaaaa\n", code: 0 });
    expect(server.asked).toMatchObject([
      { method: "GET", url: "/api/tenants/acme/ruleset", authorization: "Bearer test-admin-token" },
    ]);
  });

  it("reads the version where the edge has weakened its tag, and the API where it is served under a path", async () => {
    await using server = await serveRuleset({ get: { etag: `W/"${hash}"`, body: ruleset } });
    const { out } = await pull(`${server.origin}/voice/`, "--json");
    expect(JSON.parse(out)).toEqual({ ok: true, tenant: "acme", hash, ruleset });
    expect(server.asked[0]?.url).toBe("/voice/api/tenants/acme/ruleset");
  });

  it("writes a file as it is named, JSON or YAML", async () => {
    await using server = await serveRuleset(stands);
    for (const name of ["rules.json", "rules.yaml"]) {
      expect(await pull(server.origin, "-o", name)).toEqual({
        out: "",
        err: `acme, version aaaaaaaaaaaa: ${name}\n`,
        code: 0,
      });
      expect(await readRulesetFile(join(folder, name))).toMatchObject({ ok: true, value: ruleset });
    }
    expect(await readFile(join(folder, "rules.yaml"), "utf8")).toContain("rules:\n  - id: all\n");
  });

  it("leaves a file alone that is there already, and ends with 2, unless --force says otherwise", async () => {
    await using server = await serveRuleset(stands);
    await pull(server.origin, "-o", "mine.json");
    const before = await readFile(join(folder, "mine.json"), "utf8");
    const again = await pull(server.origin, "-o", "mine.json");
    expect(again).toEqual({
      out: "",
      err: "error: mine.json is there already: --force writes over it.\n",
      code: 2,
    });
    expect(await readFile(join(folder, "mine.json"), "utf8")).toBe(before);
    await writeFile(join(folder, "mine.json"), "old");
    expect(await pull(server.origin, "-o", "mine.json", "--force")).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "mine.json"), "utf8")).toBe(before);
  });

  it("ends with 1 where there is no ruleset, or one that can't be shown", async () => {
    await using none = await serveRuleset({ get: refused("no_ruleset", "KV has no key.", 404) });
    expect(await pull(none.origin)).toEqual({ out: "", err: "error: acme has no ruleset yet.\n", code: 1 });
    const unreadable = refused("ruleset_unreadable", "The ruleset in KV is not JSON.", 409);
    await using odd = await serveRuleset({ get: { ...unreadable, etag: `"${hash}"` } });
    expect(await pull(odd.origin)).toMatchObject({
      err: "error: The ruleset in KV is not JSON.\n",
      code: 1,
    });
  });

  it("ends with 2 where the Worker knows no such tenant, is none, or does not take the token", async () => {
    const answers = [
      [refused("unknown_tenant", "There is no such tenant.", 404), "unknown_tenant"],
      [refused("not_found", "The API has no such path.", 404), "not_a_partyline"],
      [{ body: { hello: "world" } }, "not_a_partyline"],
      [refused("unauthorized", "No.", 401), "unauthorized"],
      [refused("tenant_unreadable", "tenant/acme in KV is not JSON.", 503), "failed"],
    ] as const;
    for (const [get, wanted] of answers) {
      await using server = await serveRuleset({ get });
      const { out, code } = await pull(server.origin, "--json");
      expect(code).toBe(2);
      expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: wanted } });
    }
  });

  it("wants the Worker's own URL, and nothing after it", async () => {
    for (const url of ["acme", "ftp://example.com", "https://example.com/hooks/acme/swml"]) {
      expect(await pull(url)).toMatchObject({
        code: 2,
        err: expect.stringContaining("Write the Worker's own URL"),
      });
    }
  });

  it("lets nothing of an answer steer the terminal", async () => {
    await using server = await serveRuleset({ get: refused("odd", "all \u001b[2J right", 500) });
    const { err } = await pull(server.origin);
    expect(err).toContain("answered 500: all  [2J right");
  });
});
