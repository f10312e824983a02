import { styleText } from "node:util";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Call } from "../shared/call.ts";
import { isTenantId } from "../shared/conference.ts";
import { withCanonical } from "../shared/identity.ts";
import { isCountry } from "../shared/numbering.ts";
import { parseRuleset } from "../shared/rules/check/parse.ts";
import { compileRuleset, hashRuleset } from "../shared/rules/compile/compile.ts";
import { decide, explain } from "../shared/rules/decide.ts";
import type { Decision, Look, Question } from "../shared/rules/decision.ts";
import { callTypes } from "../shared/rules/schema/match-schema.ts";
import { meantTimezone } from "../shared/rules/schema/meant-timezone.ts";
import { type PinRecord, pinRecord } from "../shared/rules/schema/pin-record.ts";
import { problemsOf } from "../shared/rules/schema/problems.ts";
import { kvListsOf } from "../shared/rules/schema/ruleset.ts";
import { isTimezone } from "../shared/rules/wall-clock.ts";
import { readCallers } from "./caller-list.ts";
import { readAnswers } from "./explained-answers.ts";
import { documentFor } from "./explained-document.ts";
import { placeLines } from "./explained-place.ts";
import { readKvLists } from "./kv-list-files.ts";
import { instantOf } from "./local-time.ts";
import { readRulesetFile } from "./ruleset-file.ts";
import { placed, problemLines } from "./ruleset-problems.ts";
import { readCallFile } from "./webhook-file.ts";

type Pairs = [name: string, value: string][];

interface ExplainOptions {
  from?: string;
  to?: string;
  at?: string;
  timezone?: string;
  header: Pairs;
  param: Pairs;
  answer: Pairs;
  pin: [name: string, record: PinRecord][];
  list: Pairs;
  country?: string;
  sipGateway: string[];
  type: string;
  webhook?: string;
  callers?: string;
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
      "when: ISO 8601, e.g. 2026-12-24T10:00:00-05:00, or 2026-12-24T10:00 by the clock of --timezone; else now",
    )
    .option("--timezone <zone>", "whose clock --at is read off, e.g. Europe/Berlin; else the ruleset's", zone)
    .option("--header <name=value>", "a SIP header; may be given several times", pair, [])
    .option("--param <name=value>", "a parameter; may be given several times", pair, [])
    .option(
      "--answer <name=digits>",
      "what the caller keys, name= for nothing; a secret's digits if CREDENTIALS_KEY is set, else name=hmac:<64 hex digits>",
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
    .addOption(new Option("--type <type>", "what calls").choices(callTypes).default("phone"))
    .option(
      "--webhook <file>",
      "the body of SignalWire's webhook (SWML's JSON, cXML's form, RELAY's calling.call.receive), in place of the options above",
    )
    .option(
      "--callers <file>",
      "a CSV of many callers, each explained in a line; its first line names the columns: from,to,at,type,answer.<name>,…",
    )
    .option(
      "--list <name=file>",
      "what KV has of a list that the rules name as { kv }: a JSON file; may be given several times",
      pair,
      [],
    )
    .option("--tenant <id>", "whose rules they are", "default")
    .option("--plain", "the tenant's conferences carry no prefix")
    .option("--full", "every rule up to the one that matched, and why each did not")
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      "\nExit codes: 0 a rule matched (every caller's), 1 none did or the ruleset has errors, 2 something could not be read.",
    )
    .action(explainFile);
}

