import * as z from "zod";
import { faultOfTarget } from "../outgoing-webhook.ts";
import { feedTypes } from "./feed.ts";

/** An endpoint to which events are to be sent. */
export const webhookBody = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .superRefine((url, context) => {
      const fault = faultOfTarget(url);
      if (fault !== null) context.addIssue({ code: "custom", message: fault });
    })
    .describe("An https URL with a public host."),
  types: z
    .array(z.enum(feedTypes))
    .min(1)
    .max(feedTypes.length)
    .optional()
    .describe("Which events it gets; absent: all."),
});
