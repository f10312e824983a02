import type { Call } from "../call.ts";
import { type JoinParameters, wireName } from "../conference.ts";
import { holdsExpansion } from "../documents/expansion.ts";
import { quoted } from "./conditions.ts";
import type { Action, Finding, Spoken } from "./decision.ts";
import { roleParameters } from "./roles.ts";
import type { ActionText } from "./schema.ts";
import { type Filled, fill, isLiteral, readTemplate } from "./template.ts";

/** Words to speak have at most so many characters when filled in. */
const SPOKEN_LENGTH = 4_000;

/** What comes of an action for one call: itself, filled in, or why it cannot be. */
export type Resolved = { action: Action; findings: Finding[] } | { action: null; findings: Finding[] };

export type ActionOf = (call: Call) => Resolved;

export interface ActionContext {
  tenant: string;
  plain: boolean;
  /** The ruleset's `defaults.join`. */
  join: JoinParameters;
  moderated: ReadonlySet<string>;
}

/** What is done where nothing else is said: a ruleset need not have a fallback. */
export function rejectByDefault(): Action {
  return { action: "reject", say: { say: "We are sorry. This number cannot take your call. Goodbye." } };
}

/** The action, its templates read once. */
export function readAction(text: ActionText, context: ActionContext): ActionOf {
  if (text.place !== undefined) return readPlace(text.place, context);
  if (text.hand_over !== undefined) return readHandOver(text.hand_over);
  if (text.reject !== undefined) return readReject(text.reject);
  // The schema lets no rule through without an action.
  return () => ({ action: rejectByDefault(), findings: [] });
}

function readPlace(place: NonNullable<ActionText["place"]>, context: ActionContext): ActionOf {
  const { room: written, role = "participant", announce } = place;
  const room = filler(written, (text) => {
    const name = wireName(context.tenant, text, context);
    return typeof name === "string" ? null : name.problem;
  });
  const join = { ...context.join, ...roleParameters(role, context.moderated.has(written)), ...place.join };
  const spoken =
    announce === undefined ? null : readSpoken(typeof announce === "string" ? { say: announce } : announce);
  return (call) => {
    const findings: Finding[] = [];
    const name = found("place.room", room(call), findings);
    if (name === null) return { action: null, findings };
    const action = {
      action: "place",
      rooms: [name],
      strategy: "first",
      role,
      join: { ...join },
    } satisfies Action;
    if (spoken === null) return { action, findings };
    const line = spoken(call, "place.announce", findings);
    return line === null ? { action: null, findings } : { action: { ...action, announce: line }, findings };
  };
}

function readReject(reject: NonNullable<ActionText["reject"]>): ActionOf {
  const { reason } = reject;
  const spoken = reject.say === undefined && reject.play === undefined ? null : readSpoken(reject);
  const why = reason === undefined ? {} : { reason };
  return (call) => {
    const findings: Finding[] = [];
    if (spoken === null) return { action: { action: "reject", ...why }, findings };
    const say = spoken(call, "reject.say", findings);
    return say === null
      ? { action: null, findings }
      : { action: { action: "reject", say, ...why }, findings };
  };
}

function readHandOver(urls: NonNullable<ActionText["hand_over"]>): ActionOf {
  return (call) => {
    // RELAY's transfer takes what SWML's does.
    const wanted = call.via === "cxml" ? "cxml" : "swml";
    if (urls[wanted] !== undefined) return { action: { action: "hand_over", ...urls }, findings: [] };
    const why = `there is no ${wanted} URL for a call that came by ${call.via}`;
    return { action: null, findings: [{ field: "hand_over", holds: false, why }] };
  };
}

interface SpokenText {
  say?: string;
  play?: string;
  language?: string;
  voice?: string;
}

type SpokenOf = (call: Call, field: string, findings: Finding[]) => Spoken | null;

function readSpoken({ say, play, language, voice }: SpokenText): SpokenOf {
  if (play !== undefined) return () => ({ play });
  const words = filler(say ?? "", spokenProblem);
  const how = { ...(language === undefined ? {} : { language }), ...(voice === undefined ? {} : { voice }) };
  return (call, field, findings) => {
    const text = found(field, words(call), findings);
    return text === null ? null : { say: text, ...how };
  };
}

function spokenProblem(text: string): string | null {
  if (text.length > SPOKEN_LENGTH)
    return `is ${text.length} characters long, and ${SPOKEN_LENGTH} are allowed`;
  return holdsExpansion(text) ? "holds ${ or %{, which SignalWire would run as code" : null;
}

/** A template's filled-in text that is known to be good, and whether it was the same for every call. */
type Checked = Filled & { literal: boolean };

/** Fills a template and checks the whole text, as it will be sent; what says the same for every call is checked once. */
function filler(written: string, problemOf: (text: string) => string | null): (call: Call) => Checked {
  const template = readTemplate(written);
  const checked = (text: string): Filled => {
    const wrong = problemOf(text);
    return wrong === null ? { ok: true, text } : { ok: false, why: `${quoted(text)} ${wrong}` };
  };
  if (isLiteral(template)) {
    const same = { ...checked(template.join("")), literal: true };
    return () => same;
  }
  return (call) => {
    const filled = fill(template, call);
    return { ...(filled.ok ? checked(filled.text) : filled), literal: false };
  };
}

/** The text, or null; a finding wherever the call had a say in it, or it is no good. */
function found(field: string, checked: Checked, findings: Finding[]): string | null {
  if (!checked.ok) {
    findings.push({ field, holds: false, why: checked.why });
    return null;
  }
  if (!checked.literal) findings.push({ field, holds: true, why: `is ${quoted(checked.text)}` });
  return checked.text;
}
