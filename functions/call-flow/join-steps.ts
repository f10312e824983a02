import { type JoinParameters, withLimit } from "../../shared/conference.ts";
import { callerParams } from "../../shared/documents/caller-params.ts";
import type { Join, LastStep, Staying, Step } from "../../shared/documents/step.ts";
import type { Placing } from "../../shared/placing.ts";
import type { Answers } from "../../shared/rules/answers.ts";
import type { Decision, Place, Refusal } from "../../shared/rules/decision.ts";
import type { CallContext } from "./call-context.ts";

/**
 * The call's own document joins the room, and goes where the rule says when it is over. Where seats are limited the conference holds
 * the limit, too: the document may run when our count is not there, or is out of date.
 */
export function inlineJoin(
  context: Pick<CallContext, "call">,
  placing: Pick<Placing, "after" | "max_duration_s" | "capacity">,
  room: string,
  join: JoinParameters,
): Join {
  const { capacity } = placing;
  const limited = capacity === undefined ? join : withLimit(join, capacity);
  return { does: "join", room, join: limited, staying: stayingOf(context, placing) };
}

/** What holds for the call while it is in its room. */
export function stayingOf(
  { call }: Pick<CallContext, "call">,
  { after, max_duration_s }: Pick<Placing, "after" | "max_duration_s">,
): Staying {
  return {
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
    ...(after === undefined ? {} : { after }),
    params: callerParams(call.params).params,
  };
}

/** What of a decision is carried on: not how it came about, nor what is said before. */
export function placingOf(decision: Decision & Place, answers: Answers): Placing {
  const placing = withoutReasons(decision);
  const isSecret =
    placing.rejoin_s !== undefined && Object.values(answers).some(({ hmac }) => hmac !== undefined);
  return isSecret ? { ...placing, secret: true } : placing;
}

function withoutReasons({
  announce: _,
  announces_recording: ______,
  looked_at: __,
  more_looked_at: ___,
  after_wrong: ____,
  over_budget: _____,
  ...placing
}: Decision & Place): Placing {
  return placing;
}

/** A rejection or a hand-over, as it is done. */
export function lastStep({ call }: Pick<CallContext, "call">, { action, ...word }: Refusal): LastStep {
  return action === "reject"
    ? { does: action, ...word }
    : { does: action, ...word, params: callerParams(call.params).params };
}

/** Nothing is left to do for the call. */
export const over: Step = { does: "reject" };
