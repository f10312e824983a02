/** What a status callback says, whole, in either of SignalWire's two forms. */
export type CallbackBody =
  | { kind: "json"; body: Record<string, unknown> }
  | { kind: "form"; fields: readonly (readonly [string, string])[] };

const asFlag = (text: string): unknown =>
  /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : text;
const asNumber = (text: string): unknown => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
const asText = (text: string): unknown => text;

/** A form's field, and the RELAY parameter that says the same. A conference's callback has `Duration`, a recording's `RecordingDuration`. */
const PAIRS: readonly (readonly [field: string, parameter: string, read: (text: string) => unknown])[] = [
  ["ConferenceSid", "conference_id", asText],
  ["FriendlyName", "name", asText],
  ["CallSid", "call_id", asText],
  ["Muted", "muted", asFlag],
  ["Hold", "hold", asFlag],
  ["Coaching", "coaching", asFlag],
  ["StartConferenceOnEnter", "start_on_join", asFlag],
  ["EndConferenceOnExit", "end_on_leave", asFlag],
  ["RecordingSid", "recording_sid", asText],
  ["RecordingUrl", "recording_url", asText],
  ["Duration", "recording_duration", asNumber],
  ["RecordingDuration", "recording_duration", asNumber],
  ["RecordingFileSize", "recording_file_size", asNumber],
];

/** Fields that tell what happened; the first that is there counts. */
const STATUS = "StatusCallbackEvent";
const RECORDING_STATUS = "RecordingStatus";
const EVENT_NAME = "EventName";
/** Of the envelope and not of its parameters. */
const ENVELOPE = ["AccountSid", "Timestamp"];

const recordingStatuses: Readonly<Record<string, string>> = {
  "record-start": "in-progress",
  "record-pause": "in-progress",
  "record-resume": "in-progress",
  "record-stop": "completed",
  // As we name what a form alone has a word for.
  "recording-absent": "absent",
  "recording-failed": "failed",
};

/**
 * A form as the JSON that RELAY's callbacks are, in which every field is found again. Whether `ConferenceSid` is the
 * `conference_id` is not known: the name and the call carry the event, the id may differ. An empty field says nothing.
 */
export function toRelay(fields: readonly (readonly [string, string])[]): Record<string, unknown> {
  const form = new Map(fields.filter(([, value]) => value !== ""));
  const params: Record<string, unknown> = {};
  const recording = form.get(RECORDING_STATUS);
  const status =
    form.get(STATUS) ?? (recording === undefined ? form.get(EVENT_NAME) : `recording-${recording}`);
  if (status !== undefined) params["status"] = status;
  for (const [field, parameter, read] of PAIRS) {
    const value = form.get(field);
    if (value !== undefined) params[parameter] = read(value);
  }
  const known = [STATUS, ...ENVELOPE, ...PAIRS.map(([field]) => field)];
  for (const [field, value] of form)
    if (!known.includes(field)) params[snakeCase(field)] ??= allOf(fields, field, value);
  const timestamp = form.get("Timestamp");
  const at = Date.parse(timestamp ?? "");
  const account = form.get("AccountSid");
  return {
    event_type: "calling.conference",
    ...(timestamp === undefined ? {} : { timestamp: Number.isNaN(at) ? timestamp : at / 1000 }),
    ...(account === undefined ? {} : { project_id: account }),
    params,
  };
}

/** What a field that we do not know says, each time that it is there. */
function allOf(
  fields: readonly (readonly [string, string])[],
  field: string,
  value: string,
): string | string[] {
  const values = fields.filter(([name]) => name === field).map(([, one]) => one);
  return values.length > 1 ? values : value;
}

/** As the JSON that the rule wants. */
export function asJson(body: CallbackBody): Record<string, unknown> {
  return body.kind === "json" ? body.body : toRelay(body.fields);
}

/**
 * As the form that the rule wants; of parameters that are lists or objects it has the JSON.
 * @param account for an `AccountSid` where the body names none.
 */
export function asForm(
  body: CallbackBody,
  kind: "conference" | "recording",
  account: string,
): URLSearchParams {
  if (body.kind === "form") return new URLSearchParams(body.fields.map(([name, value]) => [name, value]));
  const { params: given, timestamp, project_id, event_type: _, ...envelope } = body.body;
  const params = { ...(given as Record<string, unknown>) }; // readCallback saw that it is one.
  const form = new URLSearchParams({ AccountSid: typeof project_id === "string" ? project_id : account });
  const { status } = params;
  if (kind === "conference") set(form, STATUS, status);
  else {
    set(form, RECORDING_STATUS, recordingStatuses[String(status)] ?? status);
    set(form, "RecordingSource", "Conference");
  }
  delete params["status"];
  const ofOtherKind = kind === "recording" ? "Duration" : "RecordingDuration";
  for (const [field, parameter] of PAIRS) if (field !== ofOtherKind) set(form, field, params[parameter]);
  for (const [, parameter] of PAIRS) delete params[parameter];
  for (const [parameter, value] of Object.entries({ ...envelope, ...params }))
    set(form, pascalCase(parameter), value);
  set(form, "Timestamp", timeOf(timestamp));
  return form;
}

/** RFC 2822 where it is a time. */
function timeOf(timestamp: unknown): unknown {
  const time = typeof timestamp === "number" ? new Date(timestamp * 1000) : null;
  return time === null || Number.isNaN(time.getTime()) ? timestamp : time.toUTCString();
}

function set(form: URLSearchParams, field: string, value: unknown): void {
  if (value === undefined || value === null || form.has(field)) return;
  form.set(field, typeof value === "object" ? JSON.stringify(value) : String(value));
}

function snakeCase(field: string): string {
  return field.replace(/(?<=[a-z0-9])([A-Z])/g, "_$1").toLowerCase();
}

function pascalCase(parameter: string): string {
  return parameter.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
