import { describe, expect, it } from "vitest";
import { type ForwardTo, forwardingOf, isWanted, readCallback, withRoom } from "../../shared/callbacks.ts";

it("tells by GET where forms are wanted, and posts JSON whatever the method, as SignalWire does", () => {
  const status_callback = "https://hooks.example.com/told";
  const asked = { status_callback, status_callback_method: "GET" } as const;
  expect(forwardingOf({ ...asked, status_callback_event_type: "cxml" }, "swml")?.conference).toMatchObject({
    method: "GET",
    as: "form",
  });
  for (const relay of [asked, { ...asked, status_callback_event_type: "relay" as const }])
    expect(forwardingOf(relay, "swml")?.conference).toMatchObject({ method: "POST", as: "json" });
});

describe("of a recording", () => {
  const recording_status_callback = "https://hooks.example.com/told";
  const statuses = {
    "in-progress": ["record-start", "record-pause", "record-resume", "recording-in-progress"],
    completed: ["record-stop", "recording-completed"],
    absent: ["recording-absent", "recording-failed"],
  };
  const told = (to: ForwardTo | undefined): string[] =>
    Object.values(statuses)
      .flat()
      .filter((status) => to && isWanted(to, status, "recording"));

  it.each(["in-progress", "completed", "absent"] as const)("%s is told of in each of its forms", (word) => {
    const join = { recording_status_callback, recording_status_callback_event: word };
    expect(told(forwardingOf(join, "swml")?.recording)).toEqual(statuses[word]);
  });

  it("without a list what SignalWire tells is told", () => {
    const join = { recording_status_callback };
    expect(told(forwardingOf(join, "swml")?.recording)).toEqual(statuses.completed);
    expect(told(forwardingOf(join, "relay")?.recording)).toEqual(statuses.completed);
    expect(told(forwardingOf(join, "cxml")?.recording)).toEqual([...statuses.completed, ...statuses.absent]);
    // As a version before kept it.
    const { events: _, ...kept } = forwardingOf(join, "swml")?.recording ?? { events: [] };
    expect(told(kept as ForwardTo)).toEqual(statuses.completed);
  });
});

it("reads a form's flags, numbers and empty fields", () => {
  const fields = {
    StatusCallbackEvent: "participant-join",
    ConferenceSid: "conf",
    FriendlyName: "acme:team",
    CallSid: "",
    Muted: "true",
    Hold: "False",
    Timestamp: "Tue, 14 Nov 2023 22:13:20 +0000",
  };
  expect(readCallback(String(new URLSearchParams(fields)), true)?.event).toEqual({
    kind: "conference",
    event_type: "calling.conference",
    timestamp: 1_700_000_000,
    params: {
      status: "participant-join",
      conference_id: "conf",
      name: "acme:team",
      muted: true,
      hold: false,
    },
  });
});

it("reads a recording's figures from text, and no URL from an empty one", () => {
  const params = {
    status: "record-stop",
    recording_duration: "12.5",
    recording_file_size: "99",
    recording_url: "",
  };
  const read = readCallback(JSON.stringify({ event_type: "calling.conference", params }), false);
  expect(read?.event.params).toEqual({
    status: "record-stop",
    recording_duration: 12.5,
    recording_file_size: 99,
  });
});

/** What SignalWire would take for code where it stood as it is. */
const ROOM = `acme:r&d \${x} %{y} ü`;

it("names the room in the recording callback's URL, once, whatever the name", () => {
  const join = { recording_status_callback: "https://a.example/hooks/acme/recording-status?token=t" };
  const once = withRoom(join, ROOM, "p");
  const { searchParams } = new URL(once.recording_status_callback ?? "");
  expect(Object.fromEntries(searchParams)).toEqual({ token: "t", room: ROOM, proof: "p" });
  expect(once.recording_status_callback).not.toMatch(/[$%]\{/);
  expect(withRoom(once, ROOM, "p")).toEqual(once);
  expect(withRoom(join, "acme:r", undefined)).toEqual(join);
});
