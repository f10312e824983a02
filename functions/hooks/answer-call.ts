import type { Call } from "../../shared/call.ts";
import { callerParams } from "../../shared/documents/caller-params.ts";
import { apologyDocument, fallbackDocument } from "../../shared/documents/fixed-words.ts";
import { inlineJoinDocument } from "../../shared/documents/outcomes.ts";
import { announceDocument, handOverDocument, rejectDocument } from "../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../shared/documents/swml.ts";
import { entryOf } from "../../shared/entry.ts";
import { rejectByDefault } from "../../shared/rules/actions.ts";
import { decide } from "../../shared/rules/decide.ts";
import type { Action, Decision } from "../../shared/rules/decision.ts";
import { placeCall } from "./place-call.ts";
import { settleCall } from "./settle-call.ts";
import {
  type Answered,
  type CallVisit,
  type Placing,
  type Visit,
  visitOf,
  wayBack,
  wireNames,
} from "./visit.ts";

/** The way of a call: from what it brought to the document that answers it. */
export async function answerCall(visitor: Visit, call: Call, sealed: unknown): Promise<Answered> {
  const visit = await visitOf(visitor, call);
  const opened = sealed === undefined ? null : await visit.seals.open(sealed);
  if (opened?.ok) {
    const { state } = opened;
    return state.purpose === "place"
      ? await placeCall(visit, state, state.step)
      : await settleCall(visit, state);
  }
  const { rules } = visit.tenant;
  if (!rules) return { document: fallbackDocument(), rule: null, outcome: "fallback", room: null, step: 0 };
  return await answerFresh(visit, decide(rules, call, visit.received_at));
}

/** A body that names no call: nothing to decide on, so the tenant's fallback speaks, and nothing is asked of the session. */
export function answerUnusable(visit: Visit): Answered {
  const action = visit.tenant.rules?.fallback?.(noCall).action ?? rejectByDefault();
  const said = { rule: null, room: null, step: 0 };
  switch (action.action) {
    case "reject":
      return { ...said, outcome: "reject", document: rejectDocument(action.say, action.reason) };
    case "hand_over":
      return { ...said, outcome: "hand_over", document: handOver(action, noCall) };
    case "place": {
      const [room] = wireNames(visit.tenant, action.rooms);
      return { ...said, outcome: "document", room, document: inlineJoinDocument(room, action.join) };
    }
    default:
      return action satisfies never;
  }
}

const noCall: Call = {
  via: "swml",
  call_id: "",
  direction: "",
  type: "",
  from: "",
  to: "",
  headers: {},
  vars: {},
  params: {},
  details: {},
};

async function answerFresh(visit: CallVisit, decision: Decision): Promise<Answered> {
  const { rule, ruleset } = decision;
  const said = { rule, ruleset, room: null, step: 0 };
  switch (decision.action) {
    case "reject":
      return { ...said, outcome: "reject", document: rejectDocument(decision.say, decision.reason) };
    case "hand_over":
      return { ...said, outcome: "hand_over", document: handOver(decision, visit.call) };
    case "place": {
      const { rooms, strategy, role, join, decided_at, announce } = decision;
      const entry = await entryOf(visit.call.vars, visit.call.params);
      const placing: Placing = { entry, rule, ruleset, decided_at, rooms, strategy, role, join };
      if (!announce) return await placeCall(visit, placing, 0);
      const back = await wayBack(visit, { ...placing, v: 1, purpose: "place", step: 1, place_step: 1 });
      // Too much to carry through an announcement: the room matters more than the words before it.
      if (!back) return await placeCall(visit, placing, 0);
      return { ...said, outcome: "announce", document: announceDocument(announce, back) };
    }
    default:
      return decision satisfies never;
  }
}

function handOver({ swml }: Extract<Action, { action: "hand_over" }>, call: Call): SwmlDocument {
  return swml === undefined ? apologyDocument() : handOverDocument(swml, callerParams(call.params).params);
}
