import type { Played } from "./playing.ts";
import { rowOf } from "./verdict.ts";

const HEAD = ["", "via", "from", "to", "rule", "outcome", "conference", "joined by", "ms", "how it went"];

/** The calls as a table for a terminal of any width: the last column is the one that wraps. */
export function tableOf(calls: readonly Played[]): string {
  const rows = calls.map((played) => {
    const { via, from, to, rule, outcome, conference, joined_by, ms } = rowOf(played);
    return [
      played.call.shows,
      via,
      from,
      to,
      rule ?? "(fallback)",
      outcome ?? "?",
      conference ?? "–",
      joined_by ?? "–",
      String(ms ?? "?"),
      howItWent(played),
    ];
  });
  const lines = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const print = (line: string[]) =>
    line
      .map((cell, column) =>
        HEAD[column] === "ms" ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [print(HEAD), print(widths.map((width) => "─".repeat(width))), ...rows.map(print)].join("\n");
}

/** The answers in their order with their reasons; the same one twice is told once. */
function howItWent({ answers }: Played): string {
  const told = answers.map(({ outcome, reason }) =>
    reason === undefined || reason === outcome ? outcome : `${outcome} (${reason})`,
  );
  return told.filter((text, position) => text !== told[position - 1]).join(" → ");
}
