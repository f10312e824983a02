import { beforeAll, describe, type ExpectStatic, test, vi } from "vitest";
import type { ProjectSettings } from "../../carrier/settings.ts";
import { type Fixture, warmUp } from "../fixture.ts";
import { putContexts } from "../session/calls/context-fixture.ts";
import {
  type Answer,
  ask,
  eventsLost,
  into,
  of,
  onBoard,
  openBoard,
  settled,
  truth,
  type Way,
  ways,
} from "./control-fixture.ts";

vi.setConfig({ testTimeout: 90_000 });
beforeAll(warmUp);

type Fault = NonNullable<ProjectSettings["faults"]>[number];

/** A room with a chair and callers by one way, each for controls of their own; its recording runs. */
interface Scene {
  home: Fixture;
  way: Way;
  chair: string;
  /** By the control that they are for. */
  guests: Record<Guest, string>;
  recording: string;
}

const guestsFor = ["mute", "unmute", "hold", "unhold", "coach", "uncoach", "remove", "move"] as const;
type Guest = (typeof guestsFor)[number];

/** One control: how it is asked for, by what it is sent, and what is so when it was done. */
interface Row {
  control: string;
  send(scene: Scene): Promise<Answer>;
  by: Omit<Fault, "do">[];
  isSo(scene: Scene): Promise<boolean>;
  /** What nothing but the session itself does. */
  isOwn?: true;
  /** Nothing tells that it was heard. */
  isNeverSeen?: true;
  /** What a refusal of SignalWire's is answered with, where that is not 502. */
  refused?: number;
}

const form = (field: string, resource: "participants" | "conferences" | "call_recordings" | "calls") => ({
  at: "rest" as const,
  match: { field, resource, method: "POST" },
});
/** RELAY's command, and the same by REST. */
const command = (...methods: string[]) =>
  methods.flatMap((method) => [
    { at: "command" as const, match: { method } },
    { at: "rest" as const, match: { field: method } },
  ]);
const leaving = { at: "rest" as const, match: { method: "DELETE", resource: "participants" as const } };
const ending = [...command("calling.end"), form("Status", "calls")];

const change = (guest: Guest, body: (scene: Scene) => object) => (scene: Scene) =>
  ask(scene.home, of(scene.guests[guest]), "PATCH", body(scene));
const their = async ({ home, guests }: Scene, guest: Guest) => await truth(home, guests[guest]);
const leg = async ({ home }: Scene, state: string) =>
  (await home.carrier.calls()).some(({ recordings }) => recordings.some((one) => one.state === state));
const record = (state: string) => (scene: Scene) =>
  ask(scene.home, `recordings/${scene.recording}`, "PATCH", { state });
const recordingBy = (verb: string) => [
  ...command(`calling.record.${verb}`),
  form("Status", "call_recordings"),
];

const ofParticipants: Row[] = [
  {
    control: "mute",
    send: change("mute", () => ({ muted: true })),
    by: [form("Muted", "participants")],
    isSo: async (scene) => (await their(scene, "mute"))?.muted === true,
  },
  {
    control: "unmute",
    send: change("unmute", () => ({ muted: false })),
    by: [form("Muted", "participants")],
    isSo: async (scene) => (await their(scene, "unmute"))?.muted === false,
  },
  {
    control: "hold",
    send: change("hold", () => ({ held: {} })),
    by: [form("Hold", "participants")],
    isSo: async (scene) => (await their(scene, "hold"))?.hold === true,
  },
  {
    control: "unhold",
    send: change("unhold", () => ({ held: false })),
    by: [form("Hold", "participants")],
    isSo: async (scene) => (await their(scene, "unhold"))?.hold === false,
  },
  {
    control: "coach",
    send: change("coach", ({ guests }) => ({ coach: guests.mute })),
    by: [form("Coaching", "participants")],
    isSo: async (scene) => (await their(scene, "coach"))?.coaching === scene.guests.mute,
  },
  {
    control: "uncoach",
    send: change("uncoach", () => ({ coach: null })),
    by: [form("Coaching", "participants")],
    isSo: async (scene) => (await their(scene, "uncoach"))?.coaching === null,
  },
  {
    control: "remove",
    send: ({ home, guests }) => ask(home, of(guests.remove), "DELETE"),
    by: ending,
    isSo: async ({ home, guests }) => (await home.carrier.call(guests.remove)).state === "ended",
  },
  {
    control: "move",
    send: ({ home, guests }) => ask(home, `${of(guests.move)}/move`, "POST", { to: "annexe" }),
    by: [...command("calling.transfer"), form("Url", "calls")],
    isSo: async ({ home, guests }) =>
      (await home.carrier.call(guests.move)).conference === `${home.tenant}:annexe`,
  },
];

