import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { temporaryFolder } from "../bench/children.ts";
import { runPartyline } from "../cli/run-partyline.ts";
import { expectAsTold } from "../functions/api/as-told.ts";
import { docs, readDoc, root } from "./doc.ts";
import { type DocsEnvironment, type Ran, ReadersFolder, setUpEnvironment } from "./environment.ts";

const all = docs();
const readme = readDoc("README.md");
const firstRules = readme.blocks.find(({ info }) => info === "json ruleset")?.text ?? "";

let environment: DocsEnvironment;

beforeAll(async () => {
  environment = await setUpEnvironment();
}, 60_000);

afterAll(async () => {
  await environment.stop();
});

test("the five things to try in the demo show what the README says", async () => {
  const [call, see, wait, look, ask] = readme.blocks.filter(({ info }) => info === "sh demo");
  const folder = await ReadersFolder.of(environment, readme, firstRules);
  const run = async (block: { text: string } | undefined) => {
    const ran = await folder.run(block?.text ?? "exit 1");
    expect(ran).toMatchObject({ code: 0 });
    return ran.out;
  };
  for (const call_id of idsIn(await run(call)))
    await environment.carrier.wait({ call: { call_id, in_conference: "acme:support" }, timeout_ms: 20_000 });
  expect(await run(see)).toMatch(/^acme:support {2}started: (\S+, ){2}\S+$/m);
  const [seated = "", waiting = ""] = idsIn(await run(wait));
  await environment.carrier.wait({
    call: { call_id: seated, in_conference: "acme:adviser" },
    timeout_ms: 20_000,
  });
  const heard = { sound: "say", contains: "number 1 in line" } as const;
  await environment.carrier.wait({ call: { call_id: waiting, heard }, timeout_ms: 20_000 });
  const looked = await run(look);
  expect(looked).toContain(`${seated}  +15550100015`);
  expect(looked).toMatch(/"waiting":\[\{"call_id":"\S+?","from":"\+15550100016"/);
  expect(await run(ask)).toContain("vip");
  await folder.remove();
}, 60_000);

const checked = all.flatMap((doc) =>
  doc.blocks
    .filter(({ info }) => info === "json ruleset")
    .map(({ text }, nth) => ({ of: `${doc.path} ${nth + 1}`, text })),
);

test.each(checked)("partyline check finds nothing wrong with the ruleset $of", async ({ text }) => {
  const file = join(temporaryFolder().folder, "rules.json");
  await writeFile(file, text);
  const { out, code } = await runPartyline({ args: ["check", file, "--tenant", "acme", "--json"] });
  expect([code, JSON.parse(out)]).toMatchObject([0, { ok: true, errors: [], warnings: [] }]);
});

test("every kind of block is one that is looked at", () => {
  const kinds = new Set(all.flatMap(({ blocks }) => blocks.map(({ info }) => info.replace(/ stdin=.*/, ""))));
  const known = [
    "",
    "text demo",
    "csv pins.csv",
    "mermaid",
    "toml",
    "json",
    "json answer",
    "json webhook",
    "js",
    "sh remote",
    "sh slow",
  ];
  const run = ["json ruleset", "json project", "json tenant", "json dial", "sh", "sh demo", "sh api"];
  expect([...kinds].filter((kind) => ![...known, ...run].includes(kind))).toEqual([]);
});

const pages = all.filter(({ blocks }) => blocks.some(({ info }) => isRun(info)));

test.each(pages.map((doc) => [doc.path, doc] as const))(
  "every command of %s does what it says",
  async (_, doc) => {
    const folder = await ReadersFolder.of(environment, doc, firstRules);
    for (const { info, text } of doc.blocks.filter((block) => isRun(block.info))) {
      const [, input = ""] = / stdin=(.*)$/.exec(info) ?? [];
      expect(await folder.run(text, input === "" ? "" : `${input}\n`), text).toMatchObject({ code: 0 });
    }
    await folder.remove();
  },
  60_000,
);

test("every request of the page on the API is one that the Worker understands, and answers as the table says", async () => {
  const page = readDoc("docs/api.md");
  const folder = await ReadersFolder.of(environment, page, firstRules);
  const { call_id } = await environment.carrier.placeCall({
    from: "+15550100033",
    to: "+15550100100",
    url: `${environment.worker_url}/hooks/acme/swml`,
  });
  // Which room it is, depends on whether a page before has pushed rules.
  await expect
    .poll(async () => (await environment.carrier.call(call_id)).conference, { timeout: 20_000 })
    .not.toBeNull();
  const requests = page.blocks
    .filter(({ info }) => info === "sh api")
    .flatMap(({ text }) => text.replaceAll("\\\n", "").trim().split("\n"));
  for (const request of requests) {
    const asked = request.replace(" -i ", " ");
    const ran = await folder.run(`CALL_ID=${call_id}; ${asked} -s -w '\n%{http_code}'`);
    const answer = answerOf(ran);
    expect(answer, request).toSatisfy(isUnderstood);
    const [, method = asked.includes(" -d ") ? "POST" : "GET"] = / -X ([A-Z]+)/.exec(asked) ?? [];
    const [, path = ""] = /\/api(\/[^" ]*)/.exec(asked) ?? [];
    const { status, body } = answer;
    await expectAsTold(method, path, new Response(body === "" ? null : body, { status }));
  }
  expect(requests.length).toBeGreaterThan(15);
  await folder.remove();
}, 60_000);

test("the answers that the page on the API shows have the fields that the Worker answers", async () => {
  const [shown = ""] = readDoc("docs/api.md")
    .blocks.filter(({ info }) => info === "json answer")
    .map(({ text }) => text);
  const { ADMIN_TOKEN = "" } = environment.variables;
  const response = await fetch(`${environment.worker_url}/api/tenants/acme/calls?limit=1`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const [wanted, given] = [JSON.parse(shown), await response.json()] as { calls: [object] }[];
  expect(Object.keys(given ?? {})).toEqual(Object.keys(wanted ?? {}));
  expect(Object.keys(given?.calls[0] ?? {})).toEqual(Object.keys(wanted?.calls[0] ?? {}));
});

test("the Worker serves the OpenAPI document to anybody, and still answers every other path itself", async () => {
  const served = await fetch(`${environment.worker_url}/openapi.json`);
  expect([served.status, served.headers.get("content-type")]).toEqual([200, "application/json"]);
  expect(await served.json()).toMatchObject({ openapi: "3.1.0" });
  for (const [path, status] of [
    ["/health", 200],
    ["/api/openapi.json", 401],
    ["/hooks/acme/swml", 403],
    ["/nowhere", 404],
  ] as const)
    expect([
      path,
      (
        await fetch(`${environment.worker_url}${path}`, {
          method: path.startsWith("/hooks") ? "POST" : "GET",
        })
      ).status,
    ]).toEqual([path, status]);
});

test("every command of wrangler's that is named is there", async () => {
  const named = all.flatMap(({ text }) =>
    [...text.matchAll(/npx wrangler ((?:kv key|kv bulk|kv namespace|r2 bucket|secret) [a-z]+|[a-z]+)/g)].map(
      ([, command = ""]) => command,
    ),
  );
  const commands = [...new Set(named)];
  expect(commands).toContain("kv key put");
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const folder = await ReadersFolder.of(environment, readme, firstRules);
  for (const command of commands) {
    const { out } = await folder.run(`"$NODE" ${wrangler} ${command} --help`);
    expect(out.split("\n"), command).toContainEqual(
      expect.stringMatching(new RegExp(`^wrangler ${command}\\b`)),
    );
  }
  await folder.remove();
}, 60_000);

test("the staging environment of the page on operations can be deployed", async () => {
  const staging = readDoc("docs/operations.md").blocks.find(({ info }) => info === "toml")?.text ?? "";
  const config = await readFile(join(root, "wrangler.toml"), "utf8");
  const { folder: made } = temporaryFolder();
  const placed = config
    .replace(/^main = .*$/m, `main = "${join(root, "functions/index.ts")}"`)
    .replace(/^directory = .*$/m, `directory = "${join(root, "public")}"`);
  await writeFile(join(made, "wrangler.toml"), `${placed}\n${staging}`);
  const folder = await ReadersFolder.of(environment, readme, firstRules);
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  const { out, code } = await folder.run(
    `cd ${made}; CLOUDFLARE_CF_FETCH_ENABLED=false WRANGLER_SEND_METRICS=false "$NODE" ${wrangler} deploy --dry-run --env staging`,
  );
  expect(code).toBe(0);
  for (const binding of ["RELAY_SESSION", "DIRECTORY", "REFUSALS"]) expect(out).toContain(`env.${binding}`);
  await folder.remove();
}, 60_000);

function isRun(info: string): boolean {
  return info === "sh" || info.startsWith("sh stdin=");
}

/** The ids of the calls that a block placed. */
function idsIn(out: string): string[] {
  return [...out.matchAll(/"call_id":"([^"]+)"/g)].map(([, id = ""]) => id);
}

interface Answered {
  code: number | null;
  status: number;
  why: string | null;
  body: string;
}

function answerOf({ out, code }: Ran): Answered {
  const [, why = null] = /"code":"([a-z_]+)"/.exec(out) ?? [];
  const lines = out.split("\n");
  return { code, status: Number(lines.at(-1)), why, body: lines.slice(0, -1).join("\n") };
}

/** Who is not there, like a caller in a lobby, need not be there: the request was understood. */
function isUnderstood({ code, status, why }: Answered): boolean {
  const isAbsent = status === 404 && why !== null && !["not_found", "unknown_tenant"].includes(why);
  // A call of the page's that is in another room by now.
  const isElsewhere = status === 409 && why === "moved";
  return code === 0 && ((status >= 200 && status < 300) || isAbsent || isElsewhere);
}
