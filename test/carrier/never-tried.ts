import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openQuestions, type SwitchName } from "./switches/index.ts";
import type { OpenQuestion } from "./switches/open-question.ts";

const kinds = [
  [
    "harmful",
    "Readings under which a careless client harms people",
    "strands, silences, hangs up on or wrongly records somebody",
  ],
  ["degrading", "Readings that cost speed", "joins take longer, or go by document"],
  ["harmless", "Readings that change nothing for callers", "tried, and no harm was seen"],
] as const;

const opening = `# What nobody could try on SignalWire

Partyline was built and tested against a simulator of SignalWire (\`test/carrier\`), and never against SignalWire itself. The simulator
follows SignalWire's published documents. Where these leave a question open, or contradict each other, the simulator has a switch for
each possible answer (a *reading*), and Partyline must be right under every one. Chaos runs draw the readings for each project, and
\`npm run chaos -- --matrix\` plays each one alone, with dropped sockets, unanswered joins and slow answers beside it.

The first reading of a row is what the simulator assumes unless it is told otherwise. Your own project answers many of these questions
as it runs: \`npx partyline doctor <url> --observations\` says what was seen on it, and \`--observations --json\` prints that without any
secret, number or id, ready to be sent to Partyline's developers.

This page is written by \`npm run docs\` from the simulator's own table.
`;

/** The page on what nobody could try: one row for each switch of the simulator. */
export function neverTried(): string {
  const all = Object.entries(openQuestions) as [SwitchName, OpenQuestion][];
  const parts = kinds.map(([kind, heading, means]) => {
    const rows = all
      .filter(([, question]) => question.kind === kind)
      .map(([name, question]) => rowOf(name, question));
    return [
      `## ${heading}`,
      "",
      means,
      "",
      "| switch, and its readings | the question | published | what Partyline does |",
      "| --- | --- | --- | --- |",
      ...rows,
      "",
    ].join("\n");
  });
  return [opening, ...parts].join("\n");
}

function rowOf(name: string, { question, readings, published, partyline }: OpenQuestion): string {
  const told = readings.map((reading) => `\`${reading}\``).join(", ");
  return `| \`${name}\`: ${told} | ${cell(question)}? | ${cell(published)} | ${cell(partyline)} |`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** Where the page stands. */
export const page = join(import.meta.dirname, "../../docs/signalwire.md");

if (process.argv[1] === import.meta.filename) writeFileSync(page, neverTried());
