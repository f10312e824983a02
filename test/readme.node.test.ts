import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dialBody } from "../functions/api/dial-request.ts";
import { api } from "../functions/api/index.ts";
import { projectRecord, tenantRecord } from "../shared/records.ts";
import { rulesetJsonSchema } from "../shared/rules/json-schema.ts";
import { parseRuleset } from "../shared/rules/parse.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

/** What stands between a fence that begins with this word or words and its end, indented or not. */
function blocks(language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...readme.matchAll(fence)].map((found) => found[1] ?? "");
}

/** From the heading to the next one that stands as high. */
function section(heading: string): string {
  const [, text = ""] = readme.split(`\n${heading}\n`, 2);
  const [level = ""] = heading.split(" ", 1);
  return text.split(new RegExp(`^#{1,${level.length}} `, "m"), 1)[0] ?? "";
}

/** What stands in backticks; a bar in a table is written with a backslash before it. */
function code(text: string): string[] {
  return [...text.replace(/^ *```[\s\S]*?^ *```$/gm, "").matchAll(/`([^`\n]+)`/g)].map(
    ([, said = ""]) => said,
  );
}

test("every ruleset in the README, and the demo's that it names, is a good one, without a warning", () => {
  const rulesets = [...blocks("json ruleset"), readFileSync(join(root, "test/demo/rules.json"), "utf8")];
  expect(rulesets.length).toBeGreaterThan(5);
  for (const text of rulesets) {
    expect(parseRuleset(text, { tenant: "acme" })).toMatchObject({ ok: true, warnings: [] });
  }
});

test("every record and every request in the README is what the Worker reads, and no key of it is passed over", () => {
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

test("every JSON that the README shows is JSON, and what it is stands beside it", () => {
  for (const text of blocks("json")) expect(() => JSON.parse(text)).not.toThrow();
  expect(blocks("json")).toHaveLength(1);
});

test("every key of the language and of the records is in the README", () => {
  const said = code(readme).join(" ");
  const names = (text: string) => new Set(text.match(/[A-Za-z_]+/g));
  const known = names(said);
  // `status_callback` and `recording_status_callback`, each with `_event`, `_event_type` and `_method`.
  const callbacks = /^(?:recording_)?status_callback(_event|_event_type|_method)$/;
  const isSaid = (key: string) => known.has(key) || known.has(callbacks.exec(key)?.[1] ?? "");
  expect([...keysOf(rulesetJsonSchema())].filter((key) => !isSaid(key))).toEqual([]);
  const inRecords = [
    ...Object.keys(projectRecord.shape),
    ...Object.keys(projectRecord.shape.session.unwrap().shape),
    ...Object.keys(tenantRecord.shape),
    ...Object.keys(tenantRecord.shape.dial.unwrap().shape),
    ...Object.keys(dialBody.shape),
  ];
  const shown = names(said + ["project", "tenant", "dial"].flatMap((what) => blocks(`json ${what}`)).join());
  expect(inRecords.filter((key) => !shown.has(key))).toEqual([]);
});

test("the README has every path of the API, and no other", () => {
  const told = code(section("### The API"))
    .filter((text) => /^(?:GET|PUT|POST|DELETE) \/(?!schemas|health)/.test(text))
    .map((text) => text.replace(/ (?!\/api)/, " /api/tenants/:tenant"));
  const served = api.routes
    .filter(({ method, path }) => method !== "ALL" && path !== "/*")
    .flatMap(({ method, path }) => {
      // A part of a path that has one of a few words: one path for each.
      const [part, words] = /:\w+\{([a-z|-]+)\}/.exec(path) ?? [];
      const paths = part && words ? words.split("|").map((word) => path.replace(part, word)) : [path];
      return paths.map((each) => `${method} /api${each}`);
    });
  expect(told.sort()).toEqual([...new Set(served)].sort());
});

test("every line of the log that the README names is written somewhere", () => {
  const named = code(section("### Logs")).filter(
    (text) => /^[a-z]+\.[a-z_]+$/.test(text) && text !== "wrangler.toml",
  );
  expect(named).toContain("webhook.answered");
  const sources = readdirSync(join(root, "functions"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(root, "functions", file), "utf8"))
    .join("\n");
  expect(named.filter((event) => !sources.includes(`"${event}"`))).toEqual([]);
});

test("every example is explained in the README", () => {
  const told = code(readme).filter((text) => /^[a-z-]+\.(?:ya?ml|jsonc?)$/.test(text));
  const files = readdirSync(join(root, "examples"));
  expect(files.filter((file) => !told.includes(file))).toEqual([]);
});

test("every npm script that the README names is there", () => {
  const named = [...readme.matchAll(/npm (?:run )?(test|(?<=run )[a-z]+)/g)].map((found) => found[1] ?? "");
  expect(named).toContain("demo");
  expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
});

test("every command of partyline's that the README names is there", () => {
  const named = new Set([...readme.matchAll(/npx partyline ([a-z]+)/g)].map((found) => found[1] ?? ""));
  expect(named).toEqual(new Set(["check", "doctor", "explain", "pull", "push", "seal", "secret"]));
  const cli = readFileSync(join(root, "cli/partyline.ts"), "utf8");
  for (const name of named) expect(cli).toContain(`${name}Command()`);
});

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
