import * as z from "zod";

/** What is looked at, in this order: the way of a call from the number to the conference. */
export const checks = ["url", "tenant", "project", "signature", "ruleset", "relay", "rest"] as const;

/** One thing that was looked at, in words for people. `ok` with a `fix`: it works, and wants attention all the same. */
export const findingSchema = z.object({
  check: z.enum(checks),
  ok: z.boolean(),
  message: z.string(),
  fix: z.string().exactOptional(),
});

export type Finding = z.infer<typeof findingSchema>;

/** The answer of `POST /api/tenants/:tenant/doctor`. A check without a finding could not be made. */
export const doctorReplySchema = z.object({ findings: z.array(findingSchema), ok: z.boolean() });

export type DoctorReply = z.infer<typeof doctorReplySchema>;

export const doctorRequestSchema = z.strictObject({
  /** The URL as it is pasted at SignalWire. */
  url: z.string().min(1).max(2048),
});
