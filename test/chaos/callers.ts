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
};

const chair = "+15550100010";

/** The rules of every tenant: rooms by team, one kind of which ends with its moderator. */
export function rules(voicemail_url: string): object {
  const room = (name: string) => `${name}-{param.team}`;
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
  /** Null: stays until it is ended. */
  hangs_up: Moment | null;
  /** An operator takes it out of its conference, and it lives on. */
  taken_out: Moment | null;
}

/** The name that a room has on the wire. */
export function wireRoom(
  tenant: string,
  kind: (typeof roomKinds)[number],
  team: (typeof teams)[number],
): string {
  return `${tenant}:${kind}-${team}`;
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
