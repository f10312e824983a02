import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, inject } from "vitest";
import { wakeSession } from "../../../../functions/scheduled.ts";
import { type Fixture, openFixture } from "../../fixture.ts";

type FixtureSettings = Parameters<typeof openFixture>[0];

export const caller = { from: "+15550100001", to: "+15550100100" };
export const standup = {
  id: "standup",
  match: {},
  place: {
    room: "team-standup",
    announce: "Joining the team conference.",
    join: { beep: "onEnter", start_on_enter: true },
  },
};
export const plain = { id: "any", match: {}, place: { room: "any" } };
export const apology = "We are sorry. Your call cannot be connected right now. Please try again later.";

export function session(home: Fixture) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
}

export async function subscribed(home: Fixture): Promise<string[]> {
  const { contexts } = await session(home).status();
  return contexts;
}

export async function putContexts(
  home: Fixture,
  contexts: Record<string, string>,
  wake = wakeSession,
): Promise<void> {
  const key = `project/${home.carrier.project_id}`;
  const record = JSON.parse((await env.DIRECTORY.get(key)) ?? "{}") as Record<string, unknown>;
  await env.DIRECTORY.put(key, JSON.stringify({ ...record, contexts }));
  await wake(env, home.carrier.project_id);
}

/** A house whose project takes the calls of the context `main`, its session up. */
export async function openContext(
  rules: unknown[],
  settings: Partial<FixtureSettings> = {},
  wake = wakeSession,
): Promise<Fixture> {
  const { faults, ...carrier } = settings.carrier ?? {};
  const home = await openFixture({ ...settings, rules, carrier: { speed: 10, ...carrier } });
  await putContexts(home, { main: home.tenant }, wake);
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
  if (faults) await home.carrier.change({ faults });
  return home;
}

export async function call(home: Fixture, from = caller.from): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ ...caller, from, context: "main" });
  return call_id;
}

export async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({
    call: { call_id, in_conference: `${home.tenant}:${room}` },
    timeout_ms: 15_000,
  });
}

export async function ended(home: Fixture, call_id: string, timeout_ms = 15_000) {
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms });
  return await home.carrier.call(call_id);
}

export function overflow(then: string, more: Record<string, unknown>): Record<string, unknown> {
  return { then, ...more };
}

/** What the caller heard, in order; the carrier's own sounds by their kind. */
export async function heard(home: Fixture, call_id: string): Promise<string[]> {
  const { heard: sounds, two_sounds } = await home.carrier.call(call_id);
  expect(two_sounds).toBe(false);
  return sounds.map(({ sound, detail }) => (sound === "say" ? detail : sound));
}

export async function says(home: Fixture, call_id: string, words: string): Promise<void> {
  await expect.poll(() => heard(home, call_id), { timeout: 10_000 }).toContain(words);
}

/** The object is gone as in a deploy or an eviction, and its alarm brings it back. */
export async function lose(home: Fixture): Promise<void> {
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  await runDurableObjectAlarm(session(home));
}

/** Another client of the project has the call, and has answered it: RELAY tells that to it alone. */
export async function answeredElsewhere({ carrier }: Fixture, call_id: string): Promise<void> {
  const dest = { version: "1.0.0", sections: { main: [{ answer: {} }, { sleep: -1 }] } };
  const response = await fetch(new URL("/api/calling/calls", inject("carrier")), {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${carrier.project_id}:${carrier.token}`)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ command: "calling.transfer", id: call_id, params: { dest } }),
  });
  expect(response.status).toBe(200);
}
