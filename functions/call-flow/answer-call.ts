import type { Call, Ingress } from "../../shared/call.ts";
import type { Heard } from "../../shared/documents/step.ts";
import { entryOf } from "../../shared/entry.ts";
import type { Placing } from "../../shared/placing.ts";
import { decide } from "../../shared/rules/decide.ts";
import type { Decision, Question } from "../../shared/rules/decision.ts";
import type { PlacedState, SealedState } from "../../shared/seal.ts";
import { log } from "../log.ts";
import { answerDialled } from "./answer-dialled.ts";
import { answersOf, askCall } from "./ask-call.ts";
import type { Prepared } from "./ask-session.ts";
import { noticeBefore, withCallerNumber } from "./before-room.ts";
import {
  type CallContext,
  callContextOf,
  type RequestContext,
  type Resolution,
  resumeUrlFor,
} from "./call-context.ts";
import { fallbackOf, noCall } from "./fallback.ts";
import { lastStep, placingOf } from "./join-steps.ts";
import { type NoPin, noPinWords, type PinPoint, refusedPin } from "./pin-check.ts";
import { placeCall } from "./place-call.ts";
import { prepareCall } from "./prepare-call.ts";
import { recordDecision } from "./record-history.ts";
import { resumeCall, settleCall } from "./settle-call.ts";

/** The way of a call: from what it brought to what it is to do next. */
export async function answerCall(request: RequestContext, call: Call, sealed: unknown): Promise<Resolution> {
  const context = await callContextOf(request, call);
  const opened = sealed === undefined ? null : await context.seals.open(sealed);
  if (opened?.ok === false) {
    // Taken for a fresh call; one whose seal another version of us wrote is decided anew.
    log("warn", "seal.unopened", { tenant: context.tenant.tenant, call: call.call_id, why: opened.reason });
    context.unopened = true;
  }
  if (opened?.ok) {
    const { purpose, entry, step } = opened.state;
    context.note = { ...context.note, purpose: purpose === "resume" ? "settle" : purpose, entry, step };
  }
  const resolution = opened?.ok ? await answerReturning(context, opened.state) : await answerByUrl(context);
  return { ...resolution, ...(resolution.told ? {} : { note: context.note }) };
}

/** A call that was made for a room: what a rule would have said of it is known. */
export async function answerOutbound(
  request: RequestContext,
  call: Call,
  decision: Decision,
): Promise<Resolution> {
  const context = await callContextOf(request, call);
  const point = { entry: "", step: 0, answers: {} };
  const prepared = await prepareCall(context, decision, point, false);
  const resolution = await answerDecision(context, decision, point, prepared);
  return { ...resolution, ...(resolution.told ? {} : { note: context.note }) };
}

/** A body that names no call: nothing to decide on, so the tenant's fallback speaks, and nothing is asked of the session. */
export function answerUnusable(request: RequestContext, via: Ingress): Resolution {
  return { rule: null, step: 0, ...fallbackOf(request, noCall(via)) };
}

async function answerByUrl(context: CallContext, carried?: PlacedState): Promise<Resolution> {
  const { resumed } = context;
  if (!resumed || !context.authentic) return await answerFresh(context);
  const { entry, step } = resumed;
  context.note = { ...context.note, purpose: "settle", entry, step };
  const isIt = carried?.entry === entry && carried.place_step === step;
  return await resumeCall(context, resumed, isIt ? carried.placing : null);
}

async function answerFresh(context: CallContext): Promise<Resolution> {
  const { call, received_at } = context;
  const { rules } = context.tenant;
  if (!rules) return nothingKnown(0);
  const entry = await entryOf(call.vars, call.params, context.query);
  context.note.entry = entry;
  const point = { entry, step: 0, answers: {} };
  const decision = decide(rules, call, received_at, {});
  const prepared = await prepareCall(context, decision, point, true);
  const { returning } = prepared;
  // What was said before the caller dropped is not said again. Whether the room is recorded by now is told in it: the seat is claimed
  // for some seconds, and a notice may take longer.
  if (returning) return await placeCall(context, entry, returning, 0, arrival(context, received_at));
  return await answerDecision(context, decision, point, prepared);
}

