import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Reply, refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const [standing, next] = ["a".repeat(64), "b".repeat(64)];
const project = "11111111-2222-4333-8444-555555555555";
const tenantPath = "/api/tenants/acme/record";
const projectPath = `/api/projects/${project}/record`;
const tenant = { project_id: project, join_via: "relay" };
const shown = { space: "example", credentials: "***", signing_keys: ["***"] };
const routes: Record<string, Reply> = {
  [`GET ${tenantPath}`]: { etag: `"${standing}"`, body: tenant },
  [`PUT ${tenantPath}`]: { body: { hash: next, warnings: [] } },
  [`GET ${projectPath}`]: { etag: `"${standing}"`, body: shown },
  [`PUT ${projectPath}`]: { body: { hash: next, warnings: [] } },
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-records-"));
});
afterAll(() => rm(folder, { recursive: true }));

function run(origin: string, ...args: string[]) {
  return runPartyline({
    args: [...args, "--url", origin],
    cwd: folder,
    env: { ADMIN_TOKEN: "test-admin-token" },
  });
}

async function put(origin: string, kind: "tenant" | "project", text: string, ...args: string[]) {
  await writeFile(join(folder, "record.yaml"), text);
  return await run(origin, kind, "put", kind === "tenant" ? "acme" : project, "record.yaml", ...args);
}

