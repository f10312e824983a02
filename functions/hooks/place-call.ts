import { forwardingOf } from "../../shared/callbacks.ts";
import {
  acceptedDocument,
  type Staying,
  unknownDocument,
  type WayBack,
} from "../../shared/documents/outcomes.ts";
import { rejectDocument } from "../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../shared/documents/swml.ts";
import type { LastWord } from "../../shared/rules/decision.ts";
import { rejectByDefault } from "../../shared/rules/last-word.ts";
import { fitsSeal, type PlacedState, type Placing } from "../../shared/seal.ts";
import type { PlaceReply, PlaceRequest, TurnedAway } from "../session/contract.ts";
import { place } from "../session-client.ts";
import { inlineJoin, lastWordDocument } from "./joining.ts";
import { type Answered, type CallVisit, RENDER_MS, wayBack, wireJoin, wireNames } from "./visit.ts";

/** How long the hold after an accepted join lasts. */
const HOLD_MS = 3_000;

/** Puts the call into its room: by RELAY where that can be, else by its own document. */
export async function placeCall(
  visit: CallVisit,
  entry: string,
  placing: Placing,
  step: number,
): Promise<Answered> {
  const rooms = wireNames(visit.tenant, placing.rooms);
  const join = wireJoin(visit, placing.join);
  const said = { rule: placing.rule, ruleset: placing.ruleset, step };
  if (!visit.authentic) {
    const document = inlineJoin(visit, placing, rooms[0], withSeats(join, placing));
    return { ...said, room: rooms[0], outcome: "document", reason: "not authentic", document };
  }
  const state: PlacedState = {
    v: 1,
    purpose: "settle",
    entry,
    step: step + 1,
    place_step: step,
    placing,
    room: longest(rooms),
  };
  const reply = await place(visit.env, visit.tenant.project, {
    ...requestFor(visit, entry, placing, step),
    rooms,
    join,
    // A call that could not come back must not be put on a hold.
    join_via: fitsSeal(state) ? visit.tenant.record.join_via : "document",
    note: visit.note,
  });
  const purpose = reply.outcome === "accepted" ? "confirm" : "settle";
  const back = comesBack(reply.outcome)
    ? await wayBack(visit, { ...state, purpose, room: reply.room })
    : null;
  return {
    ...said,
    room: isTurnedAway(reply.outcome) ? null : reply.room,
    outcome: reply.outcome,
    reason: reply.reason,
    document: outcomeDocument(visit, placing, reply, back),
    // Whoever counts the call has written it down.
    ...(reply.counted ? { told: true as const } : {}),
  };
}

function outcomeDocument(
  visit: CallVisit,
  placing: Placing,
  reply: PlaceReply,
  back: WayBack | null,
): SwmlDocument {
  const { outcome, room, join } = reply;
  const staying: Staying =
    placing.max_duration_s === undefined ? {} : { max_duration_s: placing.max_duration_s };
  switch (outcome) {
    case "accepted":
      return back ? acceptedDocument(back, HOLD_MS, staying) : inlineJoin(visit, placing, room, join);
    case "unknown":
      return back ? unknownDocument(back, staying) : inlineJoin(visit, placing, room, join);
    case "document":
      // Where the session could not count, the conference itself does.
      return inlineJoin(visit, placing, room, reply.counted ? join : withSeats(join, placing));
    case "over":
      return rejectDocument();
    case "waiting":
    case "full":
    case "absent":
    case "several":
    case "waited":
    case "declined":
      return lastWordDocument(visit, lastWord(placing, outcome));
    default:
      return outcome satisfies never;
  }
}

function comesBack(outcome: PlaceReply["outcome"]): boolean {
  return outcome === "accepted" || outcome === "unknown";
}

function isTurnedAway(outcome: PlaceReply["outcome"]): outcome is TurnedAway | "waiting" {
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

/** The seats as the conference's own limit, for a join that nobody counts. */
function withSeats<J extends Placing["join"]>(join: J, { capacity }: Placing): J {
  return capacity === undefined ? join : { ...join, max_participants: Math.max(2, capacity) };
}

function requestFor(
  { tenant: { project, record, tenant }, call, ends_at }: CallVisit,
  entry: string,
  {
    rule,
    role,
    ruleset,
    decided_at,
    join,
    strategy,
    capacity,
    sticky_key,
    coach,
    after,
    max_duration_s,
  }: Placing,
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
    from: call.from,
    strategy,
    ...(capacity === undefined ? {} : { capacity }),
    ...(sticky_key === undefined ? {} : { sticky_key }),
    ...(coach === undefined ? {} : { coach }),
    ...(after?.swml === undefined ? {} : { after_url: after.swml }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
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
