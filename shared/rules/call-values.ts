import type { Call } from "../call.ts";

/** A header's values in the order sent; none where there is no such header. The name is in lower case. */
export function headerValues(call: Call, name: string): readonly string[] {
  // Asked of the object alone: `constructor` is no header that its prototype sent.
  return (Object.hasOwn(call.headers, name) ? call.headers[name] : undefined) ?? [];
}

/** A parameter as text; null where there is none, or none that is text, a number or a boolean. */
export function paramValue(call: Call, name: string): string | null {
  return textOf(call.params, name);
}

/** A variable as text, likewise. */
export function varValue(call: Call, name: string): string | null {
  return textOf(call.vars, name);
}

function textOf(values: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return null;
  }
}