describe("partyline tenant and project", { timeout: 20_000 }, () => {
  it("get prints the record, or writes it to a file", async () => {
    await using server = await serveRoutes(routes);
    const { out, err, code } = await run(server.origin, "project", "get", project);
    expect({ record: JSON.parse(out), err, code }).toEqual({
      record: shown,
      err: `project/${project}, version aaaaaaaaaaaa\n`,
      code: 0,
    });
    const file = ["tenant", "get", "acme", "-o", "tenant.yaml"];
    expect(await run(server.origin, ...file)).toEqual({
      out: "",
      err: "tenant/acme, version aaaaaaaaaaaa: tenant.yaml\n",
      code: 0,
    });
    expect(await readFile(join(folder, "tenant.yaml"), "utf8")).toBe(
      `project_id: ${project}\njoin_via: relay\n`,
    );
    expect(await run(server.origin, ...file)).toEqual({
      out: "",
      err: "error: tenant.yaml is there already: --force writes over it.\n",
      code: 2,
    });
    expect((await run(server.origin, ...file, "--force")).code).toBe(0);
    const machines = await run(server.origin, "tenant", "get", "acme", "--json");
    expect(JSON.parse(machines.out)).toEqual({ ok: true, tenant: "acme", hash: standing, record: tenant });
  });

  it("get ends with 1 where there is none, or none that can be shown", async () => {
    const message = "tenant/acme in KV is YAML, and KV holds JSON, so it is not shown.";
    await using server = await serveRoutes({
      [`GET ${projectPath}`]: refused("no_record", "KV has no key.", 404),
      [`GET ${tenantPath}`]: { ...refused("record_unreadable", message, 409), etag: `"${standing}"` },
    });
    expect(await run(server.origin, "project", "get", project)).toEqual({
      out: "",
      err: `error: KV has no key project/${project}.\n`,
      code: 1,
    });
    expect(await run(server.origin, "tenant", "get", "acme")).toEqual({
      out: "",
      err: `error: ${message}\n`,
      code: 1,
    });
  });

  it("list prints them all, with what tells them apart", async () => {
    await using server = await serveRoutes({
      "GET /api/tenants": { body: { tenants: [{ tenant: "acme", project_id: project }], next: "more" } },
      "GET /api/tenants?after=more": {
        body: { tenants: [{ tenant: "initech", project_id: null }], next: null },
      },
      "GET /api/projects": { body: { projects: [], next: null } },
    });
    expect(await run(server.origin, "tenant", "list")).toEqual({
      out: `acme     ${project}\ninitech  (no project_id)\n`,
      err: "",
      code: 0,
    });
    expect(await run(server.origin, "project", "list")).toEqual({
      out: "KV has no record of a project.\n",
      err: "",
      code: 0,
    });
    const machines = await run(server.origin, "tenant", "list", "--json");
    expect(JSON.parse(machines.out)).toEqual({
      ok: true,
      tenants: [
        { tenant: "acme", project_id: project },
        { tenant: "initech", project_id: null },
      ],
    });
  });

  it("put shows what changes, writes JSON over the version that it compared with, and shows warnings", async () => {
    const warnings = [{ path: "contexts.main", message: "there is no tenant acme yet" }];
    await using server = await serveRoutes({
      ...routes,
      [`PUT ${projectPath}`]: { body: { hash: next, warnings } },
    });
    const yaml =
      'space: example # ours\ncredentials: v1.new.one\nsigning_keys: ["***"]\ncontexts: { main: acme }\n';
    expect(await put(server.origin, "project", yaml, "--yes")).toEqual({
      out: [
        `project/${project}, over version aaaaaaaaaaaa:`,
        '  contexts: {"main":"acme"} (new)',
        "  secrets that are written out in the file, which can't be compared",
        "record.yaml:4:13: warning: contexts.main: there is no tenant acme yet",
        `Written: project/${project} is version bbbbbbbbbbbb, everywhere within 90 s.`,
        "",
      ].join("\n"),
      err: "",
      code: 0,
    });
    expect(server.asked.at(-1)).toMatchObject({
      method: "PUT",
      if_match: `"${standing}"`,
      by: expect.stringContaining("@"),
      body: '{"space":"example","credentials":"v1.new.one","signing_keys":["***"],"contexts":{"main":"acme"}}',
    });
  });

  it("put writes a first record, nothing where nothing changes, and with --dry-run never", async () => {
    await using first = await serveRoutes({
      ...routes,
      [`GET ${tenantPath}`]: refused("no_record", "None.", 404),
    });
    const yaml = `project_id: ${project}\n`;
    expect((await put(first.origin, "tenant", yaml, "--yes")).out).toBe(
      `tenant/acme, a first record:\n  project_id: "${project}" (new)\nWritten: tenant/acme is version bbbbbbbbbbbb, everywhere within 90 s.\n`,
    );
    expect(first.asked.at(-1)).toMatchObject({ method: "PUT", if_none_match: "*" });
    await using server = await serveRoutes(routes);
    expect(await put(server.origin, "tenant", `${yaml}join_via: relay\n`, "--dry-run")).toEqual({
      out: "Nothing to write: tenant/acme is this record, version aaaaaaaaaaaa.\n",
      err: "",
      code: 0,
    });
    expect(await put(server.origin, "tenant", `${yaml}join_via: document\n`, "--dry-run")).toEqual({
      out: 'tenant/acme, over version aaaaaaaaaaaa:\n  join_via: "relay" → "document"\nNothing was written: this is a dry run.\n',
      err: "",
      code: 3,
    });
    expect(server.asked.every(({ method }) => method === "GET")).toBe(true);
  });

  it("put checks first, places errors, and asks nothing of the Worker then", async () => {
    await using server = await serveRoutes(routes);
    const { out, code } = await put(server.origin, "tenant", "project_id: p\njoinvia: relay\n", "--yes");
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(
        /^record\.yaml:2:1: error: joinvia: unknown key; .*\n {4}did you mean "join_via"\?\nrecord\.yaml: 1 error; nothing was written\n$/,
      ),
    ]);
    expect(server.asked).toEqual([]);
  });

  it("put says why it wrote nothing", async () => {
    const errors = [{ path: "project_id", message: "there is no project p" }];
    const bad = { ...(refused("bad_record", "", 422).body as object), errors, warnings: [] };
    const unreadable = {
      ...refused("record_unreadable", "It is YAML.", 409),
      etag: `"${standing}"`,
    };
    const cases: [more: Record<string, Reply>, said: string, code: number][] = [
      [
        { [`PUT ${tenantPath}`]: { status: 422, body: bad } },
        "record.yaml:1:1: error: project_id: there is no project p\nrecord.yaml: 1 error; nothing was written\n",
        1,
      ],
      [
        { [`PUT ${tenantPath}`]: refused("version_differs", "Another.", 412) },
        "error: somebody else wrote in the meantime, and nothing was written: put again, and look at what changes.\n",
        1,
      ],
      [
        { [`GET ${tenantPath}`]: unreadable },
        "error: It is YAML. npx partyline tenant put --force writes over it.\n",
        2,
      ],
    ];
    for (const [more, said, code] of cases) {
      await using server = await serveRoutes({ ...routes, ...more });
      const ran = await put(server.origin, "tenant", "project_id: p\n", "--yes");
      expect([ran.code, `${ran.out}${ran.err}`]).toEqual([code, expect.stringContaining(said)]);
    }
    await using server = await serveRoutes({ ...routes, [`GET ${tenantPath}`]: unreadable });
    const forced = await put(server.origin, "tenant", "project_id: p\n", "--yes", "--force");
    expect([forced.code, forced.out]).toEqual([
      0,
      "tenant/acme: what stands can't be read, and all of it is written over\nWritten: tenant/acme is version bbbbbbbbbbbb, everywhere within 90 s.\n",
    ]);
    expect(server.asked.at(-1)?.if_match).toBe("*");
  });

  it("takes only ids that can be", async () => {
    const odd = await run("http://127.0.0.1:1", "tenant", "get", "Acme");
    expect([odd.code, odd.err]).toEqual([
      2,
      "error: command-argument value 'Acme' is invalid for argument 'id'. A tenant's id is 1 to 24 of a-z, 0-9 and -.\n",
    ]);
    const short = await run("http://127.0.0.1:1", "project", "get", "p-1");
    expect([short.code, short.err]).toEqual([
      2,
      expect.stringContaining(
        "A project's id is a UUID in small letters, as SignalWire's dashboard shows it",
      ),
    ]);
  });
});
