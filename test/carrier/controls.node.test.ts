import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient, type CarrierProject } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { cxml, startWebStub, type WebStub } from "./web-stub.ts";

let carrier: Carrier;
let stub: WebStub;
beforeAll(async () => {
  carrier = await startCarrier(0);
  stub = await startWebStub(({ path }) =>
    path.startsWith("/hold")
      ? cxml("<Say>Please hold.</Say>")
      : path.startsWith("/gather")
        ? cxml("<Gather><Say>Key.</Say></Gather>")
        : cxml("<Say>One word.</Say>"),
  );
});
afterAll(async () => {
  stub.close();
  await carrier.close();
});

/** Two calls in one conference, and REST's path of the first. */
async function pair(settings: ProjectSettings = {}) {
  const project = await new CarrierClient(carrier.control).createProject({ speed: 20, ...settings });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const calls: string[] = [];
  for (const from of ["+15550100001", "+15550100002"]) {
    const call = await project.placeCall({ from, to: "+15550100100" });
    await relay.request("calling.answer", call);
    await relay.request("calling.join_conference", { ...call, name: "board" });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    calls.push(call.call_id);
  }
  const [conference] = await project.conferences();
  const rest = new BareRest(carrier.rest, project);
  const [first = "", second = ""] = calls;
  const participant = rest.laml(`/Conferences/${conference?.sid}/Participants/${first}.json`);
  const update = (form: Record<string, string>) => rest.send(participant, "POST", new URLSearchParams(form));
  return { project, relay, rest, first, second, participant, update };
}

async function words(project: CarrierProject, call_id: string): Promise<string[]> {
  const { heard, two_sounds } = await project.call(call_id);
  expect(two_sounds).toBe(false);
  return heard.map(({ sound, detail }) => `${sound} ${detail}`);
}

test("who is held with a HoldUrl hears its document again and again, and the room once held no more", async () => {
  const { project, first, second, update } = await pair();
  await update({ Hold: "true", HoldUrl: `${stub.url}/hold` });
  await expect
    .poll(async () => (await words(project, first)).filter((one) => one === "say Please hold.").length)
    .toBeGreaterThan(1);
  await update({ Hold: "false" });
  await expect.poll(async () => (await words(project, first)).at(-1)).toBe("conference board");
  expect(await words(project, second)).not.toContain("say Please hold.");
});

test("who is held with a document that asks hears nothing of it, and that is a violation", async () => {
  const { project, update } = await pair();
  await update({ Hold: "true", HoldUrl: `${stub.url}/gather` });
  await project.wait({
    journal: { kind: "violation", contains: { failed: "Gather for someone who is held" } },
  });
});

test("an AnnounceUrl of one participant is heard by that one alone", async () => {
  const { project, first, second, update } = await pair();
  await update({ AnnounceUrl: `${stub.url}/words` });
  await expect.poll(() => words(project, first)).toContain("announcement One word.");
  expect(await words(project, second)).not.toContain("announcement One word.");
});

test("coaching wants a participant to coach, and what is no update of a participant is refused", async () => {
  const { update, second } = await pair();
  expect((await update({ Coaching: "true" })).status).toBe(400);
  expect((await update({ Silenced: "true" })).status).toBe(400);
  const coached = await update({ Coaching: "true", CallSidToCoach: second });
  expect(await coached.json()).toMatchObject({ coaching: true, call_sid_to_coach: second });
});

test("a control may be accepted and come late, or never", async () => {
  const { project, rest, participant, update } = await pair({
    faults: [
      {
        at: "rest",
        match: { method: "POST", resource: "participants" },
        times: 1,
        do: { kind: "late", ms: 50 },
      },
      { at: "rest", match: { method: "POST", resource: "participants" }, skip: 1, do: { kind: "late" } },
    ],
  });
  const isMuted = async () => (await (await rest.send(participant, "GET")).json<{ muted: boolean }>()).muted;
  expect((await update({ Muted: "true" })).status).toBe(200);
  expect(await isMuted()).toBe(false);
  await expect.poll(isMuted).toBe(true);
  await project.change({
    faults: [{ at: "rest", match: { method: "POST", resource: "participants" }, do: { kind: "late" } }],
  });
  expect((await update({ Muted: "false" })).status).toBe(200);
  await wait(100);
  expect(await isMuted()).toBe(true);
});
