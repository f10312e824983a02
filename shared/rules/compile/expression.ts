import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { partsOf } from "../ast.ts";
import { CallFacts, callFields, type Facts } from "../facts.ts";
import type { Match } from "../schema/match-schema.ts";
import { FALSE, type ReadTest, readTest, settledIn, type Test, TRUE } from "./comparison.ts";
import { type CostOf, constantCost, costOfAll } from "./cost.ts";
import { costOfExpression, failureSteps } from "./expression-cost.ts";
import { type Fault, faultOf, inOurWords } from "./expression-words.ts";
import { type TextsCompared, textsCompared } from "./texts-compared.ts";

const environment = new Environment({
  limits: { maxAstNodes: 256, maxDepth: 32, maxListElements: 128, maxMapEntries: 32, maxCallArguments: 4 },
})
  .registerType("Call", {
    ctor: CallFacts,
    fields: {
      ...Object.fromEntries(callFields.map((field) => [field, "string"])),
      headers: "map<string, string>",
    },
  })
  .registerVariable("call", "Call")
  .registerVariable("vars", "map<string, dyn>")
  .registerVariable("params", "map<string, dyn>")
  .registerVariable("answer", "map<string, string>")
  .registerVariable("tenant", "string")
  .registerVariable("now", "google.protobuf.Timestamp");

/** Functions with which a short expression could take what a caller sends for ever, or make it grow without end. */
const refused: Readonly<Record<string, string>> = {
  matches:
    "a regular expression can take very long over what a caller sends: use contains, startsWith, endsWith or ==",
  bind: "write the value out where it is used",
  map: "use exists, all or filter",
};

/** What runs over a list; one within another would take the square of what a caller sends. */
const loops = new Set(["all", "exists", "exists_one", "filter"]);

// V8's own: how many lines of its stack an error takes down.
const stacks = Error as { stackTraceLimit?: number };

/** Seen: 20 ns a comparison that is worked out here, of which none is shorter than sixteen characters. */
const COMPARISON_STEPS = 3;
const CHARS_COMPARED = 16;
/** Seen: 13 µs for sixty characters. */
const PARSE_STEPS_PER_CHAR = 20;

/** An error is null if CEL was not asked for it. */
export type Outcome = { holds: boolean } | { error: string | null };

type Parsed = ReturnType<Environment["parse"]>;

/** A class, so that what a ruleset of thousands looks at for each lies close together. */
export class Expression {
  readonly #text: string;
  readonly #test: Test;
  /** Absent where every call can be told without it; made again to say in words why one fails. */
  #parsed: Parsed | undefined;
  /** What it takes to have CEL say why it fails. */
  readonly #asking_steps: number;

  constructor(text: string, { test, isTotal }: ReadTest, parsed: Parsed, asking_steps: number) {
    this.#text = text;
    this.#test = test;
    this.#asking_steps = asking_steps;
    if (!isTotal) this.#parsed = parsed;
  }

  /** Whether it is true; what fails is not. */
  holds(facts: Facts): boolean {
    const outcome = this.#test.outcome(facts);
    if (outcome === TRUE) return true;
    return (outcome & TRUE) !== 0 && this.#evaluate(facts) === true;
  }

