import * as z from "zod";
import { joinParameters } from "./conference.ts";
import { openText, sealText } from "./seal.ts";
import type { SealKeys } from "./seal-keys.ts";

/** SignalWire fetches the document of a call that it moves at once, and may try again. */
const TICKET_MS = 60_000;
/** What a URL may hold, with our own part of it. */
const TICKET_LENGTH = 3_600;

const ticket = z.strictObject({
  v: z.literal(1),
  /** Milliseconds since the epoch. */
  expires_at: z.int(),
  room: z.string().min(1),
  join: joinParameters,
});

/** Where a call of cXML's is moved. */
export interface MovedTo {
  /** Wire name. */
  room: string;
  join: z.infer<typeof joinParameters>;
}

/** Whose move a ticket is for; it opens for no other call. */
export interface MoveOf {
  tenant: string;
  call_id: string;
}

/** Where a call is moved, sealed into a URL; null where that would be too long. @param iv as `sealState` wants it. */
export async function sealMove(
  keys: SealKeys,
  whose: MoveOf,
  { room, join }: MovedTo,
  now: number,
  iv: Uint8Array<ArrayBuffer>,
): Promise<string | null> {
  const text = JSON.stringify({ v: 1, expires_at: now + TICKET_MS, room, join });
  const sealed = await sealText(keys, contextOf(whose), text, iv);
  return sealed.length > TICKET_LENGTH ? null : sealed;
}

/** Null where it is no ticket for that call, or is none any more. */
export async function openMove(
  keys: SealKeys,
  whose: MoveOf,
  sealed: string,
  now: number,
): Promise<MovedTo | null> {
  const text = sealed.length > TICKET_LENGTH ? null : await openText(keys, contextOf(whose), sealed);
  if (text === null) return null;
  // It opened, so it is JSON that we wrote, though maybe another version of us did.
  const read = ticket.safeParse(JSON.parse(text));
  return read.success && now < read.data.expires_at ? read.data : null;
}

/** A call's id may be anything, but its state has another shape. */
function contextOf({ tenant, call_id }: MoveOf): string {
  return `${tenant}|move|${call_id}`;
}
