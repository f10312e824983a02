import { beforeAll, describe, expect, test } from "vitest";
import type { CommandView } from "../../../shared/api/controls.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { putContexts } from "../session/calls/context-fixture.ts";
import { askApi } from "./ask.ts";

beforeAll(warmUp);

type Way = "swml" | "cxml" | "relay";
const to = "+15550100100";

async function open(more: Partial<Parameters<typeof openFixture>[0]> = {}): Promise<Fixture> {
  const rules = [
    { id: "chair", match: { from: "+15550100009" }, place: { room: "board", role: "moderator" } },
    { id: "any", match: {}, place: { room: "board" } },
  ];
  return await openFixture({ rules, ...more, carrier: { speed: 10, ...more.carrier } });
}

async function into(home: Fixture, from: string, way: Way = "swml", room = "board"): Promise<string> {
  const number = { swml: home.webhook_url, cxml: home.webhook_url.replace(/swml$/, "cxml"), relay: "main" };
  const { call_id } = await home.carrier.placeCallVia(way, number, { from, to });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 15_000 });
  await expect.poll(async () => (await participant(home, call_id, room))?.confirmed).toBe(true);
  return call_id;
}

async function participant(home: Fixture, call_id: string, room = "board") {
  const response = await askApi(`/tenants/${home.tenant}/conferences/${room}`);
  const { participants = [] } = await response.json<{
    participants?: { call_id: string; confirmed: boolean }[];
  }>();
  return participants.find((one) => one.call_id === call_id);
}

interface Answer {
  status: number;
  body: CommandView & { error?: { code: string } };
}

async function ask(
  home: Fixture,
  path: string,
  method: string,
  body?: unknown,
  key?: string,
): Promise<Answer> {
  const response = await askApi(`/tenants/${home.tenant}/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(key === undefined ? {} : { headers: { "idempotency-key": key } }),
  });
  return { status: response.status, body: await response.json() };
}

const of = (call_id: string) => `conferences/board/participants/${call_id}`;

async function state(home: Fixture, call_id: string) {
  const [board] = await home.carrier.conferences();
  return board?.participants.find((one) => one.call_id === call_id);
}

const eventsLost = {
  at: "event",
  match: { event_type: "calling.conference" },
  do: { kind: "lose" },
} as const;
const callbacksLost = { at: "callback", do: { kind: "lose" } } as const;

describe.each<Way>(["swml", "cxml", "relay"])("a caller by %s", (way) => {
  test.each([
    ["event", []],
    ["rest", [eventsLost, callbacksLost]],
  ] as const)("is muted, held, coached and removed, each seen by %s", async (by, faults) => {
    await using home = await open();
    if (way === "relay") await putContexts(home, { main: home.tenant });
    const other = await into(home, "+15550100009");
    const call_id = await into(home, "+15550100001", way);
    await home.carrier.change({ faults: [...faults] });
    const seen = { status: 200, body: { changed: true, verified_by: by, state: "done" } };
    const change = (body: unknown) => ask(home, of(call_id), "PATCH", body);
    expect(await change({ muted: true })).toMatchObject(seen);
    expect(await state(home, call_id)).toMatchObject({ muted: true });
    expect(await change({ muted: true })).toMatchObject({ status: 200, body: { changed: false } });
    expect(await change({ muted: false, held: {} })).toMatchObject({
      ...seen,
      body: { ...seen.body, sent_by: "rest", participant: { call_id, muted: false, held: true } },
    });
    expect(await change({ held: false })).toMatchObject(seen);
    expect(await change({ coach: other })).toMatchObject(seen);
    expect(await state(home, call_id)).toMatchObject({ coaching: other });
    expect(await change({ coach: null })).toMatchObject(seen);
    expect(await ask(home, of(call_id), "DELETE")).toMatchObject(seen);
    await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 5_000 });
    expect(await ask(home, of(call_id), "DELETE")).toMatchObject({ status: 404 });
  });
});
