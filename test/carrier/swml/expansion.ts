import { createContext, runInContext } from "node:vm";

/** What an expression in a document can see; the variables also under their own names. */
export interface Scope {
  readonly call: Readonly<Record<string, unknown>>;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly envs: Readonly<Record<string, unknown>>;
}

/** One `${…}` or `%{…}` that was expanded. */
export interface Expansion {
  /** The mark and what it encloses. */
  readonly expanded: string;
  /** The whole string that it stood in. */
  readonly within: string;
  /** False for a plain path such as `call.from`, true for anything that ran as JavaScript. */
  readonly ran: boolean;
  readonly value: unknown;
  readonly error?: string;
}

/** By the wall's clock, so far more than an expression needs: on a busy machine it may wait long for its turn. */
const time_limit_ms = 5000;
const plainPath = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*|\[\d+\])*$/;

/** Expands every string in `value`, at any depth, keys left alone; what an expansion yields is not expanded again. */
export function expand(value: unknown, scope: Scope, note: (expansion: Expansion) => void): unknown {
  if (typeof value === "string") return expandText(value, scope, note);
  if (Array.isArray(value)) return value.map((item) => expand(item, scope, note));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item, scope, note)]));
  }
  return value;
}

/** Where a promise could come from: one that is rejected in there, and awaited by nobody, would end this process. */
const asynchronous = /\b(async|import)\b/;
const withoutPromises = `for (const name of ["Promise", "WebAssembly", "Atomics"]) delete globalThis[name];
delete Array.fromAsync;`;

/** Evaluates synchronous JavaScript over the scope. Throws what the expression throws, or at the time limit. */
export function evaluate(code: string, scope: Scope): unknown {
  if (asynchronous.test(code)) throw new Error("`async` and `import` are not for expressions");
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  // Data goes in and out as JSON text, so that no object of this process can be reached from inside.
  const json = JSON.stringify(JSON.stringify({ ...scope.envs, ...scope.vars, ...scope }));
  runInContext(`${withoutPromises} Object.assign(globalThis, JSON.parse(${json}));`, context);
  const result: unknown = runInContext(`JSON.stringify([(${code}\n)])`, context, { timeout: time_limit_ms });
  const [value]: unknown[] = typeof result === "string" ? JSON.parse(result) : [];
  return value ?? undefined;
}

/** The value at a path such as `vars.choice`, `call.headers[0].name` or `choice`; variables come before environment. */
export function lookUp(path: string, scope: Scope): unknown {
  let value: unknown = { ...scope.envs, ...scope.vars, ...scope };
  for (const part of path.replaceAll(/\[(\d+)\]/g, ".$1").split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

function expandText(text: string, scope: Scope, note: (expansion: Expansion) => void): unknown {
  const pieces: unknown[] = [];
  let from = 0;
  for (;;) {
    const mark = nextMark(text, from);
    if (mark === null) break;
    if (mark.begin > from) pieces.push(text.slice(from, mark.begin));
    const expansion = expandOne(text.slice(mark.begin, mark.end), text, scope);
    note(expansion);
    pieces.push(expansion.value ?? "");
    from = mark.end;
  }
  if (from < text.length) pieces.push(text.slice(from));
  const [only] = pieces;
  // A string that is nothing but one expansion takes the value as it is, so that numbers stay numbers.
  return pieces.length === 1 ? only : pieces.map(asText).join("");
}

function expandOne(expanded: string, within: string, scope: Scope): Expansion {
  const code = expanded.slice(2, -1).trim();
  if (plainPath.test(code)) return { expanded, within, ran: false, value: lookUp(code, scope) };
  try {
    return { expanded, within, ran: true, value: evaluate(code, scope) };
  } catch (error) {
    return { expanded, within, ran: true, value: undefined, error: String(error) };
  }
}

/** The next `${…}` or `%{…}` with its closing brace; one that never closes is text. */
function nextMark(text: string, from: number): { begin: number; end: number } | null {
  for (let begin = from; begin < text.length - 1; begin++) {
    const opens = (text[begin] === "$" || text[begin] === "%") && text[begin + 1] === "{";
    if (!opens) continue;
    let depth = 0;
    for (let at = begin + 1; at < text.length; at++) {
      if (text[at] === "{") depth++;
      if (text[at] === "}") depth--;
      if (depth === 0) return { begin, end: at + 1 };
    }
  }
  return null;
}

function asText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
