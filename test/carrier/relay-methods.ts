import * as z from "zod";

const url = z.url({ protocol: /^https?$/ });
const callbackMethod = z.enum(["GET", "POST"]);
const callbackFormat = z.enum(["relay", "cxml", "laml"]);
const controlId = z.string().min(1).max(200);

/** A list of words between single spaces. */
function words(...allowed: string[]) {
  return z.string().refine((text) => text.split(" ").every((word) => allowed.includes(word)), {
    error: `must be one or more of ${allowed.join(", ")}, separated by single spaces`,
  });
}

/** The ringtones that there are, by country. */
const tones =
  "at au bg br be ch cl cn cz de dk ee es fi fr gr hu il in it lt jp mx my nl no nz ph pl pt ru se sg th uk us tw ve za".split(
    " ",
  );

const media = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("tts"),
    params: z.strictObject({
      text: z.string().min(1),
      language: z.string().optional(),
      gender: z.enum(["male", "female"]).optional(),
      voice: z.string().optional(),
    }),
  }),
  z.strictObject({ type: z.literal("audio"), params: z.strictObject({ url }) }),
  z.strictObject({ type: z.literal("silence"), params: z.strictObject({ duration: z.number().min(0) }) }),
  z.strictObject({
    type: z.literal("ringtone"),
    params: z.strictObject({ name: z.enum(tones), duration: z.number().positive().optional() }),
  }),
]);

const volume = z.number().min(-40).max(40);

/** What every playback takes; 0 loops go on until it is stopped. */
const playing = {
  play: z.array(media).min(1),
  volume: volume.optional(),
  status_url: url.optional(),
};

const collect = z
  .strictObject({
    initial_timeout: z.number().positive().optional(),
    digits: z
      .strictObject({
        max: z.number().int().min(1),
        terminators: z.string().optional(),
        digit_timeout: z.number().positive().optional(),
      })
      .optional(),
    speech: z
      .strictObject({
        end_silence_timeout: z.number().positive().optional(),
        speech_timeout: z.number().positive().optional(),
        language: z.string().optional(),
        hints: z.array(z.string()).optional(),
        model: z.string().optional(),
      })
      .optional(),
    partial_results: z.boolean().optional(),
  })
  .refine(({ digits, speech }) => digits !== undefined || speech !== undefined, {
    error: "asks for neither digits nor speech",
  });

/**
 * `timeout` and `max_duration` in seconds. `headers` and `codecs` do nothing on a call to a number, and are taken there. `confirm` is a
 * SWML document's URL, or its steps: what is called here confirms nothing.
 */
const anyDevice = {
  timeout: z.number().int().min(0).optional(),
  max_duration: z.number().int().min(0).optional(),
  headers: z.array(z.strictObject({ name: z.string().regex(/^X-/i), value: z.string() })).optional(),
  codecs: z.union([z.string(), z.array(z.string())]).optional(),
  confirm: z.union([url, z.array(z.unknown())]).optional(),
  confirm_timeout: z.number().int().positive().optional(),
  call_state_url: url.optional(),
  call_state_events: z.array(z.enum(["created", "ringing", "answered", "ended"])).optional(),
};

const device = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("phone"),
    params: z.strictObject({ ...anyDevice, to_number: z.string(), from_number: z.string().optional() }),
  }),
  z.strictObject({
    type: z.literal("sip"),
    params: z.strictObject({
      ...anyDevice,
      to: z.string(),
      from: z.string(),
      from_name: z.string().optional(),
      webrtc_media: z.boolean().optional(),
      session_timeout: z.number().optional(),
    }),
  }),
  z.strictObject({
    type: z.literal("webrtc"),
    params: z.strictObject({ ...anyDevice, to: z.string(), from: z.string().optional() }),
  }),
]);

