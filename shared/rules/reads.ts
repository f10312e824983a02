import type { Call } from "../call.ts";
import { type Answers, answerOf } from "./answers.ts";
import type { PlaceRead } from "./ast.ts";
import { headerValues, paramValue, varValue } from "./call-values.ts";
import { type CallField, isCallField } from "./facts.ts";
import { READ_HEADERS, READ_TEXT } from "./limits.ts";
import { LARGEST_TEXT, LARGEST_VALUE, NOTHING, type Size, sizeOf, textSize } from "./value-size.ts";

/** What rules read: a value that a call brings, or a clock. */
export interface Read {
  /** The same for all that read the same thing. */
  readonly key: string;
  /** As the rules name it: `params.tags`. */
  readonly name: string;
  /** What its size is at most. */
  readonly largest: Size;
  /** Null where it is larger than a rule may read. */
  sizeOf(call: Call, answers: Answers | undefined): Size | null;
  /** Steps that a decision takes but once, however many rules read this. */
  once(size: Size): number;
}

/** Seen in workerd: 25 µs for an instant in a zone of the database, 100 µs for the first of a zone. */
const ZONE_STEPS = 10_000;
/** Likewise 7 µs for a schedule's clock. */
const CLOCK_STEPS = 1_000;

const never = () => 0;

export function fieldRead(field: CallField): Read {
  return text(`call ${field}`, field, (call) => call[field]);
}

/** Every value of the header. */
export function headerRead(name: string): Read {
  const most = { ...LARGEST_TEXT, items: READ_HEADERS };
  return {
    key: `headers ${name}`,
    name: `headers.${name}`,
    largest: most,
    sizeOf(call) {
      const values = headerValues(call, name);
      const chars = values.reduce((sum, value) => sum + value.length, 0);
      if (values.length > READ_HEADERS || chars > READ_TEXT) return null;
      return { ...textSize(chars), items: values.length };
    },
    once: never,
  };
}

export function firstHeaderRead(name: string): Read {
  return text(`header ${name}`, `headers.${name}`, (call) => headerValues(call, name)[0] ?? null);
}

/** The parameter or variable as the text that a match or a template takes it for. */
export function namedTextRead(root: "params" | "vars", name: string): Read {
  const textOf = root === "params" ? paramValue : varValue;
  return text(`text ${root} ${name}`, `${root}.${name}`, (call) => textOf(call, name));
}

export function answerRead(name: string): Read {
  return text(`answer ${name}`, `answer.${name}`, (_, answers) => answerOf(answers, name)?.value ?? null);
}

/** What an expression reads at a place; null where that is none of the call's, or always small. */
export function placeRead({ root, keys }: PlaceRead): Read | null {
  const [first, second] = keys.map(String);
  switch (root) {
    case "call":
      if (first === "headers") return second === undefined ? allHeaders : firstHeaderRead(second);
      return first !== undefined && isCallField(first) ? fieldRead(first) : null;
    case "answer":
      return first === undefined ? allAnswers : answerRead(first);
    case "params":
    case "vars":
      return value(JSON.stringify([root, ...keys]), [root, ...keys].join("."), (call) =>
        valueAt(call[root], keys),
      );
    default:
      return null;
  }
}

/** A value that a template's filters are put to, and that is looked through for what SignalWire would run. */
export function filteredRead(source: Read, filters: readonly string[]): Read {
  return {
    ...source,
    key: `${source.key}|${filters.join("|")}`,
    // Seen in workerd: 5 ns a character for digits, 12 ns for lower, which may double the text; 2 ns to look it through.
    once: ({ chars }) => filters.length * 2 * chars + chars / 5,
  };
}

/** The time in a zone of CEL's `now.getHours('Europe/Berlin')`. */
export function zoneRead(zone: string): Read {
  return { ...clock, key: `zone ${zone}`, name: zone, once: () => ZONE_STEPS };
}

/** What the clocks of schedules show. */
export function clockRead(timezone: string): Read {
  return { ...clock, key: `clock ${timezone}`, name: timezone };
}

const clock: Read = {
  key: "clock",
  name: "clock",
  largest: NOTHING,
  sizeOf: () => NOTHING,
  once: () => CLOCK_STEPS,
};

const allHeaders = value("headers", "headers", ({ headers }) =>
  Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values[0] ?? ""])),
);

const allAnswers = value("answers", "answer", (_, answers) =>
  Object.fromEntries(Object.entries(answers ?? {}).map(([name, { value: keyed }]) => [name, keyed])),
);

function text(
  key: string,
  name: string,
  textOf: (call: Call, answers: Answers | undefined) => string | null,
): Read {
  return {
    key,
    name,
    largest: LARGEST_TEXT,
    sizeOf(call, answers) {
      const found = textOf(call, answers);
      if (found === null) return NOTHING;
      return found.length > READ_TEXT ? null : textSize(found.length);
    },
    once: never,
  };
}

function value(
  key: string,
  name: string,
  found: (call: Call, answers: Answers | undefined) => unknown,
): Read {
  return {
    key,
    name,
    largest: LARGEST_VALUE,
    sizeOf: (call, answers) => sizeOf(found(call, answers)),
    once: never,
  };
}

function valueAt(values: unknown, keys: readonly (string | number)[]): unknown {
  let inner = values;
  for (const key of keys) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<string | number, unknown>)[key]; // It has that key.
  }
  return inner;
}
