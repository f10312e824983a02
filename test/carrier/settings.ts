import * as z from "zod";
import { faultSchema } from "./faults.ts";
import { switchesSchema } from "./switches/index.ts";

/** What a called phone does; times are ms on the project's clock, from the moment that it begins to ring. */
const phoneSchema = z.discriminatedUnion("does", [
  z.strictObject({
    does: z.literal("answers"),
    after_ms: z.number().int().min(0).max(600_000).default(1000),
  }),
  z.strictObject({ does: z.literal("busy") }),
  /** Rings until the device's own `timeout`. */
  z.strictObject({ does: z.literal("no_answer") }),
  /** There is no such destination: it never rings. */
  z.strictObject({ does: z.literal("failed") }),
]);

export type PhoneBehaviour = z.output<typeof phoneSchema>;

/** What the control API takes to make a project or to change it; a changed `token` is a rotated credential. */
export const projectSettingsSchema = z
  .strictObject({
    project_id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "1 to 64 letters, digits and hyphens"),
    token: z.string().min(1).max(200),
    signing_key: z.string().min(1).max(200),
    switches: switchesSchema.partial(),
    faults: z.array(faultSchema).max(1000),
    seed: z.number().int(),
    /** How many times as fast as the wall's clock calls live; what the client must meet (acks, webhooks) stays on the wall's. */
    speed: z.number().min(0.01).max(10_000),
    /** How called phones behave, by number or SIP address; one that is not here answers after 1 s. */
    phones: z.record(z.string(), phoneSchema),
    /** Each RELAY frame to the client, and each REST answer, is held back so long. */
    latency_ms: z.number().min(0).max(60_000),
    /** Webhooks and callbacks go through the tunnel that a test opened, not over the network. */
    via_tunnel: z.boolean(),
    /** An event not acknowledged within this is a violation. */
    ack_limit_ms: z.number().int().min(10).max(60_000),
    ping_interval_ms: z.number().int().min(10).max(600_000),
  })
  .partial();

export type ProjectSettings = z.input<typeof projectSettingsSchema>;

export const callRequestSchema = z
  .strictObject({
    call_id: z.string().min(1).max(100).optional(),
    from: z.string().min(1),
    to: z.string().min(1),
    type: z.enum(["phone", "sip", "webrtc"]).default("phone"),
    headers: z.array(z.strictObject({ name: z.string(), value: z.string() })).default([]),
    /** Where the call's first document is fetched; its fragment may set time limits. */
    url: z.string().optional(),
    fallback_url: z.string().optional(),
    /** Where the call's first cXML document is fetched instead. */
    cxml_url: z.string().optional(),
    /** Of the first fetch, and of the fallback's. */
    cxml_method: z.enum(["GET", "POST"]).default("POST"),
    cxml_fallback_url: z.string().optional(),
    /** Offered to a RELAY client of this context instead. */
    context: z.string().optional(),
    params: z.record(z.string(), z.unknown()).default({}),
    vars: z.record(z.string(), z.unknown()).default({}),
    /** The first webhook is sent so often, all at the same instant; the answer of the first one sent is used. */
    duplicate_webhooks: z.number().int().min(1).max(20).default(1),
  })
  .refine(
    ({ url, cxml_url, context }) => [url, cxml_url, context].filter((way) => way !== undefined).length <= 1,
    {
      error: "a number is set up in one way: `url`, `cxml_url` or `context`",
    },
  );

export type CallRequest = z.input<typeof callRequestSchema>;
export type PlacedCall = z.output<typeof callRequestSchema>;
