import { type Result, runCond, runGoto, runResult, runSwitch } from "./branching.ts";
import { expand } from "./expansion.ts";
import { type Flow, type Frame, goOn, type Machine, numberOf, read } from "./machine.ts";
import { runPrompt } from "./prompt.ts";
import { playingOf } from "./sounds.ts";
import {
  answerBody,
  condBody,
  executeBody,
  fullBody,
  hangupBody,
  isStepName,
  joinConferenceBody,
  playBody,
  type Step,
  type StepName,
  setBody,
  sleepBody,
  switchBody,
  transferBody,
  unsetBody,
} from "./steps.ts";

/** Of `answer`, as its reference has it. */
const default_max_duration_s = 14_400;

/** Keys that hold steps, or JavaScript as it stands: expanded when those run, not before. */
const laterKeys: Partial<Record<StepName, readonly string[]>> = {
  execute: ["on_return", "result"],
  goto: ["when"],
  join_conference: ["result"],
  switch: ["case", "default"],
};

/** Runs one step that the grammar has passed, with its strings expanded. Throws `StepError`, or the signal's reason. */
export async function perform(machine: Machine, step: Step, frame: Frame): Promise<Flow> {
  const [entry] = Object.entries(step);
  if (entry === undefined || !isStepName(entry[0])) return goOn;
  const [name, written] = entry;
  const body = expandBody(machine, name, fullBody(name, written), frame);
  machine.leg.note("document", { step: name, body });
  const { leg, signal } = machine;
  switch (name) {
    case "answer":
      return answer(machine, body);
    case "cond":
      return await runCond(machine, read(condBody, body), frame);
    case "execute":
      return await execute(machine, body, frame);
    case "goto":
      return runGoto(machine, body, step, frame);
    case "hangup":
      leg.hangUp(read(hangupBody, body).reason ?? "hangup");
      return { go: "hung up" };
    case "join_conference":
      return await joinConference(machine, body, frame);
    case "label":
      return goOn;
    case "play":
      return await play(machine, body);
    case "prompt":
      answerBeforePrompt(machine);
      await runPrompt(leg, body, signal);
      return goOn;
    case "return":
      return { go: "return", value: body };
    case "set":
      Object.assign(leg.vars, read(setBody, body));
      return goOn;
    case "sleep":
      return await sleep(machine, body);
    case "switch":
      return await runSwitch(machine, read(switchBody, body), frame);
    case "transfer": {
      const { dest, params } = read(transferBody, body);
      return await machine.transfer(dest, params ?? {}, frame);
    }
    case "unset":
      for (const variable of [read(unsetBody, body)].flat()) delete leg.vars[variable];
      return goOn;
  }
}

function expandBody(machine: Machine, name: StepName, body: unknown, frame: Frame): unknown {
  if (name === "cond") return body;
  const later = laterKeys[name] ?? [];
  const note = (expansion: object) => machine.leg.note("document", { ...expansion, step: name });
  const scope = machine.scope(frame);
  if (later.length === 0 || typeof body !== "object" || body === null) return expand(body, scope, note);
  const entries = Object.entries(body).map(([key, value]) => [
    key,
    later.includes(key) ? value : expand(value, scope, note),
  ]);
  return Object.fromEntries(entries);
}

function answer({ leg }: Machine, body: unknown): Flow {
  const { max_duration } = read(answerBody, body);
  const max_ms = max_duration === undefined ? undefined : numberOf(max_duration, 0) * 1000;
  leg.answer({ max_ms, default_ms: default_max_duration_s * 1000 });
  return goOn;
}

function answerBeforePrompt({ leg }: Machine): void {
  const { call_state } = leg.describe();
  if (call_state === "answered") return;
  leg.note("violation", { step: "prompt", problem: "a prompt before `answer`: keys can't be relied on" });
  leg.answer();
}

async function play({ leg, signal }: Machine, body: unknown): Promise<Flow> {
  const { url, urls, auto_answer } = read(playBody, body);
  if (auto_answer !== false && auto_answer !== "false") leg.answer();
  for (const each of urls ?? (url === undefined ? [] : [url])) {
    const playing = playingOf(each);
    const stop = leg.hear(playing.sound, playing.detail);
    try {
      await leg.sleep(playing.duration_ms, signal);
    } finally {
      stop();
    }
  }
  return goOn;
}

async function sleep({ leg, signal }: Machine, body: unknown): Promise<Flow> {
  const duration_ms = numberOf(read(sleepBody, body).duration, 0);
  if (duration_ms === -1) return await never(signal);
  await leg.sleep(duration_ms, signal);
  return goOn;
}

function never(signal: AbortSignal): Promise<Flow> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function joinConference(machine: Machine, body: unknown, frame: Frame): Promise<Flow> {
  const { leg, signal, switches } = machine;
  const { result, ...params } = read(joinConferenceBody, body);
  leg.answer();
  const at_once = result !== undefined && switches.join_result_at_join === "answered_at_once";
  const until = at_once ? "joined" : "left";
  const join_conference_result = await leg.joinConference(params, signal, "swml", until);
  Object.assign(leg.vars, { join_conference_result, return_value: join_conference_result });
  if (result !== undefined) return await runResult(machine, result, frame);
  leg.hangUp("hangup");
  return { go: "hung up" };
}

async function execute(machine: Machine, body: unknown, frame: Frame): Promise<Flow> {
  const { dest, params, on_return, result } = read(executeBody, body);
  const flow = await machine.execute(dest, params ?? {}, frame);
  if (flow.go !== "return") return flow;
  Object.assign(machine.leg.vars, { return_value: flow.value ?? null });
  const after = on_return === undefined ? goOn : await machine.runSteps(on_return, frame);
  if (after.go !== "on") return after;
  const branch: Result =
    Array.isArray(result) || result === undefined
      ? result
      : { ...result, variable: result.variable ?? "return_value" };
  return branch === undefined ? goOn : await runResult(machine, branch, frame);
}
