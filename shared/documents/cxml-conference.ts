import type { JoinParameters } from "../conference.ts";

type Converted = Record<string, string>;
type Parameter = keyof JoinParameters;

/** How each parameter of `join_conference` is written as attributes of `<Conference>`; null: cXML has nothing that does it. */
const table: { [P in Parameter]-?: ((value: NonNullable<JoinParameters[P]>) => Converted) | null } = {
  muted: (value) => ({ muted: String(value) }),
  beep: (value) => ({ beep: value }),
  start_on_enter: (value) => ({ startConferenceOnEnter: String(value) }),
  end_on_exit: (value) => ({ endConferenceOnExit: String(value) }),
  // POST unless told otherwise, and a sound file is had by GET.
  wait_url: (value) => ({ waitUrl: value, waitMethod: "GET" }),
  max_participants: (value) => ({ maxParticipants: String(value) }),
  record: (value) => ({ record: value }),
  region: null,
  trim: (value) => ({ trim: value }),
  coach: (value) => ({ coach: value }),
  status_callback: (value) => ({ statusCallback: value }),
  status_callback_event: (value) => events("statusCallbackEvent", value, conferenceEvents),
  // Callbacks of cXML's are forms; we forward them as the rule wants them.
  status_callback_event_type: () => ({}),
  status_callback_method: (value) => ({ statusCallbackMethod: value }),
  recording_status_callback: (value) => ({ recordingStatusCallback: value }),
  recording_status_callback_event: (value) => events("recordingStatusCallbackEvent", value, recordingEvents),
  recording_status_callback_event_type: () => ({}),
  recording_status_callback_method: (value) => ({ recordingStatusCallbackMethod: value }),
  stream: null,
};

/** cXML's word for each of RELAY's; those that are missing it has no event for. */
const conferenceEvents: Readonly<Record<string, string>> = {
  start: "start",
  end: "end",
  join: "join",
  leave: "leave",
  mute: "mute",
  hold: "hold",
  speaker: "speaker",
};
const recordingEvents: Readonly<Record<string, string>> = {
  "in-progress": "in-progress",
  completed: "completed",
  absent: "failed",
};

/** Parameters that a call which came by cXML goes without. */
export const withoutCxmlCounterpart: readonly Parameter[] = Object.entries(table)
  .filter(([, convert]) => convert === null)
  .map(([name]) => name as Parameter); // The table's own keys.

/** Words of `status_callback_event` for which cXML has no event. */
export const eventsWithoutCxmlCounterpart: readonly string[] = ["modify", "announcement"];

/** The attributes that say what the parameters say, as far as cXML can. */
export function conferenceAttributes(join: JoinParameters): Converted {
  const attributes: Converted = {};
  for (const [name, value] of Object.entries(join)) {
    // Each converter takes what its own key holds, which the type of a loop can't say.
    const convert = table[name as Parameter] as ((value: unknown) => Converted) | null | undefined;
    if (convert && value !== undefined) Object.assign(attributes, convert(value));
  }
  return attributes;
}

function events(attribute: string, value: string, known: Readonly<Record<string, string>>): Converted {
  const wanted = value.split(" ").flatMap((word) => known[word] ?? []);
  return wanted.length === 0 ? {} : { [attribute]: wanted.join(" ") };
}
