import fc from "fast-check";
import { authentic, unauthentic } from "./arbitrary.ts";
import { Attacker, type Found } from "./attacker.ts";
import { changes, describeChange, isByTheClock, type State, stateOf } from "./effects.ts";
import { type Environment, setUpEnvironment, type TenantName, tenantNames } from "./environment.ts";
import type { Input } from "./inputs.ts";
import { type Fault, logFaults } from "./judge.ts";
import { narrowed, smallest } from "./narrowing.ts";
import { scenes } from "./scenes.ts";

/** Inputs between two looks at what there is. */
const BATCH = 2_000;
/** Of a hundred, so many show that their senders may ask. */
const AUTHENTIC = 40;
/** Faults of so many kinds are told in full. */
const STORIES = 8;
/** Tenants that no authentic input is about, nor a scene that leaves something to be done later. */
const others = ["bravo", "charlie", "default"] as const satisfies readonly TenantName[];

export interface Verdict {
  /** For people and for programs: what was sent, and what was wrong. */
  figures: Record<string, unknown>;
  /** Of each kind of fault one, with the smallest input that shows it. */
  stories: string[];
}

/** Inputs that are all of one kind, and what they may change. */
interface Kind {
  name: "unauthentic" | "authentic";
  inputs: fc.Arbitrary<Input>;
  look: () => Promise<State>;
}

/** Attacks a Worker with so many inputs of a seed, and with those that are known to have done harm once. */
export async function run(seed: number, inputs: number): Promise<Verdict> {
  const began = Date.now();
  const environment = await setUpEnvironment();
  const attacker = new Attacker(environment);
  const faults = new Faults();
  try {
    const routes = await routesOf(environment);
    const open: Kind = {
      name: "unauthentic",
      inputs: unauthentic(routes, environment.tenants),
      look: () => stateOf(environment, tenantNames, true),
    };
    const own: Kind = {
      name: "authentic",
      inputs: authentic(routes),
      look: () => stateOf(environment, others, false),
    };
    const of_senders = Math.round((inputs * AUTHENTIC) / 100);
    await attack(attacker, faults, open, seed, inputs - of_senders);
    for (const scene of scenes) {
      const logged_before = environment.log.length;
      for (const what of await scene.play(attacker))
        faults.add({ kind: scene.name, what: `${scene.name}: ${what}`, input: null });
      await attacker.logIsWritten();
      for (const line of environment.log.slice(logged_before)) {
        for (const fault of logFaults(line, environment.canaries)) faults.add({ ...fault, input: null });
      }
    }
    await attack(attacker, faults, own, seed, of_senders);
    for (const what of await offences(environment)) faults.add({ kind: what, what, input: null });
    return { figures: figuresOf(attacker, faults, seed, Date.now() - began), stories: faults.stories };
  } finally {
    attacker.close();
    await environment.close();
  }
}

/** As the app has them, so that a route that comes to it is attacked, too. */
async function routesOf({ worker }: Environment): Promise<string[]> {
  const routes = (await (await fetch(`${worker.url}/attack/routes`)).json()) as {
    method: string;
    path: string;
  }[]; // The worker's own.
  return [...new Set(routes.map(({ method, path }) => `${method} ${path}`))];
}

async function attack(
  attacker: Attacker,
  faults: Faults,
  kind: Kind,
  seed: number,
  count: number,
): Promise<void> {
  let before = await kind.look();
  for (let sent = 0; sent < count; sent += BATCH) {
    const drawing = { seed: seedOf(seed, kind.name, sent), numRuns: Math.min(BATCH, count - sent) };
    const inputs = fc.sample(kind.inputs, drawing);
    const { answers, logged } = await attacker.volley(inputs);
    const after = await kind.look();
    // The same again, alone.
    const again = async (input: Input, is: (found: Fault[]) => boolean) => is(await alone(attacker, input));
    const smaller = async (input: Input, is: (found: Fault[]) => boolean): Promise<Input> => {
      const from = { seed: drawing.seed, index: inputs.indexOf(input) };
      return (await smallest(kind.inputs, from, (one) => again(one, is))) ?? input;
    };
    for (const found of answers) {
      const { input } = found;
      if (faults.isNew(found) && input) {
        const small = await smaller(input, (some) => some.some((one) => one.kind === found.kind));
        faults.add({ ...found, input: small });
      } else faults.add(found);
    }
    for (const fault of logged) {
      if (!faults.isNew(fault)) {
        faults.add({ ...fault, input: null });
        continue;
      }
      const shows = async (some: readonly Input[]) =>
        (await attacker.volley(some)).logged.some(({ kind: logged_kind }) => logged_kind === fault.kind);
      const culprit = await narrowed(inputs, shows);
      faults.add({
        ...fault,
        input: culprit && (await smaller(culprit, (some) => some.some((one) => one.kind === fault.kind))),
      });
    }
    const changed = changes(before, after);
    if (changed.length > 0) {
      const changesAgain = async (some: readonly Input[]) => {
        const was = await kind.look();
        await attacker.volley(some);
        return changes(was, await kind.look()).length > 0;
      };
      const culprit = await narrowed(inputs, changesAgain);
      if (culprit !== null || !changed.every(isByTheClock)) {
        const what = changed.map(describeChange).join("\n");
        faults.add({ kind: "effect", what: `${kind.name} inputs changed ${what}`, input: culprit });
      }
    }
    before = await kind.look();
    if (faults.kinds > STORIES) return;
  }
}

/** What is wrong where an input is sent by itself. */
async function alone(attacker: Attacker, input: Input): Promise<Fault[]> {
  const { answers, logged } = await attacker.volley([input]);
  return [...answers, ...logged];
}

/** Each kind draws inputs of its own, and so does each batch. */
function seedOf(seed: number, name: Kind["name"], sent: number): number {
  return (Math.imul(seed, 0x9e3779b1) + sent + (name === "authentic" ? 0x40000000 : 0)) | 0;
}

/** What SignalWire would have refused of what the Worker sent it. */
async function offences({ tenants }: Environment): Promise<string[]> {
  const projects = new Set([...tenants.values()].map(({ project }) => project));
  const violations = await Promise.all(
    [...projects].map((project) => project.journal({ kind: "violation" })),
  );
  return violations
    .flat()
    .map((entry) => `SignalWire was sent what it does not take: ${JSON.stringify(entry)}`);
}

/** Faults by their kind. */
class Faults {
  readonly stories: string[] = [];
  readonly counts: Record<string, number> = {};

  get kinds(): number {
    return Object.keys(this.counts).length;
  }

  isNew({ kind }: Fault): boolean {
    return this.counts[kind] === undefined;
  }

  add({ kind, what, input }: Found): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (this.counts[kind] > 1 || this.stories.length >= STORIES) return;
    this.stories.push(
      input === null ? what : `${what}\nnpm run attack -- --replay '${JSON.stringify(input)}'`,
    );
  }
}

function figuresOf(
  { by_route, by_status, ms }: Attacker,
  { counts }: Faults,
  seed: number,
  took_ms: number,
): Verdict["figures"] {
  const sorted = ms.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 10) / 10;
  return {
    seed,
    inputs: ms.length,
    faults: counts,
    answers: by_status,
    by_route,
    ms: { p50: at(0.5), p99: at(0.99), max: at(1 - 1e-9) },
    took_s: Math.round(took_ms / 1_000),
  };
}
