import type { Leg } from "../leg.ts";
import type { Ending } from "../swml/runner.ts";
import { type CxmlIo, type Found, fetchCxml, type Source } from "./fetching.ts";
import { gather, soundOf } from "./gather.ts";
import type { Dial, Gather, Prompt, Verb } from "./verbs.ts";

type Fields = readonly (readonly [string, string])[];

/** What comes after a verb. */
type Flow =
  | { readonly go: "on" }
  | { readonly go: "fetch"; readonly source: Source; readonly fields: Fields }
  | { readonly go: "hung up" }
  | { readonly go: "stranded"; readonly reason: string };

const goOn: Flow = { go: "on" };

/**
 * Runs a cXML document, and those that it leads to, until the call or the signal ends it. `start` is where the first one
 * is fetched, or one that was had already. Endings are those of SWML documents. Never rejects but for a bug.
 */
export async function runCxml(
  leg: Leg,
  start: Source | { readonly found: Found },
  io: CxmlIo,
  signal: AbortSignal,
): Promise<Ending> {
  const either = AbortSignal.any([signal, leg.ended]);
  try {
    let found = "found" in start ? start.found : await fetchCxml(leg, io, start, [], io.is_first, either);
    while (found.ok) {
      const flow = await runVerbs(leg, found.verbs, found.source, io, either);
      switch (flow.go) {
        case "on":
          leg.hangUp("hangup");
          return { over: "document ended" };
        case "hung up":
          return { over: "hung up" };
        case "stranded":
          return { over: "stranded", reason: flow.reason };
        case "fetch":
          found = await fetchCxml(leg, io, flow.source, flow.fields, false, either);
      }
    }
    return { over: "stranded", reason: found.reason };
  } catch (error) {
    if (leg.ended.aborted) return { over: "hung up" };
    if (signal.aborted) return { over: "replaced" };
    throw error;
  }
}

async function runVerbs(
  leg: Leg,
  verbs: readonly Verb[],
  source: Source,
  io: CxmlIo,
  signal: AbortSignal,
): Promise<Flow> {
  for (const verb of verbs) {
    signal.throwIfAborted();
    leg.note("document", { verb: verb.verb, body: verb });
    const flow = await run(leg, verb, source, io, signal);
    if (flow.go !== "on") return flow;
  }
  return goOn;
}

async function run(leg: Leg, verb: Verb, source: Source, io: CxmlIo, signal: AbortSignal): Promise<Flow> {
  switch (verb.verb) {
    case "Say":
    case "Play":
    case "Pause":
      leg.answer();
      await hear(leg, verb, signal);
      return goOn;
    case "Gather":
      leg.answer();
      return await runGather(leg, verb, source, signal);
    case "Dial":
      leg.answer();
      return await dial(leg, verb, io, signal);
    case "Hangup":
      // As its reference says, a call that is hung up was answered; what is rejected was not.
      leg.answer();
      leg.hangUp("hangup");
      return { go: "hung up" };
    case "Reject":
      return reject(leg, verb.reason);
    case "Redirect":
      return { go: "fetch", source: { url: verb.url, method: verb.method }, fields: [] };
  }
}

async function hear(leg: Leg, prompt: Prompt, signal: AbortSignal): Promise<void> {
  const { playing, loop } = soundOf(prompt);
  for (let round = 0; loop === 0 || round < loop; round += 1) {
    const stop = leg.hear(playing.sound, playing.detail);
    try {
      await leg.sleep(playing.duration_ms, signal);
    } finally {
      stop();
    }
  }
}

/** Without an `action` the same document is fetched again, as its reference warns. */
async function runGather(leg: Leg, verb: Gather, source: Source, signal: AbortSignal): Promise<Flow> {
  const endPrompt = leg.beginPrompt();
  const digits = await gather(leg, verb, signal).finally(endPrompt);
  if (digits === "" && !verb.actionOnEmptyResult) return goOn;
  const next = verb.action === undefined ? source : { url: verb.action, method: verb.method };
  return { go: "fetch", source: next, fields: [["Digits", digits]] };
}

async function dial(leg: Leg, verb: Dial, io: CxmlIo, signal: AbortSignal): Promise<Flow> {
  const { coach } = verb.conference;
  const coached = typeof coach === "string" ? { coach: io.callIdOf(coach) ?? coach } : {};
  const status = await conference(leg, { ...verb.conference, ...coached }, verb.timeLimit, signal);
  if (verb.action === undefined) return goOn;
  const source: Source = { url: verb.action, method: verb.method };
  return { go: "fetch", source, fields: [["DialCallStatus", status]] };
}

/** Until the conference is over, or the time is: `DialCallStatus`, which for a conference that was entered is `answered`. */
async function conference(
  leg: Leg,
  params: Record<string, unknown>,
  limit_s: number,
  signal: AbortSignal,
): Promise<string> {
  const limit = new AbortController();
  const over = new AbortController();
  const cut = () => limit.abort(new Error("timeLimit has passed"));
  leg.sleep(limit_s * 1000, AbortSignal.any([signal, over.signal])).then(cut, () => {});
  try {
    const result = await leg.joinConference(params, AbortSignal.any([signal, limit.signal]), "cxml", "left");
    return result === "completed" ? "answered" : result;
  } catch (error) {
    signal.throwIfAborted();
    if (limit.signal.aborted) return "answered";
    throw error;
  } finally {
    over.abort(new Error("the dial is over"));
  }
}

function reject(leg: Leg, reason: "rejected" | "busy"): Flow {
  const { call_state } = leg.describe();
  if (call_state === "answered") {
    const problem = "Reject on a call that is answered: it must be the first verb, or Hangup must be used";
    leg.note("violation", { verb: "Reject", problem });
    return { go: "stranded", reason: problem };
  }
  leg.hangUp(reason === "busy" ? "busy" : "noAnswer");
  return { go: "hung up" };
}
