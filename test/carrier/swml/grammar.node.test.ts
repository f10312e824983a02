import fc from "fast-check";
import { expect, test } from "vitest";
import { validateDocument } from "./grammar.ts";

function main(...steps: unknown[]) {
  return { version: "1.0.0", sections: { main: steps } };
}

function errorsOf(document: unknown) {
  const validation = validateDocument(document);
  return validation.ok ? [] : validation.errors;
}

const pathsOf = (document: unknown) => errorsOf(document).map(({ path }) => path);

const wholeJoin = {
  name: "acme:board",
  muted: false,
  beep: "onEnter",
  start_on_enter: true,
  end_on_exit: false,
  wait_url: "https://example.com/wait",
  max_participants: 20,
  record: "record-from-start",
  region: "us",
  trim: "trim-silence",
  coach: "c2d3e4f5-a6b7-4901-8def-234567890abc",
  status_callback: "https://example.com/status",
  status_callback_event: "start end join leave",
  status_callback_event_type: "relay",
  status_callback_method: "POST",
  recording_status_callback: "https://example.com/recording",
  recording_status_callback_event: "completed absent",
  recording_status_callback_event_type: "relay",
  recording_status_callback_method: "GET",
  stream: {
    url: "wss://example.com/stream",
    name: "s",
    codec: "L16@24000h@40i",
    status_url: "https://example.com/stream",
    status_url_method: "POST",
    realtime: true,
    authorization_bearer_token: "t",
    custom_parameters: { a: "b" },
  },
};

test("a document with every step and every key of each is valid", () => {
  const document = main(
    { label: "top" },
    { answer: { max_duration: 3600, codecs: "PCMU,PCMA" } },
    {
      play: {
        urls: ["say:Hello.", "silence:1.5", "ring:us", "ring:2:us", "https://example.com/a.mp3"],
        volume: -40,
        say_voice: "v",
        say_language: "en-US",
        say_gender: "female",
      },
    },
    {
      prompt: {
        play: ["say:PIN, please."],
        max_digits: 8,
        terminators: "#",
        digit_timeout: 2.5,
        initial_timeout: 5,
        volume: 0,
      },
    },
    { set: { tier: "gold" } },
    { sleep: 500 },
    { sleep: { duration: -1 } },
    { execute: { dest: "https://example.com/poll", params: { n: 1 }, meta: {} } },
    {
      join_conference: {
        ...wholeJoin,
        result: { variable: "join_conference_result", case: {}, default: [] },
      },
    },
    {
      switch: {
        variable: "prompt_value",
        case: { "1": [{ hangup: { reason: "busy" } }] },
        default: [{ hangup: {} }],
      },
    },
    {
      cond: [
        // biome-ignore lint/suspicious/noThenProperty: SWML's own name for the key; the object is never awaited.
        { when: "vars.n > 1", then: [{ goto: { label: "top", max: 3 } }] },
        { else: [{ return: "done" }] },
      ],
    },
    { unset: ["prompt_value", "prompt_value_raw"] },
    { unset: "prompt_result" },
    { transfer: { dest: "https://example.com/next", params: { partyline: "x" }, meta: {} } },
  );
  expect(errorsOf(document)).toEqual([]);
});

test("a version other than 1.0.0, a missing main and an empty section are errors; a missing version is not", () => {
  expect(pathsOf({ version: "2.0.0", sections: { main: [{ hangup: {} }] } })).toEqual(["version"]);
  expect(pathsOf({ sections: {} })).toEqual(["sections.main"]);
  expect(pathsOf({ sections: { main: [], other: [] } })).toEqual(["sections.main", "sections.other"]);
  expect(pathsOf({ sections: { main: [{ hangup: {} }] } })).toEqual([]);
});

test("an unknown key is an error under its own path, at every level", () => {
  const document = {
    ...main(
      { play: { url: "say:Hi.", loud: true } },
      { join_conference: { name: "a", stream: { url: "wss://example.com", port: 1 } } },
      { switch: { variable: "x", case: { "1": [{ hangup: { why: "busy" } }] } } },
      {
        join_conference: {
          name: "a",
          result: {
            variable: "join_conference_result",
            case: { failed: [{ play: { url: "say:No.", x: 1 } }] },
          },
        },
      },
    ),
    extra: 1,
  };
  expect(pathsOf(document).toSorted()).toEqual(
    [
      "extra",
      "sections.main.0.play.loud",
      "sections.main.1.join_conference.stream.port",
      "sections.main.2.switch.case.1.0.hangup.why",
      "sections.main.3.join_conference.result.case.failed.0.play.x",
    ].toSorted(),
  );
});

test("an unknown key's error says which keys there are", () => {
  expect(errorsOf(main({ hangup: { why: "busy" } }))[0]?.message).toBe("unknown key; allowed here: reason");
});

test("a step is an object with exactly one known key", () => {
  expect(pathsOf(main("answer", {}, { answer: {}, hangup: {} }, { ai: {} }, null))).toEqual([
    "sections.main.0",
    "sections.main.1",
    "sections.main.2",
    "sections.main.3.ai",
    "sections.main.4",
  ]);
});

test.each([
  ["name", ""],
  ["muted", "true"],
  ["beep", true],
  ["beep", "always"],
  ["start_on_enter", "yes"],
  ["wait_url", "example.com/wait"],
  ["max_participants", 1],
  ["max_participants", 100_001],
  ["max_participants", 2.5],
  ["record", "true"],
  ["region", "asia"],
  ["trim", "no"],
  ["status_callback_event", "start stop"],
  ["status_callback_event", "start,end"],
  ["status_callback_event_type", "json"],
  ["status_callback_method", "post"],
  ["recording_status_callback_event", "failed"],
])("join_conference refuses %s = %j", (key, value) => {
  const [path] = pathsOf(main({ join_conference: { ...wholeJoin, [key]: value } }));
  expect(path).toBe(`sections.main.0.join_conference.${key}`);
});

test.each([
  "ftp://example.com/a.mp3",
  "say:",
  "say:Two\nlines",
  "say: ",
  "silence:",
  "silence:-1",
  "ring:usa",
  "ring:two:us",
  "hello",
  "",
])("play refuses the URL %j", (url) => {
  expect(pathsOf(main({ play: { url } }))).toEqual(["sections.main.0.play.url"]);
  expect(pathsOf(main({ prompt: { play: url } }))).toEqual(["sections.main.0.prompt.play"]);
});

test("play takes either url or urls", () => {
  expect(pathsOf(main({ play: {} }, { play: { url: "say:a", urls: ["say:b"] } }))).toEqual([
    "sections.main.0.play",
    "sections.main.1.play",
  ]);
});

test("other wrong values are errors: sleep 0, hangup for no known reason, a transfer to nowhere", () => {
  expect(pathsOf(main({ sleep: 0 }, { hangup: { reason: "gone" } }, { transfer: { params: {} } }))).toEqual([
    "sections.main.0.sleep.duration",
    "sections.main.1.hangup.reason",
    "sections.main.2.transfer.dest",
  ]);
});

test("a variable may stand for a parameter of any type", () => {
  const join = { name: "%{params.room}", muted: `\${vars.quiet}`, max_participants: `\${params.most}` };
  expect(errorsOf(main({ join_conference: join }, { sleep: `\${vars.ms}` }))).toEqual([]);
});

test("whatever the document, the answer is a verdict and never an exception", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(typeof validateDocument(value).ok).toBe("boolean");
      expect(typeof validateDocument({ sections: { main: [value] } }).ok).toBe("boolean");
    }),
  );
});
