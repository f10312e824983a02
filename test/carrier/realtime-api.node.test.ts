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
