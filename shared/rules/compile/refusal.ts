import type { Call } from "../../call.ts";
import type { Answers } from "../answers.ts";
import type { Finding, HandOver, Refusal, Reject } from "../decision.ts";
import type { HandOverText, OtherwiseText, RejectText } from "../schema/refusal-schema.ts";
import { readSpoken, type Speech } from "./interpolation.ts";

/** The action for a call, or null, with a finding that says why not. */
export type Reader<Result> = (
  call: Call,
  field: string,
  findings: Finding[],
  answers?: Answers,
) => Result | null;

/** What is done where nothing else is said: a ruleset need not have a fallback. */
export function rejectByDefault(): Reject {
  return { action: "reject", say: { say: "We are sorry. This number cannot take your call. Goodbye." } };
}

export function readReject(reject: RejectText, speech: Speech): Reader<Reject> {
  const { say, play, language, voice, reason } = reject;
  const why = reason === undefined ? {} : { reason };
  if (say === undefined && play === undefined) return () => ({ action: "reject", ...why });
  const spoken = readSpoken(
    {
      ...(say === undefined ? {} : { say }),
      ...(play === undefined ? {} : { play }),
      ...(language === undefined ? {} : { language }),
      ...(voice === undefined ? {} : { voice }),
    },
    speech,
  );
  return (call, field, findings, answers) => {
    const line = spoken(call, `${field}.say`, findings, answers);
    return line === null ? null : { action: "reject", say: line, ...why };
  };
}

export function readHandOver({ swml, cxml }: HandOverText): Reader<HandOver> {
  const urls = { ...(swml === undefined ? {} : { swml }), ...(cxml === undefined ? {} : { cxml }) };
  return (call, field, findings) => {
    // RELAY's transfer takes what SWML's does.
    const wanted = call.via === "cxml" ? "cxml" : "swml";
    if (urls[wanted] !== undefined) return { action: "hand_over", ...urls };
    const why = `there is no ${wanted} URL for a call that came by ${call.via}`;
    findings.push({ field, holds: false, why });
    return null;
  };
}

/** One or the other, as written. */
export function readOtherwise({ reject, hand_over }: OtherwiseText, speech: Speech): Reader<Refusal> {
  if (hand_over !== undefined) return readHandOver(hand_over);
  if (reject !== undefined) return readReject(reject, speech);
  // The schema lets neither through without the other.
  return () => rejectByDefault();
}
