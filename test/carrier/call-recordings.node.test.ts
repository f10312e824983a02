import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";

let carrier: Carrier;
beforeAll(async () => {
  carrier = await startCarrier(0);
});
afterAll(() => carrier.close());

/** An answered call in a conference. */
async function scene(settings: ProjectSettings = {}) {
  const project = await new CarrierClient(carrier.control).createProject({ speed: 20, ...settings });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const call = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
  const command = async (method: string, params: Record<string, unknown> = {}) =>
    (await relay.request(method, { ...call, ...params })).result;
  await command("calling.answer");
  await command("calling.join_conference", { name: "board" });
  await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
  const rest = new BareRest(carrier.rest, project);
  const of_call = rest.laml(`/Calls/${call.call_id}/Recordings`);
  return { project, relay, rest, command, of_call, call_id: call.call_id };
}

const throughout = { direction: "both", initial_timeout: 0, end_silence_timeout: 0, terminators: "" };

describe("a recording of one call", () => {
  test("by RELAY is paused, resumed and stopped, and each is told by an event", async () => {
    const { relay, command, project, call_id } = await scene();
    const control_id = randomUUID();
    const asked = { control_id, record: { audio: throughout } };
    expect(await command("calling.record", asked)).toMatchObject({ code: "200", control_id });
    expect(await command("calling.record", asked)).toMatchObject({ code: "409" });
    for (const [method, state] of [
      ["pause", "paused"],
      ["resume", "recording"],
      ["stop", "finished"],
    ] as const) {
      expect(await command(`calling.record.${method}`, { control_id })).toMatchObject({ code: "200" });
      await relay.event("calling.call.record", (told) => told["state"] === state);
    }
    const states = relay.events("calling.call.record").map(({ state }) => state);
    expect(states).toEqual(["recording", "paused", "recording", "finished"]);
    expect(relay.events("calling.call.record").at(-1)).toMatchObject({
      call_id,
      control_id,
      url: expect.stringContaining("https://"),
      duration: expect.any(Number),
      size: expect.any(Number),
      record: { audio: { direction: "both" } },
    });
    expect(await command("calling.record.stop", { control_id })).toMatchObject({ code: "404" });
    expect((await project.call(call_id)).recordings).toMatchObject([
      { control_id, state: "finished", direction: "both" },
    ]);
  });

  test("ends with its call, and at a key that ends it", async () => {
    const { relay, command, project, call_id } = await scene();
    const [keyed, left] = [randomUUID(), randomUUID()];
    await command("calling.record", {
      control_id: keyed,
      record: { audio: { ...throughout, terminators: "#" } },
    });
    await command("calling.record", { control_id: left, record: { audio: throughout } });
    await project.digits(call_id, "1#");
    await relay.event(
      "calling.call.record",
      ({ control_id, state }) => control_id === keyed && state === "finished",
    );
    await project.hangUp(call_id);
    await relay.event(
      "calling.call.record",
      ({ control_id, state }) => control_id === left && state === "finished",
    );
  });

  test.each([
    ["disables", {}, "no_input"],
    ["disables", throughout, "recording"],
    ["ends_at_once", throughout, "no_input"],
  ] as const)("goes on or not where a timeout of 0 %s and %o is asked: %s", async (reading, audio, state) => {
    const { project, command, call_id } = await scene({ switches: { record_timeout_of_zero: reading } });
    await command("calling.record", { control_id: randomUUID(), record: { audio } });
    const now = async () => (await project.call(call_id)).recordings[0]?.state;
    if (state === "recording") expect(await now()).toBe("recording");
    else await expect.poll(now).toBe(state);
  });

  test("by the compatibility API is listed, paused, stopped and deleted, by whatever way it was made", async () => {
    const { rest, of_call, command } = await scene();
    const form = (fields: Record<string, string>) => new URLSearchParams(fields);
    const made = await rest.send(of_call, "POST", form({ RecordingTrack: "both" }));
    expect(made.status).toBe(201);
    const { sid } = await made.json<{ sid: string }>();
    await command("calling.record", { control_id: randomUUID(), record: { audio: throughout } });
    const listed = await (await rest.send(`${of_call}.json`)).json<{ recordings: { status: string }[] }>();
    expect(listed.recordings.map(({ status }) => status)).toEqual(["in-progress", "in-progress"]);
    for (const [Status, status] of [
      ["paused", "paused"],
      ["in-progress", "in-progress"],
      ["stopped", "completed"],
    ] as const) {
      const changed = await rest.send(`${of_call}/${sid}.json`, "POST", form({ Status }));
      expect(await changed.json()).toMatchObject({ sid, status });
    }
    expect((await rest.send(`${of_call}/${sid}`, "POST", form({ Status: "paused" }))).status).toBe(400);
    expect((await rest.send(rest.laml(`/Recordings/${sid}`), "DELETE")).status).toBe(204);
    expect((await rest.send(`${of_call}/${sid}`)).status).toBe(404);
  });

  test("is made and stopped by REST's command, and not of a call that is none", async () => {
    const { rest, relay, call_id } = await scene();
    const send = (id: string, command: string, params: object) =>
      rest.send("/api/calling/calls", "POST", JSON.stringify({ id, command, params }));
    const control_id = randomUUID();
    const asked = { control_id, record: { audio: throughout } };
    expect((await send(call_id, "calling.record", asked)).status).toBe(200);
    await relay.event("calling.call.record", (told) => told["state"] === "recording");
    expect((await send(call_id, "calling.record.stop", { control_id })).status).toBe(200);
    expect((await send(randomUUID(), "calling.record", asked)).status).toBe(404);
  });
});

test("RELAY holds a call, and no participant of its conference", async () => {
  const { relay, command, project, call_id } = await scene();
  for (const [method, held] of [
    ["hold", true],
    ["unhold", false],
  ] as const) {
    expect(await command(`calling.${method}`)).toMatchObject({ code: "200" });
    await relay.event("calling.call.hold", ({ state }) => state === method);
    expect((await project.call(call_id)).held).toBe(held);
    expect((await project.conferences())[0]?.participants).toMatchObject([{ call_id, hold: false }]);
  }
});

describe("a fault of one control", () => {
  test.each([
    ["Muted", { Muted: "true" }, 503],
    ["Hold", { Muted: "true" }, 200],
  ])("by the form's field %s meets %o: %i", async (field, form, status) => {
    const fault = { at: "rest", match: { field }, do: { kind: "code", code: "503" } } as const;
    const { project, rest, call_id } = await scene({ faults: [fault] });
    const [conference] = await project.conferences();
    const path = rest.laml(`/Conferences/${conference?.sid}/Participants/${call_id}`);
    expect((await rest.send(path, "POST", new URLSearchParams(form))).status).toBe(status);
  });

  test("by REST's command is accepted, and does nothing", async () => {
    const fault = { at: "rest", match: { field: "calling.end" }, do: { kind: "late" } } as const;
    const { project, rest, call_id } = await scene({ faults: [fault] });
    const body = JSON.stringify({ id: call_id, command: "calling.end", params: {} });
    expect((await rest.send("/api/calling/calls", "POST", body)).status).toBe(200);
    expect((await project.call(call_id)).state).toBe("answered");
  });
});
