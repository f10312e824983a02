import fc from "fast-check";
import { expect, it } from "vitest";
import { readEvent } from "../../../shared/relay/events.ts";

const KINDS = {
  "calling.conference": [
    "conference",
    { status: "participant-join", call_id: "c", name: "acme:support", size: 2 },
  ],
  "calling.call.receive": [
    "receive",
    { call_id: "c", node_id: "n", device: { type: "phone", params: { to_number: "+15550100100" } } },
  ],
  "calling.call.state": ["state", { call_id: "c", call_state: "ended", end_reason: "hangup" }],
  "calling.call.play": ["play", { call_id: "c", control_id: "p", state: "finished" }],
  "calling.call.collect": [
    "collect",
    { control_id: "p", result: { type: "digit", params: { digits: "12" } } },
  ],
  "calling.call.dial": [
    "dial",
    { tag: "t", dial_state: "answered", call: { call_id: "c", dial_winner: true } },
  ],
  "calling.error": ["error", { code: "500", message: "oops" }],
} as const;

it("knows each event of the protocol by its type, and keeps the fields that it does not know", () => {
  for (const [event_type, [kind, params]] of Object.entries(KINDS)) {
    expect(readEvent({ event_type, params: { ...params, brand_new: [1] } })).toEqual({
      kind,
      event_type,
      params: { ...params, brand_new: [1] },
    });
  }
});

it("reads what SignalWire says of a collection that goes on, failed, or ended without a result", () => {
  const event_type = "calling.call.collect";
  for (const state of ["collecting", "finished", "error"]) {
    const params = { call_id: "c", node_id: "n", control_id: "p", state, final: true };
    expect(readEvent({ event_type, params })).toEqual({ kind: "collect", event_type, params });
  }
});

it("reads whether a participant coaches", () => {
  const params = { status: "participant-join", call_id: "c", coaching: true };
  expect(readEvent({ event_type: "calling.conference", params })?.kind).toBe("conference");
  expect(readEvent({ event_type: "calling.conference", params })).toMatchObject({ params });
});

it("reads a participant's settings and who ended a conference by either of their spellings", () => {
  const settings = { start_on_enter: true, end_on_exit: false, call_ending_conference: "c" };
  const params = { status: "conference-end", ...settings };
  expect(readEvent({ event_type: "calling.conference", params })).toMatchObject({
    params: { start_on_join: true, end_on_leave: false, call_id_ending_conf: "c" },
  });
});

it("keeps an event of an unknown type", () => {
  expect(readEvent({ event_type: "calling.call.levitate", params: { height: 2 } })).toEqual({
    kind: "other",
    event_type: "calling.call.levitate",
    params: { height: 2 },
  });
});

it("keeps a conference status that it does not know", () => {
  const event = readEvent({ event_type: "calling.conference", params: { status: "participant-sneeze" } });
  expect(event).toMatchObject({ kind: "conference", params: { status: "participant-sneeze" } });
});

it("reads a leave with fields of odd types as the leave that it is, without those fields", () => {
  const params = { status: "participant-leave", call_id: "c", size: "two", muted: null, name: 7 };
  const event = readEvent({ event_type: "calling.conference", timestamp: "now", params });
  expect(event).toEqual({
    kind: "conference",
    event_type: "calling.conference",
    params: { status: "participant-leave", call_id: "c" },
  });
});

it("says what is wrong with a known event that can't be read, by field and without the value", () => {
  const event = readEvent({
    event_type: "calling.call.state",
    params: { call_id: 4321, call_state: "ended" },
  });
  expect(event).toMatchObject({ kind: "other", problem: expect.stringContaining("params.call_id") });
  expect(event?.kind === "other" && event.problem).not.toContain("4321");
});

it("passes on nothing of an authorization state that it can't read", () => {
  const params = { authorisation_state: "blob" };
  const event = readEvent({ event_type: "signalwire.authorization.state", params });
  expect(JSON.stringify(event)).not.toContain("blob");
});

it("never throws, and finds an event wherever there is a type", () => {
  const event_type = fc.oneof(
    fc.constantFrom(...Object.keys(KINDS)),
    fc.string({ minLength: 1, maxLength: 200 }),
  );
  fc.assert(
    fc.property(event_type, fc.jsonValue(), (event_type, params) => {
      expect(readEvent({ event_type, params })).not.toBeNull();
    }),
  );
  fc.assert(fc.property(fc.jsonValue(), (params) => void readEvent(params)));
});
