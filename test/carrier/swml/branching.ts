import type { z } from "zod";
import { evaluate, lookUp, type Scope } from "./expansion.ts";
import { type Flow, type Frame, goOn, type Machine, read } from "./machine.ts";
import { type condBody, gotoBody, type Step, type switchBody } from "./steps.ts";

type SwitchBody = Pick<z.output<typeof switchBody>, "case" | "default"> & { readonly variable: string };

/** The `result` of a step that has one, or nothing. */
export type Result = z.output<typeof condBody> | SwitchBody | undefined;

/** Runs the case that the variable's value names, else the default; neither is an error, as SWML's schema says. */
export async function runSwitch(machine: Machine, body: SwitchBody, frame: Frame): Promise<Flow> {
  const value = String(lookUp(body.variable, machine.scope(frame)) ?? "");
  const steps = Object.hasOwn(body.case, value) ? body.case[value] : body.default;
  if (steps !== undefined) return await machine.runSteps(steps, frame);
  return { go: "stranded", reason: `switch: no case for ${body.variable} = "${value}", and no default` };
}

/** Runs what the first true `when` says; an `else` of a condition that is false runs, and so does one that stands alone. */
export async function runCond(
  machine: Machine,
  body: z.output<typeof condBody>,
  frame: Frame,
): Promise<Flow> {
  for (const condition of body) {
    if (!("when" in condition)) return await machine.runSteps(condition.else, frame);
    if (holds(machine, condition.when, frame)) return await machine.runSteps(condition.then, frame);
    if (condition.else !== undefined) return await machine.runSteps(condition.else, frame);
  }
  return goOn;
}

export async function runResult(machine: Machine, result: NonNullable<Result>, frame: Frame): Promise<Flow> {
  return Array.isArray(result)
    ? await runCond(machine, result, frame)
    : await runSwitch(machine, result, frame);
}

/** Where a `goto` leads: past its `max` the section ends, as if it had run out. */
export function runGoto(machine: Machine, body: unknown, step: Step, frame: Frame): Flow {
  const { label, when, max } = read(gotoBody, body);
  if (when !== undefined && !holds(machine, when, frame)) return goOn;
  if (machine.countJump(step) > Number(max ?? 100)) return { go: "return", value: undefined };
  return { go: "label", label };
}

function holds(machine: Machine, when: string, frame: Frame): boolean {
  const value = attempt(unwrapped(when), machine.scope(frame));
  machine.leg.note("document", { condition: when, value });
  return Boolean(value);
}

/** A condition is JavaScript as it stands; one that is wholly an expansion is what that encloses. */
function unwrapped(when: string): string {
  return /^[$%]\{([\s\S]*)\}$/.exec(when.trim())?.[1] ?? when;
}

/** A condition that throws, as over a variable that was never set, does not hold. */
function attempt(code: string, scope: Scope): unknown {
  try {
    return evaluate(code, scope);
  } catch {
    return undefined;
  }
}
