import type { Call } from "../call.ts";
import { holdsExpansion } from "../documents/expansion.ts";
import { nearest } from "./nearest.ts";

/** A piece of a template that the call fills in; `name` says how it is written. */
interface Placeholder {
  name: string;
  value(call: Call): string | null;
}

/** Literal text and placeholders, in order. */
export type Template = (string | Placeholder)[];

export type Filled = { ok: true; text: string } | { ok: false; why: string };

const PIECE = /\{([^{}]*)\}|([{}])/g;
const HEADER = /^header\.([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$/;
const PARAM = /^param\.([^{}|]{1,128})$/;
/** Placeholders that are a field of the call, and not one of its headers or parameters. */
const WHOLE = ["to", "from", "call_id"];

/** What is wrong with a template as written, or null. */
export function templateProblem(text: string): { message: string; suggestion?: string } | null {
  if (holdsExpansion(text)) {
    return {
      message:
        "may not hold ${ or %{, which SignalWire would run as code: a placeholder has nothing before its brace",
      suggestion: text.replace(/[$%]+\{/g, "{"),
    };
  }
  for (const [whole, name, brace] of text.matchAll(PIECE)) {
    if (brace !== undefined)
      return { message: `has a lone ${brace}: braces are for placeholders such as {from}` };
    if (name === undefined || readPlaceholder(name) !== null) continue;
    const singular = name.replace(/^(header|param)s\./, "$1.");
    const meant = readPlaceholder(singular) === null ? nearest(name, WHOLE) : singular;
    const message = `has an unknown placeholder ${whole}; there are {to}, {from}, {call_id}, {header.<name>} and {param.<name>}`;
    return meant === undefined ? { message } : { message, suggestion: text.replace(whole, `{${meant}}`) };
  }
  return null;
}

/** Reads a template in which `templateProblem` finds nothing. */
export function readTemplate(text: string): Template {
  const pieces: Template = [];
  let end = 0;
  for (const found of text.matchAll(PIECE)) {
    const placeholder = readPlaceholder(found[1] ?? "");
    if (placeholder === null) continue;
    if (found.index > end) pieces.push(text.slice(end, found.index));
    pieces.push(placeholder);
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** Whether the template says the same for every call. */
export function isLiteral(template: Template): boolean {
  return template.every((piece) => typeof piece === "string");
}

/** The template with the call's values; what may become of the whole text is the caller's to check. */
export function fill(template: Template, call: Call): Filled {
  let text = "";
  for (const piece of template) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    const value = piece.value(call);
    if (value === null || value === "")
      return { ok: false, why: `{${piece.name}} has no value in this call` };
    text += value;
  }
  return { ok: true, text };
}

/** A header's values in the order sent; none where there is no such header. The name is in lower case. */
export function headerValues(call: Call, name: string): readonly string[] {
  // Asked of the object alone: `constructor` is no header that its prototype sent.
  return (Object.hasOwn(call.headers, name) ? call.headers[name] : undefined) ?? [];
}

/** A parameter as text; null where there is none, or none that is text, a number or a boolean. */
export function paramValue(call: Call, name: string): string | null {
  const value = Object.hasOwn(call.params, name) ? call.params[name] : undefined;
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

function readPlaceholder(name: string): Placeholder | null {
  switch (name) {
    case "to":
    case "from":
    case "call_id":
      return { name, value: (call) => call[name] };
  }
  const header = HEADER.exec(name)?.[1]?.toLowerCase();
  if (header !== undefined) return { name, value: (call) => headerValues(call, header)[0] ?? null };
  const param = PARAM.exec(name)?.[1];
  if (param !== undefined) return { name, value: (call) => paramValue(call, param) };
  return null;
}
