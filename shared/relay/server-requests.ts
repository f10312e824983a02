import type { Effect } from "./effects.ts";
import { readEvent } from "./events.ts";
import {
  type Frame,
  type FrameId,
  INVALID_PARAMS,
  METHOD_NOT_FOUND,
  reply,
  replyError,
  SIGNALWIRE,
} from "./frames.ts";

type RequestFrame = Extract<Frame, { kind: "request" }>;

/** What the server's request asks of the shell, and `dismissed` where it tells us to go. */
export interface Answer {
  effects: Effect[];
  dismissed?: { restart: boolean };
}

/** Answers what the server may ask. A request without an id is heeded and not answered, as JSON-RPC has it. */
export function answerServer(frame: RequestFrame, generation: number): Answer {
  switch (frame.method) {
    case SIGNALWIRE.event:
      return { effects: answerEvent(frame, generation) };
    case SIGNALWIRE.ping:
      return { effects: [...send(frame.id, generation, reply), { do: "count", what: "ping_answered" }] };
    case SIGNALWIRE.disconnect:
      return {
        effects: send(frame.id, generation, reply),
        dismissed: { restart: asksForRestart(frame.params) },
      };
    default: {
      const detail = printable(frame.method);
      const refuse = (id: FrameId): string => replyError(id, METHOD_NOT_FOUND, `Unknown method: ${detail}.`);
      return {
        effects: [...send(frame.id, generation, refuse), { do: "count", what: "unknown_request", detail }],
      };
    }
  }
}

function answerEvent(frame: RequestFrame, generation: number): Effect[] {
  const event = readEvent(frame.params);
  if (event === null && hasTypeInText(frame.params)) {
    // Nothing to act on, and acknowledged all the same: SignalWire may send again what is not.
    return [
      ...send(frame.id, generation, reply),
      { do: "count", what: "malformed_event", detail: "event_type: empty or too long" },
    ];
  }
  if (event === null) {
    const refuse = (id: FrameId): string =>
      replyError(id, INVALID_PARAMS, "params.event_type: expected a string.");
    return [
      ...send(frame.id, generation, refuse),
      { do: "count", what: "bad_request", detail: frame.method },
    ];
  }
  const ack = frame.id === null ? null : reply(frame.id);
  if (event.kind === "authorization")
    return [{ do: "authorization_state", value: event.value, generation, ack }];
  const told: Effect = { do: "event", event, generation, ack };
  if (event.kind !== "other" || event.problem === undefined) return [told];
  return [told, { do: "count", what: "malformed_event", detail: `${event.event_type} ${event.problem}` }];
}

function send(id: FrameId | null, generation: number, write: (id: FrameId) => string): Effect[] {
  return id === null ? [] : [{ do: "send", generation, text: write(id) }];
}

function hasTypeInText(params: unknown): boolean {
  return (
    typeof params === "object" &&
    params !== null &&
    "event_type" in params &&
    typeof params.event_type === "string"
  );
}

function asksForRestart(params: unknown): boolean {
  return typeof params === "object" && params !== null && "restart" in params && params.restart === true;
}

/** A method's name is the peer's text: what could upset a log line is not repeated. */
function printable(method: string): string {
  return /^[\w.-]{1,100}$/.test(method) ? method : "(unprintable)";
}
