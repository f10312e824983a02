import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { api } from "../functions/api/index.ts";
import { dialBody } from "../shared/api/dial.ts";
import { feedClose, feedTypes } from "../shared/api/feed.ts";
import { webhookBody } from "../shared/api/webhook.ts";
import { mayMove, type PlacementState } from "../shared/placement.ts";
import { projectRecord, tenantRecord } from "../shared/records.ts";
import { rulesetJsonSchema } from "../shared/rules/schema/json-schema.ts";
import { floor } from "./demo/floor.ts";
import { acme } from "./demo/one-way.ts";
import { desk } from "./demo/three-ways.ts";
import { troubled } from "./demo/troubles.ts";
import { codeIn, type Doc, docs, readDoc, root, section } from "./docs/doc.ts";

const all = docs();
const rules = readDoc("docs/rules.md");
const apiPage = readDoc("docs/api.md");
const operations = readDoc("docs/operations.md");
const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

/** Blocks of all documents that begin with this word or words. */
function blocks(info: string): string[] {
  return all.flatMap((doc) => doc.blocks.filter((block) => block.info === info).map(({ text }) => text));
}

test("the README has at most 200 lines, and no line of prose over 120 characters", () => {
  const { lines, prose } = readDoc("README.md");
  expect(lines.length).toBeLessThanOrEqual(200);
  expect(prose.filter((line) => line.length > 120 && !line.startsWith("|"))).toEqual([]);
});

test("what the README shows of the demo's table is what its calls are expected to come to", () => {
  const [shown = ""] = blocks("text demo");
  const tenants = [acme, desk, ...troubled, floor];
  const expected = tenants.flatMap(({ acts }) =>
    acts
      .flat()
      .map(({ shows, via = "swml", expected: { rule, outcome, conference, joined_by } }) =>
        [shows, via, rule ?? "(fallback)", outcome, conference ?? "–", joined_by ?? "–"].join("  "),
      ),
  );
  const [, ...rows] = shown.trimEnd().split("\n");
  expect(rows.length).toBeGreaterThan(3);
  for (const row of rows) expect(expected).toContain(row.replace(/ {3,}/g, "  "));
});

test("the README says how many calls the demo places", () => {
  const places = [acme, desk, ...troubled, floor].flatMap(({ acts }) => acts.flat()).length;
  expect(readDoc("README.md").text).toContain(`It places ${places} calls`);
});

test("every link between documents leads to a file that is there, and to a heading in it", () => {
  const broken = all.flatMap((doc) =>
    doc.links.filter((link) => !leadsSomewhere(doc, link)).map((link) => `${doc.path}: ${link}`),
  );
  expect(broken).toEqual([]);
  expect(all.flatMap(({ links }) => links).length).toBeGreaterThan(50);
});

test("every document is linked from another one", () => {
  const linked = new Set(
    all.flatMap((doc) => doc.links.map((link) => fileOf(doc, link)).filter((file) => file !== doc.path)),
  );
  expect(all.map(({ path }) => path).filter((path) => path !== "README.md" && !linked.has(path))).toEqual([]);
});

test("every record and every request that is shown is what the Worker reads, and no key of it is passed over", () => {
  const projects = blocks("json project").map((text): unknown => JSON.parse(text));
  const tenants = blocks("json tenant").map((text): object => ({
    project_id: "made-up",
    ...JSON.parse(text),
  }));
  const dials = blocks("json dial").map((text): unknown => JSON.parse(text));
  for (const record of projects) expect(projectRecord.parse(record)).toMatchObject(record as object);
  for (const record of tenants) expect(tenantRecord.parse(record)).toMatchObject(record);
  for (const body of dials) expect(dialBody.parse(body)).toEqual(body);
  expect(projects).toContainEqual(expect.objectContaining({ contexts: expect.anything() }));
  for (const key of ["dial", "pin_limits", "public_url"]) {
    expect(tenants).toContainEqual(expect.objectContaining({ [key]: expect.anything() }));
  }
  expect(dials).toHaveLength(1);
});

test("every request for a webhook that is shown is one", () => {
  const shown = blocks("json webhook").map((text) => webhookBody.parse(JSON.parse(text)));
  expect(shown).toHaveLength(1);
});

test("every type of the feed's events is on the page on the API, and so is each reason to close it", () => {
  const named = codeIn(section(apiPage, "## Live feed"));
  expect(feedTypes.filter((type) => !named.includes(type))).toEqual([]);
  for (const code of Object.values(feedClose))
    expect(section(apiPage, "## Live feed")).toContain(String(code));
});

test("every other JSON that is shown is JSON", () => {
  const others = [...blocks("json"), ...blocks("json answer")];
  for (const text of others) expect(() => JSON.parse(text)).not.toThrow();
  expect(others.length).toBeGreaterThan(1);
});

test("every key of the language is in the documents on rules, waiting and PINs", () => {
  const said = namesIn([rules, readDoc("docs/waiting.md"), readDoc("docs/pins.md")]);
  expect([...keysOf(rulesetJsonSchema())].filter((key) => !said.has(key))).toEqual([]);
});

test("every key of the records and of a request for a call is in the documents on tenants, PINs and the API", () => {
  const said = namesIn([readDoc("docs/tenants.md"), readDoc("docs/pins.md"), apiPage]);
  const keys = [
    ...Object.keys(projectRecord.shape),
    ...Object.keys(projectRecord.shape.session.unwrap().shape),
    ...Object.keys(tenantRecord.shape),
    ...Object.keys(tenantRecord.shape.dial.unwrap().shape),
    ...Object.keys(tenantRecord.shape.pin_limits.unwrap().shape),
    ...Object.keys(dialBody.shape),
  ];
  expect(keys.filter((key) => !said.has(key))).toEqual([]);
});

