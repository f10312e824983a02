import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { readDoc, root, section } from "./docs/doc.ts";

/** An import or re-export, of a type or a value; `to` is a path from the root, or a package's name. */
interface Import {
  from: string;
  to: string;
}

const folders = layoutOf(section(readDoc("docs/architecture.md"), "## Layout"));
const files = ["functions", "shared", "cli", "test"].flatMap(sourcesIn);
const imports = files.flatMap(importsOf);

/** The folders of the session, each above those behind it. */
const levels = folders.filter((folder) => /^functions\/session\/[^/]+$/.test(folder));
/** Likewise those of the rules. Files beside them are above or below them all. */
const ruleLevels = folders.filter((folder) => /^shared\/rules\/[^/]+$/.test(folder));

test("docs/architecture.md names every folder of the code", () => {
  const named = new Set(folders);
  const there = new Set(files.filter((file) => !file.startsWith("test/")).map((file) => dirname(file)));
  expect([...there].filter((folder) => !named.has(folder))).toEqual([]);
  expect(folders.filter((folder) => !files.some((file) => file.startsWith(`${folder}/`)))).toEqual([]);
});

test("docs/architecture.md names only files that are there", () => {
  const named = readDoc("docs/architecture.md").text.match(/(?<![\w*./-])[\w.-]+(?:\/[\w.-]+)*\.ts\b/g) ?? [];
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).toEqual([]);
});

test("a folder of the session imports only from levels below it", () => {
  expect(levels).toContain("functions/session/contract");
  expect(upward(levels, (from, to) => to < from)).toEqual([]);
  // The files beside the folders put them together, and no folder knows of them.
  const intoComposition = imports.filter(
    ({ from, to }) => levelOf(levels, from) >= 0 && dirname(to) === "functions/session",
  );
  expect(shown(intoComposition)).toEqual([]);
});

test("in the rules, what checks imports what compiles, and both what is written", () => {
  expect(ruleLevels).toHaveLength(3);
  expect(upward(ruleLevels, (from, to) => to < from)).toEqual([]);
});

test("no file imports itself by way of others", () => {
  expect(circles()).toEqual([]);
});

test.each([
  ["the session", "functions/session/", /^functions\/(webhooks|call-flow|api)\//],
  [
    "the session's contract",
    "functions/session/contract/",
    /^(functions\/(?!session\/contract\/)|cloudflare:)/,
  ],
  [
    "call flow",
    "functions/call-flow/",
    /^(hono|functions\/(webhooks|api)\/|functions\/session\/(?!contract\/)|functions\/session-client)/,
  ],
  [
    "tenants",
    "functions/tenants/",
    /^functions\/(webhooks|call-flow|api)\/|functions\/session\/(?!contract\/)/,
  ],
  ["shared", "shared/", /^(functions|cli|test)\/|^cloudflare:/],
  ["the command line", "cli/", /^functions\/(?!api\/)|^test\//],
  ["the Worker", "functions/", /^(cli|test)\//],
  ["the simulator", "test/carrier/", /^(functions|shared|cli)\//],
])("%s imports nothing that it must not know", (_, folder, forbidden) => {
  const found = imports.filter(({ from, to }) => from.startsWith(folder) && forbidden.test(to));
  expect(shown(found)).toEqual([]);
});

/** Paths of the folders in a tree that is drawn by two spaces a level. */
function layoutOf(text: string): string[] {
  const [, tree = ""] = /```\n([\s\S]*?)```/.exec(text) ?? [];
  const above: string[] = [];
  return [...tree.matchAll(/^((?: {2})*)([a-z-]+)\/(?=\s|$)/gm)].flatMap(([, indent = "", name = ""]) => {
    above.splice(indent.length / 2, above.length, name);
    const path = above.join("/");
    return /^(functions|shared|cli)(\/|$)/.test(path) ? [path] : [];
  });
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("version-before"))
    .map((file) => `${folder}/${file}`)
    .sort();
}

function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, from), "utf8").replace(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  const specifiers = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"\n]+)"/gm);
  return [...specifiers].map(([, specifier = ""]) => ({
    from,
    to: specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier,
  }));
}

/** -1 for what is in none of the folders. */
function levelOf(order: readonly string[], file: string): number {
  return order.findIndex((folder) => file.startsWith(`${folder}/`));
}

function upward(order: readonly string[], isUp: (from: number, to: number) => boolean): string[] {
  return shown(
    imports.filter(({ from, to }) => {
      const [above, below] = [levelOf(order, from), levelOf(order, to)];
      return above >= 0 && below >= 0 && isUp(above, below);
    }),
  );
}

function shown(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} -> ${to}`);
}

/** Each circle once, as the way around it. */
function circles(): string[] {
  const importedBy = new Map(files.map((file) => [file, imports.filter(({ from }) => from === file)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    for (const { to } of importedBy.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  return found;
}
