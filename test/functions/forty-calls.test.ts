import { env } from "cloudflare:workers";
import { beforeAll, expect, test, vi } from "vitest";
import { wakeSession } from "../../functions/scheduled.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import type { NumberSetup } from "../carrier/client.ts";
import type { CallView, ConferenceView } from "../carrier/control-views.ts";
import { Random } from "../chaos/random.ts";
import { askApi } from "./api/ask.ts";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { castOf, inOrder, rulesFor, type Script, voicemail } from "./forty-callers.ts";

beforeAll(warmUp);

const ways = ["swml", "cxml", "relay"] as const satisfies readonly (keyof NumberSetup)[];
type Way = (typeof ways)[number];

const urls = { swml: "https://voicemail.example.com/swml", cxml: "https://voicemail.example.com/cxml" };

/** A tenant whose rules know the cast, with a number set up in each way. */
async function fixtureOf(cast: readonly Script[]): Promise<Fixture> {
  const home = await openFixture({
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
  const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(project_id));
  await expect
    .poll(async () => (await session.status()).contexts, { timeout: 10_000 })
    .toEqual([home.tenant]);
  return home;
}

/** So many callers of each way at a time: on a busy machine more would wait for each other, and not for us. */
const lanes_each = 8;

/** The parts that were played, and their calls' ids. */
type Played = readonly (readonly [Script, string])[];

/** Plays one caller's part to where it is settled, or is not in time; the call's id. */
async function play(home: Fixture, way: Way, script: Script, before: Played): Promise<string> {
  const { carrier, tenant, webhook_url } = home;
  const number = { swml: webhook_url, cxml: webhook_url.replace(/swml$/, "cxml"), relay: tenant };
  const { part, from, to, type, keys, hang_up, expected } = script;
  const { call_id } = await carrier.placeCallVia(way, number, { from, to, type });
  // What was seen instead is told of all callers together, in the end.
  const sees = (seen: Record<string, unknown>) =>
    carrier.wait({ call: { call_id, ...seen }, timeout_ms: 10_000 }).catch(() => {});
  for (const { hears: contains, press } of keys) {
    await sees({ heard: { sound: "say", contains } });
    await carrier.digits(call_id, press);
  }
  if (hang_up) {
    await sees({ heard: { sound: "say", contains: hang_up.on } });
    const other = before.find(([earlier]) => earlier.part === hang_up.who);
    await carrier.hangUp(hang_up.who === part ? call_id : (other?.[1] ?? ""));
  }
  await sees(expected.room === null ? { state: "ended" } : { in_conference: `${tenant}:${expected.room}` });
  return call_id;
}

async function playInOrder(home: Fixture, way: Way, scripts: readonly Script[]): Promise<Played> {
  const played: [Script, string][] = [];
  for (const script of scripts) played.push([script, await play(home, way, script, played)]);
  return played;
}

async function playAll(home: Fixture, way: Way, cast: readonly Script[]): Promise<Played> {
  const ordered = inOrder.map((parts) =>
    cast
      .filter(({ part }) => parts.includes(part))
      .sort((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part) || a.nth - b.nth),
  );
  const alone = cast.filter(({ part }) => !inOrder.flat().includes(part)).map((script) => [script]);
  const queue = [...ordered, ...alone];
  const lanes = Array.from({ length: lanes_each }, async () => {
    const played: Played[] = [];
    for (let next = queue.shift(); next; next = queue.shift())
      played.push(await playInOrder(home, way, next));
    return played.flat();
  });
  return (await Promise.all(lanes)).flat();
}

/** Who is in which room, and as what; by the callers' numbers. */
function roomsOf(home: Fixture, conferences: readonly ConferenceView[], calls: readonly CallView[]) {
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
    if (expected.room === null || expected.ends) continue;
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

/** Who sits where by the ledger's word, which operators and seats go by. */
async function seatsOf({ tenant }: Fixture): Promise<Record<string, string[]>> {
  const said = async (path: string): Promise<Record<string, { plain_name: string; from: string }[]>> =>
    await (await askApi(`/tenants/${tenant}/conferences${path}`)).json();
  const { conferences = [] } = await said("");
  const rooms = conferences.map(async ({ plain_name }) => {
    const { participants = [] } = await said(`/${encodeURIComponent(plain_name)}`);
    return [plain_name, participants.map(({ from }) => from).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(rooms));
}

function seatsMeant(cast: readonly Script[]): Record<string, string[]> {
  const seats = Object.entries<{ participants: { from: string }[] }>(roomsMeant(cast));
  return Object.fromEntries(
    seats.map(([room, { participants }]) => [room, participants.map(({ from }) => from).sort()]),
  );
}

/** What became of each caller, told alike for each way. */
function fatesOf(home: Fixture, played: Played, calls: readonly CallView[]) {
  const fates = played.map(([{ part, from }, call_id]) => {
    const call = calls.find((one) => one.call_id === call_id);
    if (!call) throw new Error(`the carrier has no call ${call_id}`);
    const { state, joins, heard, stranded, two_sounds } = call;
    const sounds = heard.map(({ sound }) => sound);
    const fate = {
      ended: state === "ended",
      joins: joins.map(({ conference, by }) => ({ room: conference.slice(home.tenant.length + 1), by })),
      says: heard.filter(({ sound }) => sound === "say").map(({ detail }) => detail),
      stranded,
      two_sounds,
      ...(part === "busy" ? { hears: sounds, end_reason: call.end_reason } : {}),
    };
    return [`${part} ${from}`, fate];
  });
  return Object.fromEntries(fates);
}

function fatesMeant(cast: readonly Script[], way: Way) {
  const fates = cast.map(({ part, from, expected: { room, says, ends } }) => {
    // RELAY puts a caller into the room where it sees the call; one who comes out of the line, or whose leave ends the conference, joins by document.
    const byDocument = way === "cxml" || part === "waiter" || part === "agent";
    const by = byDocument ? "document" : "relay";
    const fate = {
      ended: ends,
      joins: room === null ? [] : [{ room, by }],
      says,
      stranded: false,
      two_sounds: false,
      // Refused, and not answered first.
      ...(part === "busy" ? { hears: ["ring"], end_reason: "busy" } : {}),
    };
    return [`${part} ${from}`, fate];
  });
  return Object.fromEntries(fates);
}

/** No caller hears nothing for longer, on the carrier's clock. */
const silence_ms = 3_000;

/** All that came of one way. Nothing is judged before every house is closed: calls that outlive a test stop its worker from ending. */
async function outcomeOf(cast: readonly Script[], way: Way) {
  await using home = await fixtureOf(cast);
  const played = await playAll(home, way, cast);
  const seated = async () => expect(await seatsOf(home)).toEqual(seatsMeant(cast));
  await vi.waitFor(seated, { timeout: 5_000 }).catch(() => {});
  const calls = await home.carrier.calls();
  return {
    way,
    fates: fatesOf(home, played, calls),
    rooms: roomsOf(home, await home.carrier.conferences(), calls),
    seats: await seatsOf(home),
    silent: calls.flatMap(({ from, to, longest_silence_ms, heard }) =>
      longest_silence_ms > silence_ms ? [{ from, to, longest_silence_ms, heard }] : [],
    ),
    violations: await home.carrier.journal({ kind: "violation" }),
  };
}

const [seed = 1] = crypto.getRandomValues(new Uint32Array(1));

test(`the same forty calls come out the same by each way, and nobody hears silence or two sounds (seed ${seed})`, async () => {
  const cast = castOf(new Random(seed));
  expect(cast).toHaveLength(40);
  const outcomes = await Promise.all(ways.map((way) => outcomeOf(cast, way)));
  for (const { way, fates, rooms, seats, silent, violations } of outcomes) {
    expect({ way, fates }).toEqual({ way, fates: fatesMeant(cast, way) });
    expect({ way, rooms }).toMatchObject({ way, rooms: roomsMeant(cast) });
    expect({ way, seats }).toEqual({ way, seats: seatsMeant(cast) });
    expect(Object.keys(rooms).sort()).toEqual(Object.keys(seats).sort());
    expect({ way, silent, violations }).toEqual({ way, silent: [], violations: [] });
  }
  // How a room is with those in it: started, or waiting for somebody who starts it.
  const [first, ...others] = outcomes.map(({ rooms }) => rooms);
  for (const rooms of others) expect(rooms).toEqual(first);
}, 60_000);
