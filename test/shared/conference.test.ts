import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  joinConferenceParameters,
  joinParameters,
  splitWireName,
  WIRE_NAME_LENGTH,
  wireName,
} from "../../shared/conference.ts";

const every = {
  muted: true,
  beep: "onEnter",
  start_on_enter: false,
  end_on_exit: true,
  wait_url: "https://example.com/music",
  max_participants: 100_000,
  record: "record-from-start",
  region: "ch",
  trim: "do-not-trim",
  coach: "c2d3e4f5-a6b7-4901-8def-234567890abc",
  status_callback: "https://example.com/status",
  status_callback_event: "start end join leave mute hold modify speaker announcement",
  status_callback_event_type: "cxml",
  status_callback_method: "GET",
  recording_status_callback: "https://example.com/recording",
  recording_status_callback_event: "in-progress completed absent",
  recording_status_callback_event_type: "laml",
  recording_status_callback_method: "POST",
  stream: {
    url: "wss://example.com/audio",
    name: "tap",
    codec: "L16@24000h@40i",
    status_url: "https://example.com/stream",
    status_url_method: "POST",
    realtime: true,
    authorization_bearer_token: "token",
    custom_parameters: { site: "3" },
  },
};

describe("join_conference's parameters", () => {
  test("every one passes unchanged, and what is left out stays out", () => {
    expect(joinParameters.parse(every)).toEqual(every);
    expect(joinParameters.parse({})).toEqual({});
    expect(joinConferenceParameters.parse({ name: "acme:board", ...every })).toEqual({
      name: "acme:board",
      ...every,
    });
  });

  test.each<[string, unknown, string]>([
    ["beep", true, '"true", "false", "onEnter", "onExit"'],
    ["muted", "true", "true or false"],
    ["record", true, '"do-not-record", "record-from-start"'],
    ["region", "mars", '"global", "us", "eu", "ch"'],
    ["trim", "trim", '"trim-silence", "do-not-trim"'],
    ["status_callback_event_type", "json", '"relay", "cxml", "laml"'],
    ["status_callback_method", "PUT", '"GET", "POST"'],
    ["recording_status_callback_event_type", "json", '"relay", "cxml", "laml"'],
    ["recording_status_callback_method", "get", '"GET", "POST"'],
    [
      "status_callback_event",
      "start,end",
      "start, end, join, leave, mute, hold, modify, speaker, announcement",
    ],
    ["recording_status_callback_event", "failed", "in-progress, completed, absent"],
    ["max_participants", 1, "at least 2"],
    ["max_participants", 100_001, "at most 100000"],
    ["max_participants", 2.5, "a whole number"],
    ["wait_url", "music.mp3", "https://"],
    ["wait_url", "https://exam ple.com", "https://"],
    ["status_callback", "ftp://example.com", "https://"],
    ["coach", "two words", "id of a call"],
    ["muted", undefined, "true or false"],
  ])("%s of %j is refused by path, with what is allowed", (key, value, allowed) => {
    const [issue, ...others] = joinParameters.safeParse({ ...every, [key]: value }).error?.issues ?? [];
    expect(others).toEqual([]);
    expect(issue).toMatchObject({ path: [key], message: expect.stringContaining(allowed) });
  });

  test.each<[string, unknown]>([
    ["url", "https://example.com"],
    ["url", undefined],
    ["codec", "OPUS"],
    ["codec", "L16@24000"],
    ["status_url_method", "PUT"],
    ["realtime", "true"],
    ["custom_parameters", { site: 3 }],
    ["track", "both"],
  ])("a stream's %s of %j is refused", (key, value) => {
    expect(joinParameters.safeParse({ stream: { ...every.stream, [key]: value } }).success).toBe(false);
  });

  test.each(["acl", "swml", "name", "mute"])("%s is an unknown key", (key) => {
    const issues = joinParameters.safeParse({ [key]: "x" }).error?.issues;
    expect(issues).toMatchObject([{ code: "unrecognized_keys", keys: [key] }]);
  });

  test.each(["PCMU", "PCMA@8000h", "G722@20i", "L16@40i@24000h"])("the codec %s is known", (codec) => {
    expect(joinParameters.safeParse({ stream: { url: "wss://example.com", codec } }).success).toBe(true);
  });
});

describe("names on the wire", () => {
  test("a name carries its tenant, or none where the tenant has plain names", () => {
    expect(wireName("acme", "board", { plain: false })).toBe("acme:board");
    expect(wireName("acme", "board", { plain: true })).toBe("board");
    expect(splitWireName("acme:board: 2")).toEqual({ tenant: "acme", name: "board: 2" });
    expect(splitWireName("board")).toEqual({ tenant: null, name: "board" });
    expect(splitWireName("Sales Floor: 2")).toEqual({ tenant: null, name: "Sales Floor: 2" });
  });

  test("blanks around a name are no part of it", () => {
    for (const name of ["trail ", "  trail", "\ttrail\r\n", "\u00a0trail"]) {
      expect(wireName("acme", name, { plain: false })).toBe("acme:trail");
      expect(wireName("acme", name, { plain: true })).toBe("trail");
    }
    expect(wireName("acme", `${"r".repeat(59)}   `, { plain: false })).toBe(`acme:${"r".repeat(59)}`);
  });

  test.each([
    ["", "is empty"],
    ["   ", "is empty"],
    ["é", "holds a character that is not printable ASCII"],
    ["a\nb", "holds a character that is not printable ASCII"],
    ["a%{b", "holds ${ or %{, which SignalWire would run as code"],
    ["r".repeat(60), "is 65 characters long with the tenant's prefix, and 64 are allowed"],
  ])("%j is no name", (name, problem) => {
    expect(wireName("acme", name, { plain: false })).toEqual({ problem });
  });

  test("a tenant's id has its form, so that no tenant can be read out of another's name", () => {
    for (const tenant of ["", "Acme", "a:b", "x".repeat(25), "acme\n"]) {
      expect(wireName(tenant, "board", { plain: false })).toMatchObject({
        problem: expect.stringContaining("tenant"),
      });
    }
  });

  const tenants = fc.stringMatching(/^[a-z0-9-]{1,24}$/);
  const names = fc.oneof(
    fc.string({ maxLength: 70 }),
    fc.string({ unit: "binary" }),
    fc.constantFrom("a:b", "acme:x"),
  );

  test("a name on the wire splits into the tenant and name it was made of, and is printable and short enough", async () => {
    await fc.assert(
      fc.property(tenants, names, (tenant, name) => {
        const wire = wireName(tenant, name, { plain: false });
        if (typeof wire !== "string") return;
        expect(splitWireName(wire)).toEqual({ tenant, name: name.trim() });
        expect(wire).toMatch(/^[\x20-\x7e]+$/);
        expect(wire.length).toBeLessThanOrEqual(WIRE_NAME_LENGTH);
      }),
    );
  });

  test("no plain name is ever read as a tenant's", async () => {
    await fc.assert(
      fc.property(
        tenants,
        fc.oneof(
          names,
          fc.tuple(tenants, names).map((both) => both.join(":")),
        ),
        (tenant, name) => {
          const wire = wireName(tenant, name, { plain: true });
          if (typeof wire === "string")
            expect(splitWireName(wire)).toEqual({ tenant: null, name: name.trim() });
        },
      ),
    );
  });
});