  /**
   * What came of it, in words where it failed.
   * @param mayAsk Whether so many steps may be spent on asking CEL.
   */
  evaluate(facts: Facts, mayAsk: (steps: number) => boolean): Outcome {
    const outcome = this.#test.outcome(facts);
    if (outcome === TRUE || outcome === FALSE) return { holds: outcome === TRUE };
    if (!mayAsk(this.#asking_steps)) return { error: null };
    const result = this.#evaluate(facts);
    if (typeof result === "boolean") return { holds: result };
    return { error: result instanceof Error ? messageOf(result) : "it gives no true or false" };
  }

  /** What CEL makes of it, an error included. */
  #evaluate(facts: Facts): unknown {
    this.#parsed ??= parse(this.#text);
    // Expressions fail by the thousand: to take down where in the code they did costs the most.
    const { stackTraceLimit } = stacks;
    stacks.stackTraceLimit = 0;
    try {
      return this.#parsed(facts);
    } catch (error) {
      return error;
    } finally {
      if (stackTraceLimit !== undefined) stacks.stackTraceLimit = stackTraceLimit;
    }
  }
}

interface Read {
  expression: Expression;
  cost: CostOf;
  compared: TextsCompared;
}

export type Compiled = ({ ok: true } & Read) | ({ ok: false } & Fault);

/** Reads an expression and checks its types as far as they are known before there is a call. */
export function compileExpression(text: string): Compiled {
  try {
    const parsed = environment.parse(text);
    const why = refusal(parsed.ast, false);
    if (why !== null) return { ok: false, message: why };
    const { valid, type, error } = parsed.check();
    if (!valid) return { ok: false, ...faultIn(text, error) };
    if (type !== "bool" && type !== "dyn")
      return { ok: false, message: `gives ${inOurWords(type ?? "nothing")}, not true or false` };
    return { ok: true, ...costed(text, parsed) };
  } catch (error) {
    return { ok: false, ...faultIn(text, error) };
  }
}

/** The expression as read, for what looks further into it than CEL; null where it cannot be read. */
export function syntaxOf(text: string): ASTNode | null {
  try {
    return environment.parse(text).ast;
  } catch {
    return null;
  }
}

function faultIn(text: string, error: unknown): Fault {
  const { first, start } = wordsOf(error);
  return faultOf(first, start, text);
}

function costed(text: string, parsed: Parsed): Read {
  const { ast } = parsed;
  const read = readTest(ast);
  const { reads } = read;
  const compared = textsCompared(ast);
  const steps = reads.length * COMPARISON_STEPS + text.length / CHARS_COMPARED;
  if (read.isTotal) {
    const asking = text.length * PARSE_STEPS_PER_CHAR + reads.length * failureSteps(text.length);
    return {
      expression: new Expression(text, read, parsed, asking),
      cost: constantCost(steps, reads),
      compared,
    };
  }
  const asking = costOfExpression(ast, text.length, new Set()).steps(({ largest }) => largest);
  const asked = costOfExpression(ast, text.length, new Set(settledIn(ast)));
  return {
    expression: new Expression(text, read, parsed, asking),
    cost: costOfAll([constantCost(steps, reads), asked]),
    compared,
  };
}

function parse(text: string): Parsed {
  const parsed = environment.parse(text);
  parsed.check();
  return parsed;
}

/** Why the expression is not taken, though CEL would, or null. */
function refusal(node: ASTNode, isInLoop: boolean): string | null {
  const name = node.op === "call" || node.op === "rcall" ? node.args[0] : "";
  const why = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (why !== undefined) return `${name}() is not offered here: ${why}`;
  const isLoop = loops.has(name);
  if (isLoop && isInLoop) return `${name}() within another loop is not offered here: it would take too long`;
  // The list that a loop runs over stands outside of it.
  const receiver = node.op === "rcall" ? node.args[1] : null;
  for (const part of partsOf(node)) {
    const found = refusal(part, isInLoop || (isLoop && part !== receiver));
    if (found !== null) return found;
  }
  return null;
}

/** CEL's own words, without its drawing of the place, cut where something long of the caller's got in. */
function messageOf(error: unknown): string {
  const { first, start } = wordsOf(error);
  const text = first.length > 120 ? `${first.slice(0, 119)}…` : first;
  return start === undefined ? text : `${text}, at character ${start}`;
}

function wordsOf(error: unknown): { first: string; start: number | undefined } {
  const { message } = error instanceof Error ? error : new Error("it cannot be worked out");
  const [first = ""] = message.split("\n");
  const start =
    error instanceof Error && "range" in error && isRange(error.range) ? error.range.start + 1 : undefined;
  return { first, start };
}

function isRange(range: unknown): range is { start: number } {
  return typeof range === "object" && range !== null && "start" in range && typeof range.start === "number";
}

/** By the match that holds the `when`: what the checks have compiled is not compiled again for deciding. */
const compiled = new WeakMap<Match, Compiled>();

/** By its text: where thousands of rules have one of a few, they share it. So few that what is kept for nothing is little. */
const recent = new Map<string, Compiled>();
const MAX_RECENT = 64;

/** The match's `when` compiled, or what is wrong with it; null where it has none. */
export function compiledOf(match: Match): Compiled | null {
  if (match.when === undefined) return null;
  const known = compiled.get(match);
  if (known !== undefined) return known;
  const made = recent.get(match.when) ?? compileExpression(match.when);
  if (recent.size >= MAX_RECENT) recent.clear();
  recent.set(match.when, made);
  compiled.set(match, made);
  return made;
}

/** For a match in which the checks found nothing. */
export function expressionOf(match: Match): (Compiled & { ok: true }) | null {
  const found = compiledOf(match);
  return found?.ok === true ? found : null;
}
