import type { Call, Ingress } from "../../shared/call.ts";
import type { Heard } from "../../shared/documents/step.ts";
import { entryOf } from "../../shared/entry.ts";
import { decide } from "../../shared/rules/decide.ts";
import type { Decision, Question } from "../../shared/rules/decision.ts";
import type { Placing, SealedState } from "../../shared/seal.ts";
import { log } from "../log.ts";
import { answerDialled } from "./answer-dialled.ts";
import { answersOf, askCall } from "./ask-call.ts";
import { type Answered, type CallVisit, type Visit, visitOf, wayBack } from "./call-context.ts";
import { withCallerNumber } from "./caller-number.ts";
import { fallbackOf, noCall } from "./fallback.ts";
import { lastNext, placingOf } from "./join-steps.ts";
import { type NoPin, refusedPin } from "./pin-check.ts";
import { noPinWords, type PinPoint } from "./pin-request.ts";
import { placeCall } from "./place-call.ts";
import { noteDecision } from "./record-history.ts";
import { noticeBefore } from "./recording-notice.ts";
import { returningTo } from "./rejoin.ts";
import { resumeCall, settleCall } from "./settle-call.ts";

/** The way of a call: from what it brought to what it is to do next. */
export async function answerCall(visitor: Visit, call: Call, sealed: unknown): Promise<Answered> {
  const visit = await visitOf(visitor, call);
  const opened = sealed === undefined ? null : await visit.seals.open(sealed);
  if (opened?.ok === false) {
    // Taken for a fresh call; one whose seal another version of us wrote is decided anew.
    log("warn", "seal.unopened", { tenant: visit.tenant.tenant, call: call.call_id, why: opened.reason });
    visit.unopened = true;
  }
  if (opened?.ok) {
    const { purpose, entry, step } = opened.state;
    visit.note = { ...visit.note, purpose, entry, step };
  }
  const answered = opened?.ok ? await answerReturning(visit, opened.state) : await answerUnsealed(visit);
  return { ...answered, ...(answered.told ? {} : { note: visit.note }) };
}

/** A call that was made for a room: what a rule would have said of it is known. */
export async function answerOutbound(visitor: Visit, call: Call, decision: Decision): Promise<Answered> {
  const visit = await visitOf(visitor, call);
  const answered = await answerDecision(visit, decision, { entry: "", step: 0, answers: {} });
  return { ...answered, ...(answered.told ? {} : { note: visit.note }) };
}

/** A body that names no call: nothing to decide on, so the tenant's fallback speaks, and nothing is asked of the session. */
export function answerUnusable(visit: Visit, via: Ingress): Answered {
  return { rule: null, step: 0, ...fallbackOf(visit, noCall(via)) };
}

async function answerUnsealed(visit: CallVisit): Promise<Answered> {
  const { resumed } = visit;
  if (!resumed || !visit.authentic) return await answerFresh(visit);
  visit.note = { ...visit.note, purpose: "settle", entry: resumed.entry, step: resumed.step };
  return await resumeCall(visit, resumed);
}

async function answerFresh(visit: CallVisit): Promise<Answered> {
  const { call, received_at } = visit;
  const { rules } = visit.tenant;
  if (!rules) return nothingKnown(0);
  const entry = await entryOf(call.vars, call.params, visit.query);
  visit.note.entry = entry;
  const placing = await returningTo(visit);
  // What was said before the caller dropped is not said again. Whether the room is recorded by now is told in it: the seat is claimed
  // for some seconds, and a notice may take longer.
  if (placing) return await placeCall(visit, entry, placing, 0, arrival(visit, received_at));
  return await answerDecision(visit, decide(rules, call, received_at, {}), { entry, step: 0, answers: {} });
}

async function answerReturning(visit: CallVisit, state: SealedState): Promise<Answered> {
  switch (state.purpose) {
    case "place":
      return await placeCall(
        visit,
        state.entry,
        state.placing,
        state.step,
        arrival(visit, state.placing.decided_at),
      );
    case "poll":
    case "turn":
    case "fetched":
      return await placeCall(visit, state.entry, state.placing, state.place_step, { from_queue: state });
    case "confirm":
    case "settle":
      return await settleCall(visit, state);
    case "dialled":
      return await answerDialled(visit, state);
    case "answer": {
      const { rules } = visit.tenant;
      if (!rules) return nothingKnown(state.step);
      const { entry, step, decided_at } = state;
      const answers = await answersOf(visit, state);
      if (answers === null) {
        const refused = { action: noPinWords.unchecked, reason: "PINs can't be read from KV" };
        return noPin(visit, refused, { rule: null, room: null, step });
      }
      const decision = decide(rules, visit.call, decided_at, answers);
      return await answerDecision(visit, decision, { entry, step, answers });
    }
    default:
      return state satisfies never;
  }
}

/** A call whose state could not be read may be on its way already; one of a context arrives once. What is known of these stands. */
function arrival({ unopened, call }: CallVisit, at: number): { arrived_at?: number } {
  return unopened || call.via === "relay" ? {} : { arrived_at: at };
}

/** The tenant has no rules that could be used. */
function nothingKnown(step: number): Answered {
  return { next: { does: "refuse" }, rule: null, outcome: "fallback", room: null, step };
}

async function answerDecision(
  visit: CallVisit,
  decision: Decision | Question,
  point: PinPoint,
): Promise<Answered> {
  const { rule, ruleset } = decision;
  const said = { rule, ruleset, room: null, step: point.step };
  noteDecision(visit, decision, point.answers);
  const refused = await refusedPin(visit, decision, point);
  if (refused) return noPin(visit, refused, said);
  switch (decision.action) {
    case "reject":
    case "hand_over":
      return { ...said, outcome: decision.action, next: lastNext(visit, decision) };
    case "ask":
      return { ...said, outcome: "ask", next: await askCall(visit, decision, point) };
    case "place": {
      const { announce, announces_recording } = decision;
      const placing = placingOf(decision, point.answers);
      const words = announce ? await withCallerNumber(visit, placing, announce) : [];
      const heard = { words, ...(announces_recording ? { ends_with_notice: true as const } : {}) };
      return await toRoom(visit, placing, point, heard, arrival(visit, decision.decided_at));
    }
    default:
      return decision satisfies never;
  }
}

/** Into the room, after what is heard before it. */
async function toRoom(
  visit: CallVisit,
  decided: Placing,
  point: Pick<PinPoint, "entry" | "step">,
  announced: Heard,
  arrived: { arrived_at?: number },
): Promise<Answered> {
  const { notice, placing } = await noticeBefore(visit, decided);
  const before: Heard = notice ? { words: [...announced.words, notice], ends_with_notice: true } : announced;
  if (before.words.length === 0) return await placeCall(visit, point.entry, placing, point.step, arrived);
  return (
    (await announceFirst(visit, placing, point, before)) ??
    // Too much to carry through an announcement: the document that joins says the words.
    (await placeCall(visit, point.entry, placing, point.step, { ...arrived, before }))
  );
}

function noPin(
  visit: CallVisit,
  { action, reason }: NoPin,
  said: Pick<Answered, "rule" | "ruleset" | "room" | "step">,
): Answered {
  return { ...said, outcome: "no_pin", reason, next: lastNext(visit, action) };
}

/** Null where the state is too long to be carried. */
async function announceFirst(
  visit: CallVisit,
  placing: Placing,
  { entry, step }: Pick<PinPoint, "entry" | "step">,
  announced: Heard,
): Promise<Answered | null> {
  const next = step + 1;
  const back = await wayBack(visit, { v: 1, purpose: "place", entry, step: next, place_step: next, placing });
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
