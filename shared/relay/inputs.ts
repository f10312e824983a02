import type { Limits } from "./limits.ts";

export interface RelaySettings {
  project: string;
  token: string;
  /** This client's name and version, as SignalWire is told. */
  agent: string;
  /** Contexts whose inbound calls this client takes. */
  contexts: readonly string[];
  /** Read when the client is made; those of later settings are not. */
  limits?: Partial<Limits>;
}

/** What an earlier connection left behind, to resume its session with. */
export interface Resume {
  protocol?: string;
  /** A secret. */
  authorization_state?: string;
}

export interface Command {
  /** The caller's own handle, unique among the commands not yet settled; it never goes on the wire. */
  id: string;
  /** Commands of one lane go in order, one at a time; the `call_id`, where there is one. */
  lane: string;
  method: string;
  params: Record<string, unknown>;
  /** From this time (ms since the epoch) on it is not sent, and an answer is not waited for. */
  deadline_at: number;
  /** From this time on it is not sent, so that the caller has time left for something else. */
  must_send_by?: number;
}

/** Everything that can happen to the client. */
export type Input =
  /** A connection is wanted from now on. */
  | { on: "open" }
  /** No longer wanted: what is in flight may still be answered, what is queued is not sent. */
  | { on: "close" }
  /** A fresh connection, at once; nothing where none is wanted. */
  | { on: "reconnect" }
  /** The project's record changed. Used by the next connect; ends `refused`. */
  | { on: "credentials"; settings: RelaySettings }
  | { on: "contexts"; contexts: readonly string[] }
  /** Somebody waits for an event and can't tell a lost one from one that is yet to come: lost frames are found within seconds. */
  | { on: "watch"; closely: boolean }
  /** The socket of that `connect` effect: those of an older one are ignored. */
  | { on: "opened" | "closed" | "failed"; generation: number }
  /** `binary`: the size of a message that is not text, in bytes. */
  | { on: "message"; generation: number; data: string | { binary: number } }
  | { on: "command"; command: Command }
  /** Time has passed; due at `wakeAt`, harmless at any other time. */
  | { on: "tick" };
