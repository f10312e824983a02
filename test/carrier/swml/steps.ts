import { z } from "zod";
import { type GrammarError, grammarErrors } from "./grammar-errors.ts";
import { joinConferenceParams } from "./join-conference.ts";
import { orVariable, playUrl, strict } from "./values.ts";

/** One step as written: an object whose only key is the step's name. */
export type Step = Readonly<Record<string, unknown>>;

/** Steps inside a step or a section; each is checked by its own grammar. */
export const stepList: z.ZodType<Step[]> = z.array(z.custom<Step>()).check((context) => {
  for (const [index, step] of context.value.entries()) {
    for (const { path, message } of stepErrors(step)) {
      context.issues.push({ code: "custom", path: [index, ...path], message, input: step });
    }
  }
});

const named = z.record(z.string(), z.unknown());
const seconds = orVariable(z.number().positive());
const voice = {
  volume: orVariable(z.number().min(-40).max(40)).optional(),
  say_voice: z.string().optional(),
  say_language: z.string().optional(),
  say_gender: orVariable(z.enum(["male", "female"])).optional(),
};
const variableName = z.string().regex(/^[A-Za-z_$][\w$.]*$/, "a variable's name");

const cases = { case: z.record(z.string(), stepList), default: stepList.optional() };
const condition = z.union([
  // biome-ignore lint/suspicious/noThenProperty: SWML's own name for the key; the object is never awaited.
  strict({ when: z.string().min(1), then: stepList, else: stepList.optional() }),
  strict({ else: stepList }),
]);

export const switchBody = strict({ variable: z.string().min(1), ...cases });
export const condBody = z.array(condition).min(1, "at least one condition");
export const answerBody = strict({
  max_duration: orVariable(z.int().min(7)).optional(),
  codecs: z.string().optional(),
});
export const playBody = strict({
  url: playUrl.optional(),
  urls: z.array(playUrl).min(1, "at least one URL").optional(),
  auto_answer: orVariable(z.boolean()).optional(),
  ...voice,
}).refine((body) => (body.url === undefined) !== (body.urls === undefined), {
  error: "either `url` or `urls`, not both and not neither",
});
export const promptBody = strict({
  play: z.union([playUrl, z.array(playUrl).min(1, "at least one URL")]),
  max_digits: orVariable(z.int().min(1)).optional(),
  terminators: orVariable(
    z.string().regex(/^[0-9*#A-D]+$/, "keys of the telephone: 0-9, *, #, A-D"),
  ).optional(),
  digit_timeout: seconds.optional(),
  initial_timeout: seconds.optional(),
  ...voice,
});
export const sleepBody = strict({
  duration: orVariable(
    z.int().refine((ms) => ms === -1 || ms > 0, {
      error: "milliseconds, more than 0; or -1 for a sleep without end",
    }),
  ),
});
export const transferBody = strict({
  dest: z.string().min(1),
  params: named.optional(),
  meta: named.optional(),
});
export const executeBody = strict({
  dest: z.string().min(1),
  params: named.optional(),
  meta: named.optional(),
  on_return: stepList.optional(),
  result: z.union([strict({ variable: z.string().min(1).optional(), ...cases }), condBody]).optional(),
});
export const joinConferenceBody = strict({
  ...joinConferenceParams,
  result: z.union([switchBody, condBody]).optional(),
});
/** Six reasons in the newest schema, three before: those that every version allows. */
export const hangupBody = strict({ reason: orVariable(z.enum(["hangup", "busy", "decline"])).optional() });
export const setBody = z.record(variableName, z.unknown());
export const unsetBody = z.union([z.array(variableName).min(1, "at least one name"), variableName]);
export const labelBody = strict({ label: z.string().min(1) });
export const gotoBody = strict({
  label: z.string().min(1),
  when: z.string().min(1).optional(),
  max: orVariable(z.int().min(1).max(100)).optional(),
});
const returnBody = z.unknown();

const bodies = {
  answer: answerBody,
  cond: condBody,
  execute: executeBody,
  goto: gotoBody,
  hangup: hangupBody,
  join_conference: joinConferenceBody,
  label: labelBody,
  play: playBody,
  prompt: promptBody,
  return: returnBody,
  set: setBody,
  sleep: sleepBody,
  switch: switchBody,
  transfer: transferBody,
  unset: unsetBody,
};

export type StepName = keyof typeof bodies;

/** What a bare string or number stands for, in the steps that may be written so (`{"sleep": 500}`). */
const bareKeys: Partial<Record<StepName, string>> = {
  answer: "max_duration",
  execute: "dest",
  goto: "label",
  hangup: "reason",
  join_conference: "name",
  label: "label",
  play: "url",
  sleep: "duration",
  transfer: "dest",
};

/** The body with a bare value put under the key that it stands for. */
export function fullBody(name: StepName, body: unknown): unknown {
  const key = bareKeys[name];
  const bare = typeof body === "string" || typeof body === "number";
  return key !== undefined && bare ? { [key]: body } : body;
}

export function isStepName(name: string): name is StepName {
  return Object.hasOwn(bodies, name);
}

function stepErrors(step: unknown): GrammarError[] {
  if (typeof step !== "object" || step === null || Array.isArray(step)) {
    return [{ path: [], message: 'a step is an object with one key, such as {"hangup": {}}' }];
  }
  const [entry, ...more] = Object.entries(step);
  if (entry === undefined || more.length > 0) {
    const keys = Object.keys(step).join(", ");
    return [{ path: [], message: `a step has exactly one key, its name; this one has ${keys || "none"}` }];
  }
  const [name, body] = entry;
  if (!isStepName(name)) {
    return [
      {
        path: [name],
        message: `no step that this carrier runs; those are ${Object.keys(bodies).join(", ")}`,
      },
    ];
  }
  const parsed = bodies[name].safeParse(fullBody(name, body));
  if (parsed.success) return [];
  return grammarErrors(parsed.error).map(({ path, message }) => ({ path: [name, ...path], message }));
}