const pause: Row = {
  control: "pause of a recording",
  send: record("paused"),
  by: recordingBy("pause"),
  isSo: (scene) => leg(scene, "paused"),
};
const resume: Row = {
  control: "resumption of a recording",
  send: record("recording"),
  by: recordingBy("resume"),
  isSo: (scene) => leg(scene, "recording"),
};
const stop: Row = {
  control: "stop of a recording",
  send: record("stopped"),
  by: recordingBy("stop"),
  isSo: async (scene) => !(await leg(scene, "recording")) && !(await leg(scene, "paused")),
};
const start: Row = {
  control: "start of a recording",
  send: ({ home }) => onBoard(home, "recordings", "POST"),
  by: [...command("calling.record"), form("RecordingTrack", "call_recordings")],
  isSo: (scene) => leg(scene, "recording"),
};
const announce: Row = {
  control: "announcement",
  send: ({ home }) => onBoard(home, "announcements", "POST", { say: "Five minutes." }),
  by: [form("AnnounceUrl", "conferences"), ...command("calling.play")],
  isSo: async ({ home, chair }) =>
    (await home.carrier.call(chair)).heard.some(({ detail }) => detail === "Five minutes."),
  isNeverSeen: true,
};
const lock: Row = {
  control: "lock",
  send: ({ home }) => onBoard(home, "lock", "PUT"),
  by: [],
  isSo: async () => true,
  isOwn: true,
};
const muteAll: Row = {
  control: "mute for all",
  send: ({ home }) => onBoard(home, "mute-all", "POST"),
  by: [form("Muted", "participants")],
  isSo: async ({ home, chair }) => {
    const [room] = await home.carrier.conferences();
    return room?.participants.every(({ call_id, muted }) => muted || call_id === chair) === true;
  },
  // The policy holds, and each is muted again later.
  refused: 202,
};
const endAll: Row = {
  control: "end for all",
  send: ({ home }) => onBoard(home, "end", "POST", { lock_s: 0 }),
  by: [form("Status", "conferences"), leaving, ...ending],
  isSo: async ({ home }) =>
    (await home.carrier.conferences()).every(({ name }) => name !== `${home.tenant}:board`),
};

async function sceneBy(way: Way): Promise<Scene> {
  const home = await openBoard();
  if (way === "relay") await putContexts(home, { main: home.tenant });
  const chair = await into(home, "+15550100009", way);
  const calls = await Promise.all(
    guestsFor.map(async (guest, index) => [guest, await into(home, `+1555010001${index}`, way)] as const),
  );
  const guests = Object.fromEntries(calls) as Scene["guests"]; // One of each.
  const scene = { home, way, chair, guests, recording: "" };
  const opposites: [Guest, object][] = [
    ["unmute", { muted: true }],
    ["unhold", { held: {} }],
    ["uncoach", { coach: guests.mute }],
  ];
  for (const [guest, body] of opposites) await ask(home, of(guests[guest]), "PATCH", body);
  const { body } = await start.send(scene);
  return { ...scene, recording: body.recording_id ?? "" };
}

const faultsOf = (rows: readonly Row[], act: Fault["do"]): Fault[] =>
  rows.flatMap(({ by }) => by.map((at) => ({ ...at, do: act })));

/** 200 is never said for what is not so; and what is said to be done later is. */
async function taken(expect: ExpectStatic, scene: Scene, rows: readonly Row[]): Promise<void> {
  const answers = await Promise.all(rows.map((row) => row.send(scene)));
  for (const [index, row] of rows.entries()) {
    const answer = answers[index];
    if (row.isOwn) expect(answer, row.control).toMatchObject({ status: 200 });
    else expect(answer, row.control).toMatchObject({ status: 202, body: { state: "requested" } });
  }
}

