/** How many wrong PINs are too many: `pin_limits` of the tenant's record. */
export interface PinLimits {
  tries_per_caller: number;
  tries_per_number: number;
  window_s: number;
  caller_block_s: number;
  number_block_s: number;
}

/** Whether a caller may be asked for a PIN. */
export interface PinQuestion {
  v: 1;
  tenant: string;
  /** In canonical form. */
  from: string;
  /** As it came: the version before counted it so. Absent from a Worker of that version, whose `from` is that. */
  from_before?: string;
  /** As it came: what could be made of it would count finer. */
  to: string;
  call_id: string;
  limits: PinLimits;
}

/** A PIN was keyed. The same one at the same point of the call's way is one try, however often its webhook comes. */
export interface PinAttempt extends PinQuestion {
  entry: string;
  step: number;
  /** Tells this answer from another one: a hash that shows nothing of it. */
  answer: string;
  /** Whether the rules do not take it. */
  wrong: boolean;
}

/** Who takes no PIN now. caller: too many wrong ones from there. number: too many on it, from all callers together. */
export type PinsClosed = "caller" | "number";

/**
 * Where a PIN is allowed, what was decided may be done, be the PIN right or wrong. Where it is not, the caller learns nothing
 * of it.
 */
export type PinVerdict = { v: 1; allowed: true } | { v: 1; allowed: false; closed: PinsClosed };

/** A caller or a number that takes no PIN now, for operators. */
export interface ClosedPins {
  /** The caller's address, or `anonymous` and a call; or the number dialled. */
  who: string;
  /** ms */
  until: number;
  /** How often it closed without a day of quiet between. */
  closings: number;
}
