import type { z } from "zod";
import type { Leg } from "../leg.ts";
import type { Switches } from "../switches/index.ts";
import type { Scope } from "./expansion.ts";
import type { Found } from "./fetching.ts";
import type { Sections } from "./grammar.ts";
import type { Step } from "./steps.ts";

/** The document that runs, and what it was given. */
export interface Frame {
  readonly sections: Sections;
  /** What the `transfer` or `execute` that led here passed: they replace those before, never join them. */
  readonly params: Readonly<Record<string, unknown>>;
  /** How many `execute`s are open around this document. */
  readonly depth: number;
}

/** Where a document goes on: a section of this one or of another, or why there is none. */
export type Place =
  | { readonly ok: true; readonly section: string; readonly frame: Frame }
  | Exclude<Found, { ok: true }>;

/** What comes after a step. */
export type Flow =
  | { readonly go: "on" }
  | { readonly go: "return"; readonly value: unknown }
  | { readonly go: "label"; readonly label: string }
  | { readonly go: "transfer"; readonly place: Place }
  | { readonly go: "hung up" }
  | { readonly go: "stranded"; readonly reason: string };

/** What a step has to work with. */
export interface Machine {
  readonly leg: Leg;
  /** Aborted when the call has ended or the document was replaced. */
  readonly signal: AbortSignal;
  readonly switches: Switches;
  scope(frame: Frame): Scope;
  runSteps(steps: readonly Step[], frame: Frame): Promise<Flow>;
  /** Finds `dest`, where the document then goes on. */
  transfer(dest: string, params: Frame["params"], frame: Frame): Promise<Flow>;
  /** Runs `dest` as a subroutine: its `return`'s value, or how it ended otherwise. */
  execute(dest: string, params: Frame["params"], frame: Frame): Promise<Flow>;
  /** How often this `goto` has jumped, this time included. */
  countJump(step: Step): number;
}

export const goOn: Flow = { go: "on" };

/** A step that is wrong once its expressions are expanded; the document cannot go on. */
export class StepError extends Error {}

/** The step's body as its schema has it, after expansion. Throws `StepError`. */
export function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new StepError(`after expansion, ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
}

/** A number that may have been written as a variable, and so have come out as text. Throws `StepError`. */
export function numberOf(value: number | string | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number = Number(value);
  if (value === "" || Number.isNaN(number)) throw new StepError(`"${value}" is not a number`);
  return number;
}
