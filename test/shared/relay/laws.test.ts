import fc from "fast-check";
import { expect, it } from "vitest";
import type { Effect } from "../../../shared/relay/effects.ts";
import { SETTINGS } from "./driven-client.ts";
import { ObservedClient } from "./observed-client.ts";

/** One step of a random history. Generations are told as ages: 0 is the newest socket, -1 one that never was. */
const step = fc.oneof(
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("open", "close", "reconnect", "credentials", "contexts", "watch", "unwatch")
      .map((does) => ({ does })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom("opened", "closed", "failed"),
      age: fc.constantFrom(0, 0, 0, 1, -1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("login") }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("refuse", "trouble") }) },
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant("command"),
      lane: fc.constantFrom("a", "b", "c"),
      lives_ms: fc.integer({ min: -1, max: 4_000 }),
      hurry_ms: fc.option(fc.integer({ min: -1, max: 2_000 }), { nil: null }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant("answer"),
      pick: fc.nat(),
      code: fc.constantFrom("200", "404", "409", "500"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant("frame"),
      age: fc.constantFrom(0, 0, 0, 1),
      frame: fc.constantFrom(
        "event",
        "authorization",
        "ping",
        "disconnect",
        "restart",
        "unknown",
        "answer",
        "junk",
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("pass"), ms: fc.integer({ min: 1, max: 15_000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant("oversleep"), ms: fc.integer({ min: 1, max: 400_000 }) }),
  },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const EVENT = { event_type: "calling.conference", params: { status: "participant-join" } };
const AUTHORIZATION = {
  event_type: "signalwire.authorization.state",
  params: { authorization_state: "blob" },
};

const KINDS = { "200": "ok", "404": "gone", "409": "conflict", "500": "failed" } as const;

const FRAMES = {
  event: { method: "signalwire.event", params: EVENT },
  authorization: { method: "signalwire.event", params: AUTHORIZATION },
  ping: { method: "signalwire.ping" },
  disconnect: { method: "signalwire.disconnect", params: {} },
  restart: { method: "signalwire.disconnect", params: { restart: true } },
  unknown: { method: "signalwire.dance" },
  answer: { result: { code: "200" } },
  junk: { nothing: "known" },
};

type FrameStep = Extract<Step, { does: "frame" }>;
type CommandStep = Extract<Step, { does: "command" }>;

function hear(observed: ObservedClient, frame: object, generation = observed.generation): Effect[] {
  const data = JSON.stringify({ jsonrpc: "2.0", ...frame });
  return observed.handle({ on: "message", generation, data });
}

function answerConnect(observed: ObservedClient, answer: object): void {
  const { client, generation } = observed;
  if (client.state === "connecting") observed.handle({ on: "opened", generation });
  if (observed.connectId !== null) hear(observed, { id: observed.connectId, ...answer });
}

function hearFrame(observed: ObservedClient, { age, frame }: FrameStep): void {
  const id = `server-${observed.fresh()}`;
  const heard = age === 0 && observed.live !== null && observed.opened;
  const effects = hear(observed, { id, ...FRAMES[frame] }, observed.generation - age);
  const acks = effects.filter((effect) => "ack" in effect && effect.ack?.includes(id));
  const answers = effects.filter((effect) => effect.do === "send" && effect.text.includes(id));
  const isEvent = frame === "event" || frame === "authorization";
  const isAsked = ["ping", "disconnect", "restart", "unknown"].includes(frame);
  expect(acks.length, "an event yields one effect, with its ack").toBe(heard && isEvent ? 1 : 0);
  expect(answers.length, "a request is answered once, an event by its effect alone").toBe(
    heard && isAsked ? 1 : 0,
  );
}

function command(observed: ObservedClient, { lane, lives_ms, hurry_ms }: CommandStep): void {
  const deadline_at = observed.now + lives_ms;
  const hurry = hurry_ms === null ? {} : { must_send_by: observed.now + hurry_ms };
  const id = `command-${observed.fresh()}`;
  observed.handle({
    on: "command",
    command: { id, lane, method: "calling.answer", params: {}, deadline_at, ...hurry },
  });
}

/** Answers one of the commands in flight, twice: that the second answer ends nothing is for the observer to see. */
function answer(observed: ObservedClient, pick: number, code: keyof typeof KINDS): void {
  const flying = observed.inFlight;
  const one = flying[pick % Math.max(1, flying.length)];
  if (one === undefined) return;
  const outcome = { kind: KINDS[code] };
  const [settled] = hear(observed, { id: one.request, result: { code } });
  expect(settled, "an answer ends its command").toMatchObject({ command: one.command.id, outcome });
  hear(observed, { id: one.request, result: { code } });
}

function pass(observed: ObservedClient, ms: number): void {
  const end = observed.now + ms;
  for (let due = observed.client.wakeAt; due !== null && due < end; due = observed.client.wakeAt) {
    observed.now = due;
    observed.handle({ on: "tick" });
  }
  oversleep(observed, end - observed.now);
}

/** Misses every tick but the last. */
function oversleep(observed: ObservedClient, ms: number): void {
  observed.now += ms;
  observed.handle({ on: "tick" });
}

function take(observed: ObservedClient, step: Step): void {
  switch (step.does) {
    case "open":
    case "close":
    case "reconnect":
      observed.handle({ on: step.does });
      break;
    case "credentials":
      observed.handle({ on: "credentials", settings: { ...SETTINGS, contexts: ["x"] } });
      break;
    case "contexts":
      observed.handle({ on: "contexts", contexts: [`context-${observed.fresh() % 3}`] });
      break;
    case "watch":
    case "unwatch":
      observed.handle({ on: "watch", closely: step.does === "watch" });
      break;
    case "opened":
    case "closed":
    case "failed":
      observed.handle({ on: step.does, generation: observed.generation - step.age });
      break;
    case "login":
      answerConnect(observed, { result: { protocol: "signalwire_one" } });
      break;
    case "refuse":
      answerConnect(observed, { error: { code: -32401, message: SETTINGS.token } });
      break;
    case "trouble":
      answerConnect(observed, { error: { code: -32603, message: SETTINGS.token } });
      break;
    case "command":
      command(observed, step);
      break;
    case "answer":
      answer(observed, step.pick, step.code);
      break;
    case "frame":
      hearFrame(observed, step);
      break;
    case "pass":
      pass(observed, step.ms);
      break;
    case "oversleep":
      oversleep(observed, step.ms);
      break;
  }
}

it("keeps its laws through any history of sockets, frames, commands and time, and leaves nothing unsettled", () => {
  const randoms = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), randoms, (steps, stream) => {
      const observed = new ObservedClient(() => stream.next().value);
      observed.handle({ on: "open" });
      for (const one of steps) take(observed, one);
      observed.handle({ on: "close" });
      pass(observed, 60_000);
      expect([...observed.commands.values()].filter((one) => !one.settled)).toEqual([]);
      expect([observed.client.state, observed.live, observed.client.wakeAt]).toEqual(["idle", null, null]);
    }),
    { numRuns: 500 },
  );
}, 60_000);

it("comes back to ready through any history, once the server lets it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const observed = new ObservedClient(() => 0.5);
      for (const one of steps) take(observed, one);
      observed.handle({ on: "open" });
      // Within five minutes, back-off and refusals included.
      for (let second = 0; second <= 301; second++) {
        take(observed, { does: "login" });
        if (observed.client.state === "ready") return;
        pass(observed, 1_000);
      }
      expect.fail(`still ${observed.client.state}`);
    }),
    { numRuns: 200 },
  );
}, 60_000);
