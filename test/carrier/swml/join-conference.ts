import { z } from "zod";
import { httpUrl, orVariable, spaceSeparated, strict } from "./values.ts";

const flag = orVariable(z.boolean());
const method = orVariable(z.enum(["GET", "POST"]));
const eventType = orVariable(z.enum(["relay", "cxml", "laml"]));
const url = orVariable(httpUrl);

const stream = strict({
  url: orVariable(z.string().regex(/^wss:\/\/\S+$/, "a URL that begins with wss://")),
  name: z.string().optional(),
  codec: orVariable(
    z
      .string()
      .regex(
        /^(PCMU|PCMA|G722|L16)(@\d+[hi])*$/,
        "PCMU, PCMA, G722 or L16, with modifiers such as L16@24000h@40i",
      ),
  ).optional(),
  status_url: url.optional(),
  status_url_method: method.optional(),
  realtime: flag.optional(),
  authorization_bearer_token: z.string().optional(),
  custom_parameters: z.record(z.string(), z.string()).optional(),
});

/**
 * The parameters of `join_conference`, as SWML's published schema names them. Where its versions differ the
 * narrower stands: what passes here passes each. `max_participants` is 2–100000, as the SWML guide has it.
 */
export const joinConferenceParams = {
  name: z.string().min(1, "a conference needs a name"),
  muted: flag.optional(),
  beep: orVariable(z.enum(["true", "false", "onEnter", "onExit"])).optional(),
  start_on_enter: flag.optional(),
  end_on_exit: flag.optional(),
  wait_url: url.optional(),
  max_participants: orVariable(z.int().min(2).max(100_000)).optional(),
  record: orVariable(z.enum(["do-not-record", "record-from-start"])).optional(),
  region: orVariable(z.enum(["global", "us", "eu", "ch"])).optional(),
  trim: orVariable(z.enum(["trim-silence", "do-not-trim"])).optional(),
  coach: z.string().min(1).optional(),
  status_callback: url.optional(),
  status_callback_event: orVariable(
    spaceSeparated(["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"]),
  ).optional(),
  status_callback_event_type: eventType.optional(),
  status_callback_method: method.optional(),
  recording_status_callback: url.optional(),
  recording_status_callback_event: orVariable(
    spaceSeparated(["in-progress", "completed", "absent"]),
  ).optional(),
  recording_status_callback_event_type: eventType.optional(),
  recording_status_callback_method: method.optional(),
  stream: stream.optional(),
};
