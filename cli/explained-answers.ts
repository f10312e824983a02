import { CredentialsKeyError } from "../shared/credentials.ts";
import type { Answer, Answers } from "../shared/rules/answers.ts";
import { nearest } from "../shared/rules/nearest.ts";
import type { PinRecord } from "../shared/rules/schema/pin-record.ts";
import type { Rule } from "../shared/rules/schema/ruleset.ts";
import { answerHmac } from "../shared/secret-answer.ts";

/** What somebody says that callers key. */
export interface Given {
  answers: readonly [name: string, keyed: string][];
  pins: readonly [name: string, record: PinRecord][];
}

export type ReadAnswers = { ok: true; answers: Answers } | { ok: false; message: string };

/**
 * The answers as the rules see them. Digits of a secret become their HMAC, for which the key is needed.
 * @param key `CREDENTIALS_KEY`, the Worker's; undefined where it is not at hand.
 */
export async function readAnswers(
  { answers: given, pins }: Given,
  rules: readonly Rule[],
  tenant: string,
  key: string | undefined,
): Promise<ReadAnswers> {
  const secrets = questionsOf(rules);
  const answers: Record<string, Answer> = {};
  for (const [name, keyed] of given) {
    const isSecret = secrets.get(name);
    if (isSecret === undefined) return { ok: false, message: notAsked(name, [...secrets.keys()]) };
    const [, hmac] = /^hmac:([0-9a-f]{64})$/.exec(keyed) ?? [];
    if (keyed === "") answers[name] = {};
    else if (hmac !== undefined) answers[name] = { hmac };
    else if (!/^[0-9*#]{1,32}$/.test(keyed))
      return {
        ok: false,
        message: `--answer ${name}: what is keyed is 1 to 32 digits, * and #, or nothing: ${name}=`,
      };
    else if (!isSecret) answers[name] = { value: keyed };
    else if (key === undefined) return { ok: false, message: keyless(name, tenant) };
    else {
      const made = await hmacOf(key, tenant, keyed);
      if (typeof made !== "string") return { ok: false, message: made.message };
      answers[name] = { hmac: made };
    }
  }
  for (const [name, { note: _, ...pin }] of pins) {
    if (!secrets.has(name)) return { ok: false, message: notAsked(name, [...secrets.keys()]) };
    // Which digits the PIN has, and so its HMAC, is of no account once KV was asked.
    answers[name] = { hmac: "f".repeat(64), pin };
  }
  return { ok: true, answers };
}

async function hmacOf(key: string, tenant: string, digits: string): Promise<string | Error> {
  try {
    return await answerHmac(key, tenant, digits);
  } catch (error) {
    if (error instanceof CredentialsKeyError) return error;
    throw error;
  }
}

function keyless(name: string, tenant: string): string {
  return `${name} is a secret, and rules know its HMAC alone. Set CREDENTIALS_KEY to the Worker's secret, and it is computed here; or have npx partyline secret --tenant ${tenant} print it, and write --answer ${name}=hmac:<64 hex digits>`;
}

/** Each question's name, and whether its answer is a secret where any of that name is. */
function questionsOf(rules: readonly Rule[], found = new Map<string, boolean>()): Map<string, boolean> {
  for (const { ask, rules: inner } of rules) {
    for (const [name, { secret }] of Object.entries(ask ?? {}))
      found.set(name, secret === true || found.get(name) === true);
    if (inner !== undefined) questionsOf(inner, found);
  }
  return found;
}

function notAsked(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const there = known.length === 0 ? "the rules ask nothing" : `the rules ask for ${known.join(", ")}`;
  return `nothing asks for ${name}: ${there}${meant === undefined ? "" : `. Did you mean ${meant}?`}`;
}
