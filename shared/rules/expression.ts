import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import { partsOf } from "./ast.ts";
import { FALSE, type ReadTest, readTest, type Test, TRUE } from "./comparison.ts";
import { CallFacts, callFields, type Facts } from "./facts.ts";

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

export type Outcome = { holds: boolean } | { error: string };

type Parsed = ReturnType<Environment["parse"]>;

/** A class, so that what a ruleset of thousands looks at for each lies close together. */
export class Expression {
  readonly #text: string;
  readonly #test: Test;
  /** Absent where every call can be told without it; made again to say in words why one fails. */
  #parsed: Parsed | undefined;

  constructor(text: string, { test, isTotal }: ReadTest, parsed: Parsed) {
    this.#text = text;
    this.#test = test;
    if (!isTotal) this.#parsed = parsed;
  }

  /** Whether it is true; what fails is not. */
  holds(facts: Facts): boolean {
    const outcome = this.#test.outcome(facts);
    if (outcome === TRUE) return true;
    return (outcome & TRUE) !== 0 && this.#evaluate(facts) === true;
  }

  /** What came of it, in words where it failed. */
  evaluate(facts: Facts): Outcome {
    const outcome = this.#test.outcome(facts);
    if (outcome === TRUE || outcome === FALSE) return { holds: outcome === TRUE };
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

export type Compiled = { ok: true; expression: Expression } | { ok: false; message: string };

/** Reads an expression and checks its types as far as they are known before there is a call. */
export function compileExpression(text: string): Compiled {
  try {
    const parsed = environment.parse(text);
    const why = refusal(parsed.ast, false);
    if (why !== null) return { ok: false, message: why };
    const { valid, type, error } = parsed.check();
    if (!valid) return { ok: false, message: messageOf(error) };
    if (type !== "bool" && type !== "dyn") return { ok: false, message: `gives ${type}, not true or false` };
    return { ok: true, expression: new Expression(text, readTest(parsed.ast), parsed) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
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
  const { message } = error instanceof Error ? error : new Error("it cannot be worked out");
  const [first = ""] = message.split("\n");
  const text = first.length > 120 ? `${first.slice(0, 119)}…` : first;
  const start =
    error instanceof Error && "range" in error && isRange(error.range) ? error.range.start + 1 : undefined;
  return start === undefined ? text : `${text}, at character ${start}`;
}

function isRange(range: unknown): range is { start: number } {
  return typeof range === "object" && range !== null && "start" in range && typeof range.start === "number";
}
