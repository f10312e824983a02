import type { JoinParameters } from "../../shared/conference.ts";
import type { Next } from "../../shared/documents/next.ts";
import type { PlacedState } from "../../shared/seal.ts";
import { describeError, log } from "../log.ts";
import { isInRooms } from "../rest.ts";
import type { LookReply, LookRequest } from "../session/contract.ts";
import { look } from "../session-client.ts";
import { inlineJoin, over, stayingOf } from "./joining.ts";
import { HOLD_MS, uncounted } from "./outcome-next.ts";
import { type Answered, type CallVisit, RENDER_MS, wayBack, wireJoin, wireNames } from "./visit.ts";

/** A call that comes back from its hold or ring: where is it? This is where an unknown outcome ends, one way or the other. */
export async function settleCall(visit: CallVisit, state: PlacedState): Promise<Answered> {
  const { env, tenant, call, ends_at } = visit;
  const { placing } = state;
  const rooms = wireNames(tenant, placing.rooms);
  const room = state.room ?? rooms[0];
  const said = { rule: placing.rule, ruleset: placing.ruleset, step: state.step };
  const inline: Answered = {
    ...said,
    room,
    outcome: "document",
    next: inlineJoin(visit, placing, room, uncounted(withoutEnd(wireJoin(visit, placing.join)), placing)),
  };
  if (!visit.authentic) return { ...inline, reason: "not authentic" };
  const request: LookRequest = {
    v: 1,
    call_id: call.call_id,
    entry: state.entry,
    step: state.place_step,
    asking_step: state.step,
    ...(call.via === "relay" ? { by_commands: true as const } : {}),
    ...(call.segment_id === undefined ? {} : { segment_id: call.segment_id }),
    may_hold: true,
    note: visit.note,
  };
  const half = Date.now() + (ends_at - RENDER_MS - Date.now()) / 2;
  let reply: LookReply = await look(env, tenant.project, request, half);
  if (reply.outcome === "unsettled") {
    const rest = await askRest(visit, state.room === undefined ? rooms : [room]);
    reply = await look(env, tenant.project, { ...request, rest }, ends_at - RENDER_MS);
    if (reply.outcome === "unsettled") {
      // The session is out of reach: REST's word alone decides.
      return rest.said === "found"
        ? { ...said, room, outcome: "joined", reason: "REST found the call", next: { does: "stay" } }
        : { ...inline, reason: `${reply.reason}; REST: ${rest.said}` };
    }
  }
  const { outcome, reason } = reply;
  const settled = { ...said, room: reply.room, outcome, reason, told: true as const };
  switch (reply.outcome) {
    case "joined":
      return { ...settled, next: { does: "stay" } };
    case "document":
      return { ...settled, next: inlineJoin(visit, placing, reply.room, reply.join) };
    case "over":
      return { ...settled, next: over };
    case "hold": {
      const back = await wayBack(visit, { ...state, step: state.step + 1, room: reply.room });
      const next: Next = back
        ? { does: "hold", ms: HOLD_MS, back, staying: stayingOf(visit, placing) }
        : inlineJoin(visit, placing, reply.room, reply.join);
      return { ...settled, next };
    }
    default:
      return reply satisfies never;
  }
}

/** RELAY's join of the same call may stand: the document's must not end the conference for all. */
function withoutEnd({ end_on_exit: _, ...join }: JoinParameters): JoinParameters {
  return join;
}

async function askRest(
  { tenant, call, ends_at }: CallVisit,
  rooms: readonly string[],
): Promise<NonNullable<LookRequest["rest"]>> {
  try {
    // Time is kept for the session's second look, too.
    const signal = AbortSignal.timeout(Math.max(1, ends_at - 2 * RENDER_MS - Date.now()));
    const found = await isInRooms(tenant.project, rooms, call.call_id, signal);
    return { said: found ? "found" : "absent" };
  } catch (error) {
    log("warn", "rest.failed", { tenant: tenant.tenant, call: call.call_id, error: describeError(error) });
    return { said: "failed" };
  }
}
