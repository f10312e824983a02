import { extname } from "node:path";
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import type { Written } from "../shared/rules/schema/advice.ts";
import type { Path } from "../shared/rules/schema/path.ts";
import { blankComments } from "./jsonc.ts";
import { readTextFile } from "./read-file.ts";

export interface Position {
  line: number;
  column: number;
}

export type RulesetFile =
  | {
      ok: true;
      value: unknown;
      has_comments: boolean;
      positionOf(path: string): Position | null;
      /** Of YAML: how a value is written, which for a number is not what it is read as. */
      written: Written;
    }
  | { ok: false; kind: "unreadable"; message: string }
  | { ok: false; kind: "malformed"; errors: ({ message: string } & Partial<Position>)[] };

/** Reads a file of JSON, JSONC or YAML, told apart by its name, and remembers where in it everything is. */
export async function readRulesetFile(file: string): Promise<RulesetFile> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    return { ok: false, kind: "unreadable", message: error instanceof Error ? error.message : String(error) };
  }
  const language = extname(file).toLowerCase();
  if (![".json", ".jsonc", ".yaml", ".yml"].includes(language)) {
    return {
      ok: false,
      kind: "unreadable",
      message: `${file}: name it .json, .jsonc, .yaml or .yml, as what it holds`,
    };
  }
  if (text.trim() === "")
    return {
      ok: false,
      kind: "malformed",
      errors: [{ message: 'is empty: write at least { "rules": [] }', line: 1, column: 1 }],
    };
  const read = language === ".yaml" || language === ".yml" ? readYaml(text) : readJson(text, language);
  // Text alone is no ruleset, and what reads one would take it for JSON that is still to be parsed.
  return read.ok && typeof read.value === "string"
    ? {
        ok: false,
        kind: "malformed",
        errors: [{ message: "must be an object, not text", line: 1, column: 1 }],
      }
    : read;
}

function readYaml(text: string): RulesetFile {
  const { document, lines } = parse(text);
  if (document.errors.length > 0) return malformed(document, lines);
  try {
    const has_comments = [...new Lexer().lex(text)].some((token) => token.startsWith("#"));
    return {
      ok: true,
      value: document.toJS(),
      has_comments,
      positionOf: (path) => positionOf(path, document, lines),
      written: (path) => sourceAt(path, document),
    };
  } catch {
    // The one thing left to fail: aliases that would unfold without end.
    return { ok: false, kind: "malformed", errors: [{ message: "has too many aliases" }] };
  }
}

function readJson(text: string, language: string): RulesetFile {
  const bare = blankComments(text);
  const json = language === ".jsonc" ? bare : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    const zero = /(?<=[:[,]\s*)0\d+(?=\s*[,\]}])/.exec(json);
    if (zero !== null) {
      const { line, column } = at(zero.index, parse(json.replaceAll("\t", " ")).lines);
      const message = `${zero[0]} begins with 0, which no number of JSON does: write "${zero[0]}", in quotes`;
      return { ok: false, kind: "malformed", errors: [{ message, line, column }] };
    }
    const hint =
      language === ".json" && bare !== text ? "; with comments or trailing commas it is .jsonc" : "";
    const where = whereJsonBreaks(error, json, bare);
    return {
      ok: false,
      kind: "malformed",
      errors: [{ message: `is not JSON from here on${hint}`, ...where }],
    };
  }
  // YAML is a superset of JSON, but for tabs, which it takes less gladly: this reading is for positions alone.
  const { document, lines } = parse(json.replaceAll("\t", " "));
  if (document.errors.some((error) => error.code === "DUPLICATE_KEY")) return malformed(document, lines);
  const has_comments = json !== text && /\/[/*]/.test(text);
  return {
    ok: true,
    value,
    has_comments,
    positionOf: (path) => positionOf(path, document, lines),
    written: () => undefined,
  };
}

/** The engine tells the place of some errors only; YAML's reader and the comments that should not be there know of others. */
function whereJsonBreaks(error: unknown, json: string, bare: string): Position {
  const [, line, column] = (error instanceof Error && /line (\d+) column (\d+)/.exec(error.message)) || [];
  if (line !== undefined) return { line: Number(line), column: Number(column) };
  const { document, lines } = parse(json.replaceAll("\t", " "));
  const comment = firstDifference(json, bare);
  return at(comment >= 0 ? comment : (document.errors[0]?.pos[0] ?? json.length), lines);
}

function parse(text: string): { document: Document; lines: LineCounter } {
  const lines = new LineCounter();
  return { document: parseDocument(text, { lineCounter: lines, prettyErrors: false }), lines };
}

/** What YAML's reader says in its own terms, as it comes about in rules. */
const faultInWords: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'a * begins a reference in YAML: put what begins with * in quotes, such as "*"',
  TAB_AS_INDENT: "a tab cannot indent in YAML: use blanks",
  DUPLICATE_KEY: "the key is here twice: each key is written once",
  MULTIPLE_DOCS: "a second document begins here: one file holds one",
  BLOCK_AS_IMPLICIT_KEY: 'a key has one value: put text with ": " in it in quotes',
  MULTILINE_IMPLICIT_KEY: "a key stands on one line",
  MISSING_CHAR: "a sign is missing before this: a quote, a bracket, a comma or a colon",
  BAD_INDENT: "is not indented like what it belongs to",
  UNEXPECTED_TOKEN: "is not expected here",
  BAD_DQ_ESCAPE: "is no escape in a text in double quotes: write \\\\ for a backslash",
};

function malformed(document: Document, lines: LineCounter): RulesetFile {
  const errors = document.errors.map(({ code, message, pos }) => ({
    message: faultInWords[code] ?? message,
    ...at(pos[0], lines),
  }));
  return { ok: false, kind: "malformed", errors };
}

/** Where the thing at a path such as `rules[3].match["x"]` is, or the nearest thing around it. */
function positionOf(path: string, document: Document, lines: LineCounter): Position | null {
  let node: unknown = document.contents;
  let offset = isNode(node) ? node.range?.[0] : undefined;
  for (const step of stepsOf(path)) {
    const { key, value } = child(isAlias(node) ? node.resolve(document) : node, step);
    if (key === undefined) break;
    offset = key.range?.[0] ?? offset;
    node = value;
  }
  return offset === undefined ? null : at(offset, lines);
}

/** A plain value as it is written; "" for what is left empty. */
function sourceAt(path: Path, document: Document): string | undefined {
  let node: unknown = document.contents;
  for (const step of path) {
    node = child(
      isAlias(node) ? node.resolve(document) : node,
      typeof step === "number" ? step : String(step),
    ).value;
  }
  if (node === null || !isScalar(node)) return undefined;
  return node.source ?? "";
}

/** A map's or list's item: what it is, and the node that it begins with. */
function child(node: unknown, step: string | number): { key?: Node; value?: unknown } {
  if (isSeq(node) && typeof step === "number") {
    const item: unknown = node.items[step];
    return isNode(item) ? { key: item, value: item } : {};
  }
  if (!isMap(node)) return {};
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return isNode(pair?.key) ? { key: pair.key, value: pair.value } : {};
}

function stepsOf(path: string): (string | number)[] {
  const steps = path.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g);
  return [...steps].map(([, index, quoted, word]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (word ?? "") : String(JSON.parse(quoted));
  });
}

function at(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

/** Where two texts of one length part; -1 where they do not. */
function firstDifference(one: string, other: string): number {
  for (let offset = 0; offset < one.length; offset++) if (one[offset] !== other[offset]) return offset;
  return -1;
}
