import { readFile } from "node:fs/promises";
import { styleText } from "node:util";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import type { Call } from "../shared/call.ts";
import { isTenantId } from "../shared/conference.ts";
import { withCanonical } from "../shared/identity.ts";
import { isCountry } from "../shared/numbering.ts";
import type { Answers } from "../shared/rules/answers.ts";
import { parseRuleset } from "../shared/rules/check/parse.ts";
import { compileRuleset, hashRuleset } from "../shared/rules/compile/compile.ts";
import { decide, explain } from "../shared/rules/decide.ts";
import type { Decision, Look, Question } from "../shared/rules/decision.ts";
import { type PinRecord, pinRecord } from "../shared/rules/schema/pin-record.ts";
import { parseSwmlWebhook } from "../shared/swml-webhook.ts";
import { documentFor } from "./explained-document.ts";
import { placeLines } from "./explained-place.ts";
import { readRulesetFile } from "./ruleset-file.ts";

type Pairs = [name: string, value: string][];

interface ExplainOptions {
  from?: string;
  to?: string;
  at?: number;
  header: Pairs;
  param: Pairs;
  answer: Pairs;
  pin: [name: string, record: PinRecord][];
  country?: string;
  sipGateway: string[];
  type: string;
  webhook?: string;
  tenant: string;
  plain?: true;
  full?: true;
  json?: true;
}

