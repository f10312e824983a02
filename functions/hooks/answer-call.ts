import type { Call } from "../../shared/call.ts";
import { wireName } from "../../shared/conference.ts";
import { callerParams } from "../../shared/documents/caller-params.ts";
import { apologyDocument, fallbackDocument } from "../../shared/documents/fixed-words.ts";
import {
  acceptedDocument,
  confirmedDocument,
  inlineJoinDocument,
  unknownDocument,
  type WayBack,
} from "../../shared/documents/outcomes.ts";
import { announceDocument, handOverDocument, rejectDocument } from "../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../shared/documents/swml.ts";
import { entryOf } from "../../shared/entry.ts";
import { rejectByDefault } from "../../shared/rules/actions.ts";
import { decide } from "../../shared/rules/decide.ts";
import type { Action, Decision } from "../../shared/rules/decision.ts";
import type { SealedState } from "../../shared/seal.ts";
import type { Tenant } from "../directory.ts";
import { describeError } from "../log.ts";
import { findInRooms } from "../rest.ts";
import type { LookReply, PlaceReply, PlaceRequest } from "../session/contract.ts";
import { look, place } from "../session-client.ts";
import { Seals } from "./seals.ts";

/** What the Worker keeps of the 4 s for itself once the session has answered: rendering and the way back. */
const RENDER_MS = 400;
/** How long the hold after an accepted join lasts. */
const HOLD_MS = 3_000;

/** One webhook: whose it is, what it brought, and until when it must be answered. */
export interface Visit {
  env: Env;
  tenant: Tenant;
  /** Our own URL of this webhook as SignalWire reaches it. */
  own_url: string;
  /** When it came, ms, and until when KV and everything after may take. */
  received_at: number;
  ends_at: number;
  /** False while a new tenant's signatures fail and `report_until` runs: the document alone serves. */
  authentic: boolean;
}

/** The document, and what the log says of how it came about. */
export interface Answered {
  document: SwmlDocument;
  rule: string | null;
  /** How it went, e.g. `accepted`, `document`, `announce`, `reject`. */
  outcome: string;
  /** The wire name, where a room was meant. */
  room: string | null;
  step: number;
  reason?: string;
  /** The ruleset's hash. */
  ruleset?: string;
}

/** A placement that was decided, whether now or before an announcement. */
type Placing = Pick<
  SealedState,
  "entry" | "rule" | "ruleset" | "decided_at" | "rooms" | "strategy" | "role" | "join"
>;

