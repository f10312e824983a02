import type { Call } from "../call.ts";
import { holdsExpansion } from "../documents/expansion.ts";
import { canonicalOf, userOf } from "../identity.ts";
import { type Answers, answerOf } from "./answers.ts";
import { headerValues, paramValue } from "./call-values.ts";
import { nearest } from "./nearest.ts";
import { quoted } from "./quoted.ts";
import { answerRead, fieldRead, filteredRead, firstHeaderRead, namedTextRead, type Read } from "./reads.ts";

/** A piece of a template that the call fills in; `name` says how it is written. */
interface Placeholder {
  name: string;
  /** Null where it is none of the call's, and small. */
  read: Read | null;
  value(call: Call, answers?: Answers): string | null;
  /** Whether SignalWire would run something in the value as code. */
  holdsExpansion(value: string, call: Call, answers?: Answers): boolean;
}

/** Literal text and placeholders, in order. */
export type Template = (string | Placeholder)[];

/** The text, and whether SignalWire would run something in it as code. */
export type Filled = { ok: true; text: string; expands: boolean } | { ok: false; why: string };

const PIECE = /\{([^{}]*)\}|([{}])/g;
const HEADER = /^header\.([A-Za-z0-9!#$%&'*+.^_`~-]{1,128})$/;
const PARAM = /^param\.([^{}|]{1,128})$/;
const ANSWER = /^answer\.([a-z][a-z0-9_]{0,31})$/;
/** Placeholders that are a field of the call, and not one of its headers or parameters. */
const WHOLE = ["to", "from", "call_id"];

/** What may be made of a value; null where it has no such thing. */
const filters: Readonly<Record<string, (value: string) => string | null>> = {
  digits: (value) => value.replace(/[^0-9]/g, ""),
  user: userOf,
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

/** What the text's placeholders read, one for each. */
export function readsOf(text: string): Read[] {
  if (isPlain(text)) return [];
  const placeholders = readTemplate(text).filter((piece) => typeof piece !== "string");
  return placeholders.flatMap(({ read }) => (read === null ? [] : [read]));
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

/** The template with the call's values, of so many characters at most; what else it must be is the caller's to check. */
export function fill(template: Template, longest: number, call: Call, answers?: Answers): Filled {
  let text = "";
  let expands = false;
  for (const piece of template) {
    const value = typeof piece === "string" ? piece : piece.value(call, answers);
    if (typeof piece !== "string" && (value === null || value === ""))
      return { ok: false, why: `{${piece.name}} has no value in this call` };
    if (value === null) continue;
    if (text.length + value.length > longest) {
      const begun = quoted(text + value.slice(0, 100));
      return { ok: false, why: `${begun} is longer than the ${longest} characters that are allowed` };
    }
    expands ||=
      holdsExpansion(text.slice(-1) + value.slice(0, 1)) ||
      (typeof piece === "string" ? holdsExpansion(piece) : piece.holdsExpansion(value, call, answers));
    text += value;
  }
  return { ok: true, text, expands };
}

/** Most texts are, and no pattern need be tried on them. */
function isPlain(text: string): boolean {
  return !text.includes("{") && !text.includes("}");
}

/** Thousands of rules have the same few placeholders. */
const placeholders = new Map<string, Placeholder | null>();
const MAX_PLACEHOLDERS = 1_000;

function readPlaceholder(name: string, pin = ""): Placeholder | null {
  const key = `${pin} ${name}`;
  const known = placeholders.get(key);
  if (known !== undefined) return known;
  if (placeholders.size >= MAX_PLACEHOLDERS) placeholders.clear();
  const made = makePlaceholder(name, pin);
  placeholders.set(key, made);
  return made;
}

function makePlaceholder(name: string, pin: string): Placeholder | null {
  const [written = "", ...steps] = name.split("|");
  const source = readSource(written, pin, steps[0]);
  if (source === null) return null;
  const made = steps.map((step) => (Object.hasOwn(filters, step) ? filters[step] : undefined));
  if (made.includes(undefined)) return null;
  const { read } = source;
  if (read === null) return { name, read, value: filtered, holdsExpansion };
  const holder = (call: Call, answers: Answers = {}) => (ANSWER.test(written) ? answers : call);
  return {
    name,
    read: filteredRead(read, steps),
    value: (call, answers) =>
      made.length === 0
        ? source.value(call, answers)
        : filteredBefore.get(holder(call, answers), name, () => filtered(call, answers)),
    holdsExpansion: (value, call, answers) =>
      expandedBefore.get(holder(call, answers), name, () => holdsExpansion(value)),
  };

  function filtered(call: Call, answers?: Answers): string | null {
    let value = source?.value(call, answers) ?? null;
    for (const filter of made) value = value === null || filter === undefined ? value : filter(value);
    return value;
  }
}

/** What was told of a call's values, or of its answers, by the placeholders: thousands of rules may have the same ones. */
class ToldBefore<Told> {
  readonly #known = new WeakMap<object, Map<string, Told>>();

  get(values: object, name: string, tell: () => Told): Told {
    const known = this.#known.get(values) ?? new Map<string, Told>();
    this.#known.set(values, known);
    const before = known.get(name);
    if (before !== undefined) return before;
    const told = tell();
    known.set(name, told);
    return told;
  }
}

const filteredBefore = new ToldBefore<string | null>();
const expandedBefore = new ToldBefore<boolean>();

/** Whether the text holds the room of a PIN. */
export function holdsPinRoom(text: string): boolean {
  return (
    !isPlain(text) && [...text.matchAll(PIECE)].some(([, inner = ""]) => inner.split("|")[0] === PIN_ROOM)
  );
}

function isSpecial(source: string): source is Special {
  return Object.hasOwn(onlyIn, source);
}

/** @param first What is made of the value first; absent: nothing. */
function readSource(source: string, pin: string, first?: string): Pick<Placeholder, "read" | "value"> | null {
  switch (source) {
    case "to":
    case "from":
    case "call_id":
      return {
        read: fieldRead(source),
        // The user of a SIP URI is one even where the URI is read as a number.
        value: (call) =>
          source === "call_id" || first === "user" ? call[source] : canonicalOf(call, source),
      };
    case PIN_ROOM:
      return { read: null, value: (_, answers) => answerOf(answers, pin)?.pin?.room ?? null };
  }
  const header = HEADER.exec(source)?.[1]?.toLowerCase();
  if (header !== undefined)
    return { read: firstHeaderRead(header), value: (call) => headerValues(call, header)[0] ?? null };
  const param = PARAM.exec(source)?.[1];
  if (param !== undefined)
    return { read: namedTextRead("params", param), value: (call) => paramValue(call, param) };
  const answer = ANSWER.exec(source)?.[1];
  if (answer !== undefined)
    return { read: answerRead(answer), value: (_, answers) => answerOf(answers, answer)?.value ?? null };
  return null;
}

function meantBy(name: string): string | undefined {
  const [source = "", ...steps] = name.split("|");
  const singular = source.replace(/^(header|param|answer)s\./, "$1.");
  const meantSource = readSource(singular, "") === null ? nearest(source, WHOLE) : singular;
  const meantSteps = steps.map((step) => nearest(step, Object.keys(filters)));
  if (meantSource === undefined || meantSteps.includes(undefined)) return undefined;
  return [meantSource, ...meantSteps].join("|");
}
