import { createHash } from "node:crypto";
import { openQuestions, type Switches, switchesSchema } from "../carrier/switches/index.ts";
import type { OpenQuestion, Reading } from "../carrier/switches/open-question.ts";
import { Random } from "./random.ts";

/** Some readings by the names of their switches; of other questions nothing is said. */
export type SomeReadings = Readonly<Record<string, Reading>>;

/** The table without its literal types: names and readings as they come. */
export const questions: Readonly<Record<string, OpenQuestion>> = openQuestions;

/** How many of a project's readings are not the first. */
const UNUSUAL = { from: 3, to: 6 };
/** How often a question is among them, by the harm that its readings do. */
const WEIGHTS: Record<OpenQuestion["kind"], number> = { harmful: 3, degrading: 2, harmless: 1 };

/** The first reading of every question, but for those given. */
export function readingsWith(given: SomeReadings = {}): Switches {
  return switchesSchema.parse(given);
}

/**
 * What holds for a project's whole life: for most questions the first reading, for some another. Each question has a random
 * stream of its own, so that one more in the table changes few draws, and none of a plan's calls and troubles.
 */
export function drawReadings(seed: number, project: number, fixed: SomeReadings): Switches {
  const count = new Random(seedFrom(`${seed} ${project}`)).between(UNUSUAL.from, UNUSUAL.to);
  const drawn = Object.entries(questions)
    .flatMap(([name, { readings, kind }]) => {
      const [, first, ...others] = readings;
      if (first === undefined) return [];
      const random = new Random(seedFrom(`${seed} ${project} ${name}`));
      // Weighted sampling without replacement (Efraimidis and Spirakis): the highest keys are the sample.
      return [{ name, key: random.next() ** (1 / WEIGHTS[kind]), reading: random.pick([first, ...others]) }];
    })
    .sort((a, b) => b.key - a.key)
    .slice(0, count)
    .map(({ name, reading }) => [name, reading] as const);
  return readingsWith({ ...Object.fromEntries(drawn), ...fixed });
}

/** Those that are not the first of their questions. */
export function unusualOf(readings: Switches): Record<string, Reading> {
  const isUnusual = ([name, reading]: [string, Reading]) => questions[name]?.readings[0] !== reading;
  return Object.fromEntries(Object.entries(readings).filter(isUnusual));
}

/** Readings from `NAME=VALUE`, or what is wrong with the first that is none. */
export function parseReadings(given: readonly string[]): { [name: string]: Reading } | string {
  const parsed: { [name: string]: Reading } = {};
  for (const one of given) {
    const [, name = one, value] = /^([^=]*)=(.*)$/.exec(one) ?? [];
    const known = questions[name]?.readings;
    if (!known) return `there is no open question ${name}; these are: ${Object.keys(questions).join(", ")}`;
    const reading = known.find((reading) => String(reading) === value);
    if (reading === undefined) return `${name} is one of ${known.join(", ")}, not ${value ?? "nothing"}`;
    parsed[name] = reading;
  }
  return parsed;
}

/** A seed from whatever names something, as good as another. */
export function seedFrom(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE();
}
