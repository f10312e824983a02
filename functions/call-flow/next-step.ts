import type { JoinParameters } from "../../shared/conference.ts";
import type { Join, Step } from "../../shared/documents/step.ts";
import type { Placing } from "../../shared/placing.ts";
import { withNumber } from "../../shared/rules/compile/interpolation.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import type { Refusal } from "../../shared/rules/decision.ts";
import { POSITION } from "../../shared/rules/template.ts";
import type { PlacedState } from "../../shared/seal.ts";
import type { PlaceReply, TurnedAway } from "../session/contract/placement.ts";
import { type CallContext, LAST_STEP, resumeUrlFor } from "./call-context.ts";
import { inlineJoin, lastStep, over, stayingOf } from "./join-steps.ts";
import { asksUs, sealedForLine } from "./resume.ts";

/** Questions in one waiting document: its state is in it as often. */
const ROUNDS = 5;
const SHORTEST_ROUND_S = 20;

/** How long a call is held whose join is to be seen. */
export const HOLD_MS = 3_000;

/** Which of a call's placements, and what was decided. */
export interface PlacedAt {
  entry: string;
  step: number;
  placing: Placing;
  /** Where the call comes from its line: what it came with. */
  from_queue?: Pick<PlacedState, "purpose" | "step">;
}

/** What a call carries that comes back from where a placement sent it. */
export function stateAt(
  { entry, step, placing }: PlacedAt,
  purpose: PlacedState["purpose"],
  room: string,
): PlacedState {
  return { v: 1, purpose, entry, step: step + 1, place_step: step, placing, room };
}

/** What the call does, as its placement went. */
export async function stepFor(context: CallContext, at: PlacedAt, reply: PlaceReply): Promise<Step> {
  const { outcome, room, join } = reply;
  const { placing } = at;
  // Whatever became of its wait, it hears of it when it has come back for good.
  if (at.from_queue?.purpose === "poll" && outcome !== "waiting") return { does: "return", value: "come" };
  switch (outcome) {
    case "accepted": {
      const staying = stayingOf(context, placing);
      // The session watches for the join, and sends the call back to us where it does not come.
      if (context.call.via !== "relay") return { does: "stay", staying };
      const back = await resumeUrlFor(context, stateAt(at, "confirm", room));
      return back ? { does: "hold", ms: HOLD_MS, back, staying } : await documentJoin(context, at, reply);
    }
    case "unknown": {
      const back = await resumeUrlFor(context, stateAt(at, "settle", room));
      return back
        ? { does: "ring", back, staying: stayingOf(context, placing) }
        : await documentJoin(context, at, reply);
    }
    case "document":
      return await documentJoin(
        context,
        at,
        reply.counted ? reply : { ...reply, join: uncounted(join, placing) },
      );
    case "over":
      return over;
    case "waiting":
      return await waitStep(context, at, reply);
    case "full":
    case "absent":
    case "several":
    case "waited":
    case "declined":
      return lastStep(
        context,
        reply.say === undefined ? lastWord(placing, outcome) : { action: "reject", say: reply.say },
      );
    default:
      return outcome satisfies never;
  }
}

/** The caller's own document joins. One in cXML can't say how that went, nor what comes after: it comes back with it. */
export async function documentJoin(
  context: CallContext,
  at: PlacedAt,
  { room, join, may_stand }: Pick<PlaceReply, "room" | "join" | "may_stand">,
): Promise<Join> {
  const { entry, step } = at;
  const next = {
    ...inlineJoin(context, at.placing, room, join),
    ...asksUs(
      context,
      { entry, step, asked: 0 },
      {
        always: may_stand === true,
        limited: at.placing.capacity !== undefined,
        keeps_seat: at.placing.rejoin_s !== undefined,
        sealed: await sealedForLine(context, at, at.placing),
      },
    ),
  };
  if (context.call.via !== "cxml") return next;
  const back = await resumeUrlFor(context, stateAt(at, "dialled", room));
  return back ? { ...next, over: back } : next;
}

/** Callers who wait for the moderator are let in together, and for the first in a lobby there is no line to speak of. */
function isInLine({ for: what, position }: NonNullable<PlaceReply["waiting"]>): boolean {
  return what === "seat" || (what === "admission" && position > 1);
}

async function waitStep(context: CallContext, at: PlacedAt, { room, waiting }: PlaceReply): Promise<Step> {
  const { wait } = at.placing;
  const otherwise = lastStep(context, lastWord(at.placing, "waiting"));
  if (!wait) return otherwise;
  // Without a count there is no position.
  const { position_words: words } = wait;
  const isSaid = words !== undefined && waiting !== undefined && isInLine(waiting);
  const position = isSaid ? { position: withNumber(words, POSITION, waiting.position) } : {};
  if (at.from_queue?.purpose === "poll") return { does: "return", value: "stay", ...position };
  // cXML's redirects are not counted.
  const came = context.call.via === "cxml" ? at.step : (at.from_queue?.step ?? at.step);
  const left = LAST_STEP - came - (waiting?.asked ?? 0);
  const poll = await resumeUrlFor(context, stateAt(at, "poll", room));
  const turn = await resumeUrlFor(context, { ...stateAt(at, "turn", room), step: came + 1 });
  // A call that could not come back would wait for ever.
  if (!poll || !turn || left < 2) return otherwise;
  const music_s = waiting?.music_ms === undefined ? {} : { music_s: waiting.music_ms / 1000 };
  const isKnown = wait.music === undefined || waiting?.music_ms !== undefined;
  return {
    does: "wait",
    for: waiting?.for ?? wait.for[0],
    ...position,
    ...(wait.announce === undefined || at.from_queue ? {} : { announce: wait.announce }),
    ...(wait.music === undefined ? {} : { music: wait.music, ...music_s }),
    // A first round tells how long the music is.
    rounds: isKnown ? Math.min(ROUNDS, left - 1) : 1,
    round_s: roundSeconds(context, at.placing, left),
    poll,
    turn,
    otherwise,
  };
}

/**
 * How long a waiting document plays before it asks: so long that what is left of the call's transfers lasts for what is left of its
 * wait, whether or not each question counts among them. Each document costs one more.
 */
function roundSeconds(
  { received_at }: CallContext,
  { decided_at, wait }: Pick<Placing, "decided_at" | "wait">,
  left: number,
): number {
  const questions = Math.floor((left * ROUNDS) / (ROUNDS + 1));
  const left_s = Math.max(0, (wait?.max_s ?? 0) - (received_at - decided_at) / 1000);
  return Math.max(SHORTEST_ROUND_S, Math.ceil(left_s / Math.max(1, questions)));
}

/** Whether the call was let into no room. */
export function isTurnedAway(outcome: PlaceReply["outcome"]): outcome is TurnedAway | "waiting" {
  switch (outcome) {
    case "waiting":
    case "full":
    case "absent":
    case "several":
    case "waited":
    case "declined":
      return true;
    default:
      return false;
  }
}

function lastWord({ when_full, coach, wait }: Placing, why: TurnedAway | "waiting"): Refusal {
  const words = {
    full: when_full,
    absent: coach?.if_absent,
    several: coach?.if_several,
    waiting: wait?.otherwise,
    waited: wait?.otherwise,
    declined: wait?.otherwise,
  };
  const word = words[why];
  return typeof word === "object" ? word : rejectByDefault();
}

/**
 * The join where the session is not there to look: a coach only listens, for without knowing whom to coach all would hear what is
 * meant for one.
 */
export function uncounted(join: JoinParameters, { coach }: Pick<Placing, "coach">): JoinParameters {
  return coach === undefined ? join : { ...join, muted: true };
}
