import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import type { ComparedCall, Landing } from "../shared/api/ruleset.ts";
import { fail } from "./fail.ts";
import { timeText } from "./history.ts";
import { plain } from "./plain.ts";
import { prepare } from "./prepared-ruleset.ts";
import { compareRuleset, type Target } from "./ruleset-api.ts";
import { count, type PlacedProblem, placed, problemLines } from "./ruleset-problems.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

/** A tenant that was flooded may have many pages without a call that was decided on. */
const PAGES = 100;

interface DiffOptions {
  url: URL;
  tenant: string;
  calls: number;
  json?: true;
}

/** `partyline diff FILE`: 0 where the draft changes nothing for the last calls, 3 where it does; 1 where it has errors, 2 as ever. */
export function diffCommand(): Command {
  return new Command("diff")
    .description("say which of the last calls would land elsewhere under a draft of the ruleset, and why")
    .argument("<file>", "the draft: .json, .jsonc, .yaml or .yml")
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules they are", tenantId)
    .option("--calls <n>", "how many of the last calls, 1 to 1000", callCount, 100)
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.
Each call is decided again as of its own time, by the ruleset that stands and by the draft. Nothing is written.

Exit codes: 0 none of them would land elsewhere, 1 the draft has errors, 2 it could not be read or the Worker not be
asked, 3 some would.`,
    )
    .action(diff);
}

async function diff(file: string, { url, tenant, calls: wanted, json }: DiffOptions): Promise<void> {
  const prepared = await prepare(file, tenant);
  if (!prepared.ok) return refuse(file, prepared.errors, prepared.unreadable, json);
  const { ADMIN_TOKEN: token = "" } = process.env;
  const target: Target = { url, tenant, token };
  const calls = new Map<string, ComparedCall>();
  let ruleset: string | null = null;
  let after: number | null = null;
  let pages = 0;
  do {
    pages += 1;
    const page = await compareRuleset(target, prepared.text, after);
    if (!page.ok) {
      if ("error" in page) return fail(2, page.error, json);
      return refuse(file, placed(page.errors, prepared.positionOf), false, json);
    }
    // Of a call on two pages the older one has what came first.
    for (const call of page.calls) calls.set(call.call_id, older(calls.get(call.call_id), call));
    ({ ruleset, next: after } = page);
  } while (after !== null && calls.size < wanted && pages < PAGES);
  const last = [...calls.values()].slice(0, wanted);
  const elsewhere = last.filter((call) => call.elsewhere !== null);
  if (json) console.log(JSON.stringify({ ok: true, tenant, ruleset, looked_at: last.length, elsewhere }));
  else console.log(textOf(file, last, ruleset));
  if (elsewhere.length > 0) process.exitCode = 3;
}

function older(newer: ComparedCall | undefined, call: ComparedCall): ComparedCall {
  if (newer === undefined) return call;
  const left_out = [...new Set([...newer.left_out, ...call.left_out])];
  return { ...call, at: newer.at, left_out, elsewhere: call.elsewhere ?? newer.elsewhere };
}

function textOf(file: string, calls: readonly ComparedCall[], ruleset: string | null): string {
  const against = ruleset === null ? "no ruleset" : `version ${plain(ruleset.slice(0, 12))}`;
  const oldest = calls.at(-1);
  if (oldest === undefined) return "No call is kept that could be decided again.";
  const elsewhere = calls.filter((call) => call.elsewhere !== null);
  const lines = [
    `${plain(file)} against ${against}, on the last ${count(calls.length, "call")} since ${timeText(oldest.at)}:`,
    ...groupsOf(elsewhere).flatMap((group) => ["", ...groupLines(group)]),
    ...(elsewhere.length > 0 ? [""] : []),
    elsewhere.length === 0
      ? "None would land elsewhere."
      : `${count(elsewhere.length, "call")} would land elsewhere.`,
  ];
  const unsure = calls.filter(({ left_out }) => left_out.length > 0).length;
  if (unsure > 0)
    lines.push(
      `Of ${count(unsure, "call")} something was not kept, such as a secret: rules that look at it may decide otherwise.`,
    );
  return lines.join("\n");
}

/** Calls for which the same changes, in the order of the newest of each. */
function groupsOf(calls: readonly ComparedCall[]): [ComparedCall, ...ComparedCall[]][] {
  const groups = new Map<string, [ComparedCall, ...ComparedCall[]]>();
  for (const call of calls) {
    const { elsewhere } = call;
    const key = JSON.stringify([elsewhere?.now, elsewhere?.draft, elsewhere?.why]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups.values()];
}

function groupLines(group: readonly [ComparedCall, ...ComparedCall[]]): string[] {
  const [{ elsewhere }] = group;
  if (elsewhere === null) return [];
  const { now, draft, changed, why } = elsewhere;
  // What an action of another kind lacks needs no line of its own.
  const details =
    now.action === draft.action ? changed.filter((name) => !["rooms", "role"].includes(name)) : [];
  return [
    ...group.map(({ call_id, at, from, to }) =>
      plain(`${call_id}  ${timeText(at)}  ${from || "anonymous"} → ${to}`),
    ),
    styleText("red", plain(`  - ${landingText(now)}`)),
    styleText("green", plain(`  + ${landingText(draft)}`)),
    ...details.map((name) => plain(`    ${name}: ${valueText(now, name)} → ${valueText(draft, name)}`)),
    ...why.map((sentence) => plain(`    ${sentence}`)),
  ];
}

function landingText(landing: Landing): string {
  const rule = landing.rule === null ? "no rule" : `rule ${landing.rule}`;
  const { rooms, role, ask, swml, cxml, say } = landing as { [key: string]: unknown }; // As the actions have them.
  switch (landing.action) {
    case "place":
      return `placed as ${role} in ${(rooms as string[]).join(", ")} (${rule})`;
    case "ask":
      return `asked for ${(ask as { name: string }[]).map(({ name }) => name).join(", ")} (${rule})`;
    case "hand_over":
      return `handed over to ${[swml, cxml].filter((url) => url !== undefined).join(" or ")} (${rule})`;
    default:
      return `rejected${say === undefined ? "" : ` with ${JSON.stringify(say)}`} (${rule})`;
  }
}

function valueText(landing: Landing, name: string): string {
  const [part = "", inner] = name.split(/\.(.*)/s);
  const whole = landing[part];
  const value =
    inner === undefined || typeof whole !== "object" || whole === null
      ? whole
      : (whole as Record<string, unknown>)[inner];
  return value === undefined ? "(none)" : JSON.stringify(value);
}

function refuse(file: string, errors: readonly PlacedProblem[], unreadable: boolean, json?: true): void {
  process.exitCode = unreadable ? 2 : 1;
  if (json) console.log(JSON.stringify({ ok: false, errors }));
  else if (unreadable) console.error(`error: ${errors[0]?.message}`);
  else {
    const lines = errors.flatMap((error) => problemLines(file, "error", error));
    console.log([...lines, `${file}: ${count(errors.length, "error")}; nothing was compared`].join("\n"));
  }
}

function callCount(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 1_000)
    throw new InvalidArgumentError("Write a number from 1 to 1000.");
  return number;
}
