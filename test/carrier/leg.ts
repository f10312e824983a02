/**
 * What a caller can hear. At most one at a time, or the carrier notes two sounds at once; an announcement is mixed into its
 * conference.
 */
export type Sound = "say" | "audio" | "ring" | "silence" | "music" | "conference" | "announcement";

/** How long an answer lets the call last, in ms on the project's clock; then it ends for `max_duration`. */
export interface AnswerLimit {
  readonly max_ms?: number | undefined;
  /** Where `max_ms` is not given. */
  readonly default_ms?: number;
}

/** One leg of a call as the document runner sees it; the carrier's calls implement it. */
export interface Leg {
  readonly call_id: string;
  /** Aborted when the call has ended, for whatever reason. */
  readonly ended: AbortSignal;
  /** What earlier steps set; sent as `vars` with every fetch. */
  readonly vars: Record<string, unknown>;
  /** A document is about to be fetched. */
  documentBegins(): void;
  /** The `call` object of a webhook, as it is now. */
  describe(): Record<string, unknown>;
  /** Milliseconds on the project's clock, which may run faster than the wall's. */
  now(): number;
  /** Resolves after `ms` on the project's clock; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Answers the call; where it is answered a switch says what becomes of the limit, and nothing else happens. */
  answer(limit?: AnswerLimit): void;
  hangUp(reason: string): void;
  /** Begins a sound; the returned function ends it. */
  hear(sound: Sound, detail: string): () => void;
  /** Takes keys from now on; those pressed before count or not, by a switch. The returned function ends the prompt. */
  beginPrompt(): () => void;
  /** The next key, or null after `timeout_ms` on the project's clock; rejects when the signal is aborted. */
  nextDigit(timeout_ms: number, signal: AbortSignal): Promise<string | null>;
  /**
   * Joins as the `join_conference` step does; resolves when the call has left, or with `answered` as soon as it has joined.
   * `failed`: it could not join. `language`: that of the document. On abort (the document was replaced) it leaves the room and rejects with the signal's reason.
   */
  joinConference(
    params: Record<string, unknown>,
    signal: AbortSignal,
    language: "swml" | "cxml",
    until: "left" | "joined",
  ): Promise<"completed" | "answered" | "no-answer" | "failed" | "canceled">;
  /** A line in the project's journal. `violation` for what a correct client never does. */
  note(kind: "document" | "violation", entry: Record<string, unknown>): void;
}
