import type { ProjectSettings } from "../carrier/settings.ts";
import type { Random } from "./random.ts";

type Fault = NonNullable<ProjectSettings["faults"]>[number];
type Switches = NonNullable<ProjectSettings["switches"]>;

/** What is done to one project at one moment. */
export type Deed =
  | { do: "settings"; faults: Fault[]; switches: Switches; latency_ms: number }
  | { do: "sockets"; action: "drop" | "close" | "disconnect" | "disconnect_restart" }
  | { do: "silence"; ms: number }
  /** The RELAY listener is gone for so long, for every project, and every socket with it. */
  | { do: "restart"; ms: number }
  /** An operator ends the conferences of a name, where there are any. */
  | { do: "end_room"; room: string }
  /** The Durable Object is lost. */
  | { do: "vanish" }
  /** An operator has refused credentials tried again. */
  | { do: "retry" };

/** A stretch of one project's time in which one thing goes wrong. */
export interface Trouble {
  name: string;
  faults?: Fault[];
  switches?: Switches;
  latency_ms?: number;
  /** What happens at which part of the stretch, 0 to 1. */
  deeds?: { at: number; deed: Deed }[];
}

const join = { method: "calling.join_conference" };
const answer = { method: "calling.answer" };
const opening = { method: "signalwire.connect" };
const conference = { event_type: "calling.conference" };
const joined = { ...conference, status: "participant-join" };

const drop = (at: number) => ({ at, deed: { do: "sockets", action: "drop" } }) as const;

