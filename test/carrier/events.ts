import type { Call } from "./calls.ts";

/** The device of a call, as events name it. */
export function deviceOf(call: Call): Record<string, unknown> {
  const { type, to } = call.facts;
  const { caller: from, headers } = call;
  return type === "phone"
    ? { type, params: { from_number: from, to_number: to } }
    : { type, params: { from, to, headers } };
}

export function receiveEvent(call: Call, context: string, project_id: string): Record<string, unknown> {
  return {
    call_id: call.call_id,
    node_id: call.node_id,
    segment_id: call.segment_id,
    tag: call.facts.tag ?? call.call_id,
    call_state: call.state,
    direction: call.facts.direction,
    context,
    project_id,
    device: deviceOf(call),
  };
}

export function stateEvent(call: Call): Record<string, unknown> {
  return {
    call_id: call.call_id,
    node_id: call.node_id,
    segment_id: call.segment_id,
    tag: call.facts.tag ?? call.call_id,
    call_state: call.state,
    direction: call.facts.direction,
    device: deviceOf(call),
    created_by: call.facts.origin === "dial" ? "dial" : "receive",
    ...call.times,
    ...(call.state === "ended" ? { end_reason: call.end_reason ?? "hangup" } : {}),
  };
}

/** The outcome of `calling.dial`, or its progress; there is no `call_id` beside `call`. */
export function dialEvent(
  tag: string,
  dial_state: "dialing" | "answered" | "failed",
  call: Call,
): Record<string, unknown> {
  return {
    tag,
    dial_state,
    node_id: call.node_id,
    ...(dial_state === "answered"
      ? {
          call: {
            call_id: call.call_id,
            node_id: call.node_id,
            segment_id: call.segment_id,
            tag,
            call_state: call.state,
            direction: call.facts.direction,
            device: deviceOf(call),
            dial_winner: true,
          },
        }
      : {}),
  };
}
