import * as z from "zod";
import { LONGEST_CALL_MS } from "../placement.ts";

// Only what makes an event what it is must be there. Of the rest a value of the wrong type is left out rather than the
// whole event: a `participant-leave` with an odd `size` is still a leave.
const text = z.string().optional().catch(undefined);
const number = z.number().optional().catch(undefined);
/** A number, or the text of one. */
const figure = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,15}(\.\d+)?$/)
      .transform(Number),
  ])
  .optional()
  .catch(undefined);
const flag = z.boolean().optional().catch(undefined);

const device = z
  .looseObject({ type: text, params: z.record(z.string(), z.unknown()).optional().catch(undefined) })
  .optional()
  .catch(undefined);

const conference = z.looseObject({
  /** `participant-join` and so on; unknown ones are kept. */
  status: z.string().min(1),
  conference_id: text,
  name: text,
  /** Absent from events about the conference itself. */
  call_id: text,
  node_id: text,
  segment_id: text,
  tag: text,
  region: text,
  size: number,
  muted: flag,
  hold: flag,
  start_on_join: flag,
  end_on_leave: flag,
  coaching: flag,
  reason_ended: text,
  call_id_ending_conf: text,
  recording_url: z.string().min(1).optional().catch(undefined),
  /** Seconds. */
  recording_duration: figure,
  /** Bytes. */
  recording_file_size: figure,
});

/** How one of SignalWire's pages spells what others call by the names above. */
const otherSpellings = [
  ["start_on_enter", "start_on_join"],
  ["end_on_exit", "end_on_leave"],
  ["call_ending_conference", "call_id_ending_conf"],
] as const;

const call = {
  call_id: z.string().min(1),
  node_id: text,
  segment_id: text,
  tag: text,
  direction: text,
  device,
};

const receive = z.looseObject({ ...call, call_state: text, context: text, project_id: text });

const state = z.looseObject({ ...call, call_state: z.string().min(1), end_reason: text });

const play = z.looseObject({
  call_id: text,
  node_id: text,
  control_id: z.string().min(1),
  /** `playing`, `paused`, `finished` or `error`. */
  state: z.string().min(1),
});

/** A recording of one call. Its facts are seen beside its state, and in `record`. */
const recordFacts = { url: text, duration: figure, size: figure };
const record = z.looseObject({
  call_id: text,
  node_id: text,
  control_id: z.string().min(1),
  /** `recording`, `paused`, `finished` or `no_input`. */
  state: z.string().min(1),
  ...recordFacts,
  record: z.looseObject(recordFacts).optional().catch(undefined),
});

const collect = z.looseObject({
  call_id: text,
  node_id: text,
  control_id: z.string().min(1),
  /** `collecting`, `finished` or `error`. */
  state: text,
  /** false: more of it is to come. */
  final: flag,
  /** Absent where the state says all. */
  result: z
    .looseObject({
      /** `digit`, `speech`, `no_input`, `no_match`, `start_of_input` or `error`. */
      type: z.string().min(1),
      /** What was keyed is in here: a secret where the prompt was for one. */
      params: z.looseObject({ digits: text, terminator: text }).optional().catch(undefined),
    })
    .optional(),
});

/** All keys were sent; told by SignalWire's SDKs, and not by its reference. */
const sendDigits = z.looseObject({
  call_id: text,
  node_id: text,
  control_id: z.string().min(1),
  /** `finished`. */
  state: text,
});

const dial = z.looseObject({
  tag: z.string().min(1),
  /** `dialing`, `answered` or `failed`. */
  dial_state: z.string().min(1),
  call: z
    .looseObject({ call_id: text, node_id: text, segment_id: text, tag: text, device, dial_winner: flag })
    .optional()
    .catch(undefined),
});

const error = z.looseObject({
  code: z.union([z.string(), z.number()]).optional().catch(undefined),
  message: text,
});

const authorization = z.looseObject({ authorization_state: z.string().min(1) });

