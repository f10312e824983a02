import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  conferenceAttributes,
  eventsWithoutCxmlCounterpart,
  withoutCxmlCounterpart,
} from "../../../shared/documents/cxml-conference.ts";
import { cxmlUrl } from "../../../shared/documents/cxml-url.ts";
import type { LastStep, ResumeUrl, Step, Waiting } from "../../../shared/documents/step.ts";
import { writeCxml } from "../../../shared/documents/write-cxml.ts";
import { element, writeXml, xmlText } from "../../../shared/documents/xml.ts";
import { validateCxml } from "../../carrier/cxml/verbs.ts";
import { readXml } from "../../carrier/cxml/xml.ts";
import { everyJoinParameter } from "./every-document.ts";

/** Texts as someone would send them who knows what XML does with them, and any at all. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc
    .array(
      fc.constantFrom(
        "<",
        ">",
        "&",
        '"',
        "'",
        "]]>",
        "&amp;",
        "\n",
        "\r\n",
        "\t",
        "\u0000",
        "\ud800",
        "\ufffe",
        "😀",
      ),
      {
        maxLength: 8,
      },
    )
    .map((pieces) => pieces.join("")),
);

test("what is written reads back as it went in, without what XML can't hold", () => {
  fc.assert(
    fc.property(anyText, anyText, (value, text) => {
      const reading = readXml(writeXml(element("Response", { value }, text, element("Say", {}, text))));
      expect(reading).toMatchObject({ ok: true });
      if (!reading.ok) return;
      expect(reading.root.attributes.get("value")).toBe(xmlText(value));
      const kept = xmlText(text);
      const inner = { name: "Say", attributes: new Map(), children: kept === "" ? [] : [kept] };
      expect(reading.root.children).toEqual(kept === "" ? [inner] : [kept, inner]);
    }),
    { numRuns: 500 },
  );
});

test("only what no XML document may hold is left out of a text", () => {
  expect(xmlText("a\u0000b\u001fc\ud800d\ufffee\tf\n😀")).toBe("abcde\tf\n😀");
});

const back: ResumeUrl = {
  dest: "https://partyline.example.com/hooks/acme/cxml",
  params: { tier: "gold & silver" },
  sealed: "c2VhbGVk",
};
const url = "https://partyline.example.com/hooks/acme/cxml?tier=gold+%26+silver&partyline=c2VhbGVk";
const goodbye: LastStep = { does: "reject", say: { say: "Goodbye." } };
const staying = { params: {} };
const again = { verb: "Redirect", url, method: "POST" };

/** What the carrier, which is strict, makes of the document. */
function verbs(next: Step, answered = true): unknown {
  const written = writeCxml(next, answered);
  expect(written).toMatchObject({ ok: true });
  const read = validateCxml(written.body);
  expect(read).toMatchObject({ ok: true });
  return read.ok ? read.verbs : null;
}

