/** What happened, by kind. `violation` is what a correct client never does; `fault` is a scripted failure that fired. */
export type JournalKind =
  | "frame_in"
  | "frame_out"
  | "session"
  | "webhook"
  | "status_callback"
  | "document"
  | "violation"
  | "fault"
  | "call"
  | "conference"
  | "recording"
  | "call_recording"
  | "rest";

export interface JournalEntry {
  /** Counts up by one in each project, from 1. */
  readonly seq: number;
  /** Wall clock, ms since the epoch. */
  readonly at: number;
  readonly kind: JournalKind;
  readonly [fact: string]: unknown;
}

/** Entries kept for each project; older ones are dropped. */
const kept = 20_000;

/** Keys whose values never leave the process. */
const secret_keys = new Set([
  "token",
  "jwt_token",
  "authorization_state",
  "authorization_bearer_token",
  "signing_key",
]);

/** JSON.stringify's replacer for whatever shows journal entries. */
export function withoutSecrets(key: string, value: unknown): unknown {
  return secret_keys.has(key) && typeof value === "string" ? "[secret]" : value;
}

const secret_in_text = new RegExp(`"(${[...secret_keys].join("|")})"\\s*:\\s*"[^"]*"?`, "g");

/** The same for text that is meant to be JSON and is not. */
export function textWithoutSecrets(text: string): string {
  return text.replace(secret_in_text, '"$1":"[secret]"');
}

export class Journal {
  #entries: JournalEntry[] = [];
  #seq = 0;
  #watchers = new Set<() => void>();

  /** The latest entry's; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  note(kind: JournalKind, facts: Record<string, unknown>): void {
    this.#seq += 1;
    this.#entries.push({ ...facts, seq: this.#seq, at: Date.now(), kind });
    if (this.#entries.length > kept * 1.25) this.#entries = this.#entries.slice(-kept);
    this.touch();
  }

  /** Tells the watchers that something changed which has no entry of its own, such as what a caller hears. */
  touch(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Calls `watcher` after each change, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  after(seq: number, kind?: string): JournalEntry[] {
    // Entries count up by one, so the first one that is asked for is where its number says.
    const from = Math.max(0, seq + 1 - (this.#entries[0]?.seq ?? 0));
    const entries = this.#entries.slice(from);
    return kind === undefined ? entries : entries.filter((entry) => entry.kind === kind);
  }
}

/** True where `whole` has everything that `part` has, at every depth; lists match item by item. */
export function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return (
      Array.isArray(whole) &&
      whole.length === part.length &&
      part.every((item, index) => contains(whole[index], item))
    );
  }
  if (typeof part !== "object" || part === null) return Object.is(whole, part);
  if (typeof whole !== "object" || whole === null) return false;
  const facts = new Map<string, unknown>(Object.entries(whole));
  return Object.entries(part).every(([key, value]) => contains(facts.get(key), value));
}
