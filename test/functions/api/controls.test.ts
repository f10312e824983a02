import { beforeAll, describe, test, vi } from "vitest";
import { openFixture, warmUp } from "../fixture.ts";
import { putContexts } from "../session/calls/context-fixture.ts";
import { lose } from "../waiting-room-fixture.ts";
import {
  ask,
  eventsLost,
  into,
  of,
  openBoard as open,
  participant,
  settled,
  truth as state,
  type Way,
} from "./control-fixture.ts";

vi.setConfig({ testTimeout: 40_000 });
beforeAll(warmUp);

/** A removal with last words. */
const lastWords = "then";
const thenSay = (say: string) => Object.fromEntries([[lastWords, { say }]]);

const atUpdate = { at: "rest", match: { method: "POST", resource: "participants" } } as const;

describe.concurrent.each<Way>(["swml", "cxml", "relay"])("a caller by %s", (way) => {
  async function two(more: Parameters<typeof open>[0] = {}) {
    const home = await open(more);
    if (way === "relay") await putContexts(home, { main: home.tenant });
    const other = await into(home, "+15550100009");
    const call_id = await into(home, "+15550100001", way);
    return { home, other, call_id };
  }

  test.concurrent.for([
    ["event", []],
    ["rest", eventsLost],
  ] as const)("is muted, held, coached and removed, each seen by %s", async ([by, faults], { expect }) => {
    const { home, other, call_id } = await two();
    await using _ = home;
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
    expect((await state(home, other))?.call_id).toBe(other);
  });

  test.concurrent.for([
    ["event", []],
    ["rest", eventsLost],
  ] as const)(
    "is moved to another room and back, each seen by %s, and nobody else is",
    async ([by, faults], { expect }) => {
      const { home, other, call_id } = await two();
      await using _ = home;
      await home.carrier.change({ faults: [...faults] });
      const seen = { status: 200, body: { changed: true, verified_by: by, state: "done" } };
      expect(await ask(home, `${of(call_id)}/move`, "POST", { to: "annexe" })).toMatchObject(seen);
      expect(await home.carrier.call(call_id)).toMatchObject({ conference: `${home.tenant}:annexe` });
      expect(await ask(home, `${of(call_id)}/move`, "POST", { to: "annexe" })).toMatchObject({
        status: 409,
        body: { error: { code: "moved", where: "annexe" } },
      });
      const back = `conferences/annexe/participants/${call_id}/move`;
      expect(await ask(home, back, "POST", { to: "board", muted: true })).toMatchObject(seen);
      expect(await state(home, call_id)).toMatchObject({ muted: true });
      expect(await participant(home, call_id)).toMatchObject({ confirmed: true, muted: true });
      expect(await state(home, other)).toMatchObject({ muted: false });
      expect(await home.carrier.call(call_id)).toMatchObject({ stranded: false, state: "answered" });
    },
  );
});

test.concurrent("a control that SignalWire carries out and does not answer is seen all the same", async ({
  expect,
}) => {
  await using home = await open();
  const call_id = await into(home, "+15550100001");
  await home.carrier.change({ faults: [{ ...atUpdate, do: { kind: "swallow" } }] });
  expect(await ask(home, of(call_id), "PATCH", { muted: true })).toMatchObject({
    status: 200,
    body: { changed: true, verified_by: "event" },
  });
});

test.concurrent("where REST does not list RELAY's calls a mute is refused with the reason, and removing works", async ({
  expect,
}) => {
  await using home = await open({ carrier: { switches: { rest_lists_relay_joins: false } } });
  const call_id = await into(home, "+15550100001");
  await into(home, "+15550100002");
  expect(await ask(home, of(call_id), "PATCH", { muted: true })).toMatchObject({
    status: 409,
    body: { error: { code: "control_unavailable" } },
  });
  expect(await ask(home, of(call_id), "DELETE", thenSay("Goodbye."))).toMatchObject({
    status: 200,
    body: { sent_by: "relay", verified_by: "event" },
  });
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 5_000 });
  const { heard, two_sounds } = await home.carrier.call(call_id);
  expect([heard.at(-1)?.detail, two_sounds]).toEqual(["Goodbye.", false]);
});