test("the page on the API has every path that is served, and no other", () => {
  const told = codeIn(section(apiPage, "# The API"))
    .filter((text) => /^(?:GET|PUT|POST|PATCH|DELETE) \/(?!schemas|health|openapi)/.test(text))
    .map((text) => text.replace(/ (?!\/api)/, " /api/tenants/:tenant"));
  const served = api.routes
    .filter(({ method, path }) => method !== "ALL" && path !== "/*")
    .map(({ method, path }) => `${method} /api${path}`);
  expect(told.sort()).toEqual([...new Set(served)].sort());
});

test("every code of a refusal that the API answers is named on its page", () => {
  const sources = sourcesOf("functions/api");
  const answered = new Set([
    ...[...sources.matchAll(/refusal\(\s*c,\s*\d{3},\s*"([a-z_]+)"/g)].map(([, code = ""]) => code),
    ...[...sources.matchAll(/code: "([a-z_]+)"/g)].map(([, code = ""]) => code),
  ]);
  const named = new Set(codeIn(apiPage.text));
  expect([...answered].filter((code) => !named.has(code))).toEqual([]);
});

test("every event that is logged is on the page on operations, and every event there is logged", () => {
  const sources = sourcesOf("functions");
  const logged = new Set(
    [...sources.matchAll(/"([a-z]+\.[a-z_]+)"/g)]
      .map(([, event = ""]) => event)
      .filter((event) => !event.startsWith("calling.")),
  );
  const named = codeIn(section(operations, "## Logs")).filter(
    (text) => /^[a-z]+\.[a-z_]+$/.test(text) && text !== "wrangler.toml",
  );
  expect(named).toContain("webhook.answered");
  expect(named.filter((event) => !logged.has(event))).toEqual([]);
  // What the feed tells is no event of the log, though it may be called like one.
  const told = new Set<string>(feedTypes);
  expect([...logged].filter((event) => !named.includes(event) && !told.has(event))).toEqual([]);
});

test("every example is named among the recipes", () => {
  const recipes = readDoc("docs/recipes.md").text;
  expect(readdirSync(join(root, "examples")).filter((file) => !recipes.includes(file))).toEqual([]);
});

test("every npm script that is named is there", () => {
  const named = all.flatMap(({ text }) =>
    [...text.matchAll(/npm (?:run )?(test|(?<=run )(?:--silent )?[a-z]+)/g)].map((found) => found[1] ?? ""),
  );
  expect(named).toContain("demo");
  expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
});

test("every command of partyline's is named, and no other", () => {
  const named = new Set(
    all.flatMap(({ text }) =>
      [...text.matchAll(/npx partyline ([a-z]+(?:-[a-z]+)*)/g)].map((found) => found[1] ?? ""),
    ),
  );
  const cli = readFileSync(join(root, "cli/partyline.ts"), "utf8");
  const there = [...cli.matchAll(/addCommand\(([a-z]+)Command\((?:"([a-z]+)"|\(\) => program)?\)\)/g)].map(
    ([, command = "", record]) => record ?? command,
  );
  const seen = readFileSync(join(root, "cli/rooms.ts"), "utf8").matchAll(/viewCommand\("([a-z]+)"\)/g);
  const acts = readFileSync(join(root, "cli/operate.ts"), "utf8").matchAll(/usage: "([a-z-]+)/g);
  const operators = [...seen, ...acts].map(([, name = ""]) => name);
  expect(named).toEqual(new Set([...there, ...operators]));
});

test("every file that is named in backticks by its path is there", () => {
  const named = all.flatMap((doc) =>
    codeIn(doc.text)
      .filter((text) => /^(?:functions|shared|cli|test|docs|examples)\/[a-z0-9./-]+$/.test(text))
      .map((text) => text.replace(/\/$/, "")),
  );
  expect(named).toContain("shared/placement.ts");
  expect([...new Set(named)].filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("the diagram of a placement's states has every move that is allowed, and no other", () => {
  const { text } = readDoc("docs/architecture.md");
  const drawn = [...text.matchAll(/^ {2}([a-z_]+) --> ([a-z_]+)$/gm)].map(([, from, to]) => `${from} ${to}`);
  const states = [...new Set(drawn.flatMap((move) => move.split(" ")))] as PlacementState[];
  const allowed = states.flatMap((from) =>
    states.filter((to) => mayMove(from, to)).map((to) => `${from} ${to}`),
  );
  expect(drawn.sort()).toEqual(allowed.sort());
});

function fileOf(doc: Doc, link: string): string {
  const [file = ""] = link.split("#", 1);
  return file === "" ? doc.path : relative(root, resolve(root, doc.path, "..", file));
}

function leadsSomewhere(doc: Doc, link: string): boolean {
  const file = fileOf(doc, link);
  if (!existsSync(join(root, file))) return false;
  const [, anchor] = link.split("#", 2);
  return anchor === undefined || readDoc(file).anchors.has(anchor);
}

/** Every word in backticks or in JSON. */
function namesIn(pages: readonly Doc[]): ReadonlySet<string> {
  const said = pages.flatMap((page) => [
    ...codeIn(page.text),
    ...page.blocks.filter(({ info }) => info.startsWith("json")).map(({ text }) => text),
  ]);
  return new Set(said.join(" ").match(/[A-Za-z_]+/g));
}

function sourcesOf(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(root, folder, file), "utf8"))
    .join("\n");
}

/** The names of every property at any depth. */
function keysOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const item of schema) keysOf(item, found);
  else if (typeof schema === "object" && schema !== null) {
    for (const [word, value] of Object.entries(schema)) {
      if (word === "properties") for (const key of Object.keys(value as object)) found.add(key);
      keysOf(value, found);
    }
  }
  return found;
}