/** After these RELAY goes on to be tried: a project meets them in any order. */
const passing: ((random: Random) => Trouble)[] = [
  () => ({ name: "calm" }),
  () => ({
    name: "dropped before connect",
    faults: [{ at: "connect", times: 3, do: { kind: "drop_socket" } }],
    deeds: [drop(0.1)],
  }),
  () => ({
    name: "dropped between connect and answer",
    faults: [
      { at: "authenticate", times: 1, do: { kind: "drop_socket" } },
      { at: "answer", match: opening, times: 1, do: { kind: "drop_socket" } },
      { at: "answer", match: opening, times: 1, do: { kind: "close_after" } },
    ],
    deeds: [drop(0.1), drop(0.6)],
  }),
  () => ({
    name: "connect never answered",
    faults: [{ at: "authenticate", times: 1, do: { kind: "lose" } }],
    deeds: [drop(0.05)],
  }),
  (random) => ({
    name: "join sent, not answered",
    faults: [
      {
        at: "command",
        match: join,
        probability: 0.3,
        do: {
          kind: random.pick(["drop_socket", "close_before", "close_after", "swallow", "ignore"] as const),
        },
      },
      { at: "command", match: join, probability: 0.2, do: { kind: "close_after" } },
    ],
  }),
  (random) => ({
    name: "answer sent, not answered",
    faults: [
      {
        at: "command",
        match: answer,
        probability: 0.3,
        do: { kind: random.pick(["drop_socket", "close_after", "swallow", "ignore"] as const) },
      },
    ],
  }),
  () => ({
    name: "answered, no event",
    faults: [
      { at: "event", match: joined, probability: 0.4, do: { kind: "lose" } },
      { at: "answer", match: join, probability: 0.2, do: { kind: "close_after" } },
      { at: "event", match: joined, probability: 0.2, do: { kind: "drop_socket" } },
    ],
  }),
  (random) => ({
    name: "slow answers",
    latency_ms: random.between(0, 300),
    faults: [
      { at: "answer", probability: 0.4, do: { kind: "delay", ms: random.between(300, 3_000) } },
      { at: "rest", probability: 0.3, do: { kind: "delay", ms: random.between(200, 1_500) } },
    ],
  }),
  (random) => ({
    name: "slow to act",
    faults: [
      {
        at: "command",
        match: join,
        probability: 0.5,
        do: { kind: "delay", ms: random.between(1_000, 4_500) },
      },
    ],
  }),
  (random) => ({
    name: "refused by code",
    faults: [
      ...(["500", "404"] as const).map(
        (code): Fault => ({ at: "command", probability: 0.1, do: { kind: "code", code } }),
      ),
      // Not in answer to `calling.end`: that a call is gone is then the truth, or SignalWire keeps the leg and not we.
      ...[join, answer].map(
        (match): Fault => ({ at: "command", match, probability: 0.1, do: { kind: "code", code: "410" } }),
      ),
      { at: "command", match: random.pick([join, answer]), times: 1, do: { kind: "refuse" } },
      { at: "command", probability: 0.1, do: { kind: "error", code: -32_000 } },
    ],
  }),
  (random) => ({
    name: "events out of order",
    faults: [
      { at: "event", probability: 0.25, do: { kind: "reorder" } },
      { at: "event", probability: 0.25, do: { kind: "duplicate" } },
      { at: "event", probability: 0.25, do: { kind: "delay", ms: random.between(300, 2_500) } },
      { at: "answer", probability: 0.2, do: { kind: "duplicate" } },
    ],
  }),
  (random) => ({
    name: "silent",
    deeds: [{ at: 0.2, deed: { do: "silence", ms: random.pick([2_000, 6_000, 30_000]) } }],
  }),
  () => ({
    name: "disconnected by the server",
    deeds: [
      { at: 0.1, deed: { do: "sockets", action: "disconnect" } },
      { at: 0.45, deed: { do: "sockets", action: "disconnect_restart" } },
      { at: 0.8, deed: { do: "sockets", action: "disconnect" } },
    ],
  }),
  () => ({
    name: "closed and dropped",
    deeds: [drop(0.2), { at: 0.5, deed: { do: "sockets", action: "close" } }, drop(0.7)],
  }),
  (random) => ({
    name: "carrier restarted",
    deeds: [{ at: 0.3, deed: { do: "restart", ms: random.between(300, 2_500) } }],
  }),
  () => ({
    name: "credentials refused for a moment",
    faults: [{ at: "authenticate", times: 2, do: { kind: "refuse" } }],
    deeds: [drop(0.1)],
  }),
  (random) => ({
    name: "object lost",
    deeds: [0.15, 0.4, 0.65, 0.9].map((at) => ({
      at: at + random.next() * 0.08,
      deed: { do: "vanish" } as const,
    })),
  }),
  (random) => ({
    name: "object lost while joins are unanswered",
    faults: [
      {
        at: "command",
        match: join,
        probability: 0.6,
        do: { kind: random.pick(["swallow", "ignore"] as const) },
      },
    ],
    deeds: [0.2, 0.5, 0.8].map((at) => ({ at: at + random.next() * 0.08, deed: { do: "vanish" } as const })),
  }),
  (random) => ({
    name: "REST fails too",
    faults: [
      { at: "rest", probability: 0.2, do: { kind: "code", code: "500" } },
      { at: "rest", probability: 0.1, do: { kind: "drop_socket" } },
      { at: "rest", probability: 0.3, do: { kind: "delay", ms: random.between(200, 2_000) } },
      { at: "command", match: join, probability: 0.3, do: { kind: "swallow" } },
    ],
    deeds: [drop(0.5)],
  }),
  () => ({ name: "events need a callback", switches: { conference_events_without_callback: false } }),
  () => ({ name: "other conference ids", switches: { conference_sid_is_conference_id: false } }),
  () => ({
    name: "events replayed",
    switches: { replay_events_on_resume: true },
    deeds: [drop(0.2), drop(0.4), drop(0.6), drop(0.8)],
  }),
  () => ({ name: "call states told", switches: { call_state_events_of_webhook_calls: true } }),
  () => ({ name: "one starts a room", switches: { alone_hears_music: false } }),
  () => ({ name: "callbacks unsigned", switches: { status_callbacks_are_signed: false } }),
  () => ({
    name: "callbacks unsigned, REST fails",
    switches: { status_callbacks_are_signed: false },
    faults: [{ at: "rest", probability: 0.4, do: { kind: "code", code: "500" } }],
  }),
  () => ({ name: "fragments signed", switches: { fragment_is_signed: true } }),
  () => ({
    name: "authorization states stale",
    switches: { authorization_state_survives: false },
    deeds: [drop(0.2), { at: 0.5, deed: { do: "vanish" } }, drop(0.8)],
  }),
];

