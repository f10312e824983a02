import type { RecordingView } from "../../../functions/session/store/recordings.ts";
import type { CommandView } from "../../../shared/api/controls.ts";
import { type Fixture, openFixture } from "../fixture.ts";
import { askApi } from "./ask.ts";
import { eventually } from "./eventually.ts";

// What the tests of operators' controls share: a room, callers in it by each way, and what is asked of it.

export type Way = "swml" | "cxml" | "relay";
export const ways = ["swml", "cxml", "relay"] as const;
const to = "+15550100100";

/** A chair and guests. @param place what both rules say beside the room. */
export async function openBoard(
  more: Partial<Parameters<typeof openFixture>[0]> = {},
  place: Record<string, unknown> = {},
): Promise<Fixture> {
  const rules = [
    { id: "chair", match: { from: "+15550100009" }, place: { room: "board", role: "moderator", ...place } },
    { id: "any", match: {}, place: { room: "board", ...place } },
  ];
  return await openFixture({ rules, ...more, carrier: { speed: 10, ...more.carrier } });
}

/** A call that may be let in or not. By `relay` the project's contexts have to be put first. */
export async function placeVia(home: Fixture, from: string, way: Way = "swml"): Promise<string> {
  const number = { swml: home.webhook_url, cxml: home.webhook_url.replace(/swml$/, "cxml"), relay: "main" };
  return (await home.carrier.placeCallVia(way, number, { from, to })).call_id;
}

/** A call that is in the room, as the session has seen. */
export async function into(home: Fixture, from: string, way: Way = "swml", room = "board"): Promise<string> {
  const call_id = await placeVia(home, from, way);
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 15_000 });
  await eventually(async () => (await participant(home, call_id, room))?.confirmed === true);
  return call_id;
}

export interface Board {
  participants: { call_id: string; confirmed: boolean; muted: boolean; held: boolean }[];
  waiting: { call_id: string }[];
  recording: { id: string; state: string } | null;
}

/** The roster; of an empty room nothing. */
export async function board(home: Fixture, room = "board"): Promise<Board> {
  const response = await askApi(`/tenants/${home.tenant}/conferences/${room}`);
  const found = await response.json<Partial<Board>>();
  return { participants: [], waiting: [], recording: null, ...found };
}

export async function participant(home: Fixture, call_id: string, room = "board") {
  return (await board(home, room)).participants.find((one) => one.call_id === call_id);
}

/** The participant as the simulator has it. */
export async function truth(home: Fixture, call_id: string) {
  const all = (await home.carrier.conferences()).flatMap(({ participants }) => participants);
  return all.find((one) => one.call_id === call_id);
}

export interface Answer {
  status: number;
  body: CommandView & { error?: { code: string; message: string; where?: string } };
}

export async function ask(
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

/** The same of the room. */
export const onBoard = (home: Fixture, path: string, method: string, body?: unknown, key?: string) =>
  ask(home, `conferences/board/${path}`, method, body, key);

export const of = (call_id: string) => `conferences/board/participants/${call_id}`;

/** How a command stands that was not seen at first. */
export async function settled(home: Fixture, { body }: Answer): Promise<CommandView> {
  const asked = async () => (await ask(home, `commands/${body.command_id}`, "GET")).body;
  await eventually(async () => (await asked()).state !== "requested");
  return await asked();
}

/** The tenant's recordings, the oldest first. */
export async function recordingsOf(home: Fixture): Promise<RecordingView[]> {
  const response = await askApi(`/tenants/${home.tenant}/recordings`);
  const { recordings } = await response.json<{ recordings: RecordingView[] }>();
  return recordings.reverse();
}

/** What hides a control's effect from events, so that REST alone shows it. */
export const eventsLost = [
  { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
  { at: "event", match: { event_type: "calling.call.state" }, do: { kind: "lose" } },
  { at: "event", match: { event_type: "calling.call.record" }, do: { kind: "lose" } },
  { at: "callback", do: { kind: "lose" } },
] as const;