const stream = z.strictObject({
  url: z.url({ protocol: /^wss$/ }),
  name: z.string().optional(),
  codec: z
    .string()
    .regex(/^(PCMU|PCMA|G722|L16)(@\d+(h|k|i|ms))*$/)
    .optional(),
  status_url: url.optional(),
  status_url_method: callbackMethod.optional(),
  realtime: z.boolean().optional(),
  authorization_bearer_token: z.string().optional(),
  custom_parameters: z.record(z.string(), z.string()).optional(),
});

const joinConference = {
  name: z.string().min(1),
  muted: z.boolean().optional(),
  beep: z.enum(["true", "false", "onEnter", "onExit"]).optional(),
  start_on_enter: z.boolean().optional(),
  end_on_exit: z.boolean().optional(),
  wait_url: url.optional(),
  max_participants: z.number().int().min(2).max(100_000).optional(),
  record: z.enum(["do-not-record", "record-from-start"]).optional(),
  region: z.enum(["global", "us", "eu", "ch"]).optional(),
  trim: z.enum(["trim-silence", "do-not-trim"]).optional(),
  coach: z.string().min(1).optional(),
  status_callback: url.optional(),
  status_callback_event: words(
    "start",
    "end",
    "join",
    "leave",
    "mute",
    "hold",
    "modify",
    "speaker",
    "announcement",
  ).optional(),
  status_callback_event_type: callbackFormat.optional(),
  status_callback_method: callbackMethod.optional(),
  recording_status_callback: url.optional(),
  recording_status_callback_event: words("in-progress", "completed", "absent", "failed").optional(),
  recording_status_callback_event_type: callbackFormat.optional(),
  recording_status_callback_method: callbackMethod.optional(),
  stream: stream.optional(),
};

const pausing = { control_id: controlId, behavior: z.string().optional() };