async function explainFile(file: string, options: ExplainOptions, command: Command): Promise<void> {
  const { tenant, plain = false, json } = options;
  const fail = (message: string): never => command.error(`error: ${message}`, { exitCode: 2 });
  if (!isTenantId(tenant)) fail("--tenant takes 1 to 24 of a-z, 0-9 and -");
  const read = await readRulesetFile(file);
  if (!read.ok) {
    const messages =
      read.kind === "unreadable" ? [read.message] : read.errors.map((error) => linesOf(file, error));
    return fail(messages.join("\nerror: "));
  }
  // What the Worker does not serve yet can be explained all the same.
  const parsed = parseRuleset(read.value, { tenant, plain, serving: true });
  if (!parsed.ok) {
    // Read as one that is written, it has all its faults told.
    const written = parseRuleset(read.value, { tenant, plain, written: read.written });
    const errors = written.ok ? parsed.errors : written.errors;
    for (const problem of placed(errors, read.positionOf))
      console.error(problemLines(file, "error", problem).join("\n"));
    process.exitCode = 1;
    return;
  }
  const { ruleset } = parsed;
  const hash = await hashRuleset(JSON.stringify(read.value));
  const lists = await readKvLists(options.list, kvListsOf(ruleset));
  if (!lists.ok) return fail(lists.message);
  for (const note of lists.notes) console.error(`note: ${note}`);
  const compiled = compileRuleset(ruleset, { tenant, plain, hash, lists: lists.values });
  const timezone = options.timezone ?? ruleset.timezone;
  /** @throws {Unreadable} */
  const explained = async (came: Call, at: string | undefined, given: Pairs): Promise<Explained> => {
    const key = process.env["CREDENTIALS_KEY"];
    const answers = await readAnswers({ answers: given, pins: options.pin }, ruleset.rules, tenant, key);
    if (!answers.ok) throw new Unreadable(answers.message);
    const now_ms = at === undefined ? Date.now() : instantOf(at, timezone);
    if (now_ms === undefined) throw new Unreadable(badTime(at, timezone));
    const call = withCanonical(came, { country: options.country, sip_gateways: options.sipGateway });
    const say = options.full ? explain : decide;
    const decision = say(compiled, call, now_ms, answers.answers);
    return { call, decision, document: documentFor(decision, call, { tenant, plain }) };
  };
  try {
    if (options.callers !== undefined) await explainCallers(options.callers, options, explained);
    else {
      const came = options.webhook === undefined ? callOf(options) : await webhookCall(options.webhook);
      const { decision, document } = await explained(came, options.at, options.answer);
      if (json) console.log(JSON.stringify({ file, decision, document }));
      else console.log(textOf(decision, document));
      if (decision.rule === null) process.exitCode = 1;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    fail(error.message);
  }
}

interface Explained {
  call: Call;
  decision: Decision | Question;
  document: object | null;
}

/** What was given cannot be read; the message says why, and what can. */
class Unreadable extends Error {
  override readonly name = "Unreadable";
}

async function explainCallers(
  file: string,
  options: ExplainOptions,
  explained: (came: Call, at: string | undefined, answers: Pairs) => Promise<Explained>,
): Promise<void> {
  const read = await readCallers(file);
  if (!read.ok) throw new Unreadable(read.message);
  const found: (Explained & { line: number })[] = [];
  for (const { line, answers, headers, params, at, ...caller } of read.callers) {
    const { type = options.type } = caller;
    if (!callTypes.some((one) => one === type))
      throw new Unreadable(
        `${file}:${line}: type must be one of ${callTypes.join(", ")}, not ${JSON.stringify(type)}`,
      );
    const came = callOf({
      ...options,
      ...caller,
      header: [...options.header, ...headers],
      param: [...options.param, ...params],
    });
    try {
      found.push({ line, ...(await explained(came, at ?? options.at, [...options.answer, ...answers])) });
    } catch (error) {
      throw error instanceof Unreadable ? new Unreadable(`${file}:${line}: ${error.message}`) : error;
    }
  }
  if (found.some(({ decision }) => decision.rule === null)) process.exitCode = 1;
  if (options.json) {
    console.log(
      JSON.stringify({
        callers: found.map(({ line, decision, document }) => ({ line, decision, document })),
      }),
    );
    return;
  }
  for (const { line, call, decision } of found) {
    const by = decision.rule === null ? "no rule matched" : `by rule ${decision.rule}`;
    console.log(
      `${file}:${line}: ${call.from || "(no number)"} to ${call.to || "(nobody)"}: ${headline(decision)}${roomsOf(decision)} ${by}`,
    );
  }
}

function roomsOf(decision: Decision | Question): string {
  return decision.action === "place" ? ` (${decision.rooms.join(", ")})` : "";
}

function linesOf(
  file: string,
  { message, line, column }: { message: string; line?: number; column?: number },
): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}:${column}: ${message}`;
}

function badTime(at: string | undefined, timezone: string | undefined): string {
  const isLocal = timezone === undefined && at !== undefined && instantOf(at, "UTC") !== undefined;
  return isLocal
    ? `--at ${at} has no offset: write it as 2026-12-24T10:00:00-05:00, or say whose clock it is with --timezone America/New_York`
    : `--at must be ISO 8601, such as 2026-12-24T10:00:00-05:00, or 2026-12-24T10:00 by the clock of --timezone, not ${JSON.stringify(at)}`;
}

function callOf({
  from = "",
  to = "",
  header,
  param,
  type,
}: Pick<ExplainOptions, "from" | "to" | "header" | "param" | "type">): Call {
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

async function webhookCall(file: string): Promise<Call> {
  const read = await readCallFile(file);
  if (!read.ok) throw new Unreadable(read.message);
  return read.call;
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
  if (!read.success) {
    const problems = problemsOf(read.error.issues, record);
    const said = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
    throw new InvalidArgumentError(said.join("; "));
  }
  return [...before, [name, read.data]];
}

function zone(text: string): string {
  if (isTimezone(text)) return text;
  const meant = meantTimezone(text);
  const hint = meant === undefined ? "" : ` Did you mean ${meant}?`;
  throw new InvalidArgumentError(`It is a time zone of the IANA database such as America/New_York.${hint}`);
}

function countryCode(text: string): string {
  if (!isCountry(text)) throw new InvalidArgumentError("Write it as ISO 3166 does, e.g. DE.");
  return text;
}
