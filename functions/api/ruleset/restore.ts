import { type Problem, pathText, problem } from "../../../shared/rules/schema/problems.ts";
import { MASK, type Secret, type Secrets, secretsOf } from "./secrets.ts";
import { readText } from "./stored.ts";

export interface Restored {
  /** How many `***` gave way to what they stand for. */
  restored: number;
  /** One for each `***` of which it can't be told what it stands for. */
  problems: Problem[];
}

/**
 * Puts the stored secrets back in the place of `***`, in the ruleset itself: those of a rule by its id, wherever it stands
 * now (or at the same path, where it has only been renamed), others by their path.
 *
 * @param stored The version that stands, as `JSON.parse` made it; null where there is none.
 */
export function restoreSecrets(ruleset: unknown, stored: unknown): Restored {
  const now = secretsOf(ruleset);
  const masked = now.found.filter(({ holder, key }) => holder[key] === MASK);
  if (masked.length === 0) return { restored: 0, problems: [] };
  const find = finder(now, secretsOf(stored));
  const problems = masked.flatMap((secret) => {
    const kept = find(secret);
    const wrong = kept === null ? NONE : whyNot(secret, kept);
    if (wrong !== null) return [problem(secret.path, wrong)];
    secret.holder[secret.key] = kept?.holder[kept.key];
    return [];
  });
  return { restored: masked.length - problems.length, problems };
}

/** A ruleset's text with the stored secrets; as it was sent where no `***` is in it. What can't be read is left for the checks to say. */
export function withStoredSecrets(
  given: string,
  stored: string | null,
): { text: string; problems: Problem[] } {
  const read = readText(given);
  if (!read.ok) return { text: given, problems: [] };
  const before = stored === null ? null : readText(stored);
  const { restored, problems } = restoreSecrets(read.value, before?.ok ? before.value : null);
  return { text: restored === 0 ? given : JSON.stringify(read.value), problems };
}

const NONE =
  '"***" keeps the secret that the stored ruleset has here, and it has none: write the secret itself';

/** Finds the stored secret that a `***` stands for; null where there is none, or where a bad ruleset has it twice. */
function finder(now: Secrets, stored: Secrets): (secret: Secret) => Secret | null {
  const byPlace = new Map<string, Secret | null>();
  const byPath = new Map<string, Secret>();
  for (const secret of stored.found) {
    const key = keyOf(secret);
    byPlace.set(key, byPlace.has(key) ? null : secret);
    byPath.set(pathText(secret.path), secret);
  }
  return (secret) => {
    const same = byPlace.get(keyOf(secret));
    if (same !== undefined) return same;
    const there = byPath.get(pathText(secret.path)) ?? null;
    const isRenamed =
      secret.rule !== null &&
      !stored.rule_ids.has(secret.rule) &&
      typeof there?.rule === "string" &&
      !now.rule_ids.has(there.rule);
    return isRenamed ? there : null;
  };
}

function whyNot(secret: Secret, kept: Secret): string | null {
  if (secret.among !== null && kept.among !== null && secret.among < kept.among) {
    return `"***" keeps the secret that stood here, but the list had ${kept.among} values and has ${secret.among} now, so which of them it was can't be told: write the secrets of this list themselves`;
  }
  // A client that may write rules and not read KV must not have the token sent to a server of its own.
  if (secret.key === "authorization_bearer_token" && secret.holder["url"] !== kept.holder["url"]) {
    return '"***" keeps the token for the URL that it was written for, and the stream has another URL now: write the token itself';
  }
  return null;
}

function keyOf({ rule, place }: Secret): string {
  return JSON.stringify([rule, ...place]);
}
