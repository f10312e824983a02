import { expect, test } from "vitest";
import { validateCxml } from "./verbs.ts";

const response = (verbs: string) =>
  validateCxml(`<?xml version="1.0" encoding="UTF-8"?>\n<Response>${verbs}</Response>`);

test("every verb with all its attributes is read, with the reference's defaults where there are none", () => {
  const conference = `<Conference beep="onEnter" coach="c1" endConferenceOnExit="true" maxParticipants="40" muted="true"
    record="record-from-start" recordingStatusCallback="https://example.com/r" recordingStatusCallbackEvent="in-progress failed"
    recordingStatusCallbackMethod="GET" startConferenceOnEnter="false" statusCallback="https://example.com/s"
    statusCallbackEvent="start end join leave mute hold speaker" statusCallbackMethod="POST" trim="do-not-trim"
    eventCallbackUrl="https://example.com/e" waitMethod="GET" waitUrl="https://example.com/w.mp3">
      acme:board &amp; co
    </Conference>`;
  const read = response(`
    <Say voice="Polly.Joanna" language="en-US" loop="2"> Hello,\n world. </Say>
    <Play>https://example.com/a.mp3?x=1&amp;y=2</Play>
    <Pause/><Pause length="3"/>
    <Gather action="https://example.com/g" numDigits="4" finishOnKey="" timeout="7" actionOnEmptyResult="true" method="GET">
      <Say>PIN?</Say>
    </Gather>
    <Gather/>
    <Dial action="https://example.com/d" timeLimit="60">${conference}</Dial>
    <Redirect method="GET">https://example.com/n</Redirect>
    <Hangup/><Reject/>`);
  expect(read).toEqual({
    ok: true,
    verbs: [
      { verb: "Say", text: "Hello, world.", loop: 2 },
      { verb: "Play", url: "https://example.com/a.mp3?x=1&y=2", loop: 1 },
      { verb: "Pause", length: 1 },
      { verb: "Pause", length: 3 },
      {
        verb: "Gather",
        prompts: [{ verb: "Say", text: "PIN?", loop: 1 }],
        action: "https://example.com/g",
        actionOnEmptyResult: true,
        finishOnKey: "",
        input: "dtmf",
        method: "GET",
        numDigits: 4,
        timeout: 7,
      },
      {
        verb: "Gather",
        prompts: [],
        actionOnEmptyResult: false,
        finishOnKey: "#",
        input: "dtmf",
        method: "POST",
        timeout: 5,
      },
      {
        verb: "Dial",
        action: "https://example.com/d",
        method: "POST",
        timeLimit: 60,
        conference: {
          name: "acme:board & co",
          beep: "onEnter",
          coach: "c1",
          end_on_exit: true,
          event_callback_url: "https://example.com/e",
          max_participants: 40,
          muted: true,
          record: "record-from-start",
          recording_status_callback: "https://example.com/r",
          recording_status_callback_event: "in-progress failed",
          recording_status_callback_event_type: "cxml",
          recording_status_callback_method: "GET",
          start_on_enter: false,
          status_callback: "https://example.com/s",
          status_callback_event: "start end join leave mute hold speaker",
          status_callback_event_type: "cxml",
          status_callback_method: "POST",
          trim: "do-not-trim",
          wait_url: "https://example.com/w.mp3",
        },
      },
      { verb: "Redirect", url: "https://example.com/n", method: "GET" },
      { verb: "Hangup" },
      { verb: "Reject", reason: "rejected" },
    ],
  });
});

test.each([
  ["<Dance/>", "Response/Dance", "Say, Play"],
  ["<say>Hi.</say>", "Response/say", "Say, Play"],
  ["<Say loud='true'>Hi.</Say>", "Response/Say/@loud", "loop, voice, language"],
  ["<Say> </Say>", "Response/Say", "nothing to say"],
  [`<Say>${"x".repeat(4097)}</Say>`, "Response/Say", "4096"],
  ["<Say>Hi <b>you</b>.</Say>", "Response/Say", "text alone"],
  ["<Play>a.mp3</Play>", "Response/Play", "absolute URL"],
  ["<Pause length='0'/>", "Response/Pause/@length", "from 1"],
  ["<Pause length='1.5'/>", "Response/Pause/@length", "whole number"],
  ["<Pause/><Pause>3</Pause>", "Response/Pause[2]", "nothing inside"],
  ["<Gather><Dial/></Gather>", "Response/Gather/Dial", "only Say, Play and Pause"],
  ["<Gather finishOnKey='A'/>", "Response/Gather/@finishOnKey", "0-9, *, #"],
  ["<Gather actionOnEmptyResult='yes'/>", "Response/Gather/@actionOnEmptyResult", "true"],
  ["<Gather action='/next'/>", "Response/Gather/@action", "absolute URL"],
  ["<Dial>+15550100002<Conference>a</Conference></Dial>", "Response/Dial", "no text"],
  ["<Dial><Number>+15550100002</Number></Dial>", "Response/Dial", "<Conference>"],
  ["<Dial><Conference> </Conference></Dial>", "Response/Dial/Conference", "needs a name"],
  ["<Dial><Conference region='us'>a</Conference></Dial>", "Response/Dial/Conference/@region", "beep"],
  ["<Dial><Conference beep='onenter'>a</Conference></Dial>", "Response/Dial/Conference/@beep", "onEnter"],
  ["<Dial><Conference muted='1'>a</Conference></Dial>", "Response/Dial/Conference/@muted", "true"],
  [
    "<Dial><Conference statusCallbackEvent='modify'>a</Conference></Dial>",
    "Response/Dial/Conference/@statusCallbackEvent",
    "speaker",
  ],
  ["<Reject reason='closed'/>", "Response/Reject/@reason", "busy"],
  ["<Hangup reason='busy'/>", "Response/Hangup/@reason", "none"],
  ["<Redirect></Redirect>", "Response/Redirect", "absolute URL"],
  ["Hello", "Response", "no text"],
])("%s is refused with its place", (verbs, path, told) => {
  const refused = response(verbs);
  expect(refused).toMatchObject({ ok: false, errors: [{ path, message: expect.stringContaining(told) }] });
});

test("a document that is too long, has another root or is not well-formed is refused whole", () => {
  const long = validateCxml(`<Response><Say>Hi.</Say><!-- ${"é".repeat(33_000)} --></Response>`);
  expect(long).toMatchObject({ ok: false, errors: [{ message: expect.stringContaining("65536") }] });
  expect(validateCxml("<Answer/>")).toMatchObject({
    errors: [{ message: expect.stringContaining("<Response>") }],
  });
  expect(validateCxml("<Response>")).toMatchObject({
    errors: [{ message: expect.stringContaining("line 1") }],
  });
});

test("an empty response is a document: the call ends", () => {
  expect(validateCxml("<Response/>")).toEqual({ ok: true, verbs: [] });
});
