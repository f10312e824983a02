import type { Caller, NumberSetup } from "../carrier/client.ts";
import type { ProjectSettings } from "../carrier/settings.ts";

type Fault = NonNullable<ProjectSettings["faults"]>[number];

/** How the number that is called is set up at SignalWire. */
export type Via = keyof NumberSetup;

/** Where a call must end up by its rule, and what its caller must have heard on the way. */
export interface Expected {
  /** Null: no rule matches, and the fallback speaks. */
  rule: string | null;
  /** How the webhook that decided it was answered. */
  outcome: "accepted" | "document" | "unknown" | "waiting" | "reject" | "hand_over";
  /** The name on the wire; null where there is none. */
  conference: string | null;
  joined_by: "relay" | "document" | null;
  hears: { sound: "say" | "music" | "conference" | "ring"; contains?: string };
}

export interface DemoCall {
  /** What it shows, for the table. */
  shows: string;
  /** Unless written, by SWML. */
  via?: Via;
  request: Omit<Caller, "call_id">;
  expected: Expected;
  /** What the caller keys, each once these words are heard. */
  keys?: readonly { hears: string; press: string }[];
  /** What lets the caller out of the line, once these words are heard there: `hangs_up` names who leaves, by number. */
  waits?: { hears: string; until: { hangs_up: string } | "admitted" };
  /** Somebody's wait ends with this caller's hanging up. */
  leaves?: true;
  /** What goes wrong at the carrier for this call alone; once, unless it says how often. */
  faults?: readonly Fault[];
}

/** A tenant on a project of its own, so that one's bad luck with RELAY is not another's. */
export interface DemoTenant {
  tenant: string;
  /** What goes wrong at the carrier for the whole project. */
  faults?: readonly Fault[];
  /** The calls of one act come at once; the next act begins when all of them are in their places. */
  acts: readonly (readonly DemoCall[])[];
}
