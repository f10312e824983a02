import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import type { Call } from "../call.ts";
import type { Answers } from "./answers.ts";

/** What an expression sees, as CEL takes it: maps, since an object with a key named `constructor` is none to it. */
export interface Facts extends Record<string, unknown> {
  call: CallFacts;
  vars: ReadonlyMap<string, unknown>;
  params: ReadonlyMap<string, unknown>;
  answer: ReadonlyMap<string, string>;
  tenant: string;
  now: Date;
}

/** The call as CEL's checker knows it: a class, so that it is taken as it is and never copied. */
class CallFacts {
  readonly call_id: string;
  readonly from: string;
  readonly to: string;
  readonly direction: string;
  readonly type: string;
  readonly via: string;
  /** The first value of each, by lower-case name. */
  readonly headers: ReadonlyMap<string, string>;

  constructor({ call_id, from, to, direction, type, via, headers }: Call) {
    this.call_id = call_id;
    this.from = from;
    this.to = to;
    this.direction = direction;
    this.type = type;
    this.via = via;
    this.headers = new Map(Object.entries(headers).map(([name, values]) => [name, values[0] ?? ""]));
  }
}

const environment = new Environment({
  limits: { maxAstNodes: 256, maxDepth: 32, maxListElements: 128, maxMapEntries: 32, maxCallArguments: 4 },
})
  .registerType("Call", {
    ctor: CallFacts,
    fields: {
      call_id: "string",
      from: "string",
      to: "string",
      direction: "string",
      type: "string",
      via: "string",
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
  readonly #parsed: Parsed;

  constructor(parsed: Parsed) {
    this.#parsed = parsed;
  }

  /** Whether it is true; what fails is not. */
  holds(facts: Facts): boolean {
    // For want of a header expressions fail by the thousand: to take down where in the code they did costs the most.
    const { stackTraceLimit } = stacks;
    stacks.stackTraceLimit = 0;
    try {
      return this.#parsed(facts) === true;
    } catch {
      return false;
    } finally {
      if (stackTraceLimit !== undefined) stacks.stackTraceLimit = stackTraceLimit;
    }
  }

  /** What came of it, in words where it failed. */
  evaluate(facts: Facts): Outcome {
    try {
      const result: unknown = this.#parsed(facts);
      return typeof result === "boolean" ? { holds: result } : { error: "it gives no true or false" };
    } catch (error) {
      return { error: messageOf(error) };
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
    return { ok: true, expression: new Expression(parsed) };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

/** Of a secret's answer there is no value to see. */
export function factsOf(call: Call, now_ms: number, answers: Answers | undefined, tenant: string): Facts {
  const keyed = Object.entries(answers ?? {}).flatMap(([name, { value }]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    call: new CallFacts(call),
    vars: new Map(Object.entries(call.vars)),
    params: new Map(Object.entries(call.params)),
    answer: new Map(keyed),
    tenant,
    now: instantOf(now_ms),
  };
}

/** An instant whose time in a zone is worked out once, however many expressions ask: it takes a tenth of a millisecond. */
function instantOf(now_ms: number): Date {
  const instant = new Date(now_ms);
  const known = new Map<string, string>();
  // What getHours('Europe/Berlin') and its like read the time from.
  instant.toLocaleString = (...format: [string?, Intl.DateTimeFormatOptions?]) => {
    const key = JSON.stringify(format);
    const text = known.get(key) ?? Date.prototype.toLocaleString.apply(instant, format);
    known.set(key, text);
    return text;
  };
  return instant;
}

/** Why the expression is not taken, though CEL would, or null. */
function refusal(node: ASTNode, isInLoop: boolean): string | null {
  const name = node.op === "call" || node.op === "rcall" ? node.args[0] : "";
  const why = Object.hasOwn(refused, name) ? refused[name] : undefined;
  if (why !== undefined) return `${name}() is not offered here: ${why}`;
  const isLoop = loops.has(name);
  if (isLoop && isInLoop) return `${name}() within another loop is not offered here: it would take too long`;
  const { args }: { args: unknown } = node;
  const pending = [args].flat(3);
  // The list that a loop runs over stands outside of it.
  const receiver = node.op === "rcall" ? node.args[1] : null;
  for (const part of pending) {
    if (!isNode(part)) continue;
    const found = refusal(part, isInLoop || (isLoop && part !== receiver));
    if (found !== null) return found;
  }
  return null;
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === "object" && part !== null && "op" in part;
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
