import type { Problem } from "../shared/rules/schema/problems.ts";
import { plain } from "./plain.ts";
import type { Position } from "./ruleset-file.ts";

/** A problem and where in the file it is. */
export type PlacedProblem = Problem & Partial<Position>;

type PositionOf = (path: string) => Position | null;

/** In the order of the file, which is how they are put right. */
export function placed(problems: readonly Problem[], positionOf: PositionOf): PlacedProblem[] {
  return problems
    .map((problem) => ({ ...problem, ...positionOf(problem.path) }))
    .sort((one, other) => order(one) - order(other));
}

function order({ line = Number.MAX_SAFE_INTEGER, column = 0 }: Partial<Position>): number {
  return line === Number.MAX_SAFE_INTEGER ? line : line * 100_000 + column;
}

/** The lines that tell a person of it: `rules.json:3:7: error: rules[0].id: …`. */
export function problemLines(
  file: string,
  kind: "error" | "warning",
  { path, message, suggestion, line, column }: PlacedProblem,
): string[] {
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  const what = plain(`${place}: ${kind}: ${path === "" ? "" : `${path}: `}${message}`);
  return suggestion === undefined ? [what] : [what, `    did you mean ${JSON.stringify(suggestion)}?`];
}

export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
