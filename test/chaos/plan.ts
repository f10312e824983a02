import { createHash } from "node:crypto";
import type { Switches } from "../carrier/switches/index.ts";
import { type PlannedCall, planCall, planSeatedCall } from "./callers.ts";
import { type PlannedDial, planDials } from "./dials.ts";
import { type Operators, planOperators } from "./operators.ts";
import { Random } from "./random.ts";
import { drawReadings, type SomeReadings } from "./readings.ts";
import { roomKinds, type Teams, teams, wireRoom } from "./rules.ts";
import { always, biting, type Deed, dealTroubles, noEvents, type Trouble, unreliable } from "./troubles.ts";

export interface PlannedProject {
  project_id: string;
  /** Seeds the carrier's own chances. */
  seed: number;
  tenants: [string, string];
  /** How the carrier answers the open questions, for the project's whole life. */
  readings: Switches;
}

export interface PlannedDeed {
  at_ms: number;
  project: number;
  /** The trouble that it is part of. */
  trouble: string;
  deed: Deed;
}

/** Everything that happens in a run, made before it begins: one seed and one number of calls, one plan. */
export interface Plan {
  seed: number;
  /** troubles: whatever can go wrong, does. seats: rooms are short of seats, and status callbacks not to be relied on. */
  scenario: "troubles" | "seats";
  projects: PlannedProject[];
  /** In order of time, as are the deeds. */
  calls: PlannedCall[];
  deeds: PlannedDeed[];
  /** Calls that are made; none where seats are counted. */
  dials: PlannedDial[];
  /** What operators do; null: none are at work. */
  operators: Operators | null;
  /** When the last trouble is over. */
  over_at_ms: number;
  /** Of all the above: two runs with the same one met the same. */
  digest: string;
}

/** How much a run is, apart from its calls. */
export interface Shape {
  /** How many share the calls. */
  projects: number;
  /** How many each project meets, one after the other, and how long each lasts. */
  troubles: number;
  trouble_ms: number;
  /** In which part of the run rushes come, 0 to 1: in the end every line is to be empty. */
  rushed: number;
}

/** In each project. */
const ENDING_EVERY_MS = 3_000;
/** How many of the bursts are rushes on a line. */
const RUSHES = 0.18;

/** @param fixed readings that no project draws. */
export function planOf(seed: number, calls: number, shape: Shape, fixed: SomeReadings = {}): Plan {
  const random = new Random(seed);
  const projects = planProjects(random, seed, shape.projects, (project) =>
    drawReadings(seed, project, fixed),
  );
  const troubles = dealTroubles(random, shape.projects, shape.troubles);
  return planTroubles(random, { ...shape, seed, calls, projects, troubles });
}

/** One project under the readings given, a few tenants' rooms, and the troubles under which a careless client comes to harm. */
export function planOne(
  seed: number,
  calls: number,
  { trouble_ms, rushed, troubles: most }: Omit<Shape, "projects">,
  readings: Switches,
): Plan {
  const random = new Random(seed);
  const projects = planProjects(random, seed, 1, () => readings);
  const troubles = [biting(random).slice(0, most)];
  return planTroubles(random, { seed, calls, projects, troubles, trouble_ms, rushed, teams: [0] });
}

function planTroubles(
  random: Random,
  given: {
    seed: number;
    calls: number;
    projects: PlannedProject[];
    /** Of each project, in order. */
    troubles: Trouble[][];
    trouble_ms: number;
    rushed: number;
    teams?: Teams;
  },
): Plan {
  const { seed, calls, projects, trouble_ms, rushed } = given;
  const called = given.teams ?? teams;
  const over_at_ms = Math.max(...given.troubles.map(({ length }) => length)) * trouble_ms;
  const deeds = projects
    .flatMap((project, index) => deedsOf(given.troubles[index] ?? [], project, index, trouble_ms))
    .concat(projects.flatMap(({ tenants }, project) => endings(random, tenants, project, over_at_ms, called)))
    .sort((a, b) => a.at_ms - b.at_ms);
  const times = { over_at_ms, rushes_end_at_ms: Math.round(over_at_ms * rushed) };
  const planned = planCalls(random, calls, projects, times, (random, index, where) =>
    planCall(random, index, where, called),
  );
  const dials = planDials(
    seed,
    calls,
    projects.map(({ tenants }) => tenants),
    over_at_ms,
  );
  return sealed({ seed, scenario: "troubles", projects, calls: planned, deeds, dials, over_at_ms });
}

