import type { JoinParameters } from "../../shared/conference.ts";
import type { Join, Next } from "../../shared/documents/next.ts";
import type { LastWord } from "../../shared/rules/decision.ts";
import { withNumber } from "../../shared/rules/filling.ts";
import { rejectByDefault } from "../../shared/rules/last-word.ts";
import { POSITION } from "../../shared/rules/template.ts";
import type { PlacedState, Placing } from "../../shared/seal.ts";
import type { PlaceReply, TurnedAway } from "../session/contract.ts";
import { inlineJoin, lastNext, over, stayingOf } from "./joining.ts";
import { type CallVisit, LAST_STEP, wayBack } from "./visit.ts";

/** How long a call is held whose join is to be seen. */
export const HOLD_MS = 3_000;

/** Which of a call's placements, and what was decided. */
export interface PlacedAt {
  entry: string;
  step: number;
  placing: Placing;
  /** Where the call comes from its line: what it came with. */
  from_line?: Pick<PlacedState, "purpose" | "step">;
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
export async function outcomeNext(visit: CallVisit, at: PlacedAt, reply: PlaceReply): Promise<Next> {
  const { outcome, room, join } = reply;
  const { placing } = at;
  // Whatever became of its wait, it hears of it when it has come back for good.
  if (at.from_line?.purpose === "poll" && outcome !== "waiting") return { does: "return", value: "come" };
  switch (outcome) {
    case "accepted":
    case "unknown": {
      const isAccepted = outcome === "accepted";
      const back = await wayBack(visit, stateAt(at, isAccepted ? "confirm" : "settle", room));
      if (!back) return await documentJoin(visit, at, room, join);
      const staying = stayingOf(visit, placing);
      return isAccepted ? { does: "hold", ms: HOLD_MS, back, staying } : { does: "ring", back, staying };
    }
    case "document":
      return await documentJoin(visit, at, room, reply.counted ? join : uncounted(join, placing));
    case "over":
      return over;
    case "waiting":
      return await waitNext(visit, at, reply);
    case "full":
    case "absent":
    case "several":
    case "waited":
    case "declined":
      return lastNext(visit, lastWord(placing, outcome));
    default:
      return outcome satisfies never;
  }
}

/** The caller's own document joins. One in cXML can't say how that went, nor what comes after: it comes back with it. */
export async function documentJoin(
  visit: CallVisit,
  at: PlacedAt,
  room: string,
  join: JoinParameters,
): Promise<Join> {
  const next = inlineJoin(visit, at.placing, room, join);
  if (visit.call.via !== "cxml") return next;
  const back = await wayBack(visit, stateAt(at, "dialled", room));
  return back ? { ...next, over: back } : next;
}

async function waitNext(visit: CallVisit, at: PlacedAt, { room, waiting }: PlaceReply): Promise<Next> {
  const { wait } = at.placing;
  const otherwise = lastNext(visit, lastWord(at.placing, "waiting"));
  if (!wait) return otherwise;
  // Where nobody counts, nobody knows; and who waits for the moderator is let in together with the others.
  const { position_words: words } = wait;
  const isSaid = words !== undefined && waiting !== undefined && waiting.for !== "moderator";
  const position = isSaid ? { position: withNumber(words, POSITION, waiting.position) } : {};
  if (at.from_line?.purpose === "poll") return { does: "return", value: "stay", ...position };
  // cXML's redirects are not counted.
  const came = visit.call.via === "cxml" ? at.step : (at.from_line?.step ?? at.step);
  const poll = await wayBack(visit, stateAt(at, "poll", room));
  const turn = await wayBack(visit, { ...stateAt(at, "turn", room), step: came + 1 });
  // A call that could not come back would wait for ever.
  if (!poll || !turn || came >= LAST_STEP) return otherwise;
  return {
    does: "wait",
    for: waiting?.for ?? wait.for[0],
    ...position,
    ...(wait.announce === undefined || at.from_line ? {} : { announce: wait.announce }),
    ...(wait.music === undefined ? {} : { music: wait.music }),
    poll,
    turn,
    otherwise,
  };
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

function lastWord({ when_full, coach, wait }: Placing, why: TurnedAway | "waiting"): LastWord {
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