/** These open the breaker, or have the credentials given up: RELAY is out of the game, so a project meets one last. */
const lasting: ((random: Random) => Trouble)[] = [
  () => ({ name: "a document takes a call out", switches: { document_takes_call_out_of_conference: true } }),
  () => ({ name: "RELAY sees no call", switches: { relay_drives_webhook_calls: "404" } }),
  () => ({ name: "RELAY drives no call", switches: { relay_drives_webhook_calls: "409" } }),
  () => ({
    name: "credentials refused",
    faults: [{ at: "authenticate", do: { kind: "refuse" } }],
    deeds: [drop(0.05), { at: 0.95, deed: { do: "retry" } }],
  }),
  () => ({
    name: "joins refused",
    faults: [{ at: "command", match: join, probability: 0.7, do: { kind: "refuse" } }],
  }),
];

/** One after the other what makes a reading bite: most do harm only together with one of these. */
export function biting(random: Random): Trouble[] {
  const joinFaults = (probability: number, ...kinds: ("swallow" | "ignore" | "close_after")[]): Fault[] =>
    kinds.map((kind) => ({ at: "command", match: join, probability, do: { kind } }));
  const actLate = (probability: number, ms: number): Fault => ({
    at: "command",
    match: join,
    probability,
    do: { kind: "delay", ms },
  });
  return [
    {
      name: "joined, and nobody heard; dropped",
      faults: [
        ...joinFaults(0.4, "swallow", "close_after"),
        { at: "event", match: joined, do: { kind: "lose" } },
        { at: "event", match: conference, probability: 0.5, do: { kind: "lose" } },
        { at: "callback", probability: 0.8, do: { kind: "lose" } },
        { at: "rest", probability: 0.6, do: { kind: "code", code: "500" } },
      ],
      deeds: [drop(0.25), drop(0.7)],
    },
    {
      name: "slow answers; slow to act; object lost",
      latency_ms: random.between(50, 250),
      faults: [
        ...joinFaults(0.15, "swallow", "ignore"),
        // After what the document that waits for it, and comes back, may take: that joins, and RELAY's join arrives late.
        actLate(0.5, 7_000),
        actLate(0.5, 3_000),
        { at: "answer", probability: 0.4, do: { kind: "delay", ms: 2_000 } },
        { at: "rest", probability: 0.4, do: { kind: "delay", ms: 1_500 } },
      ],
      deeds: [0.3, 0.7].map((at) => ({ at, deed: { do: "vanish" } as const })),
    },
  ];
}

/** What goes wrong whatever else does: a webhook comes twice, a status callback is lost for good. */
export const always: readonly Fault[] = [
  { at: "webhook", probability: 0.1, do: { kind: "duplicate" } },
  { at: "callback", probability: 0.1, do: { kind: "lose" } },
];

const held = (probability: number, ms: number): Fault => ({
  at: "status_callback",
  probability,
  do: { kind: "delay", ms },
});

/** What goes wrong where seats are counted: of status callbacks a tenth is lost, a tenth comes twice, and their order is none. */
export const unreliable: readonly Fault[] = [
  ...always,
  { at: "status_callback", probability: 0.1, do: { kind: "duplicate" } },
  held(0.25, 4_700),
  held(0.33, 3_100),
  held(0.5, 1_500),
];

/** RELAY does not tell of conferences. */
export const noEvents: Fault = { at: "event", match: conference, do: { kind: "lose" } };

/**
 * The troubles of several projects, in order, so many each, every second one together with another; the decks are dealt
 * round, so that the projects together meet all that can be met in so many.
 */
export function dealTroubles(random: Random, projects: number, each: number): Trouble[][] {
  const deal = (deck: readonly ((random: Random) => Trouble)[]) => {
    let left: ((random: Random) => Trouble)[] = [];
    return () => {
      if (left.length === 0) left = random.shuffled(deck);
      return left.pop()?.(random) ?? { name: "calm" };
    };
  };
  const [next, last] = [deal(passing), deal(lasting)];
  const perhapsTwo = (first: Trouble) => (random.chance(0.5) ? together(first, next()) : first);
  return Array.from({ length: projects }, () => [
    ...Array.from({ length: each - 1 }, () => perhapsTwo(next())),
    perhapsTwo(last()),
  ]);
}

function together(a: Trouble, b: Trouble): Trouble {
  return {
    name: `${a.name}; ${b.name}`,
    faults: [...(a.faults ?? []), ...(b.faults ?? [])],
    switches: { ...a.switches, ...b.switches },
    latency_ms: Math.max(a.latency_ms ?? 0, b.latency_ms ?? 0),
    deeds: [...(a.deeds ?? []), ...(b.deeds ?? [])],
  };
}
