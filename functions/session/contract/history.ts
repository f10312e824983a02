import type { CallOutcome } from "../../../shared/call-outcome.ts";
import type { KeptCall } from "../../../shared/kept-call.ts";
import type { Answer } from "../../../shared/rules/answers.ts";
import type { Decision, Look, Question } from "../../../shared/rules/decision.ts";

/** Why a webhook came: a call's fresh arrival, or its return with our sealed state; `unusable` names no call that could be read. */
export type Purpose =
  | "fresh"
  | "receive"
  | "dial"
  | "place"
  | "confirm"
  | "settle"
  | "poll"
  | "turn"
  | "fetched"
  | "dialled"
  | "answer"
  | "unusable";

/** An answer as far as it is kept: an open one whole, of a secret one what it matched. */
export interface KeptAnswer {
  tries: number;
  keyed: "nothing" | "open" | "secret";
  /** What was keyed, of an open one: decisions are computed again from it. Shown to nobody. */
  value?: string;
  /** What KV holds of the PIN, of a secret one that is in KV. */
  pin?: NonNullable<Answer["pin"]>;
  /** The HMAC in the ruleset that it is; absent if it is none. Shown to nobody. */
  matched?: string;
}

/** A decision as the journal keeps it. */
export interface KeptDecision {
  action: Decision["action"] | Question["action"];
  rule: string | null;
  ruleset: string;
  decided_at: number;
  /** The last of these is the rule that won, where one did. */
  looked_at: Look[];
  more_looked_at: number;
  /** Plain names in the order in which they were to be tried; empty unless the call is to be placed. */
  rooms: string[];
  role: string | null;
  answers: Record<string, KeptAnswer>;
}

/** A webhook as the journal keeps it: no secret, no digit keyed for one, no token of ours or anybody's is in it. */
export interface WebhookNote {
  received_at: number;
  purpose: Purpose;
  entry: string;
  step: number;
  from: string;
  to: string;
  /** Where this webhook was decided on. */
  decision?: KeptDecision;
  call?: KeptCall;
  /** Paths of what `call` lacks. */
  left_out?: string[];
}

/** How a webhook was answered, if known when it is written down. */
export interface WebhookSaid {
  outcome: CallOutcome;
  rule: string | null;
  ruleset?: string;
  /** Wire name. */
  room: string | null;
  reason?: string;
  ms: number;
}

/** A webhook that reached no placement, told behind its answer. */
export interface NoteRequest {
  v: 1;
  project_id: string;
  tenant: string;
  call_id: string;
  note: WebhookNote;
  said: WebhookSaid;
}
