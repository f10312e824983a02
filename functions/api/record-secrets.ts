import { type RecordKind, recordSchemas } from "../../shared/records.ts";
import { type Problem, problem } from "../../shared/rules/schema/problems.ts";
import { restoreSecrets } from "./ruleset/restore.ts";
import { MASK, maskSecrets } from "./ruleset/secrets.ts";

const NONE =
  '"***" keeps the secret that the stored record has here, and it has none: write the secret itself';
const WHICH =
  '"***" keeps the secret that stood here, but the stored record has another number of them, so which of them it was can\'t be told: write the secrets themselves';

/** Puts `***` in the place of a record's secrets, in the record itself: sealed ones, and what stands under keys that are unknown. */
export function maskRecord(kind: RecordKind, record: unknown): void {
  if (!isObject(record)) return;
  const known = new Set(Object.keys(recordSchemas[kind].shape));
  for (const [key, value] of Object.entries(record)) {
    if (key === "signing_keys" && Array.isArray(value)) record[key] = value.map(() => MASK);
    else if (key === "credentials" || key === "signing_keys" || !known.has(key)) record[key] = MASK;
  }
  maskSecrets(record);
}

/**
 * Puts the stored secrets back in the place of `***`, in the record itself.
 * @param stored The record that stands; null where there is none.
 */
export function restoreRecord(record: unknown, stored: unknown): Problem[] {
  const { problems } = restoreSecrets(record, stored);
  if (!isObject(record)) return problems;
  const before = isObject(stored) ? stored : {};
  const { credentials, signing_keys } = record;
  if (credentials === MASK) {
    if (typeof before["credentials"] === "string") record["credentials"] = before["credentials"];
    else problems.push(problem(["credentials"], NONE));
  }
  if (Array.isArray(signing_keys))
    record["signing_keys"] = signing_keys.map((key: unknown, index) => {
      if (key !== MASK) return key;
      const kept = keptKey(signing_keys, index, before["signing_keys"]);
      if (typeof kept === "string") return kept;
      problems.push(problem(["signing_keys", index], kept === null ? NONE : WHICH));
      return key;
    });
  return problems;
}

/** One stored key is the only one there is; two are told by their places. Undefined: it can't be told; null: there is none. */
function keptKey(keys: readonly unknown[], index: number, stored: unknown): unknown {
  if (!Array.isArray(stored) || stored.length === 0) return null;
  if (keys.length === stored.length) return stored[index];
  return stored.length === 1 && keys.filter((key) => key === MASK).length === 1 ? stored[0] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
