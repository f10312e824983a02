import type { Call, JoinRecord } from "../carrier/calls.ts";
import type { PlannedCall } from "./callers.ts";
import type { Operated } from "./operating.ts";

/** A webhook of a call, by the carrier's clock on the wall. */
export interface SentWebhook {
  sent_at: number;
  ms: number;
  status: number | null;
  failed: string | null;
}

/** A command that the Worker sent for a call, by RELAY or by REST. */
export interface SentCommand {
  at: number;
  method: string;
  by: "relay" | "rest";
  /** Whether the call was in a conference when the command arrived. */
  in_conference: boolean;
  /** Of a RELAY command: its id. */
  id?: string;
  /** The carrier answered that it was too busy: nothing was carried out. */
  was_busy?: true;
}

/** From one join of a conference to its leave, by the carrier's own count: what it tells of them may be late, wrong or nothing. */
export interface Stay {
  conference_id: string;
  room: string;
  by: JoinRecord["by"];
  from: number;
  to: number | null;
  /** When the client was told that it was over, by something that counts, and said that it had heard. Null: never. */
  told_at: number | null;
  /** What told of its end, and does not count. */
  untold: string[];
  /** How many others lost the conference because this call left it, with `end_on_exit`. */
  ended_for: number;
}

/** One step of a SWML document, or one verb of a cXML document, as the carrier ran it. */
export interface RunStep {
  at: number;
  step: string;
  in_conference: boolean;
}

/** The end of a sound, or of a question, that RELAY played on a call, or a command to end it: what comes next is decided then. */
export interface SoundOver {
  at: number;
}

/** What the carrier saw of one call. */
export interface CallRecord {
  planned: PlannedCall;
  call: Pick<Call, "call_id" | "sid" | "state" | "stranded" | "joins" | "began_at" | "origin" | "end_reason">;
  heard: ReturnType<Call["ear"]["report"]>;
  hung_up_at: number | null;
  /** When an operator took it out of its conference. */
  taken_out_at: number | null;
  /** The caller heard it ring for long, and nothing else, and has given up. */
  given_up: boolean;
  /** When it was offered on a context in an event that was acknowledged. Null: no client of that context ever had it. */
  received_at: number | null;
  /** When the project's client came to a session. */
  sessions: readonly number[];
  ended_at: number | null;
  /** When the run was over. */
  seen_until: number;
  /** It was in a conference when it ended. */
  ended_in_conference: boolean;
  webhooks: SentWebhook[];
  commands: SentCommand[];
  stays: Stay[];
  steps: RunStep[];
  sounds_over: SoundOver[];
  /** While the call lived REST refused or cut a request of its project's. */
  rest_failed: boolean;
  /** What operators asked of it, or of a room that it may be in. */
  operated: readonly Operated[];
  /** The conferences in which the client was told that the call is, by an id of the call that it knows. */
  known_in: Set<unknown>;
}
