/** Fields of answers that are milliseconds since the epoch. Beside each stands the same in ISO 8601, under its name and `_iso`. */
const TIMES: ReadonlySet<string> = new Set([
  "at",
  "since",
  "until",
  "created_at",
  "updated_at",
  "started_at",
  "ended_at",
  "settled_at",
  "copied_at",
  "decided_at",
  "due_at",
  "expires_at",
  "first_at",
  "last_at",
  "open_until",
  "trial_at",
]);
/** What JavaScript's dates reach. */
const LAST_MS = 8.64e15;

/** An answer as the session has it: without the times in ISO 8601. */
export type WithoutIso<T> = T extends readonly (infer Item)[]
  ? WithoutIso<Item>[]
  : T extends object
    ? { [Key in keyof T as Key extends `${string}_iso` ? never : Key]: WithoutIso<T[Key]> }
    : T;

/** Adds the times in ISO 8601; null where there is none, or nothing has happened yet. What is kept of a `call` stays as it is. */
export function withIso(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withIso);
  if (typeof value !== "object" || value === null) return value;
  const told: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    told[key] = key === "call" ? inner : withIso(inner);
    if (TIMES.has(key) && (typeof inner === "number" || inner === null)) told[`${key}_iso`] = isoOf(inner);
  }
  return told;
}

function isoOf(ms: number | null): string | null {
  return ms === null || ms <= 0 || ms > LAST_MS ? null : new Date(ms).toISOString();
}
