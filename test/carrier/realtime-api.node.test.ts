import { SignalWire } from "@signalwire/realtime-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";

// Proves the carrier's RELAY side with SignalWire's own client, whose forms we did not choose. It does not prove that
// the live platform answers alike.

let carrier: Carrier;
beforeAll(async () => {
  carrier = await startCarrier(0);
});
afterAll(() => carrier.close());

test("@signalwire/realtime-api connects, takes an inbound call, answers it, plays and hangs up", async () => {
  const project = await new CarrierClient(carrier.control).createProject({ speed: 20 });
  const client = await SignalWire({
    host: carrier.relay,
    project: project.project_id,
    token: project.token,
    logLevel: "silent",
  });
  const served = Promise.withResolvers<unknown>();
  await client.voice.listen({
    topics: ["office"],
    onCallReceived: async (call) => {
      try {
        await call.answer();
        await call.playTTS({ text: "Welcome" }).onEnded();
        await call.hangup();
        served.resolve(call.id);
      } catch (error) {
        served.reject(error);
      }
    },
  });
  const { call_id } = await project.placeCall({
    from: "+15550100001",
    to: "+15550100100",
    context: "office",
  });
  expect(await served.promise).toBe(call_id);
  const { call } = await project.wait({
    call: { call_id, state: "ended", heard: { sound: "say", contains: "Welcome" } },
  });
  expect(call?.end_reason).toBe("hangup");
  expect(await project.journal({ kind: "violation" })).toEqual([]);
  await client.disconnect();
});

test("@signalwire/realtime-api asks for digits, in a voice and after a ringtone, and dials", async () => {
  const project = await new CarrierClient(carrier.control).createProject({
    speed: 20,
    phones: { "+15550100012": { does: "busy" } },
  });
  const client = await SignalWire({
    host: carrier.relay,
    project: project.project_id,
    token: project.token,
    logLevel: "silent",
  });
  const served = Promise.withResolvers<unknown>();
  await client.voice.listen({
    topics: ["office"],
    onCallReceived: async (call) => {
      try {
        await call.answer();
        await call.playRingtone({ name: "us", duration: 1 }).onEnded();
        const digits = { max: 4, digitTimeout: 5, terminators: "#" };
        const prompt = await call.promptTTS({ text: "Your code?", gender: "female", digits }).onEnded();
        served.resolve(prompt.digits);
        await call.hangup();
      } catch (error) {
        served.reject(error);
      }
    },
  });
  const { call_id } = await project.placeCall({
    from: "+15550100001",
    to: "+15550100100",
    context: "office",
  });
  await project.wait({ call: { call_id, heard: { sound: "say", contains: "Your code?" } } });
  await project.digits(call_id, "1234");
  expect(await served.promise).toBe("1234");
  const from = "+15550100100";
  const dialled = await client.voice.dialPhone({ from, to: "+15550100011", timeout: 30 });
  expect(dialled.state).toBe("answered");
  await dialled.hangup();
  await expect(client.voice.dialPhone({ from, to: "+15550100012" })).rejects.toBeDefined();
  expect(await project.journal({ kind: "violation" })).toEqual([]);
  await client.disconnect();
});

test("@signalwire/realtime-api pauses, resumes and turns down what it plays, asks for speech, and dials with headers and codecs", async () => {
  const project = await new CarrierClient(carrier.control).createProject({ speed: 20 });
  const client = await SignalWire({
    host: carrier.relay,
    project: project.project_id,
    token: project.token,
    logLevel: "silent",
  });
  const served = Promise.withResolvers<unknown>();
  const isPaused = Promise.withResolvers<() => Promise<unknown>>();
  await client.voice.listen({
    topics: ["office"],
    onCallReceived: async (call) => {
      try {
        await call.answer();
        const ringing = await call.playRingtone({ name: "de", duration: 20 }).onStarted();
        await ringing.setVolume(-6);
        await ringing.pause();
        isPaused.resolve(() => ringing.resume());
        await ringing.ended();
        const speech = { language: "en-US", hints: ["sales"], endSilenceTimeout: 1 };
        const asked = { text: "Whom do you want?", speech, initialTimeout: 1 };
        const prompt = await call.promptTTS(asked).onStarted();
        served.resolve((await prompt.ended()).type);
        await call.hangup();
      } catch (error) {
        isPaused.reject(error);
        served.reject(error);
      }
    },
  });
  const { call_id } = await project.placeCall({
    from: "+15550100001",
    to: "+15550100100",
    context: "office",
  });
  const resume = await isPaused.promise;
  await project.wait({
    journal: {
      kind: "frame_out",
      contains: { frame: { params: { event_type: "calling.call.play", params: { state: "paused" } } } },
    },
  });
  expect((await project.call(call_id)).heard.every(({ to_ms }) => to_ms !== null)).toBe(true);
  await resume();
  expect(await served.promise).toBe("no_input");
  const { heard } = await project.call(call_id);
  expect(heard.filter(({ detail }) => detail.endsWith(":de"))).toHaveLength(2);
  const device = {
    from: "sip:desk@example.com",
    to: "sip:lobby@example.com",
    headers: [{ name: "X-Tier", value: "gold" }],
    codecs: ["PCMU" as const, "OPUS" as const],
  };
  const dialled = await client.voice.dialSip(device);
  expect(dialled.state).toBe("answered");
  await dialled.hangup();
  expect(await project.journal({ kind: "violation" })).toEqual([]);
  await client.disconnect();
});
