import { addressKeys, isWithheld, plainAddress } from "./rules/address.ts";

/** How many wrong PINs are too many, and for how long nothing more is taken then. */
export interface PinLimit {
  tries: number;
  window_ms: number;
  /** The first closing; each one after it is twice as long. */
  closed_ms: number;
  longest_ms: number;
}

/** What is remembered of one caller, or of one dialled number. */
export interface PinGuard {
  /** When the wrong tries since the last closing were made, ms; those that are out of the window count no more. */
  tries: readonly number[];
  /** How often it closed; forgotten after a day of quiet. */
  closings: number;
  /** Until then nothing is taken, right or wrong; 0 where it never closed. */
  closed_until: number;
}

const QUIET_MS = 24 * 3_600_000;

export const openGuard: PinGuard = { tries: [], closings: 0, closed_until: 0 };

export function isClosed({ closed_until }: PinGuard, now_ms: number): boolean {
  return now_ms < closed_until;
}

/**
 * The guard after a wrong try, and whether this one closed it. A closed guard stays as it is: nobody looked at that try.
 * Between two closings it lets `tries` wrong ones through at most in any window; a closing wipes them.
 */
export function afterWrongTry(
  guard: PinGuard,
  { tries: allowed, window_ms, closed_ms, longest_ms }: PinLimit,
  now_ms: number,
): { guard: PinGuard; closes: boolean } {
  if (isClosed(guard, now_ms)) return { guard, closes: false };
  const before = now_ms >= forgottenAt(guard, window_ms) ? openGuard : guard;
  // A clock that was set back leaves tries ahead of it: they count.
  const tries = [...before.tries.filter((at) => at > now_ms - window_ms), now_ms];
  if (tries.length < allowed) return { guard: { ...before, tries }, closes: false };
  const { closings } = before;
  const closed_until = now_ms + Math.min(longest_ms, closed_ms * 2 ** closings);
  return { guard: { tries: [], closings: closings + 1, closed_until }, closes: true };
}

/** From when on, ms, the guard is as good as one that was never touched. */
export function forgottenAt({ tries, closings, closed_until }: PinGuard, window_ms: number): number {
  const last = Math.max(closed_until, ...tries);
  return last + (closings === 0 ? window_ms : Math.max(window_ms, QUIET_MS));
}

/** Dialled addresses that cannot be read count as this one number: their text is the caller's choice. */
const UNREADABLE = "unreadable";

/** An address as wrong tries are counted by it: how it is written makes no other caller of it. Null where it can't be read. */
function readAddress(address: string): string | null {
  return plainAddress(address) ?? sipKeys(address)[0] ?? null;
}

/** The keys of a SIP URI; none for any other text. */
function sipKeys(address: string): string[] {
  return addressKeys(address, []).filter((key) => key.startsWith("sip:"));
}

/** The address of a caller as an operator names it: as read, else as an earlier version counted it. */
export function addressOfGuard(address: string): string {
  return (readAddress(address) ?? address).slice(0, 200);
}

/**
 * What was dialled, as wrong tries are counted by it. Of a SIP URI the host counts alone: the part before the @ is whatever the
 * caller writes, and where a rule takes them all each would be a number of its own.
 */
export function numberOfGuard(to: string): string {
  const host = sipKeys(to).find((key) => key.startsWith("sip:*@"));
  // With or without its last dot it is one host.
  return (host?.replace(/\.+$/, "") ?? plainAddress(to) ?? UNREADABLE).slice(0, 200);
}

/**
 * Whom a wrong try counts against. Those who withhold their number, or show what can't be read, are not one caller: each of
 * their calls is, and what they try together counts against the number that they dial.
 */
export function callerOfGuard(from: string, call_id: string): string {
  const caller = isWithheld(from) ? null : readAddress(from);
  return (caller ?? `anonymous ${call_id}`).slice(0, 200);
}
