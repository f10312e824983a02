import type { Random } from "./random.ts";

/** The numbers of every tenant, and what its rules do with them. */
const numbers = {
  team: "+15550100130",
  standup: "+15550100110",
  chair: "+15550100110",
  hall: "+15550100120",
  closed: "+15550100140",
  busy: "+15550100141",
  night: "+15550100150",
  desk: "+15550100160",
  class: "+15550100161",
  regular: "+15550100162",
} as const;

export type Kind = keyof typeof numbers;

export const teams = ["a", "b", "c"] as const;
export const roomKinds = ["team", "standup", "hall"] as const;

/** How often each is called. */
const weights: Record<Kind, number> = {
  team: 35,
  standup: 25,
  chair: 12,
  hall: 18,
  closed: 4,
  busy: 3,
  night: 7,
  desk: 0,
  class: 0,
  regular: 0,
};

/** What a caller hears whom no room has a seat for. */
export const FULL = "All seats are taken.";
/** Of every room that has a capacity, and how many such rooms a rule has. */
export const SEATS = 2;
export const NUMBERED = 3;
export const seatKinds = ["desk", "class", "regular"] as const;

const chair = "+15550100010";

/** The rules of every tenant: rooms by team, one kind of which ends with its moderator, some with a capacity. */
export function rules(voicemail_url: string): object {
  const room = (name: string) => `${name}-{param.team}`;
  const seats = (kind: (typeof seatKinds)[number], overflow: string, more: object = {}) => ({
    id: kind,
    match: { to: numbers[kind] },
    place: {
      room: room(kind),
      capacity: SEATS,
      // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
      overflow: { then: overflow, rooms: NUMBERED, say: FULL },
      ...more,
    },
  });
  return {
    lists: { chairs: [chair] },
    defaults: { join: { beep: "onEnter", region: "us" } },
    rules: [
      {
        id: "chair",
        match: { to: numbers.chair, from: { list: "chairs" } },
        place: { room: room("standup"), role: "moderator", join: { end_on_exit: true } },
      },
      { id: "standup", match: { to: numbers.standup }, place: { room: room("standup") } },
      {
        id: "hall",
        match: { to: numbers.hall },
        place: { room: room("hall"), announce: "Welcome to the hall." },
      },
      { id: "team", match: { to: numbers.team }, place: { room: room("team") } },
      seats("desk", "next"),
      seats("class", "spread"),
      seats("regular", "spread", { sticky: "from" }),
      { id: "closed", match: { to: numbers.closed }, reject: { say: "We are closed." } },
      { id: "busy", match: { to: numbers.busy }, reject: { reason: "busy" } },
      { id: "night", match: { to: numbers.night }, hand_over: { swml: voicemail_url } },
    ],
  };
}

/** When a caller does something: so many ms after a step of the call, by the carrier's word. */
export interface Moment {
  after: "placed" | "answered" | "asked" | "joined" | "coming back";
  ms: number;
}

export interface PlannedCall {
  /** Ms from the run's start. */
  at_ms: number;
  project: number;
  tenant: string;
  kind: Kind;
  call_id: string;
  from: string;
  to: string;
  team: string;
  /** How often its first webhook is sent. */
  copies: number;
  /** The wire name of the room that the rules mean; null where they mean none. */
  room: string | null;
  /** Further rooms where its rule counts seats: it may be in any of them, or in none where all are full. */
  overflow?: string[];
  /** Null: stays until it is ended. */
  hangs_up: Moment | null;
  /** An operator takes it out of its conference, and it lives on. */
  taken_out: Moment | null;
}

/** The name that a room has on the wire. */
export function wireRoom(
  tenant: string,
  kind: (typeof roomKinds)[number] | (typeof seatKinds)[number],
  team: (typeof teams)[number],
): string {
  return `${tenant}:${kind}-${team}`;
}

/** Somebody calls where seats are counted; regulars are few, and call again and again. */
export function planSeatedCall(
  random: Random,
  index: number,
  where: { at_ms: number; project: number; tenant: string },
): PlannedCall {
  const kind = random.pick(seatKinds);
  const room = wireRoom(where.tenant, kind, "a");
  const leaves = random.weighted({ early: 15, later: 75, never: 10 });
  return {
    ...where,
    kind,
    call_id: random.uuid(),
    from: `+1555${kind === "regular" ? 3_000_000 + random.between(0, 9) : 2_000_000 + index}`,
    to: numbers[kind],
    team: "a",
    copies: random.chance(0.1) ? 2 : 1,
    room,
    overflow: Array.from({ length: NUMBERED - 1 }, (_, n) => `${room}-${n + 2}`),
    hangs_up:
      leaves === "early"
        ? hangUp(random, kind)
        : leaves === "later"
          ? { after: "joined", ms: random.between(1_000, 14_000) }
          : null,
    taken_out: null,
  };
}

/** Somebody calls. `index` tells callers apart. */
export function planCall(
  random: Random,
  index: number,
  where: { at_ms: number; project: number; tenant: string },
): PlannedCall {
  const kind = random.weighted(weights);
  const team = random.pick(teams);
  const of = kind === "chair" ? "standup" : roomKinds.find((one) => one === kind);
  const room = of === undefined ? null : wireRoom(where.tenant, of, team);
  return {
    ...where,
    kind,
    call_id: random.uuid(),
    from: kind === "chair" ? chair : `+1555${String(2_000_000 + index)}`,
    to: numbers[kind],
    team,
    copies: random.chance(0.1) ? 2 : 1,
    room,
    hangs_up: hangUp(random, kind),
    taken_out: random.chance(0.12) ? { after: "joined", ms: random.between(6_500, 12_000) } : null,
  };
}

function hangUp(random: Random, kind: Kind): Moment | null {
  switch (random.weighted({ early: 28, later: 30, never: 42 })) {
    case "early":
      return {
        after: random.pick(["placed", "answered", "asked", "joined", "coming back"]),
        ms: random.pick([0, 0, random.between(0, 60), random.between(0, 600)]),
      };
    case "later":
      return { after: "joined", ms: random.between(2_000, 16_000) };
    case "never":
      // A moderator goes some time: its room's end is what the others are watched for.
      return kind === "chair" ? { after: "joined", ms: random.between(500, 9_000) } : null;
  }
}