describe.concurrent.each<Way>([...ways])("controls of callers by %s", (way) => {
  test.concurrent.for([
    ["event", []],
    ["rest", eventsLost],
  ] as const)("are each done, and seen by %s", async ([by, faults], { expect }) => {
    const scene = await sceneBy(way);
    await using _ = scene.home;
    await scene.home.carrier.change({ faults: [...faults] });
    for (const row of [...ofParticipants, announce, lock, pause, resume, stop, muteAll, start, endAll]) {
      const { status, body } = await row.send(scene);
      const isRecording = [pause, resume, stop, start].includes(row);
      // Of several people some may be seen by either; and callbacks of cXML's may be later than REST.
      const isEither = [muteAll, endAll].includes(row) || (way === "cxml" && by === "event");
      const verified_by = isEither ? expect.toBeOneOf(["event", "rest"]) : by;
      const by_rest = isRecording && way === "cxml" ? "rest" : verified_by;
      const how = row.isOwn ? "session" : by_rest;
      const seen = { status: 200, body: { state: "done", changed: true, verified_by: how } };
      const unseen = { status: 202, body: { state: "requested", verified_by: null } };
      expect({ status, body }, row.control).toMatchObject(row.isNeverSeen ? unseen : seen);
      if (!row.isNeverSeen) expect(await row.isSo(scene), row.control).toBe(true);
    }
  });

  test.concurrent("that SignalWire refuses are answered with its status, and nothing is done", async ({
    expect,
  }) => {
    const scene = await sceneBy(way);
    await using _ = scene.home;
    const { carrier } = scene.home;
    const refused = async (row: Row, code: string) => {
      await carrier.change({ faults: faultsOf([row], { kind: "code", code }) });
      const { status, body } = await row.send(scene);
      const said = `${row.control} ${code}`;
      // A participant whom REST does not know is one whom it cannot change.
      const isUnknown = code === "404" && ofParticipants.slice(0, 6).includes(row);
      expect(status, said).toBe(isUnknown ? 409 : (row.refused ?? 502));
      if (status === 502) expect(body.error?.message, said).toContain(code);
      if (row !== muteAll) expect(await row.isSo(scene), said).toBe(false);
    };
    for (const code of ["400", "401", "403", "404", "409", "422", "429", "500", "503"])
      for (const row of [...ofParticipants, announce, pause, endAll]) await refused(row, code);
    await refused(stop, "503");
    await carrier.change({ faults: [] });
    expect(await stop.send(scene)).toMatchObject({ status: 200 });
    await refused(start, "503");
    await refused(muteAll, "503");
  });

  test.concurrent("that SignalWire accepts and does not do are never called done", async ({ expect }) => {
    const scene = await sceneBy(way);
    await using _ = scene.home;
    const { carrier } = scene.home;
    const nothing = { kind: "late" } as const;
    const first = [...ofParticipants, announce, pause, lock];
    await carrier.change({ faults: faultsOf(first, nothing) });
    const [mute] = ofParticipants;
    await taken(expect, scene, first);
    for (const row of first.filter((one) => !one.isOwn))
      expect(await row.isSo(scene), row.control).toBe(false);
    expect(mute && (await mute.isSo(scene))).toBe(false);
    for (const row of [stop, muteAll]) {
      await carrier.change({ faults: faultsOf([row], nothing) });
      await taken(expect, scene, [row]);
      expect(await row.isSo(scene), row.control).toBe(false);
    }
  });

  test.concurrent("that SignalWire does late are done then, and not said to be before", async ({
    expect,
  }) => {
    const scene = await sceneBy(way);
    await using _ = scene.home;
    const { carrier } = scene.home;
    // The move is sent again meanwhile: its own test has what comes of that.
    const first = [...ofParticipants.filter(({ control }) => control !== "move"), pause];
    for (const rows of [first, [stop], [start], [endAll]]) {
      await carrier.change({ faults: faultsOf(rows, { kind: "late", ms: 5_000 }) });
      const answers = await Promise.all(rows.map((row) => row.send(scene)));
      for (const [index, row] of rows.entries()) {
        const answer = answers[index];
        // On a slow machine it may have been done before the answer.
        expect(answer?.status, row.control).toBeOneOf([200, 202]);
        if (answer === undefined) continue;
        if (answer.status === 200) expect(await row.isSo(scene), row.control).toBe(true);
        expect(await settled(scene.home, answer), row.control).toMatchObject({
          state: "done",
          changed: true,
        });
        expect(await row.isSo(scene), row.control).toBe(true);
      }
    }
  });
});
