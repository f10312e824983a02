import type * as z from "zod";
import type { dialShown } from "../../../shared/api/dial.ts";
import type { Decision, Place } from "../../../shared/rules/decision.ts";
import type { Naming } from "./placement.ts";

/** An operator wants somebody called and put into a room. */
export interface DialRequest {
  v: 1;
  project_id: string;
  tenant: string;
  /** The operator's own name for it, or one made up: the same twice is one call. */
  id: string;
  to: string;
  /** The caller ID. */
  from: string;
  device: "phone" | "sip";
  /** Keys sent once the call is answered, before the room. May be a secret: shown nowhere. */
  send_digits?: string;
  /** How long it rings, seconds. */
  timeout_s: number;
  max_price_per_minute?: number;
  /** The tenant's calls that may ring at once. */
  max_concurrent: number;
  /** Calls that the project may make a second. */
  per_s: number;
  /** Wire name. */
  room: string;
  /** As in `PlaceRequest`. */
  naming?: Naming;
  /** Where it goes when it is answered, as if a rule had said so. */
  decision: Extract<Decision, Place>;
}

/** How a call stands that an operator asked for. */
export interface DialView {
  id: string;
  to: string;
  from: string;
  /** Wire name. */
  room: string;
  role: string;
  state: z.infer<typeof dialShown>;
  reason: string;
  /** null until SignalWire gave it one. */
  call_id: string | null;
  /** Milliseconds since the epoch. */
  created_at: number;
  updated_at: number;
}

export type DialReply =
  | { outcome: "made" | "known"; dial: DialView }
  /** conflict: the id is another call's. many: the queue is full. locked: the room is. */
  | { outcome: "conflict" | "many" | "locked" };

export interface DialsQuery {
  /** From the page before. */
  after?: number;
  limit: number;
  state?: DialView["state"];
}

export interface DialsPage {
  dials: DialView[];
  /** What brings the next page; null if there is none. */
  next: number | null;
}