/** @param over_at_ms how long calls come. Of every two projects one hears of its conferences by status callbacks alone. */
export function planSeats(
  seed: number,
  calls: number,
  shape: { projects: number; over_at_ms: number },
  fixed: SomeReadings = {},
): Plan {
  const random = new Random(seed);
  const { over_at_ms } = shape;
  const projects = planProjects(random, seed, shape.projects, (project) =>
    drawReadings(seed, project, fixed),
  );
  const deeds = projects.flatMap(({ readings: switches }, project): PlannedDeed[] => {
    const at = (at_ms: number, trouble: string, faults: typeof unreliable): PlannedDeed => ({
      at_ms,
      project,
      trouble,
      deed: { do: "settings", faults: [...faults], switches, latency_ms: 0 },
    });
    const lost = [0.3, 0.6].map((part): PlannedDeed => {
      const at_ms = Math.round((part + random.next() * 0.2) * over_at_ms);
      return { at_ms, project, trouble: "object lost", deed: { do: "vanish" } };
    });
    return project % 2 === 0
      ? [at(0, "callbacks", unreliable), ...lost, at(over_at_ms, "none", [])]
      : [
          at(0, "callbacks alone", [...unreliable, noEvents]),
          ...lost,
          at(over_at_ms, "no events", [noEvents]),
        ];
  });
  deeds.sort((a, b) => a.at_ms - b.at_ms);
  const planned = planCalls(random, calls, projects, { over_at_ms, rushes_end_at_ms: null }, planSeatedCall);
  return sealed({ seed, scenario: "seats", projects, calls: planned, deeds, dials: [], over_at_ms });
}

function sealed(plan: Omit<Plan, "digest" | "operators">, operators: Operators | null = null): Plan {
  const { projects, calls, deeds, dials } = plan;
  const parts = [
    projects,
    calls,
    deeds,
    ...(dials.length > 0 ? [dials] : []),
    ...(operators ? [operators] : []),
  ];
  const digest = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return { ...plan, operators, digest: digest.slice(0, 16) };
}

/** The same with operators at work: a tenth of its calls are muted, held, moved or removed, and rooms locked and ended. */
export function withOperators({ digest: _, operators: __, ...plan }: Plan): Plan {
  const { seed, calls, projects, over_at_ms } = plan;
  return sealed(plan, planOperators(seed, calls, projects, over_at_ms));
}

function planProjects(
  random: Random,
  seed: number,
  count: number,
  readingsOf: (project: number) => Switches,
): PlannedProject[] {
  return Array.from(
    { length: count },
    (_, index): PlannedProject => ({
      project_id: random.uuid(),
      seed: random.between(1, 1_000_000),
      tenants: [`s${seed}-p${index}-a`, `s${seed}-p${index}-b`],
      readings: readingsOf(index),
    }),
  );
}

function deedsOf(
  troubles: readonly Trouble[],
  { readings }: PlannedProject,
  project: number,
  trouble_ms: number,
): PlannedDeed[] {
  const deeds = troubles.flatMap(
    ({ name, faults, switches, latency_ms, deeds = [] }, index): PlannedDeed[] => {
      const at_ms = index * trouble_ms;
      const settings: Deed = {
        do: "settings",
        faults: [...(faults ?? []), ...always],
        switches: { ...readings, ...switches },
        latency_ms: latency_ms ?? 0,
      };
      return [
        { at_ms, project, trouble: name, deed: settings },
        ...deeds.map(({ at, deed }) => ({
          at_ms: at_ms + Math.round(at * trouble_ms),
          project,
          trouble: name,
          deed,
        })),
      ];
    },
  );
  const settings: Deed = { do: "settings", faults: [], switches: readings, latency_ms: 0 };
  return [...deeds, { at_ms: troubles.length * trouble_ms, project, trouble: "none", deed: settings }];
}

/** Rooms that an operator ends, whoever is in them. */
function endings(
  random: Random,
  tenants: PlannedProject["tenants"],
  project: number,
  over_at_ms: number,
  called: Teams,
): PlannedDeed[] {
  return Array.from({ length: Math.floor(over_at_ms / ENDING_EVERY_MS) }, () => ({
    at_ms: random.between(2_000, over_at_ms),
    project,
    trouble: "operator",
    deed: {
      do: "end_room",
      room: wireRoom(random.pick(tenants), random.pick(roomKinds), random.pick(called)),
    },
  }));
}

/** In bursts: some callers of one project within a moment. */
function planCalls(
  random: Random,
  calls: number,
  projects: readonly PlannedProject[],
  times: { over_at_ms: number; rushes_end_at_ms: number | null },
  plan: typeof planSeatedCall,
): PlannedCall[] {
  const planned: PlannedCall[] = [];
  const { over_at_ms, rushes_end_at_ms } = times;
  while (planned.length < calls) {
    const project = random.between(0, projects.length - 1);
    const rush = rushes_end_at_ms !== null && random.chance(RUSHES);
    const burst = Math.min(random.between(rush ? 3 : 1, 8), calls - planned.length);
    const at = random.between(0, rush ? rushes_end_at_ms : over_at_ms - 1_000);
    const tenants = projects[project]?.tenants ?? [""];
    const rushed = random.pick(tenants);
    for (let one = 0; one < burst; one += 1) {
      const tenant = rush ? rushed : random.pick(tenants);
      const where = { at_ms: at + random.between(0, 150), project, tenant, rush };
      planned.push(plan(random, planned.length, where));
    }
  }
  return planned.sort((a, b) => a.at_ms - b.at_ms);
}
