import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { wakeSession } from "../../functions/scheduled.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import type { NumberSetup } from "../carrier/client.ts";
import type { CallView, ConferenceView } from "../carrier/control-views.ts";
import { Random } from "../chaos/random.ts";
import { castOf, inOrder, rulesFor, type Script, voicemail } from "./forty-callers.ts";
import { type House, openHouse, warmUp } from "./house.ts";

beforeAll(warmUp);

const ways = ["swml", "cxml", "relay"] as const satisfies readonly (keyof NumberSetup)[];
type Way = (typeof ways)[number];

const urls = { swml: "https://voicemail.example.com/swml", cxml: "https://voicemail.example.com/cxml" };

/** A tenant whose rules know the cast, with a number set up in each way. */
async function houseOf(cast: readonly Script[]): Promise<House> {
  const home = await openHouse({
    rules: [],
    intercept: async ({ url }) => {
      if (url === urls.cxml) {
        return new Response(`<Response><Say>${voicemail}</Say></Response>`, {
          headers: { "content-type": "text/xml" },
        });
      }
      const main = [{ answer: {} }, { play: { url: `say:${voicemail}` } }, { hangup: {} }];
      return url === urls.swml ? Response.json({ version: "1.0.0", sections: { main } }) : null;
    },
  });
  const hmac = (digits: string) => answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, digits);
  await home.putRuleset(await rulesFor(cast, urls, hmac));
  const { project_id } = home.carrier;
  const key = `project/${project_id}`;
  const record: Record<string, unknown> = (await env.DIRECTORY.get(key, "json")) ?? {};
  await env.DIRECTORY.put(key, JSON.stringify({ ...record, contexts: { [home.tenant]: home.tenant } }));
  await wakeSession(env, project_id);
  return home;
}

/** Plays one caller's part to where it is settled, or is not in time; the call's id. */
async function play(home: House, way: Way, script: Script): Promise<string> {
  const { carrier, tenant, webhook_url } = home;
  const number = { swml: webhook_url, cxml: webhook_url.replace(/swml$/, "cxml"), relay: tenant };
  const { from, to, type, keys, gives_up_on, expected } = script;
  const { call_id } = await carrier.placeCallVia(way, number, { from, to, type });
  // What was seen instead is told of all callers together, in the end.
  const sees = (seen: Record<string, unknown>) =>
    carrier.wait({ call: { call_id, ...seen }, timeout_ms: 10_000 }).catch(() => {});
  for (const { hears: contains, press } of keys) {
    await sees({ heard: { sound: "say", contains } });
    await carrier.digits(call_id, press);
  }
  if (gives_up_on !== undefined) {
    await sees({ heard: { sound: "say", contains: gives_up_on } });
    await carrier.hangUp(call_id);
  }
  await sees(expected.room === null ? { state: "ended" } : { in_conference: `${tenant}:${expected.room}` });
  return call_id;
}

async function playInOrder(home: House, way: Way, scripts: readonly Script[]): Promise<[Script, string][]> {
  const played: [Script, string][] = [];
  for (const script of scripts) played.push([script, await play(home, way, script)]);
  return played;
}

async function playAll(home: House, way: Way, cast: readonly Script[]): Promise<Map<Script, string>> {
  const ordered = inOrder.map((parts) =>
    cast
      .filter(({ part }) => parts.includes(part))
      .sort((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part) || a.nth - b.nth),
  );
  const alone = cast.filter(({ part }) => !inOrder.flat().includes(part)).map((script) => [script]);
  const played = await Promise.all([...ordered, ...alone].map((scripts) => playInOrder(home, way, scripts)));
  return new Map(played.flat());
}

/** Who is in which room, and as what; by the callers' numbers. */
function roomsOf(home: House, conferences: readonly ConferenceView[], calls: readonly CallView[]) {
  const fromOf = (call_id: string | null) => calls.find((call) => call.call_id === call_id)?.from ?? null;
  const rooms = conferences.map(({ name, state, participants }) => [
    name.slice(home.tenant.length + 1),
    {
      state,
      participants: participants
        .map(({ call_id, muted, hold, coaching, start_on_enter, end_on_exit }) => ({
          from: fromOf(call_id),
          muted,
          hold,
          coaching: fromOf(coaching),
          start_on_enter,
          end_on_exit,
        }))
        .sort((a, b) => String(a.from).localeCompare(String(b.from))),
    },
  ]);
  return Object.fromEntries(rooms.sort(([a], [b]) => String(a).localeCompare(String(b))));
}

