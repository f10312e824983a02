import { describe, expect, test } from "vitest";
import type { ParseOptions } from "../../../../shared/rules/schema/ruleset.ts";
import { errorsOf, warningsOf, withJoin, withRule } from "../readings.ts";

describe("rooms and lines", () => {
  const roomErrors = (room: string, options: ParseOptions = {}) =>
    errorsOf(withRule({ place: { room } }), options);

  test("an unknown placeholder is an error that names the known ones", () => {
    const known =
      "there are {to}, {from}, {call_id}, {header.<name>}, {param.<name>} and {answer.<name>}, each with |digits, |user, |lower or |last4 behind";
    expect(roomErrors("vip-{form}")).toEqual([
      `rules[0].place.room: has an unknown placeholder {form}; ${known} -> vip-{from}`,
    ]);
    expect(roomErrors("{headers.x-room}")[0]).toMatch(/-> \{header\.x-room\}$/);
    expect(roomErrors("{form|digit}")[0]).toMatch(/-> \{from\|digits\}$/);
    expect(roomErrors("{anything}")[0]).not.toContain("->");
    expect(roomErrors("a}")).toEqual([
      "rules[0].place.room: has a lone }: braces are for placeholders such as {from}",
    ]);
  });

  test("what SignalWire would run is refused when written, in rooms, lines, URLs and joins", () => {
    const [room] = roomErrors("vip-%{from}");
    expect(room).toContain("which SignalWire would run as code");
    expect(room).toMatch(/-> vip-\{from\}$/);
    expect(errorsOf(withRule({ place: { room: "a", announce: "%{call.from}" } }))).toHaveLength(1);
    expect(errorsOf(withJoin({ wait_url: "https://example.com/%{x}" }))).toHaveLength(1);
    expect(
      errorsOf(withJoin({ stream: { url: "wss://example.com", custom_parameters: { a: "%{x}" } } })),
    ).toHaveLength(1);
  });

  test("a URL that cannot be parsed is refused when written, wherever it stands, and is not shown", () => {
    const url = "https://user:SECRET@[::1/x";
    const why = expect.stringMatching(
      /^rules\[0\]\.place\..*: can't be read as a URL: look at its host and port/,
    );
    for (const join of [
      { status_callback: url },
      { recording_status_callback: url },
      { wait_url: "https://example.com:99999/" },
      { stream: { url: "wss://user:SECRET@[::1/x" } },
      { stream: { url: "wss://example.com", status_url: url } },
    ]) {
      const errors = errorsOf(withJoin(join));
      expect(errors).toEqual([why]);
      expect(errors[0]).not.toContain("SECRET");
    }
    for (const action of [
      { hand_over: { swml: url } },
      { hand_over: { cxml: url } },
      { reject: { play: url } },
      { place: { room: "a", announce: { play: url } } },
      { place: { room: "a", after: { hand_over: { swml: url } } } },
    ]) {
      const errors = errorsOf({ rules: [{ id: "one", match: {}, ...action }] });
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain("can't be read as a URL");
      expect(errors[0]).not.toContain("SECRET");
    }
    expect(
      errorsOf(withJoin({ status_callback: "https://user:pass%40word@example.com:8443/a?b=c#d" })),
    ).toEqual([]);
  });

  test("a room that can never be a name is an error; how long it may be depends on whose rules they are", () => {
    expect(roomErrors("zwölf")).toEqual([
      'rules[0].place.room: "zwölf" holds a character that is not printable ASCII',
    ]);
    const sixty = "r".repeat(60);
    expect(roomErrors(sixty)).toEqual([]);
    expect(roomErrors(sixty, { tenant: "acme" })[0]).toContain(
      "is 65 characters long with the tenant's prefix, and 64 are allowed",
    );
    expect(roomErrors(sixty, { tenant: "acme", plain: true })).toEqual([]);
    expect(roomErrors("acme:{from}", { plain: true })[0]).toContain("reads as a tenant's name and a colon");
    expect(roomErrors("{from}:a", { plain: true })).toEqual([]);
    expect(roomErrors("r".repeat(257))).toEqual(["rules[0].place.room: must be at most 256 characters long"]);
  });

  test("a refusal that leaves the call unanswered cannot say anything", () => {
    expect(errorsOf({ rules: [], fallback: { reject: { say: "No.", reason: "busy" } } })).toEqual([
      "fallback.reject.reason: busy refuses the call unanswered, so nothing can be said: leave out the line or the reason",
    ]);
    expect(errorsOf({ rules: [], fallback: { reject: {} } })).toEqual([
      "fallback.reject: needs something to say or play, or a reason",
    ]);
  });

  test("an announcement is words or a sound file, which is fetched by https", () => {
    const announceErrors = (announce: unknown) => errorsOf(withRule({ place: { room: "a", announce } }));
    expect(announceErrors({ say: "Hi.", play: "https://example.com/a.mp3" })).toEqual([
      "rules[0].place.announce: takes exactly one of say, play, and has say and play",
    ]);
    expect(announceErrors({ play: "http://example.com/a.mp3" })[0]).toContain("must start with https://");
    expect(announceErrors(7)).toEqual([
      'rules[0].place.announce: must be text to say, { "say": … } or { "play": … }, not 7 -> 7',
    ]);
  });
});

describe("actions", () => {
  test("a rule does exactly one thing", () => {
    const message = "rules[0]: takes exactly one of place, reject, hand_over, rules, and has";
    expect(errorsOf({ rules: [{ id: "one", match: {} }] })).toEqual([`${message} none`]);
    expect(errorsOf(withRule({ reject: { reason: "busy" } }))).toEqual([`${message} place and reject`]);
  });

  test("a match may be empty but not forgotten", () => {
    expect(errorsOf({ rules: [{ id: "one", place: { room: "one" } }] })).toEqual([
      "rules[0].match: is missing: an object",
    ]);
  });

  test("a role is one that there is", () => {
    expect(errorsOf({ roles: { agent: {} }, ...withRule({ place: { room: "a", role: "agnt" } }) })).toEqual([
      'rules[0].place.role: there is no role "agnt"; there are "moderator", "participant", "listener", "coach", "agent" -> agent',
    ]);
    expect(errorsOf({ roles: { coach: {} }, rules: [] })).toEqual([
      "roles.coach: is a role that there always is: choose another name",
    ]);
  });

  test("a hand-over needs a document", () => {
    const source = { rules: [{ id: "one", match: {}, hand_over: {} }] };
    expect(errorsOf(source)).toEqual(['rules[0].hand_over: needs a URL: "swml", "cxml" or both']);
  });

  test("what works but is unwise is a warning", () => {
    const join = { max_participants: 300, status_callback: "http://example.com/status" };
    expect(warningsOf(withJoin(join))).toEqual([
      "rules[0].place.join.max_participants: RELAY's guide knows no more than 250; SWML's goes to 100000",
      "rules[0].place.join.status_callback: is not https: what is sent there can be read on the way",
    ]);
  });

  test("a time zone is one that there is", () => {
    expect(errorsOf({ timezone: "Mars/Olympus", rules: [] })[0]).toContain("time zone of the IANA database");
    expect(errorsOf({ timezone: "+01:00", rules: [] })).toHaveLength(1);
  });
});
