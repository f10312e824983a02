import * as z from "zod";
import { ivBytes } from "./credentials.ts";
import { fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "./encoding.ts";
import { placing } from "./placing.ts";
import type { SealKeys } from "./seal-keys.ts";

const roomName = z.string().min(1).max(64);

/**
 * Our own state of a call between two of its documents, carried by the call itself (`params.partyline`).
 * It holds the whole decision, so that one made before an announcement stays made. It is encrypted, since join
 * parameters may hold a stream's bearer token and callback tokens.
 */
const common = {
  v: z.literal(1),
  /** Which fresh entry of the call all this began with. */
  entry: z.string().regex(/^([0-9a-f]{16})?$/),
  /** The step that the call is at when this comes back. */
  step: z.int().min(1).max(1000),
};

/** A call whose place is decided. */
const placed = z.strictObject({
  ...common,
  /**
   * What to do when it comes back: place after an announcement, confirm after a hold, settle after a ring; poll: asks from
   * its line, and goes on waiting with what is returned; turn: comes from its line, by itself; fetched: because the session had
   * it fetched from there; dialled: its document in cXML dialled the room, and that is over; resume: its document asks what its
   * join's result means, and the URL says the rest.
   */
  purpose: z.enum(["place", "confirm", "settle", "poll", "turn", "fetched", "dialled", "resume"]),
  /** The step whose placement is meant. */
  place_step: z.int().min(0).max(1000),
  placing,
  /** The room chosen, where one was: the wire name, as the session gave it. */
  room: roomName.exactOptional(),
});

const answer = z.strictObject({
  value: z.string().max(64).exactOptional(),
  hmac: z.string().max(64).exactOptional(),
  pin: z
    .strictObject({ room: roomName.exactOptional(), role: z.string().max(64).exactOptional() })
    .exactOptional(),
  tries: z.int().min(1).max(100).exactOptional(),
});

/** A call that was asked something: the question is open until this is used. */
const asked = z.strictObject({
  ...common,
  purpose: z.literal("answer"),
  /** Decided once more with the answer, as of the same moment. */
  decided_at: z.int().nonnegative(),
  /** What was answered before, secrets as their HMACs alone. */
  answers: z.record(z.string().max(64), answer),
  question: z.strictObject({
    name: z.string().max(64),
    min_digits: z.int(),
    max_digits: z.int(),
    secret: z.boolean(),
    try: z.int().min(1),
  }),
});

const sealedState = z.discriminatedUnion("purpose", [placed, asked]);

export type SealedState = z.infer<typeof sealedState>;
export type PlacedState = z.infer<typeof placed>;
export type AskedState = z.infer<typeof asked>;

/** Whose state it is; it opens for no other call and no other tenant. */
export interface SealedFor {
  tenant: string;
  call_id: string;
}

export type Sealing = { ok: true; sealed: string } | { ok: false; reason: "too_long"; length: number };

export type Opening =
  | { ok: true; state: SealedState }
  /** `form`: not a seal of ours. `closed`: altered, or another key's, call's or tenant's. `shape`: another version's. */
  | { ok: false; reason: "form" | "closed" | "shape" };

/** What AES-GCM adds to what it encrypts. */
const tagBytes = 16;

/** What `params.partyline` may hold, in characters. A decision that needs more has no way to come back. */
export const sealedLimit = 4096;

/** Whether the state is short enough to be carried: what sealing it would say, without the sealing. */
export function fitsSeal(state: SealedState): boolean {
  const bytes = ivBytes + toUtf8(JSON.stringify(state)).length + tagBytes;
  return Math.ceil((bytes * 4) / 3) <= sealedLimit;
}

/** @param iv {@link ivBytes} random bytes, never used before with these keys. */
export async function sealState(
  keys: SealKeys,
  whose: SealedFor,
  state: SealedState,
  iv: Uint8Array<ArrayBuffer>,
): Promise<Sealing> {
  const sealed = await sealText(keys, contextOf(whose), JSON.stringify(state), iv);
  return sealed.length <= sealedLimit
    ? { ok: true, sealed }
    : { ok: false, reason: "too_long", length: sealed.length };
}

/** @param sealed Whatever `params.partyline` held. */
export async function openState(keys: SealKeys, whose: SealedFor, sealed: unknown): Promise<Opening> {
  if (typeof sealed !== "string" || sealed.length > sealedLimit) return { ok: false, reason: "form" };
  const bytes = fromBase64Url(sealed);
  if (bytes === null || bytes.length <= ivBytes) return { ok: false, reason: "form" };
  const text = await openText(keys, contextOf(whose), sealed);
  return text === null ? { ok: false, reason: "closed" } : parse(text);
}

/**
 * Encrypts with AES-GCM, bound to a context.
 * @param context whose it is: it opens under the same one alone.
 */
export async function sealText(
  keys: SealKeys,
  context: string,
  text: string,
  iv: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const plaintext = toUtf8(text);
  const ciphertext = await crypto.subtle.encrypt(algorithm(context, iv), keys[0], plaintext);
  const bytes = new Uint8Array(iv.length + ciphertext.byteLength);
  bytes.set(iv);
  bytes.set(new Uint8Array(ciphertext), iv.length);
  return toBase64Url(bytes);
}

/** Null where it was altered, or is another key's or another context's. */
export async function openText(keys: SealKeys, context: string, sealed: string): Promise<string | null> {
  const bytes = fromBase64Url(sealed);
  if (bytes === null || bytes.length <= ivBytes) return null;
  for (const key of keys) {
    const plaintext = await decrypt(key, context, bytes);
    if (plaintext !== undefined) return fromUtf8(plaintext);
  }
  return null;
}

async function decrypt(
  key: CryptoKey,
  context: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer | undefined> {
  try {
    return await crypto.subtle.decrypt(
      algorithm(context, bytes.slice(0, ivBytes)),
      key,
      bytes.subarray(ivBytes),
    );
  } catch {
    // WebCrypto does not say why, and neither do we.
    return undefined;
  }
}

function parse(text: string): Opening {
  // It opened, so it is JSON that we wrote, though maybe another version of us did.
  const parsed = sealedState.safeParse(JSON.parse(text));
  return parsed.success ? { ok: true, state: parsed.data } : { ok: false, reason: "shape" };
}

function contextOf({ tenant, call_id }: SealedFor): string {
  // A tenant id holds no "|", so no two pairs read the same.
  return `${tenant}|${call_id}`;
}

function algorithm(context: string, iv: Uint8Array<ArrayBuffer>) {
  return { name: "AES-GCM", iv, additionalData: toUtf8(context) };
}