/** `partyline explain FILE`: 0 where a rule matched, 1 where none did or the ruleset is bad, 2 where something could not be read. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("say what a ruleset does with a call, and why, without calling anybody")
    .argument("<file>", "the ruleset: .json, .jsonc, .yaml or .yml")
    .option("--from <address>", "who calls: a number or SIP URI")
    .option("--to <address>", "who is called")
    .option(
      "--at <time>",
      "when: ISO 8601 with its offset, e.g. 2026-12-24T10:00:00-05:00; else now",
      instant,
    )
    .option("--header <name=value>", "a SIP header; may be given several times", pair, [])
    .option("--param <name=value>", "a parameter; may be given several times", pair, [])
    .option(
      "--answer <name=digits>",
      "what the caller keys; for a secret name=hmac:<64 hex digits>",
      pair,
      [],
    )
    .option(
      "--pin <name=record>",
      'a secret answered with a PIN of KV that has this record, e.g. pin={"room":"board","role":"chair"}',
      pinPair,
      [],
    )
    .option("--country <code>", 'as "country" in the tenant\'s record, e.g. DE', countryCode)
    .option(
      "--sip-gateway <host>",
      'as in "sip_gateways" of the tenant\'s record; may be given several times',
      (host: string, before: string[]) => [...before, host],
      [],
    )
    .option("--type <type>", "phone, sip or webrtc", "phone")
    .option("--webhook <file>", "the body of SignalWire's webhook, in place of the options above")
    .option("--tenant <id>", "whose rules they are", "default")
    .option("--plain", "the tenant's conferences carry no prefix")
    .option("--full", "every rule up to the one that matched, and why each did not")
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      "\nExit codes: 0 a rule matched, 1 none did or the ruleset has errors, 2 something could not be read.",
    )
    .action(explainFile);
}

async function explainFile(file: string, options: ExplainOptions, command: Command): Promise<void> {
  const { tenant, plain = false, json } = options;
  if (!isTenantId(tenant)) command.error("error: --tenant takes 1 to 24 of a-z, 0-9 and -", { exitCode: 2 });
  const read = await readRulesetFile(file);
  if (!read.ok) {
    const message = read.kind === "unreadable" ? read.message : `${file}: ${read.errors[0]?.message}`;
    command.error(`error: ${message}`, { exitCode: 2 });
  }
  // What the Worker does not serve yet can be explained all the same.
  const parsed = parseRuleset(read.value, { tenant, plain, serving: true });
  if (!parsed.ok) {
    const [{ path, message }] = parsed.errors;
    console.error(`error: ${file}: ${path}: ${message}\nnpx partyline check ${file} shows all of them.`);
    process.exitCode = 1;
    return;
  }
  const came = options.webhook === undefined ? callOf(options) : await webhookCall(options.webhook, command);
  const call = withCanonical(came, { country: options.country, sip_gateways: options.sipGateway });
  const hash = await hashRuleset(JSON.stringify(read.value));
  const compiled = compileRuleset(parsed.ruleset, { tenant, plain, hash });
  const say = options.full ? explain : decide;
  const decision = say(compiled, call, options.at ?? Date.now(), answersOf(options));
  const document = documentFor(decision, call, { tenant, plain });
  if (json) console.log(JSON.stringify({ file, decision, document }));
  else console.log(textOf(decision, document));
  if (decision.rule === null) process.exitCode = 1;
}

function callOf({ from = "", to = "", header, param, type }: ExplainOptions): Call {
  const headers: Record<string, string[]> = Object.create(null);
  for (const [name, value] of header)
    headers[name.toLowerCase()] = [...(headers[name.toLowerCase()] ?? []), value];
  return {
    via: "swml",
    call_id: "00000000-0000-4000-8000-000000000000",
    direction: "inbound",
    type,
    from,
    to,
    headers,
    vars: {},
    params: Object.fromEntries(param),
    details: {},
  };
}

async function webhookCall(file: string, command: Command): Promise<Call> {
  let body: string;
  try {
    body = await readFile(file, "utf8");
  } catch (error) {
    command.error(`error: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 });
  }
  const read = parseSwmlWebhook(body);
  if (read.ok) return read.call;
  const message = `${file} is no webhook's body: ${read.path === "" ? "" : `${read.path}: `}${read.message}`;
  command.error(`error: ${message}`, { exitCode: 2 });
}

function answersOf({ answer: given, pin: pins }: ExplainOptions): Answers {
  const named = given.map(([name, keyed]) => {
    const [, hmac] = /^hmac:([0-9a-f]{64})$/.exec(keyed) ?? [];
    return [name, hmac === undefined ? (keyed === "" ? {} : { value: keyed }) : { hmac }] as const;
  });
  // Which digits the PIN has, and so its HMAC, is of no account once KV was asked.
  const ofKv = pins.map(([name, { note: _, ...pin }]) => [name, { hmac: "f".repeat(64), pin }] as const);
  return Object.fromEntries([...named, ...ofKv]);
}

function textOf(decision: Decision | Question, document: object | null): string {
  const { rule, looked_at, more_looked_at = 0, ruleset } = decision;
  const lines = [
    `${bold(headline(decision))} ${rule === null ? "(no rule matched)" : `by rule ${bold(rule)}`}`,
  ];
  if (decision.action === "place") lines.push(...placeLines(decision));
  lines.push("", ...looked_at.flatMap(lookLines));
  if (more_looked_at > 0)
    lines.push(`… and ${more_looked_at} more rules that did not match: --full lists them`);
  lines.push("", `ruleset ${ruleset.slice(0, 12)}`);
  if (document !== null) lines.push("", JSON.stringify(document, null, 2));
  return lines.join("\n");
}

function headline(decision: Decision | Question): string {
  switch (decision.action) {
    case "place":
      return `placed as ${decision.role} in ${decision.strategy === "first" ? "the first room with a seat" : "the emptiest room"}`;
    case "ask":
      return `asked for ${decision.ask.map(({ name, try: times }) => `${name} (try ${times})`).join(", ")}`;
    case "reject":
      return "rejected";
    case "hand_over":
      return "handed over";
  }
}

function lookLines({ rule, matched, entered, findings }: Look): string[] {
  const mark = matched ? styleText("green", "✓") : entered ? "▸" : styleText("red", "✗");
  return [
    `${mark} ${rule}`,
    ...findings.map(({ field, holds, why }) => `    ${holds ? "" : "not "}${field}: ${why}`),
  ];
}

function bold(text: string): string {
  return styleText("bold", text);
}

function pair(text: string, before: Pairs): Pairs {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it as name=value.");
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

function pinPair(text: string, before: ExplainOptions["pin"]): ExplainOptions["pin"] {
  const [[name, json] = ["", ""]] = pair(text, []);
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch {
    throw new InvalidArgumentError("Write it as name={…}: the record is JSON.");
  }
  const read = pinRecord.safeParse(record);
  if (!read.success) throw new InvalidArgumentError(z.prettifyError(read.error));
  return [...before, [name, read.data]];
}

function instant(text: string): number {
  const read = z.iso.datetime({ offset: true }).safeParse(text);
  if (!read.success)
    throw new InvalidArgumentError("Write it as ISO 8601 with its offset, e.g. 2026-12-24T10:00:00-05:00.");
  return Date.parse(read.data);
}

function countryCode(text: string): string {
  if (!isCountry(text)) throw new InvalidArgumentError("Write it as ISO 3166 does, e.g. DE.");
  return text;
}
