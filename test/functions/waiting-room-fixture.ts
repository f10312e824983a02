import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect } from "vitest";
import type { Conference } from "../../functions/session/operator/roster.ts";
import { askApi } from "./api/ask.ts";
import type { Fixture } from "./fixture.ts";

export const music = "https://example.com/music.mp3#seconds=10";

/** A leave counts at once where no hold of ours could have caused it. */
export const byDocument = { tenant: { join_via: "document" }, carrier: { speed: 5 } };

/** A room with so many seats, before which callers wait. */
export function room(capacity: number, wait: Record<string, unknown> = {}): Record<string, unknown> {
  const waits = ["then", "wait"];
  return {
    id: "desk",
    match: {},
    place: {
      room: "desk",
      capacity,
      overflow: Object.fromEntries([waits, ["say", "Nobody was free."]]),
      wait: { music, ...wait },
    },
  };
}

export async function callFrom(home: Fixture, from: string): Promise<string> {
  return (await home.carrier.placeCall({ from, to: "+15550100100", url: home.webhook_url })).call_id;
}

export async function inWaitingRoom(home: Fixture, call_id: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:desk` }, timeout_ms: 15_000 });
}

export async function wordsTo(home: Fixture, call_id: string): Promise<string[]> {
  const { heard } = await home.carrier.call(call_id);
  return heard.filter(({ sound }) => sound === "say").map(({ detail }) => detail);
}

export async function desk(home: Fixture): Promise<Conference> {
  return await (await askApi(`/tenants/${home.tenant}/conferences/desk`)).json();
}

export async function lineOf(home: Fixture): Promise<string[]> {
  return ((await desk(home)).waiting ?? []).map(({ call_id }) => call_id);
}

export async function waits(home: Fixture, ...calls: string[]): Promise<void> {
  await expect.poll(() => lineOf(home), { timeout: 10_000 }).toEqual(calls);
}

export function session(home: Fixture) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
}

/** The object is gone as in a deploy or an eviction: memory and socket lost, rows and alarm kept; the alarm brings it back. */
export async function lose(home: Fixture): Promise<void> {
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  await runDurableObjectAlarm(session(home));
}
