import { Random } from "./random.ts";
import { seedFrom } from "./readings.ts";
import {
  chair,
  goldHeader,
  type Kind,
  NUMBERED,
  numberOf,
  pins,
  seatKinds,
  type Team,
  type Teams,
  wireRoom,
} from "./rules.ts";

/** How often each is called. Before the line they come in rushes. */
const weights: Record<Kind, number> = {
  team: 32,
  standup: 22,
  chair: 11,
  hall: 16,
  bridge: 14,
  queue: 0,
  closed: 4,
  busy: 3,
  night: 7,
  desk: 0,
  class: 0,
  regular: 0,
};

/** How many of a team's callers come by SIP. */
const BY_SIP = 0.25;

/** How a number is set up. */
export const ways = ["swml", "cxml", "relay"] as const;
export type Way = (typeof ways)[number];

/** When a caller does something: so many ms after a step of the call, by the carrier's word. */
export interface Moment {
  after: "placed" | "answered" | "asked" | "joined" | "coming back" | "waiting";
  ms: number;
}

export interface PlannedCall {
  /** Ms from the run's start. */
  at_ms: number;
  project: number;
  tenant: string;
  kind: Kind;
  way: Way;
  call_id: string;
  from: string;
  to: string;
  /** A call by SIP: its headers. */
  sip_headers?: { name: string; value: string }[];
  /** How often its first webhook is sent, or the call offered. */
  copies: number;
  /** The wire name of the room that the rules mean; null where they mean none. */
  room: string | null;
  /** Where its rule counts seats: further rooms; it may be in any of them, or in none where all are full. */
  overflow?: string[];
  /** What is keyed each time the question is heard, so many ms after it begins; the last again and again. */
  keys?: { press: string; ms: number }[];
  /** Null: stays until it is ended. */
  hangs_up: Moment | null;
  /** An operator takes it out of its conference, and it lives on. */
  taken_out: Moment | null;
}

interface Where {
  at_ms: number;
  project: number;
  tenant: string;
  /** Part of a rush on the tenant's line. */
  rush: boolean;
}

/** Somebody calls where seats are counted; regulars are few, and call again and again. */
export function planSeatedCall(
  random: Random,
  index: number,
  { at_ms, project, tenant }: Where,
): PlannedCall {
  const kind = random.pick(seatKinds);
  const room = wireRoom(tenant, kind, 0);
  const leaves = random.weighted({ early: 15, later: 75, never: 10 });
  return {
    at_ms,
    project,
    tenant,
    kind,
    way: "swml",
    call_id: random.uuid(),
    from: `+1555${kind === "regular" ? 3_000_000 + random.between(0, 9) : 2_000_000 + index}`,
    to: numberOf(kind, 0),
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

/** Somebody calls one of the teams. `index` tells callers apart. */
export function planCall(
  random: Random,
  index: number,
  { rush, ...where }: Where,
  called: Teams,
): PlannedCall {
  const kind = rush ? "queue" : random.weighted(weights);
  const team = rush ? 0 : random.pick(called);
  const call: PlannedCall = {
    ...where,
    kind,
    way: random.weighted({ swml: 50, cxml: 20, relay: 30 }),
    call_id: random.uuid(),
    from: kind === "chair" ? chair : `+1555${2_000_000 + index}`,
    to: numberOf(kind, kind === "closed" || kind === "busy" || kind === "night" ? 0 : team),
    copies: random.chance(0.1) ? 2 : 1,
    ...destination(random, where.tenant, kind, team),
    hangs_up: rush ? leaveLine(random) : hangUp(random, kind),
    taken_out: random.chance(0.12) ? { after: "joined", ms: random.between(6_500, 12_000) } : null,
  };
  // Drawn from a stream of its own, so that no other draw of the plan hangs on it. A cXML form's SIP headers are not simulated.
  const by_sip = new Random(seedFrom(`sip ${call.call_id}`)).chance(BY_SIP);
  if (!by_sip || kind !== "team" || call.way === "cxml") return call;
  return {
    ...call,
    from: `sip:${call.from}@phones.example.com`,
    room: wireRoom(call.tenant, "gold", team),
    sip_headers: [goldHeader],
  };
}

function destination(
  random: Random,
  tenant: string,
  kind: Kind,
  team: Team,
): Pick<PlannedCall, "room" | "keys" | "overflow"> {
  switch (kind) {
    case "closed":
    case "busy":
    case "night":
      return { room: null };
    case "queue":
      return { room: wireRoom(tenant, kind, team), overflow: [] };
    case "bridge": {
      const mine = random.pick(["bridge", "board"] as const);
      const knows = random.weighted({ right: 60, second: 20, never: 20 });
      const key = (pin: string) => ({ press: `${pin}#`, ms: random.between(100, 4_000) });
      const wrong = key(`9${random.between(100, 999_999)}`);
      return {
        room: knows === "never" ? null : wireRoom(tenant, mine, team),
        keys: [...(knows === "right" ? [] : [wrong]), ...(knows === "never" ? [] : [key(pins[mine])])],
      };
    }
    default:
      return { room: wireRoom(tenant, kind, team) };
  }
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

/** Who has waited is in the room for a moment only, so that the next has a turn. */
function leaveLine(random: Random): Moment {
  return random.chance(0.2)
    ? { after: "waiting", ms: random.between(0, 9_000) }
    : { after: "joined", ms: random.between(500, 5_000) };
}