const body = z.looseObject({
  event_type: z.string().min(1).max(200),
  timestamp: number,
  params: z.record(z.string(), z.unknown()).catch({}),
});

interface Head {
  event_type: string;
  /** Seconds since the epoch, with a fraction. */
  timestamp?: number;
}

interface Known<Kind extends string, Shape extends z.ZodType> extends Head {
  kind: Kind;
  params: z.infer<Shape>;
}

/** An event of a type that we don't know, or (with a `problem`) of one that we know and can't read. */
export interface OtherEvent extends Head {
  kind: "other";
  params: Record<string, unknown>;
  /** Which field is wrong and how; never its value. */
  problem?: string;
}

/** A `signalwire.event`. Fields that we don't know are kept in `params`. */
export type RelayEvent =
  | Known<"conference", typeof conference>
  | Known<"receive", typeof receive>
  | Known<"state", typeof state>
  | Known<"play", typeof play>
  | Known<"collect", typeof collect>
  | Known<"record", typeof record>
  | Known<"send_digits", typeof sendDigits>
  | Known<"dial", typeof dial>
  | Known<"error", typeof error>
  | OtherEvent;

/** SignalWire's clock may be ahead of ours by so much. */
const AHEAD_MS = 300_000;

/**
 * The event with a time that it can have happened at: no call is as long as one that is further back, and what lies ahead would make
 * whatever comes after it look old. Another time is taken to be that of its arrival.
 */
export function inTime(event: RelayEvent, now_ms: number): RelayEvent {
  if (event.timestamp === undefined) return event;
  const at = event.timestamp * 1_000;
  const isUsable = at > now_ms - LONGEST_CALL_MS && at < now_ms + AHEAD_MS;
  return isUsable ? event : { ...event, timestamp: now_ms / 1_000 };
}

/** Reads the params of a `signalwire.event` frame: null where they are not an event at all. */
export function readEvent(params: unknown): RelayEvent | { kind: "authorization"; value: string } | null {
  const read = body.safeParse(params);
  if (!read.success) return null;
  const { event_type, timestamp, params: inner } = read.data;
  const head: Head = timestamp === undefined ? { event_type } : { event_type, timestamp };
  switch (event_type) {
    case "calling.conference":
      return known("conference", conference, head, inOneSpelling(inner));
    case "calling.call.receive":
      return known("receive", receive, head, inner);
    case "calling.call.state":
      return known("state", state, head, inner);
    case "calling.call.play":
      return known("play", play, head, inner);
    case "calling.call.record":
      return known("record", record, head, inner);
    case "calling.call.collect":
      return known("collect", collect, head, inner);
    case "calling.call.send_digits":
      return known("send_digits", sendDigits, head, inner);
    case "calling.call.dial":
      return known("dial", dial, head, inner);
    case "calling.error":
      return known("error", error, head, inner);
    case "signalwire.authorization.state": {
      const state = authorization.safeParse(inner);
      if (state.success) return { kind: "authorization", value: state.data.authorization_state };
      // The secret may be in there under another name: the params are not passed on.
      return { ...head, kind: "other", params: {}, problem: problemOf(state.error) };
    }
    default:
      return { ...head, kind: "other", params: inner };
  }
}

function inOneSpelling(params: Record<string, unknown>): Record<string, unknown> {
  const read = { ...params };
  for (const [other, usual] of otherSpellings) if (other in params) read[usual] ??= params[other];
  return read;
}

function known<Kind extends string, Shape extends z.ZodType>(
  kind: Kind,
  shape: Shape,
  head: Head,
  params: Record<string, unknown>,
): Known<Kind, Shape> | OtherEvent {
  const read = shape.safeParse(params);
  if (read.success) return { ...head, kind, params: read.data };
  return { ...head, kind: "other", params, problem: problemOf(read.error) };
}

function problemOf(failure: z.ZodError): string {
  const issue = failure.issues[0];
  return issue === undefined ? "unreadable" : `params.${issue.path.join(".")}: ${issue.message}`;
}
