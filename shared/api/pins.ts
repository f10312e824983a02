import * as z from "zod";
import { pinRecord } from "../rules/schema/pin-record.ts";

/** What is hashed in place of a PIN to see that both sides have the same CREDENTIALS_KEY; no caller can key it. */
export const KEY_CHECK = "key check";

/** PINs of one page, and of one request that writes them. */
export const PINS_AT_ONCE = 100;

const storedPinSchema = z.object({
  /** Of `pinId`. */
  id: z.string(),
  room: z.string().exactOptional(),
  role: z.string().exactOptional(),
  note: z.string().exactOptional(),
  /** The record is not as it should be, and the PIN is not taken. */
  bad: z.literal(true).exactOptional(),
});

const hmac = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits");

/** The body of `PUT /api/tenants/:tenant/pins/records`. */
export const pinsBody = z.strictObject({
  check: hmac,
  pins: z
    .array(z.strictObject({ hmac, ...pinRecord.shape }))
    .min(1)
    .max(PINS_AT_ONCE),
});

/** A PIN in KV, without its digits. */
export type StoredPin = z.infer<typeof storedPinSchema>;

/** The answer of `GET /api/tenants/:tenant/pins/records`. */
export const pinListSchema = z.object({ pins: z.array(storedPinSchema), next: z.string().nullable() });

export type PinList = z.infer<typeof pinListSchema>;
