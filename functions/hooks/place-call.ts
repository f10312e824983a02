import { forwardingOf } from "../../shared/callbacks.ts";
import {
  acceptedDocument,
  inlineJoinDocument,
  unknownDocument,
  type WayBack,
} from "../../shared/documents/outcomes.ts";
import { rejectDocument } from "../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../shared/documents/swml.ts";
import type { SealedState } from "../../shared/seal.ts";
import type { PlaceReply, PlaceRequest } from "../session/contract.ts";
import { place } from "../session-client.ts";
import {
  type Answered,
  type CallVisit,
  type Placing,
  RENDER_MS,
  wayBack,
  wireJoin,
  wireNames,
} from "./visit.ts";

/** How long the hold after an accepted join lasts. */
const HOLD_MS = 3_000;

/** Puts the call into its room: by RELAY where that can be, else by its own document. */
export async function placeCall(visit: CallVisit, placing: Placing, step: number): Promise<Answered> {
  const rooms = wireNames(visit.tenant, placing.rooms);
  const join = wireJoin(visit, placing.join);
  const said = { rule: placing.rule, ruleset: placing.ruleset, step };
  if (!visit.authentic) {
    const document = inlineJoinDocument(rooms[0], join);
    return { ...said, room: rooms[0], outcome: "document", reason: "not authentic", document };
  }
  const state: SealedState = {
    ...placing,
    v: 1,
    purpose: "settle",
    step: step + 1,
    place_step: step,
    room: longest(rooms),
  };
  // Sealed before anything is sent: a call that could not come back must not be put on a hold.
  const canComeBack = (await wayBack(visit, state)) !== null;
  const reply = await place(visit.env, visit.tenant.project, {
    ...requestFor(visit, placing, step),
    rooms,
    join,
    join_via: canComeBack ? visit.tenant.record.join_via : "document",
  });
  const purpose = reply.outcome === "accepted" ? "confirm" : "settle";
  const back = await wayBack(visit, { ...state, purpose, room: reply.room });
  return {
    ...said,
    room: reply.room,
    outcome: reply.outcome,
    reason: reply.reason,
    document: outcomeDocument(reply, back),
  };
}

function outcomeDocument(reply: PlaceReply, back: WayBack | null): SwmlDocument {
  switch (reply.outcome) {
    case "accepted":
      return back ? acceptedDocument(back, HOLD_MS) : inlineJoinDocument(reply.room, reply.join);
    case "unknown":
      return back ? unknownDocument(back) : inlineJoinDocument(reply.room, reply.join);
    case "document":
      return inlineJoinDocument(reply.room, reply.join);
    case "over":
      return rejectDocument();
    default:
      return reply.outcome satisfies never;
  }
}

function requestFor(
  { tenant: { project, record, tenant }, call, ends_at }: CallVisit,
  { entry, rule, role, ruleset, decided_at, join }: Placing,
  step: number,
): Omit<PlaceRequest, "rooms" | "join" | "join_via"> {
  return {
    v: 1,
    project_id: project.project_id,
    project_version: project.version,
    tenant,
    call_id: call.call_id,
    entry,
    step,
    ...(call.node_id === undefined ? {} : { node_id: call.node_id }),
    answered: call.call_state === "answered",
    forwarding: forwardingOf(join),
    rule,
    role,
    ruleset,
    decided_at,
    deadline_at: Math.min(Date.now() + record.join_deadline_ms, ends_at - RENDER_MS),
    join_deadline_ms: record.join_deadline_ms,
  };
}

function longest(names: readonly string[]): string {
  return names.reduce((a, b) => (b.length > a.length ? b : a), "");
}