/** The rooms as the cast's own parts say, and not as any way has them. */
function roomsMeant(cast: readonly Script[]) {
  const meant = new Map<string, { from: string }[]>();
  for (const { part, from, expected, flags } of cast) {
    if (expected.room === null) continue;
    const coached = cast.find((other) => other.part === flags.coaches);
    const participant = {
      from,
      muted: flags.muted ?? false,
      hold: false,
      coaching: coached?.from ?? null,
      start_on_enter: flags.starts_nothing !== true,
      end_on_exit: part === "agent",
    };
    meant.set(expected.room, [...(meant.get(expected.room) ?? []), participant]);
  }
  const rooms = [...meant].map(([room, participants]) => [
    room,
    { participants: participants.sort((a, b) => a.from.localeCompare(b.from)) },
  ]);
  return Object.fromEntries(rooms);
}

/** What became of each caller, told alike for each way. */
function fatesOf(home: House, played: ReadonlyMap<Script, string>, calls: readonly CallView[]) {
  return Object.fromEntries(
    [...played].map(([{ part, from, gives_up_on }, call_id]) => {
      const call = calls.find((one) => one.call_id === call_id);
      if (!call) throw new Error(`the carrier has no call ${call_id}`);
      const { state, conference, joins, heard, stranded, two_sounds } = call;
      const says = heard.filter(({ sound }) => sound === "say").map(({ detail }) => detail);
      const unheard = state === "ended" && !gives_up_on && says.length === 0;
      return [
        `${part} ${from}`,
        {
          state,
          room: conference?.slice(home.tenant.length + 1) ?? null,
          joins: joins.length,
          says,
          stranded,
          two_sounds,
          // Refused, and not answered first.
          ...(unheard ? { hears: heard.map(({ sound }) => sound), reason: call.end_reason } : {}),
        },
      ];
    }),
  );
}

function fatesMeant(cast: readonly Script[]) {
  return Object.fromEntries(
    cast.map(({ part, from, expected: { room, says, state } }) => [
      `${part} ${from}`,
      {
        state,
        room,
        joins: room === null ? 0 : 1,
        says,
        stranded: false,
        two_sounds: false,
        ...(part === "busy" ? { hears: ["ring"], reason: "busy" } : {}),
      },
    ]),
  );
}

/** Who puts a caller into the room: RELAY, where it sees the call. */
const joinedBy: Record<Way, "relay" | "document"> = { swml: "relay", cxml: "document", relay: "relay" };
/** No caller hears nothing for longer, on the carrier's clock. */
const silence_ms = 3_000;

const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));

test(`the same forty calls come out the same by each way, and nobody hears silence or two sounds (seed ${seed})`, async () => {
  const cast = castOf(new Random(seed));
  expect(cast).toHaveLength(40);
  await Promise.all(
    ways.map(async (way) => {
      await using home = await houseOf(cast);
      const played = await playAll(home, way, cast);
      const calls = await home.carrier.calls();
      expect({ way, fates: fatesOf(home, played, calls) }).toEqual({ way, fates: fatesMeant(cast) });
      const rooms = roomsOf(home, await home.carrier.conferences(), calls);
      expect({ way, rooms }).toMatchObject({ way, rooms: roomsMeant(cast) });
      expect(Object.keys(rooms).sort()).toEqual(Object.keys(roomsMeant(cast)).sort());
      const silent = calls.filter(({ longest_silence_ms }) => longest_silence_ms > silence_ms);
      expect(
        silent.map(({ from, to, longest_silence_ms, heard }) => ({
          way,
          from,
          to,
          longest_silence_ms,
          heard,
        })),
      ).toEqual([]);
      const joiners = calls.flatMap(({ joined_by }) => joined_by ?? []);
      expect({ way, by: [...new Set(joiners)] }).toEqual({ way, by: [joinedBy[way]] });
      expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
    }),
  );
}, 60_000);
