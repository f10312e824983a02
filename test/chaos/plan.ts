import { createHash } from "node:crypto";
import { type PlannedCall, planCall, planSeatedCall } from "./callers.ts";
import { Random } from "./random.ts";
import { roomKinds, teams, wireRoom } from "./rules.ts";
import { always, type Deed, dealTroubles, noEvents, unreliable } from "./troubles.ts";

export interface PlannedProject {
  project_id: string;
  /** Seeds the carrier's own chances. */
  seed: number;
  tenants: [string, string];
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

export function planOf(seed: number, calls: number, shape: Shape): Plan {
  const random = new Random(seed);
  const { projects: count, troubles: each, trouble_ms, rushed } = shape;
  const projects = planProjects(random, seed, count);
  const over_at_ms = each * trouble_ms;
  const deeds = dealTroubles(random, count, each)
    .flatMap((troubles, project) => deedsOf(troubles, project, trouble_ms, sidsOf(seed, project)))
    .concat(projects.flatMap(({ tenants }, project) => endings(random, tenants, project, over_at_ms)))
    .sort((a, b) => a.at_ms - b.at_ms);
  const times = { over_at_ms, rushes_end_at_ms: Math.round(over_at_ms * rushed) };
  const planned = planCalls(random, calls, projects, times, planCall);
  return sealed({ seed, scenario: "troubles", projects, calls: planned, deeds, over_at_ms });
}

/** @param over_at_ms how long calls come. Of every two projects one hears of its conferences by status callbacks alone. */
export function planSeats(
  seed: number,
  calls: number,
  shape: { projects: number; over_at_ms: number },
): Plan {
  const random = new Random(seed);
  const { over_at_ms } = shape;
  const projects = planProjects(random, seed, shape.projects);
  const deeds = projects.flatMap((_, project): PlannedDeed[] => {
    const at = (at_ms: number, trouble: string, faults: typeof unreliable): PlannedDeed => ({
      at_ms,
      project,
      trouble,
      deed: { do: "settings", faults: [...faults], switches: asDefault, latency_ms: 0 },
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
  return sealed({ seed, scenario: "seats", projects, calls: planned, deeds, over_at_ms });
}

function sealed(plan: Omit<Plan, "digest">): Plan {
  const { projects, calls, deeds } = plan;
  const digest = createHash("sha256")
    .update(JSON.stringify([projects, calls, deeds]))
    .digest("hex");
  return { ...plan, digest: digest.slice(0, 16) };
}

function planProjects(random: Random, seed: number, count: number): PlannedProject[] {
  return Array.from(
    { length: count },
    (_, index): PlannedProject => ({
      project_id: random.uuid(),
      seed: random.between(1, 1_000_000),
      tenants: [`s${seed}-p${index}-a`, `s${seed}-p${index}-b`],
    }),
  );
}

function deedsOf(
  troubles: ReturnType<typeof dealTroubles>[number],
  project: number,
  trouble_ms: number,
  sids: ReturnType<typeof sidsOf>,
): PlannedDeed[] {
  const usual = { ...asDefault, ...sids };
  const deeds = troubles.flatMap(
    ({ name, faults, switches, latency_ms, deeds = [] }, index): PlannedDeed[] => {
      const at_ms = index * trouble_ms;
      const settings: Deed = {
        do: "settings",
        faults: [...(faults ?? []), ...always],
        switches: { ...usual, ...switches },
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
  const settings: Deed = { do: "settings", faults: [], switches: usual, latency_ms: 0 };
  return [...deeds, { at_ms: troubles.length * trouble_ms, project, trouble: "none", deed: settings }];
}

/** In every third project REST has names of its own for calls. It does or it does not: none of a project's calls differ in that. */
function sidsOf(seed: number, project: number): { call_sid_is_call_id: boolean } {
  return { call_sid_is_call_id: (seed + project) % 3 !== 0 };
}

/** Rooms that an operator ends, whoever is in them. */
function endings(
  random: Random,
  tenants: PlannedProject["tenants"],
  project: number,
  over_at_ms: number,
): PlannedDeed[] {
  return Array.from({ length: Math.floor(over_at_ms / ENDING_EVERY_MS) }, () => ({
    at_ms: random.between(2_000, over_at_ms),
    project,
    trouble: "operator",
    deed: {
      do: "end_room",
      room: wireRoom(random.pick(tenants), random.pick(roomKinds), random.pick(teams)),
    },
  }));
}

/** As the carrier's own defaults are: a trouble turns a switch, the next turns it back. */
const asDefault = {
  relay_drives_webhook_calls: true,
  document_takes_call_out_of_conference: false,
  conference_events_without_callback: true,
  conference_sid_is_conference_id: true,
  call_sid_is_call_id: true,
  replay_events_on_resume: false,
  call_state_events_of_webhook_calls: false,
  alone_hears_music: true,
  fragment_is_signed: false,
  status_callbacks_are_signed: true,
  authorization_state_survives: true,
} as const;

/** In bursts: some callers of one project within a moment. */
function planCalls(
  random: Random,
  calls: number,
  projects: readonly PlannedProject[],
  times: { over_at_ms: number; rushes_end_at_ms: number | null },
  plan: typeof planCall,
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