async function answerReturning(context: CallContext, state: SealedState): Promise<Resolution> {
  switch (state.purpose) {
    case "place":
      return await placeCall(
        context,
        state.entry,
        state.placing,
        state.step,
        arrival(context, state.placing.decided_at),
      );
    case "poll":
    case "turn":
    case "fetched":
      return await placeCall(context, state.entry, state.placing, state.place_step, { from_queue: state });
    case "confirm":
    case "settle":
      return await settleCall(context, state);
    case "dialled":
      return await answerDialled(context, state);
    case "resume":
      return await answerByUrl(context, state);
    case "answer": {
      const { rules } = context.tenant;
      if (!rules) return nothingKnown(state.step);
      const { entry, step, decided_at } = state;
      const answers = await answersOf(context, state);
      if (answers === null) {
        const refused = { action: noPinWords.unchecked, reason: "PINs can't be read from KV" };
        return noPin(context, refused, { rule: null, room: null, step });
      }
      const decision = decide(rules, context.call, decided_at, answers);
      const point = { entry, step, answers };
      return await answerDecision(
        context,
        decision,
        point,
        await prepareCall(context, decision, point, false),
      );
    }
    default:
      return state satisfies never;
  }
}

/** A call whose state could not be read may be on its way already; one of a context arrives once. What is known of these stands. */
function arrival({ unopened, call }: CallContext, at: number): { arrived_at?: number } {
  return unopened || call.via === "relay" ? {} : { arrived_at: at };
}

/** The tenant has no rules that could be used. */
function nothingKnown(step: number): Resolution {
  return { next: { does: "refuse" }, rule: null, outcome: "fallback", room: null, step };
}

async function answerDecision(
  context: CallContext,
  decision: Decision | Question,
  point: PinPoint,
  prepared: Prepared,
): Promise<Resolution> {
  const { rule, ruleset } = decision;
  const said = { rule, ruleset, room: null, step: point.step };
  recordDecision(context, decision, point.answers);
  const refused = refusedPin(prepared);
  if (refused) return noPin(context, refused, said);
  switch (decision.action) {
    case "reject":
    case "hand_over":
      return { ...said, outcome: decision.action, next: lastStep(context, decision) };
    case "ask":
      return { ...said, outcome: "ask", next: await askCall(context, decision, point) };
    case "place": {
      const { announce, announces_recording } = decision;
      const decided = placingOf(decision, point.answers);
      const words = announce ? withCallerNumber(context, announce, prepared.number) : [];
      const heard = { words, ...(announces_recording ? { ends_with_notice: true as const } : {}) };
      const { notice, placing } = noticeBefore(decided, prepared.recorded);
      const before: Heard = notice ? { words: [...words, notice], ends_with_notice: true } : heard;
      return await toRoom(context, placing, point, before, arrival(context, decision.decided_at));
    }
    default:
      return decision satisfies never;
  }
}

/** Into the room, after what is heard before it. */
async function toRoom(
  context: CallContext,
  placing: Placing,
  point: Pick<PinPoint, "entry" | "step">,
  before: Heard,
  arrived: { arrived_at?: number },
): Promise<Resolution> {
  if (before.words.length === 0) return await placeCall(context, point.entry, placing, point.step, arrived);
  return (
    (await announceFirst(context, placing, point, before)) ??
    // Too much to carry through an announcement: the document that joins says the words.
    (await placeCall(context, point.entry, placing, point.step, { ...arrived, before }))
  );
}

function noPin(
  context: CallContext,
  { action, reason }: NoPin,
  said: Pick<Resolution, "rule" | "ruleset" | "room" | "step">,
): Resolution {
  return { ...said, outcome: "no_pin", reason, next: lastStep(context, action) };
}

/** Null where the state is too long to be carried. */
async function announceFirst(
  context: CallContext,
  placing: Placing,
  { entry, step }: Pick<PinPoint, "entry" | "step">,
  announced: Heard,
): Promise<Resolution | null> {
  const next = step + 1;
  const back = await resumeUrlFor(context, {
    v: 1,
    purpose: "place",
    entry,
    step: next,
    place_step: next,
    placing,
  });
  if (!back) return null;
  const { rule, ruleset } = placing;
  return {
    rule,
    ruleset,
    room: null,
    step,
    outcome: "announce",
    next: { does: "announce", ...announced, back },
  };
}
