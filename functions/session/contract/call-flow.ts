import type { Call } from "../../../shared/call.ts";
import type { Step } from "../../../shared/documents/step.ts";
import type { Decision, Spoken } from "../../../shared/rules/decision.ts";

/** What was keyed, as a `prompt` would bring it. */
export type Keys = NonNullable<Call["keyed"]>;

/** A call at a point of its way. */
export interface PointOfCall {
  call: Call;
  context: string;
  made: OutboundCall | null;
  /** Whose it has been from its first step on, whatever becomes of its context; null: that is still to be told. */
  tenant: string | null;
  received_at: number;
  /** What the call carries from its last step; absent: it has just come. */
  sealed: string | undefined;
  keys: Keys | undefined;
  /** A recording notice that could not be played. */
  untold: Spoken | undefined;
}

export interface DecidedCall {
  /** Null if none could be told. */
  tenant: string | null;
  next: Step;
}

/** What a call that we made was made for. */
export interface OutboundCall {
  tenant: string;
  decision: Decision;
  /** Keys to be sent first; gone before they are. */
  send_digits?: string;
  /** The keys may have been sent, or not: gone once that is known. */
  is_keying?: true;
}

/** Thrown for a call on a context that the record does not have, or has no more: another client may want it. */
export class NotOurs extends Error {
  override readonly name = "NotOurs";
}

/** Decides what calls do that came over RELAY. Call flows implement it; the session knows no more of them. */
export interface CallDecider {
  /**
   * What the call is to do next. Where nothing can be decided it is the apology.
   * @throws {NotOurs}
   */
  decide(point: PointOfCall): Promise<DecidedCall>;
  /** Where a call of the tenant's comes in by webhook; null if nobody said where we are reached. */
  webhookUrl(tenant: string): Promise<string | null>;
}