/** The way of a call: from what it brought to the document that answers it. */
export async function answerCall(visit: Visit, call: Call, sealed: unknown): Promise<Answered> {
  const seals = await Seals.of(visit.env, visit.tenant, call.call_id);
  const opened = sealed === undefined ? null : await seals.open(sealed);
  if (opened?.ok) return await answerReturning(visit, call, seals, opened.state);
  const { rules } = visit.tenant;
  if (!rules) return { document: fallbackDocument(), rule: null, outcome: "fallback", room: null, step: 0 };
  const decision = decide(rules, call, visit.received_at);
  return await answerFresh(visit, call, seals, decision);
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

async function answerFresh(visit: Visit, call: Call, seals: Seals, decision: Decision): Promise<Answered> {
  const { rule, ruleset } = decision;
  const said = { rule, ruleset, room: null, step: 0 };
  switch (decision.action) {
    case "reject":
      return { ...said, outcome: "reject", document: rejectDocument(decision.say, decision.reason) };
    case "hand_over":
      return { ...said, outcome: "hand_over", document: handOver(decision, call) };
    case "place": {
      const { rooms, strategy, role, join, decided_at } = decision;
      const entry = await entryOf(call.vars, call.params);
      const placing: Placing = { entry, rule, ruleset, decided_at, rooms, strategy, role, join };
      if (!decision.announce) return await placeCall(visit, call, seals, placing, 0);
      const state: SealedState = { v: 1, purpose: "place", step: 1, place_step: 1, ...placing };
      const back = await wayBack(visit, call, seals, state);
      // Too much to carry through an announcement: the room matters more than the words before it.
      if (!back) return await placeCall(visit, call, seals, placing, 0);
      return { ...said, outcome: "announce", document: announceDocument(decision.announce, back) };
    }
    default:
      return decision satisfies never;
  }
}

async function answerReturning(
  visit: Visit,
  call: Call,
  seals: Seals,
  state: SealedState,
): Promise<Answered> {
  return state.purpose === "place"
    ? await placeCall(visit, call, seals, state, state.step)
    : await settleCall(visit, call, state);
}

/** Puts the call into its room: by RELAY where that can be, else by its own document. */
async function placeCall(
  visit: Visit,
  call: Call,
  seals: Seals,
  placing: Placing,
  step: number,
): Promise<Answered> {
  const rooms = wireNames(visit.tenant, placing.rooms);
  const state: SealedState = {
    v: 1,
    purpose: "settle",
    step: step + 1,
    place_step: step,
    room: longest(rooms),
    ...pick(placing),
  };
  const said = { rule: placing.rule, ruleset: placing.ruleset, step };
  if (!visit.authentic) {
    return {
      ...said,
      room: rooms[0],
      outcome: "document",
      reason: "not authentic",
      document: inlineJoinDocument(rooms[0], placing.join),
    };
  }
  // Sealed before anything is sent: a call that could not come back must not be put on a hold.
  const canComeBack = (await wayBack(visit, call, seals, state)) !== null;
  const reply = await place(
    visit.env,
    visit.tenant.project,
    placeRequest(visit, call, placing, step, rooms, canComeBack),
  );
  const back = await wayBack(visit, call, seals, {
    ...state,
    purpose: reply.outcome === "accepted" ? "confirm" : "settle",
    room: reply.room,
  });
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

function placeRequest(
  visit: Visit,
  call: Call,
  placing: Placing,
  step: number,
  rooms: [string, ...string[]],
  canComeBack: boolean,
): PlaceRequest {
  const { project, record, tenant } = visit.tenant;
  const deadline_at = Math.min(Date.now() + record.join_deadline_ms, visit.ends_at - RENDER_MS);
  const { entry, rule, role, ruleset, decided_at, join } = placing;
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
    rooms,
    join,
    join_via: canComeBack ? record.join_via : "document",
    rule,
    role,
    ruleset,
    decided_at,
    deadline_at,
    join_deadline_ms: record.join_deadline_ms,
  };
}

/** A call that comes back from its hold or ring: where is it? This is where an unknown outcome ends. */
async function settleCall(visit: Visit, call: Call, state: SealedState): Promise<Answered> {
  const rooms = wireNames(visit.tenant, state.rooms);
  const room = state.room ?? rooms[0];
  const said = { rule: state.rule, ruleset: state.ruleset, step: state.step };
  const inline = { ...said, room, outcome: "document", document: inlineJoinDocument(room, state.join) };
  if (!visit.authentic) return { ...inline, reason: "not authentic" };
  const { env, tenant } = visit;
  const request = {
    v: 1 as const,
    call_id: call.call_id,
    entry: state.entry,
    step: state.place_step,
    asking_step: state.step,
  };
  let reply: LookReply = await look(env, tenant.project, request, half(visit));
  if (reply.outcome === "unsettled") {
    const rest = await askRest(visit, state.room === undefined ? rooms : [room], call.call_id);
    reply = await look(env, tenant.project, { ...request, rest }, visit.ends_at - RENDER_MS);
    if (reply.outcome === "unsettled") {
      // The session is out of reach: REST's word alone decides.
      return rest.said === "found"
        ? { ...said, room, outcome: "joined", reason: "REST found the call", document: confirmedDocument() }
        : { ...inline, reason: `${reply.reason}; REST: ${rest.said}` };
    }
  }
  const settled = { ...said, room: reply.room, outcome: reply.outcome, reason: reply.reason };
  switch (reply.outcome) {
    case "joined":
      return { ...settled, document: confirmedDocument() };
    case "document":
      return { ...settled, document: inlineJoinDocument(reply.room, reply.join) };
    case "over":
      return { ...settled, document: rejectDocument() };
    default:
      return reply satisfies never;
  }
}

async function askRest(
  { tenant, ends_at }: Visit,
  rooms: readonly string[],
  call_id: string,
): Promise<{ said: "found"; conference_id: string } | { said: "absent" | "failed"; why?: string }> {
  try {
    const signal = AbortSignal.timeout(Math.max(1, ends_at - 2 * RENDER_MS - Date.now()));
    const found = await findInRooms(tenant.project, rooms, call_id, signal);
    return found ? { said: "found", conference_id: found.conference_id } : { said: "absent" };
  } catch (error) {
    return { said: "failed", why: describeError(error) };
  }
}

async function wayBack(visit: Visit, call: Call, seals: Seals, state: SealedState): Promise<WayBack | null> {
  const sealed = await seals.seal(state);
  return sealed === null ? null : { dest: visit.own_url, params: callerParams(call.params).params, sealed };
}

function handOver(decision: Extract<Action, { action: "hand_over" }>, call: Call): SwmlDocument {
  return decision.swml === undefined
    ? apologyDocument()
    : handOverDocument(decision.swml, callerParams(call.params).params);
}

function wireNames(
  { tenant, project }: Tenant,
  [first, ...rest]: readonly [string, ...string[]],
): [string, ...string[]] {
  const plain = project.plain_names_for === tenant;
  const wire = (name: string): string => {
    const made = wireName(tenant, name, { plain });
    // decide() gives legal names only; one that is not would put the caller who knows where.
    if (typeof made !== "string") throw new Error(`the room's name ${made.problem}`);
    return made;
  };
  return [wire(first), ...rest.map(wire)];
}

function longest(names: readonly string[]): string {
  return names.reduce((a, b) => (b.length > a.length ? b : a), "");
}

function pick({ entry, rule, ruleset, decided_at, rooms, strategy, role, join }: Placing): Placing {
  return { entry, rule, ruleset, decided_at, rooms, strategy, role, join };
}

function half({ ends_at }: Visit): number {
  return Date.now() + (ends_at - RENDER_MS - Date.now()) / 2;
}