const recorded = z.strictObject({
  audio: z.strictObject({
    beep: z.boolean().optional(),
    format: z.enum(["wav", "mp3", "mp4"]).optional(),
    stereo: z.boolean().optional(),
    direction: z.enum(["speak", "listen", "both"]).optional(),
    /** In seconds, as the next one. */
    initial_timeout: z.number().min(0).optional(),
    end_silence_timeout: z.number().min(0).optional(),
    terminators: z
      .string()
      .regex(/^[0-9#*]*$/)
      .optional(),
    input_sensitivity: z.number().min(0).max(100).optional(),
  }),
});

/** Every command on a call, with what it takes besides `node_id` and `call_id`. */
const callMethods = new Map<string, z.ZodRawShape>(
  Object.entries({
    "calling.answer": {
      max_duration: z.number().int().min(1).optional(),
      codecs: z.union([z.string(), z.array(z.string())]).optional(),
    },
    "calling.pass": {},
    "calling.end": {
      reason: z.enum(["hangup", "cancel", "busy", "noAnswer", "decline", "error"]).optional(),
    },
    "calling.play": {
      control_id: controlId,
      ...playing,
      direction: z.enum(["listen", "speak", "both", "hear"]).optional(),
      loop: z.number().int().min(0).optional(),
    },
    "calling.play.stop": { control_id: controlId },
    "calling.play.pause": pausing,
    "calling.play.resume": { control_id: controlId },
    "calling.play.volume": { control_id: controlId, volume },
    "calling.play_and_collect": {
      control_id: controlId,
      ...playing,
      collect,
    },
    "calling.play_and_collect.stop": { control_id: controlId },
    "calling.play_and_collect.pause": pausing,
    "calling.play_and_collect.resume": { control_id: controlId },
    "calling.play_and_collect.volume": { control_id: controlId, volume },
    "calling.record": { control_id: controlId, record: recorded, status_url: url.optional() },
    "calling.record.stop": { control_id: controlId },
    "calling.record.pause": { control_id: controlId, behavior: z.enum(["skip", "silence"]).optional() },
    "calling.record.resume": { control_id: controlId },
    "calling.hold": {},
    "calling.unhold": {},
    "calling.join_conference": joinConference,
    "calling.leave_conference": { conference_id: z.string().min(1) },
    // The wire's type is a string: an inline document travels as JSON text.
    "calling.transfer": { dest: z.string().min(1) },
    "calling.send_digits": {
      control_id: controlId,
      digits: z.string().regex(/^[0-9A-D*#wW]+$/i),
    },
  }),
);

const addressed = { node_id: z.string().min(1), call_id: z.string().min(1) };

const dial = {
  node_id: z.string().optional(),
  tag: z.string().min(1),
  devices: z.array(z.array(device).min(1)).min(1),
  region: z.string().optional(),
  max_duration: z.number().int().min(1).optional(),
  max_price_per_minute: z.number().min(0).optional(),
};

const contexts = { contexts: z.array(z.string().min(1)).min(1) };

/** Zod compiles a schema on its first use, so each is made once. */
const made = new Map<string, z.ZodObject>();

function once(key: string, make: () => z.ZodObject | null): z.ZodObject | null {
  const known = made.get(key);
  if (known !== undefined) return known;
  const schema = make();
  if (schema !== null) made.set(key, schema);
  return schema;
}

/** The strict form of a method's params; null for a method that there is not. */
export function paramsSchema(method: string): z.ZodObject | null {
  return once(method, () => makeParamsSchema(method));
}

function makeParamsSchema(method: string): z.ZodObject | null {
  switch (method) {
    case "calling.dial":
      return z.strictObject(dial);
    case "signalwire.receive":
    case "signalwire.unreceive":
      return z.strictObject(contexts);
    case "signalwire.ping":
      return z.strictObject({ timestamp: z.number().optional(), payload: z.string().optional() });
    case "signalwire.execute":
      return z.strictObject({
        protocol: z.string().min(1),
        method: z.string().min(1),
        params: z.record(z.string(), z.unknown()),
      });
    default: {
      const shape = callMethods.get(method);
      return shape === undefined ? null : z.strictObject({ ...addressed, ...shape });
    }
  }
}

/** Of these commands the REST API has so many: it answers, asks and joins nobody. A document may be an object there. */
const restMethods = new Map<string, z.ZodRawShape>([
  ["calling.end", {}],
  ["calling.play", { control_id: controlId.optional() }],
  ["calling.play.stop", {}],
  ["calling.record", { control_id: controlId.optional() }],
  ["calling.record.stop", {}],
  ["calling.record.pause", {}],
  ["calling.record.resume", {}],
  ["calling.transfer", { dest: z.union([z.string().min(1), z.record(z.string(), z.unknown())]) }],
]);

/** The REST API addresses a call by its id alone. */
export function restParamsSchema(method: string): z.ZodObject | null {
  const differing = restMethods.get(method);
  if (differing === undefined) return null;
  const shape = { ...callMethods.get(method), ...differing };
  return once(`rest ${method}`, () => z.strictObject({ call_id: z.string(), ...shape }));
}

const version = z.strictObject({ major: z.number(), minor: z.number(), revision: z.number() });

export const connectSchema = z.strictObject({
  version: version.refine(
    ({ major, minor, revision }) => (major === 2 || major === 3) && minor + revision === 0,
    {
      error: "must be 2.0.0 (or the 3.0.0 of @signalwire/realtime-api)",
    },
  ),
  agent: z.string().min(1),
  event_acks: z.literal(true),
  authentication: z
    .union([
      z.strictObject({ project: z.string(), token: z.string() }),
      z.strictObject({ jwt_token: z.string() }),
    ])
    .optional(),
  contexts: z.array(z.string().min(1)).optional(),
  protocol: z.string().optional(),
  authorization_state: z.string().optional(),
  /** SignalWire's TypeScript client says them here, too; what counts is in `authentication`. */
  project: z.string().optional(),
  token: z.string().optional(),
});

export type ConnectParams = z.output<typeof connectSchema>;

/** What is wrong, each with the path of the parameter. */
export function describeIssues(error: z.ZodError): { path: string; message: string }[] {
  return error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
}
