import type { Call } from "../../call.ts";
import { holdsExpansion } from "../../documents/expansion.ts";
import type { Answers } from "../answers.ts";
import type { Finding, Spoken } from "../decision.ts";
import { SPOKEN_LENGTH } from "../limits.ts";
import { quoted } from "../quoted.ts";
import type { Announcement } from "../schema/words-schema.ts";
import { type Filled, fill, isLiteral, readTemplate } from "../template.ts";

/** How words are spoken where nothing else is said. */
export interface Speech {
  language?: string;
  voice?: string;
}

/** A template's filled-in text that is known to be good, and whether it was the same for every call. */
export type Checked = Filled & { literal: boolean };

export type TextOf = (call: Call, answers?: Answers) => Checked;

/** What is heard, or null, with a finding that says why not. */
export type SpokenOf = (call: Call, field: string, findings: Finding[], answers?: Answers) => Spoken | null;

interface FillerOptions {
  /** The answer whose PIN's room `{pin.room}` is. */
  pin?: string;
  /** Whether the blanks around the filled-in text are no part of it. */
  trims?: true;
}

/** Fills a template and checks the whole text, as it will be sent; what says the same for every call is checked once. */
export function filler(
  written: string,
  longest: number,
  problemOf: (text: string, expands: boolean) => string | null,
  { pin, trims }: FillerOptions = {},
): TextOf {
  const template = readTemplate(written, pin);
  const checked = (filled: Filled): Filled => {
    if (!filled.ok) return filled;
    const text = trims ? filled.text.trim() : filled.text;
    const wrong = problemOf(text, filled.expands);
    return wrong === null ? { ...filled, text } : { ok: false, why: `${quoted(filled.text)} ${wrong}` };
  };
  if (isLiteral(template)) {
    const text = template.join("");
    const same = { ...checked({ ok: true, text, expands: holdsExpansion(text) }), literal: true };
    return () => same;
  }
  return (call, answers) => ({ ...checked(fill(template, longest, call, answers)), literal: false });
}

/** The text, or null; a finding wherever the call had a say in it, or it is no good. */
export function found(field: string, checked: Checked, findings: Finding[]): string | null {
  if (!checked.ok) {
    findings.push({ field, holds: false, why: checked.why });
    return null;
  }
  if (!checked.literal) findings.push({ field, holds: true, why: `is ${quoted(checked.text)}` });
  return checked.text;
}

export function readSpoken(announcement: Announcement, speech: Speech): SpokenOf {
  const { say, play, language, voice } = {
    ...speech,
    ...(typeof announcement === "string" ? { say: announcement } : announcement),
  };
  if (play !== undefined) return () => ({ play });
  const words = filler(say ?? "", SPOKEN_LENGTH, spokenProblem);
  const how = { ...(language === undefined ? {} : { language }), ...(voice === undefined ? {} : { voice }) };
  return (call, field, findings, answers) => {
    const text = found(field, words(call, answers), findings);
    return text === null ? null : { say: text, ...how };
  };
}

/** The words with the number in the placeholder's stead. */
export function withNumber(words: Spoken, placeholder: string, number: number): Spoken {
  return "say" in words ? { ...words, say: words.say.replaceAll(placeholder, String(number)) } : words;
}

function spokenProblem(_: string, expands: boolean): string | null {
  return expands ? "holds ${ or %{, which SignalWire would run as code" : null;
}
