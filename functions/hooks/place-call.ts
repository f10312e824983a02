import { forwardingOf } from "../../shared/callbacks.ts";
import { fitsSeal, type Placing } from "../../shared/seal.ts";
import type { PlaceReply, PlaceRequest } from "../session/contract.ts";
import { place } from "../session-client.ts";
import {
  documentJoin,
  isTurnedAway,
  outcomeNext,
  type PlacedAt,
  stateAt,
  withSeats,
} from "./outcome-next.ts";
import { type Answered, type CallVisit, RENDER_MS, wireJoin, wireNames } from "./visit.ts";

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
  const at: PlacedAt = { entry, step, placing };
  if (!visit.authentic) {
    const [room] = rooms;
    const next = await documentJoin(visit, at, room, withSeats(join, placing));
    return { ...said, room, outcome: "document", reason: "not authentic", next };
  }
  const reply = await place(visit.env, visit.tenant.project, {
    ...requestFor(visit, entry, placing, step),
    rooms,
    join,
    // A call that could not come back must not be put on a hold.
    join_via: fitsSeal(stateAt(at, "confirm", longest(rooms))) ? visit.tenant.record.join_via : "document",
    note: visit.note,
  });
  const outcome = outcomeOf(visit, reply);
  return {
    ...said,
    room: isTurnedAway(outcome) ? null : reply.room,
    outcome,
    reason: reply.reason,
    next: await outcomeNext(visit, at, { ...reply, outcome }),
    // Whoever counts the call has written it down.
    ...(reply.counted ? { told: true as const } : {}),
  };
}

/** Of a call that RELAY cannot address nothing was sent, so there is nothing about it that is not known. */
function outcomeOf({ call }: CallVisit, { outcome }: PlaceReply): PlaceReply["outcome"] {
  return outcome === "unknown" && call.node_id === undefined ? "document" : outcome;
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
    // Where a command fetches the call, it is to SWML.
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