describe("a document in cXML", () => {
  it("announces in the language and voice of the words, and comes back with its state in the query", () => {
    const words = [
      { say: "Hello <you> & me", language: "en-GB", voice: "Polly.Amy" },
      { play: "https://example.com/hello.mp3?a=1&b=2" },
    ];
    expect(verbs({ does: "announce", words, back })).toMatchObject([
      { verb: "Say", text: "Hello <you> & me" },
      { verb: "Play", url: "https://example.com/hello.mp3?a=1&b=2" },
      again,
    ]);
    expect(writeCxml({ does: "announce", words, back }, true).body).toContain(
      '<Say language="en-GB" voice="Polly.Amy">',
    );
  });

  it("asks for digits, and comes back whatever was keyed or was not", () => {
    const prompt = {
      name: "pin",
      words: [{ say: "Wrong." }, { say: "Your PIN?" }] as [{ say: string }, { say: string }],
      min_digits: 4,
      max_digits: 8,
      secret: true,
      try: 2,
    };
    const gather = { verb: "Gather", action: url, method: "POST", actionOnEmptyResult: true, numDigits: 8 };
    expect(verbs({ does: "ask", prompt, back })).toMatchObject([
      { ...gather, finishOnKey: "", prompts: [{ text: "Wrong." }, { text: "Your PIN?" }] },
      again,
    ]);
    expect(verbs({ does: "ask", prompt: { ...prompt, terminator: "#" }, back })).toMatchObject([
      { ...gather, finishOnKey: "#" },
      again,
    ]);
  });

  it("joins, cut at its longest stay, and comes back with how that went", () => {
    const join: Step = { does: "join", room: "acme:a & b", join: { muted: true }, staying, over: back };
    expect(verbs(join)).toMatchObject([
      { verb: "Dial", action: url, method: "POST", conference: { name: "acme:a & b" } },
      { verb: "Hangup" },
    ]);
    expect(verbs({ ...join, staying: { params: {}, max_duration_s: 600 } })).toMatchObject([
      { timeLimit: 600 },
      {},
    ]);
  });

  it("goes where the rule says after its room even where it can't come back to us", () => {
    const after = { action: "hand_over" as const, cxml: "https://survey.example.com/after.xml" };
    expect(verbs({ does: "join", room: "acme:a", join: {}, staying: { params: {}, after } })).toMatchObject([
      { verb: "Dial", conference: { name: "acme:a" } },
      { verb: "Redirect", url: after.cxml },
    ]);
  });

  it("rejects a call that is not answered unheard, and hangs up on one that is", () => {
    expect(verbs({ does: "reject" }, false)).toMatchObject([{ verb: "Reject", reason: "rejected" }]);
    expect(verbs({ does: "reject", reason: "busy" }, false)).toMatchObject([
      { verb: "Reject", reason: "busy" },
    ]);
    expect(verbs({ does: "reject", reason: "busy" }, true)).toMatchObject([{ verb: "Hangup" }]);
    expect(verbs(goodbye, false)).toMatchObject([{ verb: "Say", text: "Goodbye." }, { verb: "Hangup" }]);
  });

  it("hands over to the tenant's cXML, and apologises where there is only SWML", () => {
    const cxml = "https://voicemail.example.com/acme.xml?a=1&b=2";
    expect(verbs({ does: "hand_over", cxml, params: {} })).toMatchObject([{ verb: "Redirect", url: cxml }]);
    for (const next of [
      { does: "hand_over", swml: "https://voicemail.example.com/acme", params: {} },
      { does: "apologise" },
      { does: "refuse" },
    ] as const)
      expect(verbs(next)).toMatchObject([
        { verb: "Say", text: expect.stringMatching(/sorry/) },
        { verb: "Hangup" },
      ]);
  });

  it("waits with the place in line and never over three quiet seconds, and asks again", () => {
    const waiting: Waiting = {
      does: "wait",
      for: "seat",
      rounds: 5,
      round_s: 60,
      position: { say: "Sie sind Nummer 3.", language: "de-DE" },
      poll: back,
      turn: back,
      otherwise: goodbye,
    };
    const heard = verbs(waiting) as { verb: string; text?: string; length?: number }[];
    expect(heard[0]).toMatchObject({ verb: "Say", text: "Sie sind Nummer 3." });
    expect(writeCxml(waiting, true).body).toContain('<Say language="de-DE">Sie');
    expect(heard.at(-1)).toMatchObject(again);
    expect(Math.max(...heard.map(({ length = 0 }) => length))).toBeLessThanOrEqual(3);
    expect(heard.filter(({ verb }) => verb === "Pause").length).toBeGreaterThan(2);
    const music = "https://example.com/music.mp3";
    expect(verbs({ ...waiting, music, announce: { say: "Please wait." } })).toMatchObject([
      { verb: "Say", text: "Please wait." },
      { verb: "Say" },
      { verb: "Play", url: music },
      again,
    ]);
  });

  it("is an apology where what is left out of it would leave an expansion mark behind", () => {
    const written = writeCxml({ does: "reject", say: { say: "Hello $\u0000{x}." } }, true);
    expect(written).toMatchObject({ ok: false, why: "it held ${ or %{" });
    expect(written.body).not.toContain("${");
  });

  it("is an apology where it would be longer than SignalWire takes", () => {
    const words = [{ say: "x".repeat(64_000) }];
    const written = writeCxml({ does: "announce", words, back }, true);
    expect(written).toMatchObject({ ok: false, path: "announce", why: "it is over 64000 bytes" });
    expect(written.body).toBe(writeCxml({ does: "apologise" }, true).body);
  });
});

describe("a way back", () => {
  it("keeps the fragment with the tenant's time limits, and texts of the pasted query alone", () => {
    const params = { team: ["a", "b"], odd: { nested: true } };
    expect(cxmlUrl({ ...back, dest: `${back.dest}#rt=8000`, params })).toBe(
      `${back.dest}?team=a&team=b&partyline=c2VhbGVk#rt=8000`,
    );
  });

  it("is none where its URL would be over 4000 characters", () => {
    expect(cxmlUrl({ ...back, sealed: "x".repeat(3_900) })).toBe(url.replace("c2VhbGVk", "x".repeat(3_900)));
    expect(cxmlUrl({ ...back, sealed: "x".repeat(3_960) })).toBeNull();
  });
});

describe("join parameters as attributes of <Conference>", () => {
  it("are all there, in values that the carrier takes, but for two that cXML has nothing for", () => {
    expect(withoutCxmlCounterpart).toEqual(["region", "stream"]);
    expect(conferenceAttributes(everyJoinParameter)).toEqual({
      muted: "true",
      beep: "onEnter",
      startConferenceOnEnter: "false",
      endConferenceOnExit: "true",
      waitUrl: "https://example.com/music.mp3",
      waitMethod: "GET",
      maxParticipants: "20",
      record: "record-from-start",
      trim: "do-not-trim",
      coach: "c2d3e4f5-a6b7-4901-8def-234567890abc",
      statusCallback: "https://example.com/status?token=t",
      statusCallbackEvent: "start end join leave",
      statusCallbackMethod: "POST",
      recordingStatusCallback: "https://example.com/recording",
      recordingStatusCallbackEvent: "in-progress completed failed",
      recordingStatusCallbackMethod: "GET",
    });
    expect(verbs({ does: "join", room: "acme:a", join: everyJoinParameter, staying })).toMatchObject([
      {},
      {},
    ]);
  });

  it("leave out events that cXML has none of", () => {
    const status_callback_event = ["join", ...eventsWithoutCxmlCounterpart].join(" ");
    expect(conferenceAttributes({ status_callback_event })).toEqual({ statusCallbackEvent: "join" });
    expect(conferenceAttributes({ status_callback_event: "modify" })).toEqual({});
  });
});
