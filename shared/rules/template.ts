import type { Call } from "../call.ts";
import { holdsExpansion } from "../documents/expansion.ts";
import { type Answers, answerOf } from "./answers.ts";
import { headerValues, paramValue } from "./call-values.ts";
import { nearest } from "./nearest.ts";

/** A piece of a template that the call fills in; `name` says how it is written. */
interface Placeholder {
  name: string;
  value(call: Call, answers?: Answers): string | null;
}

/** Literal text and placeholders, in order. */
export type Template = (string | Placeholder)[];

export type Filled = { ok: true; text: string } | { ok: false; why: string };

const PIECE = /\{([^{}]*)\}|([{}])/g;
const HEADER = /^header\.([A-Za-z0-9!#$%&'*+.^_`~-]{1,128})$/;
const PARAM = /^param\.([^{}|]{1,128})$/;
const ANSWER = /^answer\.([a-z][a-z0-9_]{0,31})$/;
/** Placeholders that are a field of the call, and not one of its headers or parameters. */
const WHOLE = ["to", "from", "call_id"];
const SIP_USER = /^sips?:([^\s@;?]{1,128})@/i;

/** What may be made of a value; null where it has no such thing. */
const filters: Readonly<Record<string, (value: string) => string | null>> = {
  digits: (value) => value.replace(/[^0-9]/g, ""),
  user: (value) => SIP_USER.exec(value)?.[1] ?? null,
  lower: (value) => value.toLowerCase(),
  last4: (value) => (value.length < 4 ? null : value.slice(-4)),
};

/** The room of the PIN that a rule's match takes, where it may stand. */
const PIN_ROOM = "pin.room";

/** Stands in an announcement until the caller's number in the room is known. */
export const NUMBER = "{number}";

/** Stands in the words that tell a waiter its place in the line until they are said. */
export const POSITION = "{position}";

/** Placeholders that one text alone may hold, and where. */
const onlyIn = {
  [PIN_ROOM]: 'may stand in a place\'s "room" alone',
  number: "may stand in a place's \"announce\" alone: it is the caller's number in the room",
  position: "may stand in a wait's \"position\" alone: it is the caller's place in the line",
} as const;

export type Special = keyof typeof onlyIn;

const KNOWN =
  "{to}, {from}, {call_id}, {header.<name>}, {param.<name>} and {answer.<name>}, each with |digits, |user, |lower or |last4 behind";

/** What is wrong with a template as written, or null. */
export function templateProblem(
  text: string,
  special?: Special,
): { message: string; suggestion?: string } | null {
  if (holdsExpansion(text)) {
    return {
      message:
        "may not hold ${ or %{, which SignalWire would run as code: a placeholder has nothing before its brace",
      suggestion: text.replace(/[$%]+\{/g, "{"),
    };
  }
  if (isPlain(text)) return null;
  for (const [whole, name, brace] of text.matchAll(PIECE)) {
    if (brace !== undefined)
      return { message: `has a lone ${brace}: braces are for placeholders such as {from}` };
    if (name === undefined) continue;
    const [source = ""] = name.split("|");
    if (source !== special && isSpecial(source)) return { message: `${whole} ${onlyIn[source]}` };
    if (name === special || readPlaceholder(name) !== null) continue;
    const meant = meantBy(name);
    const message = `has an unknown placeholder ${whole}; there are ${KNOWN}`;
    return meant === undefined ? { message } : { message, suggestion: text.replace(whole, `{${meant}}`) };
  }
  return null;
}

/**
 * Reads a template in which `templateProblem` finds nothing.
 * @param pin The answer whose PIN's room `{pin.room}` is.
 */
export function readTemplate(text: string, pin?: string): Template {
  if (isPlain(text)) return text === "" ? [] : [text];
  const pieces: Template = [];
  let end = 0;
  for (const found of text.matchAll(PIECE)) {
    const placeholder = readPlaceholder(found[1] ?? "", pin);
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

/** The names of the answers that the template holds. */
export function answersIn(text: string): string[] {
  if (isPlain(text)) return [];
  const names = [...text.matchAll(PIECE)].map(
    ([, inner = ""]) => ANSWER.exec(inner.split("|")[0] ?? "")?.[1],
  );
  return names.filter((name) => name !== undefined);
}

/** The template with the call's values; what may become of the whole text is the caller's to check. */
export function fill(template: Template, call: Call, answers?: Answers): Filled {
  let text = "";
  for (const piece of template) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    const value = piece.value(call, answers);
    if (value === null || value === "")
      return { ok: false, why: `{${piece.name}} has no value in this call` };
    text += value;
  }
  return { ok: true, text };
}

/** Most texts are, and no pattern need be tried on them. */
function isPlain(text: string): boolean {
  return !text.includes("{") && !text.includes("}");
}

function readPlaceholder(name: string, pin?: string): Placeholder | null {
  const [source = "", ...steps] = name.split("|");
  const read = readSource(source, pin);
  if (read === null) return null;
  const made = steps.map((step) => (Object.hasOwn(filters, step) ? filters[step] : undefined));
  if (made.length === 0) return { name, value: read };
  if (made.includes(undefined)) return null;
  return {
    name,
    value(call, answers) {
      let value = read(call, answers);
      for (const filter of made) value = value === null || filter === undefined ? value : filter(value);
      return value;
    },
  };
}

/** Whether the text holds the room of a PIN. */
export function holdsPinRoom(text: string): boolean {
  return (
    !isPlain(text) && [...text.matchAll(PIECE)].some(([, inner = ""]) => inner.split("|")[0] === PIN_ROOM)
  );
}

function isSpecial(source: string): source is Special {
  return Object.hasOwn(onlyIn, source);
}

function readSource(source: string, pin = ""): Placeholder["value"] | null {
  switch (source) {
    case "to":
    case "from":
    case "call_id":
      return (call) => call[source];
    case PIN_ROOM:
      return (_, answers) => answerOf(answers, pin)?.pin?.room ?? null;
  }
  const header = HEADER.exec(source)?.[1]?.toLowerCase();
  if (header !== undefined) return (call) => headerValues(call, header)[0] ?? null;
  const param = PARAM.exec(source)?.[1];
  if (param !== undefined) return (call) => paramValue(call, param);
  const answer = ANSWER.exec(source)?.[1];
  if (answer !== undefined) return (_, answers) => answerOf(answers, answer)?.value ?? null;
  return null;
}

function meantBy(name: string): string | undefined {
  const [source = "", ...steps] = name.split("|");
  const singular = source.replace(/^(header|param|answer)s\./, "$1.");
  const meantSource = readSource(singular) === null ? nearest(source, WHOLE) : singular;
  const meantSteps = steps.map((step) => nearest(step, Object.keys(filters)));
  if (meantSource === undefined || meantSteps.includes(undefined)) return undefined;
  return [meantSource, ...meantSteps].join("|");
}
