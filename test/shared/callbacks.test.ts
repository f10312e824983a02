import { expect, it } from "vitest";
import { forwardingOf } from "../../shared/callbacks.ts";

it("tells by GET where forms are wanted, and posts JSON whatever the method, as SignalWire does", () => {
  const status_callback = "https://hooks.example.com/told";
  const asked = { status_callback, status_callback_method: "GET" } as const;
  expect(forwardingOf({ ...asked, status_callback_event_type: "cxml" })?.conference).toMatchObject({
    method: "GET",
    as: "form",
  });
  for (const relay of [asked, { ...asked, status_callback_event_type: "relay" as const }])
    expect(forwardingOf(relay)?.conference).toMatchObject({ method: "POST", as: "json" });
});
