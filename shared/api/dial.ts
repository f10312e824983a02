import * as z from "zod";
import { joinParameters } from "../conference.ts";
import { dialStates } from "../dialing.ts";
import { strictObject } from "../rules/schema/strict-object.ts";
import { announcement } from "../rules/schema/words-schema.ts";

/** An E.164 number or a SIP URI, and nothing but that. */
export const WHOLE_ADDRESS = /^(\+[1-9][0-9]{1,14}|sips?:[^\s@:;?*]{1,128}@[A-Za-z0-9.-]{1,253})$/;
const ADDRESS_MESSAGE = "an E.164 number such as +15550100100, or a SIP URI such as sip:alice@example.com";
/** A port and parameters are the destination's, too; headers would be the caller's words in the request. */
const DESTINATION =
  /^(\+[1-9][0-9]{1,14}|sips?:[^\s@:;?*]{1,128}@[A-Za-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?(;[A-Za-z0-9._~!+'-]{1,64}(=[A-Za-z0-9._~!+':[\]-]{1,128})?){0,8})$/;

/** What an operator posts to have somebody called into a conference. */
export const dialBody = strictObject({
  /** An E.164 number or a SIP URI. */
  to: z.string().regex(DESTINATION, `${ADDRESS_MESSAGE}, with :port and ;parameters where it needs them`),
  /** Keys sent once the call is answered, before the room; w waits half a second, W one. */
  send_digits: z
    .string()
    .regex(/^[0-9A-Da-d*#wW]{1,64}$/, "1 to 64 of 0-9, A-D, *, #, w (waits half a second) and W (a second)")
    .optional(),
  /** Unless given, the first of the record's that is a whole address. */
  from: z.string().regex(WHOLE_ADDRESS, ADDRESS_MESSAGE).optional(),
  role: z.string().max(64).default("participant"),
  /** Over what the role and the ruleset's defaults say. */
  join: joinParameters.omit({ coach: true }).default({}),
  /** Seats of the room; absent: not counted. */
  capacity: z.number().int().min(1).max(100_000).optional(),
  announce: announcement.optional(),
  /** How long it rings. */
  timeout_s: z.number().int().min(5).max(600).default(60),
  /** The operator's own name for the call: asked twice, it is made once. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 of A-Z, a-z, 0-9, - and _")
    .optional(),
});

export type DialBody = z.infer<typeof dialBody>;

/** As a call's state has it; once answered `joining`, and then how its placement stands. */
export const dialShown = z.enum([
  ...dialStates.filter((state) => state !== "answered"),
  "joining",
  "joined",
  "left",
]);
