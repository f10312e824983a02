import { z } from "zod";

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const method = z.enum(["GET", "POST"]);
const url = z.string().regex(/^https?:\/\/\S+$/, "an absolute URL that begins with http:// or https://");

function whole(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,7}$/, "a whole number")
    .transform(Number)
    .refine((number) => number >= least && number <= most, { error: `a number from ${least} to ${most}` });
}

function words(...allowed: string[]) {
  return z.string().refine((text) => text.split(" ").every((word) => allowed.includes(word)), {
    error: `one or more of ${allowed.join(", ")}, separated by spaces`,
  });
}

/** The attributes that this carrier runs, as SignalWire's cXML reference has them; anything else is refused by name. */
function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const allowed = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `no attribute that this carrier knows here; those are: ${allowed || "none"}`
        : undefined,
  });
}

/** Times to repeat; 0 goes on until the call ends. */
const loop = whole(0, 1000).default(1);

export const responseAttributes = strict({});
export const sayAttributes = strict({
  loop,
  voice: z.string().min(1).optional(),
  language: z.string().min(1).optional(),
});
export const playAttributes = strict({ loop });
export const pauseAttributes = strict({ length: whole(1, 86_400).default(1) });
export const gatherAttributes = strict({
  action: url.optional(),
  actionOnEmptyResult: flag.default(false),
  finishOnKey: z
    .string()
    .regex(/^[0-9*#]*$/, "keys of the telephone: 0-9, *, #; or empty for none")
    .default("#"),
  input: z.enum(["dtmf", "speech", "dtmf speech"]).default("dtmf"),
  language: z.string().min(1).optional(),
  method: method.default("POST"),
  numDigits: whole(1, 1000).optional(),
  timeout: whole(0, 86_400).default(5),
});
export const dialAttributes = strict({
  action: url.optional(),
  method: method.default("POST"),
  timeLimit: whole(1, 86_400).default(14_400),
});
export const rejectAttributes = strict({ reason: z.enum(["rejected", "busy"]).default("rejected") });
export const hangupAttributes = strict({});
export const redirectAttributes = strict({ method: method.default("POST") });
export const conferenceAttributes = strict({
  beep: z.enum(["true", "false", "onEnter", "onExit"]).optional(),
  coach: z.string().min(1).optional(),
  endConferenceOnExit: flag.optional(),
  eventCallbackUrl: url.optional(),
  maxParticipants: whole(1, 100_000).optional(),
  muted: flag.optional(),
  record: z.enum(["do-not-record", "record-from-start"]).optional(),
  recordingStatusCallback: url.optional(),
  recordingStatusCallbackEvent: words("in-progress", "completed", "failed").optional(),
  recordingStatusCallbackMethod: method.optional(),
  startConferenceOnEnter: flag.optional(),
  statusCallback: url.optional(),
  statusCallbackEvent: words("start", "end", "join", "leave", "mute", "hold", "speaker").optional(),
  statusCallbackMethod: method.optional(),
  trim: z.enum(["trim-silence", "do-not-trim"]).optional(),
  waitMethod: method.optional(),
  waitUrl: url.optional(),
});

type ConferenceAttributes = z.output<typeof conferenceAttributes>;

/** The parameters of `join_conference` that say the same; `coach` is still a call's sid. Callbacks come as forms. */
export function joinParams(name: string, given: ConferenceAttributes): Record<string, unknown> {
  const params = {
    name,
    beep: given.beep,
    coach: given.coach,
    end_on_exit: given.endConferenceOnExit,
    event_callback_url: given.eventCallbackUrl,
    max_participants: given.maxParticipants,
    muted: given.muted,
    record: given.record,
    recording_status_callback: given.recordingStatusCallback,
    recording_status_callback_event: given.recordingStatusCallbackEvent ?? "completed failed",
    recording_status_callback_event_type: "cxml",
    recording_status_callback_method: given.recordingStatusCallbackMethod,
    start_on_enter: given.startConferenceOnEnter,
    status_callback: given.statusCallback,
    status_callback_event: given.statusCallbackEvent,
    status_callback_event_type: "cxml",
    status_callback_method: given.statusCallbackMethod,
    trim: given.trim,
    wait_url: given.waitUrl,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
