import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** A fenced block; `info` is what stands behind the fence, e.g. `json ruleset`. */
export interface Block {
  info: string;
  text: string;
}

/** A page of Markdown. */
export interface Doc {
  /** From the root of the repository. */
  path: string;
  text: string;
  lines: readonly string[];
  /** Lines outside of fenced blocks. */
  prose: readonly string[];
  blocks: readonly Block[];
  /** Where its links to other pages, or to its own headings, lead. */
  links: readonly string[];
  /** What a link may name behind `#`. */
  anchors: ReadonlySet<string>;
}

/** Every page that the README leads to, and the README. */
export function docs(): Doc[] {
  const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`);
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...inDocs].map(readDoc);
}

export function readDoc(path: string): Doc {
  const text = readFileSync(join(root, path), "utf8");
  const lines = text.replace(/\n$/, "").split("\n");
  const blocks = [...text.matchAll(/^( *)```(\S[^\n]*)?\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = "", info = "", inner = ""]) => ({
      info,
      text: inner.replace(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
  const outside = withoutBlocks(text);
  const links = [...outside.replace(/`[^`\n]*`/g, "").matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
  return { path, text, lines, prose: outside.split("\n"), blocks, links, anchors: anchorsOf(outside) };
}

/** From the heading to the next one that stands as high. */
export function section({ text }: Doc, heading: string): string {
  const [, after = ""] = `\n${text}`.split(`\n${heading}\n`, 2);
  const [level = ""] = heading.split(" ", 1);
  return after.split(new RegExp(`^#{1,${level.length}} `, "m"), 1)[0] ?? "";
}

/** What stands in backticks; a bar in a table is written with a backslash before it. */
export function codeIn(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, said = ""]) => said);
}

function withoutBlocks(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```$/gm, "");
}

/** As GitHub makes them: lower case, without marks, a hyphen for each space; the second of a name has `-1` behind it. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const twins = [...anchors].filter((one) => one.replace(/-\d+$/, "") === anchor).length;
    anchors.add(anchors.has(anchor) ? `${anchor}-${twins}` : anchor);
  }
  return anchors;
}
