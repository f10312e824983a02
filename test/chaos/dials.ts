import type { PhoneBehaviour } from "../carrier/settings.ts";
import { Random } from "./random.ts";
import { seedFrom } from "./readings.ts";

/** Somebody is called into a room, over the API. */
export interface PlannedDial {
  /** Ms from the run's start. */
  at_ms: number;
  project: number;
  tenant: string;
  /** Its name at the API: however often it is asked for, it is one call. */
  id: string;
  /** No two dials have the same. */
  to: string;
  /** Plain name; nobody else is sent there. */
  room: string;
  timeout_s: number;
  phone: PhoneBehaviour;
  /** So long after the callee has joined; null: stays until the call is ended. */
  hangs_up_ms: number | null;
}

/** Calls that come for each that is made, and how many a project makes at least: one with a limit, one without. */
const CALLS_A_DIAL = 16;
const FEWEST = 2;
/** For a dial to ring and to be answered before the last trouble is over. */
const RINGS_MS = 3_000;
const ROOMS = 3;

/** Whom the tenants may have called, and from which number. */
export const DIALLED = "+1556";
export const CALLER_ID = "+15550100199";
/** Of a project's tenants the second limits the calls that it makes to so long. */
export const LIMIT_S = 120;

/** @param tenants of each project. Draws from random streams of their own: the calls that come are the same with and without. */
export function planDials(
  seed: number,
  calls: number,
  tenants: readonly (readonly [string, string])[],
  over_at_ms: number,
): PlannedDial[] {
  const each = Math.max(FEWEST, Math.round(calls / tenants.length / CALLS_A_DIAL));
  return tenants
    .flatMap((two, project) => {
      const random = new Random(seedFrom(`${seed} ${project} dials`));
      return Array.from({ length: each }, (_, index) =>
        planDial(random, two[index % 2 === 0 ? 1 : 0], project, index, over_at_ms),
      );
    })
    .sort((a, b) => a.at_ms - b.at_ms);
}

function planDial(
  random: Random,
  tenant: string,
  project: number,
  index: number,
  over_at_ms: number,
): PlannedDial {
  const behaviour = random.weighted({ answers: 75, busy: 10, no_answer: 15 });
  return {
    at_ms: random.between(0, Math.max(0, over_at_ms - RINGS_MS)),
    project,
    tenant,
    id: `dial-${index}`,
    to: `${DIALLED}${String(project * 1_000 + index).padStart(7, "0")}`,
    room: `dialled-${random.between(1, ROOMS)}`,
    timeout_s: random.between(6, 20),
    phone:
      behaviour === "answers"
        ? { does: behaviour, after_ms: random.between(300, 4_000) }
        : { does: behaviour },
    hangs_up_ms: random.chance(0.5) ? random.between(3_000, 12_000) : null,
  };
}
