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

/** One of SignalWire's open questions, as this project has answered it. No numbers, names or ids are in it. */
export const observedSchema = z.object({
  question: z.string(),
  asks: z.string(),
  /** What holds as long as nothing was seen. */
  assumed: z.string(),
  /** What was seen; times in ms since the epoch. Empty: not yet seen. */
  seen: z.array(
    z.object({
      reading: z.string(),
      times: z.number(),
      first_at: z.number(),
      last_at: z.number(),
      /** Absent from a Worker of the version before. */
      first_at_iso: z.string().nullable().exactOptional(),
      last_at_iso: z.string().nullable().exactOptional(),
    }),
  ),
});

export type Observed = z.infer<typeof observedSchema>;

/** The answer of `POST /api/tenants/:tenant/doctor`. A check without a finding could not be made. */
export const doctorReplySchema = z.object({
  findings: z.array(findingSchema),
  ok: z.boolean(),
  /** Absent where the session could not be asked, and from a Worker of the version before. */
  observations: z.array(observedSchema).exactOptional(),
});

export type DoctorReply = z.infer<typeof doctorReplySchema>;

export const doctorRequestSchema = z.strictObject({
  /** The URL as it is pasted at SignalWire. */
  url: z.string().min(1).max(2048),
});
