import * as z from "zod";
import { joinConferenceParameters } from "../conference.ts";
import type { Spoken } from "../rules/decision.ts";

/** Seconds. */
const answerStep = z.strictObject({
  answer: z.strictObject({ max_duration: z.int().min(10).exactOptional() }),
});

/** Names of variables. */
const unsetStep = z.strictObject({ unset: z.array(z.string().min(1)).min(1) });

const promptUrl = z.string().regex(/^(https?:\/\/\S+|say:.*\S.*)$/);

const promptStep = z.strictObject({
  prompt: z.strictObject({
    play: z.union([promptUrl, z.array(promptUrl).min(2)]),
    max_digits: z.int().min(1),
    terminators: z.string().min(1).exactOptional(),
    /** Seconds. */
    initial_timeout: z.number().positive(),
    digit_timeout: z.number().positive(),
    say_language: z.string().min(1).exactOptional(),
    say_voice: z.string().min(1).exactOptional(),
  }),
});

const soundUrl = z.string().regex(/^(https?:\/\/\S+|say:.*\S.*|ring:(\d+:)?[a-z]{2})$/);

const playSchema = z.strictObject({
  play: z.strictObject({
    url: soundUrl,
    say_language: z.string().min(1).exactOptional(),
    say_voice: z.string().min(1).exactOptional(),
  }),
});

/** One after the other. */
const playListStep = z.strictObject({ play: z.strictObject({ urls: z.array(soundUrl).min(2).max(100) }) });

/** Milliseconds; -1 never ends. */
const sleepStep = z.strictObject({ sleep: z.int().min(-1) });

const transferStep = z.strictObject({
  transfer: z.strictObject({
    /** A document, or a section of this one. */
    dest: z.union([z.url({ protocol: /^https?$/ }), z.string().regex(/^[a-z]+$/)]),
    /** They replace the params before; nothing of those travels by itself. */
    params: z.record(z.string(), z.unknown()).exactOptional(),
  }),
});

const hangupStep = z.strictObject({
  hangup: z.strictObject({ reason: z.enum(["hangup", "busy", "decline"]).exactOptional() }),
});

const afterJoin = z.array(z.union([playSchema, hangupStep, transferStep, sleepStep])).min(1);

const joinStep = z.strictObject({
  join_conference: joinConferenceParameters.extend({
    /** Without it the end of the conference ends the call, unheard. */
    result: z.strictObject({
      variable: z.literal("join_conference_result"),
      case: z.partialRecord(z.enum(["completed", "answered", "no-answer", "failed", "canceled"]), afterJoin),
      default: afterJoin,
    }),
  }),
});

const executeStep = z.strictObject({
  execute: z.strictObject({
    /** A document of ours. */
    dest: z.url({ protocol: /^https?$/ }),
    params: z.record(z.string(), z.unknown()).exactOptional(),
  }),
});

/** Ends an `execute`; the value is in `return_value` then. */
const returnStep = z.strictObject({ return: z.string().min(1) });

const switchStep = z.strictObject({
  switch: z.strictObject({
    variable: z.literal("return_value"),
    case: z.record(z.string().min(1), z.array(transferStep).min(1)),
    /** Without it a value that is no case is an error. */
    default: z.array(sleepStep).min(1),
  }),
});

const step = z.union([
  answerStep,
  playSchema,
  playListStep,
  promptStep,
  sleepStep,
  transferStep,
  unsetStep,
  joinStep,
  hangupStep,
  executeStep,
  returnStep,
  switchStep,
]);
const section = z.array(step).min(1);

/**
 * The part of SWML's grammar that our documents are written in, as SignalWire's JSON schema has it:
 * strict, for there an unknown key at any level is an error.
 */
export const swmlDocument = z.strictObject({
  version: z.literal("1.0.0"),
  sections: z.object({ main: section }).catchall(section),
});

export type SwmlDocument = z.infer<typeof swmlDocument>;
export type Step = z.infer<typeof step>;
export type PlayStep = z.infer<typeof playSchema>;
export type TransferStep = z.infer<typeof transferStep>;
export type HangupStep = z.infer<typeof hangupStep>;

export function document(...main: Step[]): SwmlDocument {
  return { version: "1.0.0", sections: { main } };
}

/** The step that speaks the words or plays the media; it answers the call where nothing did before. */
export function playStep(spoken: Spoken): PlayStep {
  if ("play" in spoken) return { play: { url: spoken.play } };
  const { say, language, voice } = spoken;
  return {
    play: {
      // SWML's schema has the words on one line; those of a ruleset may be on several.
      url: `say:${say.replace(/\s+/g, " ").trim()}`,
      ...(language === undefined ? {} : { say_language: language }),
      ...(voice === undefined ? {} : { say_voice: voice }),
    },
  };
}
