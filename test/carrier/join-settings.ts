import * as z from "zod";

/**
 * What a conference makes of `join_conference`'s parameters, whichever way they came. Their form was judged at the door
 * (RELAY's table, SWML's grammar), so what has no meaning for a conference is passed over here.
 */
const joinSettingsSchema = z.object({
  name: z.string().min(1),
  /** RELAY's own: what it told already of a conference that this join makes. */
  conference_id: z.string().optional(),
  muted: z.boolean().default(false),
  start_on_enter: z.boolean().default(true),
  end_on_exit: z.boolean().default(false),
  wait_url: z.string().optional(),
  max_participants: z.number().default(100_000),
  record: z.string().default("do-not-record"),
  region: z.string().default("global"),
  /** The id of the call to be coached, which must be in the conference. */
  coach: z.string().optional(),
  /** cXML's alone: posted to, as a form, when the conference ends. */
  event_callback_url: z.string().optional(),
  status_callback: z.string().optional(),
  status_callback_event: z.string().optional(),
  status_callback_event_type: z.string().default("relay"),
  status_callback_method: z.string().default("POST"),
  recording_status_callback: z.string().optional(),
  recording_status_callback_event: z.string().optional(),
  recording_status_callback_event_type: z.string().default("relay"),
  recording_status_callback_method: z.string().default("POST"),
});

export type JoinSettings = z.output<typeof joinSettingsSchema>;

/** Null where there is no telling what to join. */
export function readJoinSettings(params: Record<string, unknown>): JoinSettings | null {
  const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== null));
  return joinSettingsSchema.safeParse(given).data ?? null;
}