test.concurrent.for(["DELETE", "end"])(
  "a call that SignalWire refused to end (%s) ends with its room all the same",
  async (how, { expect }) => {
    const rules = [
      { id: "ends", match: { from: "+15550100009" }, place: { room: "board", join: { end_on_exit: true } } },
      { id: "any", match: {}, place: { room: "board" } },
    ];
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const chair = await into(home, "+15550100009");
    const guest = await into(home, "+15550100001");
    const refuse = { kind: "code", code: "503" } as const;
    await home.carrier.change({
      faults: [
        { at: "command", match: { method: "calling.end" }, do: refuse },
        { at: "rest", match: { method: "POST" }, do: refuse },
      ],
    });
    const asked =
      how === "end"
        ? ask(home, "conferences/board/end", "POST", { lock_s: 0 })
        : ask(home, of(guest), "DELETE");
    expect(await asked).toMatchObject({ status: 502 });
    await home.carrier.change({ faults: [] });
    await home.carrier.hangUp(chair);
    await home.carrier.wait({ call: { call_id: guest, state: "ended" }, timeout_ms: 10_000 });
  },
);

describe.concurrent("a move", () => {
  async function three(more: Parameters<typeof open>[0] = {}) {
    const home = await open(more);
    const [chair, guest] = [await into(home, "+15550100009"), await into(home, "+15550100001")];
    const move = (body: unknown) => ask(home, `${of(guest)}/move`, "POST", body);
    return { home, chair, guest, move };
  }

  const isTransfer = { at: "command", match: { method: "calling.transfer" } } as const;
  const isRestCommand = { at: "rest", match: { resource: "commands" } } as const;

  test.concurrent("that SignalWire refuses leaves the call where it is, and says so", async ({ expect }) => {
    const { home, guest, move } = await three();
    await using _ = home;
    await home.carrier.change({
      faults: [
        { ...isTransfer, do: { kind: "code", code: "500" } },
        { ...isRestCommand, do: { kind: "code", code: "503" } },
      ],
    });
    expect(await move({ to: "annexe" })).toMatchObject({
      status: 502,
      body: { error: { code: "signalwire_refused" } },
    });
    expect(await participant(home, guest)).toMatchObject({ confirmed: true });
    await home.carrier.change({ faults: [] });
    expect(await move({ to: "annexe" })).toMatchObject({ status: 200 });
    expect(await home.carrier.call(guest)).toMatchObject({ conference: `${home.tenant}:annexe` });
  });

  test.concurrent("goes by REST where RELAY does not take it, and is sent again where nothing came of it", async ({
    expect,
  }) => {
    const { home, guest, move } = await three();
    await using _ = home;
    await home.carrier.change({ faults: [{ ...isTransfer, do: { kind: "code", code: "409" } }] });
    expect(await move({ to: "annexe" })).toMatchObject({ status: 200, body: { sent_by: "rest" } });
    await home.carrier.change({ faults: [{ ...isTransfer, times: 1, do: { kind: "late" } }] });
    const back = await ask(home, `conferences/annexe/participants/${guest}/move`, "POST", { to: "board" });
    expect(back).toMatchObject({ status: 202, body: { state: "requested" } });
    expect(await settled(home, back)).toMatchObject({ state: "done" });
    expect(await home.carrier.call(guest)).toMatchObject({
      conference: `${home.tenant}:board`,
      state: "answered",
    });
  });

  test.concurrent.for<Way>(["swml", "relay"])(
    "of a caller by %s lets the call end with its new room, where a document goes on as soon as it has joined",
    async (way, { expect }) => {
      const rules = [
        {
          id: "ends",
          match: { from: "+15550100009" },
          place: { room: "annexe", join: { end_on_exit: true } },
        },
        { id: "any", match: {}, place: { room: "board" } },
      ];
      const switches = { join_result_at_join: "answered_at_once" } as const;
      await using home = await openFixture({ rules, carrier: { speed: 10, switches } });
      if (way === "relay") await putContexts(home, { main: home.tenant });
      const chair = await into(home, "+15550100009", "swml", "annexe");
      const guest = await into(home, "+15550100001", way);
      expect(await ask(home, `${of(guest)}/move`, "POST", { to: "annexe" })).toMatchObject({ status: 200 });
      await home.carrier.hangUp(chair);
      await home.carrier.wait({ call: { call_id: guest, state: "ended" }, timeout_ms: 10_000 });
    },
  );

  test.concurrent("into a room that takes nobody puts the call back where it was, and never ends it", async ({
    expect,
  }) => {
    const { home, guest, move } = await three();
    await using _ = home;
    // Others whom we do not know of have every seat.
    await home.carrier.change({
      faults: [{ ...isTransfer, times: 2, do: { kind: "late" } }],
    });
    const moved = await move({ to: "annexe" });
    expect(moved).toMatchObject({ status: 202 });
    await expect
      .poll(async () => (await ask(home, `commands/${moved.body.command_id}`, "GET")).body.state, {
        timeout: 12_000,
      })
      .toBe("failed");
    expect(await home.carrier.call(guest)).toMatchObject({
      conference: `${home.tenant}:board`,
      state: "answered",
      two_sounds: false,
    });
    expect(await participant(home, guest)).toMatchObject({ confirmed: true });
  });

  test.concurrent("is refused where it would end the room, where there is no seat, and into a locked room", async ({
    expect,
  }) => {
    const rules = [
      { id: "ends", match: { from: "+15550100009" }, place: { room: "board", join: { end_on_exit: true } } },
      { id: "full", match: { from: "+15550100005" }, place: { room: "full", capacity: 1 } },
      { id: "any", match: {}, place: { room: "board" } },
    ];
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const chair = await into(home, "+15550100009");
    const guest = await into(home, "+15550100001");
    await into(home, "+15550100005", "swml", "full");
    const move = async (call_id: string, body: unknown) => {
      const { status, body: said } = await ask(home, `${of(call_id)}/move`, "POST", body);
      return [status, said.error?.code];
    };
    expect(await move(chair, { to: "annexe" })).toEqual([409, "would_end_room"]);
    expect(await move(guest, { to: "full" })).toEqual([409, "full"]);
    const until = new Date(Date.now() + 60_000).toISOString();
    await ask(home, "conferences/annexe/lock", "PUT", { until });
    expect(await move(guest, { to: "annexe" })).toEqual([409, "locked"]);
    expect(await move(guest, { to: "board" })).toEqual([409, "already_there"]);
    expect((await move(guest, { to: "full", over_capacity: true }))[0]).toBe(200);
    expect((await state(home, chair))?.call_id).toBe(chair);
  });
});

