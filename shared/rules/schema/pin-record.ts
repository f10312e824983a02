import * as z from "zod";
import { holdsExpansion } from "../../documents/expansion.ts";
import { TEXT_LENGTH } from "../limits.ts";
import { name } from "./name-schema.ts";
import { strictObject } from "./strict-object.ts";

/** What KV holds of one PIN, as JSON under `pins/<tenant>/<hmac>`. `{}` is a PIN that is good, and no more. */
export const pinRecord = strictObject({
  room: z
    .string()
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/, "must be 1 to 64 characters of printable ASCII")
    .refine((room) => !holdsExpansion(room), "may not hold ${ or %{, which SignalWire would run as code")
    .exactOptional()
    .describe("What {pin.room} stands for in the rule's room."),
  role: name("a role's name")
    .exactOptional()
    .describe('What { "pins": { "role": … } } compares. The role in the room is the rule\'s.'),
  note: z.string().max(TEXT_LENGTH).exactOptional().describe("Whose PIN it is. Nothing reads it."),
});

export type PinRecord = z.infer<typeof pinRecord>;
