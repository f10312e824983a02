import * as z from "zod";
import type { Spoken } from "./rules/decision.ts";
import { openText, sealText } from "./seal.ts";
import type { SealKeys } from "./seal-keys.ts";

/** How long a ticket is good for, ms: SignalWire fetches what it announces at once. */
export const TICKET_MS = 60_000;

/** No ticket is longer, so that its URL is not. */
export const TICKET_LENGTH = 8_192;

const HEARD = z.string().max(4_096);

const ticket = z.strictObject({
  v: z.literal(1),
  /** Milliseconds since the epoch. */
  expires_at: z.int(),
  words: z.union([
    z.strictObject({ say: HEARD, language: HEARD.exactOptional(), voice: HEARD.exactOptional() }),
    z.strictObject({ play: HEARD }),
  ]),
});

/** Which conference's announcement a ticket is for; it opens for no other one. */
export interface TicketFor {
  tenant: string;
  /** REST's sid. */
  conference: string;
}

/**
 * What callers who are in a conference hear, sealed into a URL.
 * @param iv as `sealState` wants it.
 * @param good_for_ms how long the ticket opens.
 */
export async function sealTicket(
  keys: SealKeys,
  whose: TicketFor,
  words: Spoken,
  now: number,
  iv: Uint8Array<ArrayBuffer>,
  good_for_ms = TICKET_MS,
): Promise<string> {
  const text = JSON.stringify({ v: 1, expires_at: now + good_for_ms, words });
  return await sealText(keys, contextOf(whose), text, iv);
}

/** Null where it is no ticket for that conference, or is none any more. It opens as often as it is asked for. */
export async function openTicket(
  keys: SealKeys,
  whose: TicketFor,
  sealed: string,
  now: number,
): Promise<Spoken | null> {
  const text = sealed.length > TICKET_LENGTH ? null : await openText(keys, contextOf(whose), sealed);
  if (text === null) return null;
  // It opened, so it is JSON that we wrote, though maybe another version of us did.
  const read = ticket.safeParse(JSON.parse(text));
  return read.success && now < read.data.expires_at ? read.data.words : null;
}

/** A call's id may be anything, but its state has another shape. */
function contextOf({ tenant, conference }: TicketFor): string {
  return `${tenant}|notice|${conference}`;
}