test.concurrent("a command whose session is lost before its effect is seen is looked for when somebody asks", async ({
  expect,
}) => {
  await using home = await open();
  const call_id = await into(home, "+15550100001");
  await home.carrier.change({
    faults: [{ ...atUpdate, do: { kind: "late", ms: 5_000 } }, ...eventsLost],
  });
  const taken = await ask(home, of(call_id), "PATCH", { muted: true });
  expect(taken).toMatchObject({ status: 202, body: { state: "requested", changed: false } });
  await lose(home);
  expect(await settled(home, taken)).toMatchObject({ state: "done", changed: true, verified_by: "rest" });
});

/** What SignalWire may turn out to be; under each an answer of 200 is true. */
const readings = [
  { conference_sid_is_conference_id: false },
  { call_sid_is_call_id: false },
  { status_callbacks_are_signed: false },
  { names_normalised: "trimmed_lower_case" },
  { rest_429: "often" },
  { participants_of_listed_conference: "404" },
  { rest_list_lag_ms: 10_000 },
  { document_takes_call_out_of_conference: true },
  { relay_drives_webhook_calls: "409" },
  { server_clock_skew_ms: -5000 },
  { events_at_end: "end_only" },
] as const;

test.concurrent.for(readings)(
  "200 is said for what happened alone where SignalWire is %o",
  { timeout: 60_000 },
  async (switches, { expect }) => {
    await using home = await open({ carrier: { switches } });
    const chair = await into(home, "+15550100009");
    const call_id = await into(home, "+15550100001");
    const now = async () => {
      const { conference, state: call } = await home.carrier.call(call_id);
      const all = (await home.carrier.conferences()).flatMap(({ participants }) => participants);
      const found = all.find((one) => one.call_id === call_id);
      return { conference, call, muted: found?.muted ?? false, held: found?.hold ?? false };
    };
    const does = async (path: string, method: string, body: object, wanted: object) => {
      const before = await now();
      const { status } = await ask(home, path, method, body);
      if (status === 200) expect(await now()).toMatchObject(wanted);
      else {
        expect(status).toBeOneOf([202, 409, 502]);
        // What was refused was not done.
        if (status !== 202) expect(await now()).toEqual(before);
      }
    };
    await does(of(call_id), "PATCH", { muted: true }, { muted: true });
    await does(of(call_id), "PATCH", { held: {} }, { held: true });
    await does(of(call_id), "PATCH", { muted: false, held: false }, { muted: false, held: false });
    await does(`${of(call_id)}/move`, "POST", { to: "annexe" }, { conference: `${home.tenant}:annexe` });
    const room = (await now()).conference?.split(":").at(-1) ?? "board";
    await does(`conferences/${room}/participants/${call_id}`, "DELETE", {}, { call: "ended" });
    expect((await home.carrier.call(chair)).conference).toBe(`${home.tenant}:board`);
  },
);
