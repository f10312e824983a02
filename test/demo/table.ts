import type { Played } from "./playing.ts";
import { rowOf } from "./verdict.ts";

const HEAD = ["", "via", "rule", "outcome", "conference", "joined by"];
/** No line is longer: a terminal of any usual width shows the table as it is. */
const WIDTH = 100;

/** The calls as a table, each on one line; below those that did not go the short way stands how they went. */
export function tableOf(calls: readonly Played[]): string {
  const rows = calls.map((played) => {
    const { via, rule, outcome, conference, joined_by } = rowOf(played);
    return [
      played.call.shows,
      via,
      rule ?? "(fallback)",
      outcome ?? "?",
      conference ?? "–",
      joined_by ?? "–",
    ];
  });
  const lines = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const print = (line: string[]) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const body = rows.flatMap((row, index) => [print(row), ...howItWent(calls[index])]);
  return [print(HEAD), print(widths.map((width) => "─".repeat(width))), ...body].join("\n");
}

/** The answers in their order with their reasons, of a call that RELAY did not simply join; the same one twice is told once. */
function howItWent(played: Played | undefined): string[] {
  const isLonger = ({ outcome, reason }: Played["answers"][number]) =>
    outcome !== "accepted" && reason !== undefined && reason !== outcome;
  if (!played?.answers.some(isLonger)) return [];
  const told = played.answers.map(({ outcome, reason }) =>
    reason === undefined || reason === outcome ? outcome : `${outcome} (${reason})`,
  );
  const line = `  ${told.filter((text, position) => text !== told[position - 1]).join(" → ")}`;
  return [line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line];
}
