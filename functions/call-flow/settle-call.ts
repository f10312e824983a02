import { withRoom } from "../../shared/callbacks.ts";
import { withoutEnd } from "../../shared/conference.ts";
import type { AsksUs, Step } from "../../shared/documents/step.ts";
import type { Placing } from "../../shared/placing.ts";
import { ASKED_BETWEEN } from "../../shared/resume-url.ts";
import { decide } from "../../shared/rules/decide.ts";
import type { PlacedState } from "../../shared/seal.ts";
import { describeError, log } from "../log.ts";
import { RestBusy } from "../rest.ts";
import { findInRooms } from "../rest-conferences.ts";
import type { LookReply, LookRequest } from "../session/contract/placement.ts";
import { TooLate } from "../slots.ts";
import type { Project } from "../tenants/tenant.ts";
import { look } from "./ask-session.ts";
import {
  type CallContext,
  RENDER_MS,
  type Resolution,
  resumeUrlFor,
  roomProofsFor,
  wireJoin,
  wireNames,
} from "./call-context.ts";
import { inlineJoin, lastStep, over, placingOf, stayingOf } from "./join-steps.ts";
import { HOLD_MS, uncounted } from "./next-step.ts";
import { placeCall } from "./place-call.ts";
import { asksUs, type ResumedAt, saidIn, sealedForLine } from "./resume.ts";

/**
 * A call of which nothing says where it is comes back after 3 s, and later after a minute: SignalWire lets it be transferred 32 times. Last
 * words might be spoken into its room, so in the end it stays.
 */
const ASKED_OFTEN = 12;
const LONG_MS = 60_000;
const MOST_ASKED = 24;
/** Asking steps of calls that come back without a sealed state, apart from those that have one. */
const RESUMED_STEPS = 1_000;

/** A call that comes back from a ring: where is it? This is where an unknown outcome ends, one way or the other. */
export async function settleCall(context: CallContext, state: PlacedState): Promise<Resolution> {
  const { tenant } = context;
  const { placing } = state;
  const rooms = wireNames(tenant, placing.rooms);
  const room = state.room ?? rooms[0];
  const said = { rule: placing.rule, ruleset: placing.ruleset, step: state.step };
  const at: ResumedAt = { entry: state.entry, step: state.place_step, asked: 0 };
  const proofs = await roomProofsFor(context, [room]);
  const join = uncounted(withRoom(wireJoin(context, placing), room, proofs[room]), placing);
  /** While RELAY's join of the same call may stand, the document's must not end the conference for all. */
  const inline = async (): Promise<Resolution> => ({
    ...said,
    room,
    outcome: "document",
    next: {
      ...inlineJoin(context, placing, room, withoutEnd(join)),
      ...asksUs(context, at, { always: true, sealed: await sealedForLine(context, at, placing) }),
    },
  });
  if (!context.authentic) return { ...(await inline()), reason: "not authentic" };
  const key = {
    entry: state.entry,
    step: state.place_step,
    asking_step: state.step,
  };
  const { reply, rest } = await whereabouts(context, key, state.room === undefined ? rooms : [room]);
  if (reply.outcome === "unsettled") {
    if (rest === "found")
      return { ...said, room, outcome: "joined", reason: "REST found the call", next: { does: "stay" } };
    // Nothing was sent for it. The session is told of it now, for somebody has to see to its end.
    if (reply.is_unknown)
      return await placeCall(context, state.entry, placing, state.place_step, { by_document: true });
    return { ...(await inline()), reason: `${reply.reason}; REST: ${rest}` };
  }
  const answered = {
    ...said,
    room: reply.room,
    outcome: reply.outcome,
    reason: reply.reason,
    told: true as const,
  };
  const sealed = await sealedForLine(context, at, placing);
  if (reply.outcome !== "hold")
    return { ...answered, next: stepOf(context, reply, at, { ...placing, sealed }) };
  const back = await resumeUrlFor(context, { ...state, step: state.step + 1, room: reply.room });
  const next: Step = back
    ? {
        does: "hold",
        ms: HOLD_MS,
        ...ringingWhile(context, reply),
        back,
        staying: stayingOf(context, placing),
      }
    : {
        ...inlineJoin(context, placing, reply.room, reply.join),
        ...asksUs(context, at, { always: true, sealed }),
      };
  return { ...answered, next };
}

/**
 * A call that comes back by the URL that names its placement: the session sent it, or its own document asks what the join's result means.
 * @param carried What was decided, where the call carries it: it stands.
 */
export async function resumeCall(
  context: CallContext,
  at: ResumedAt,
  carried: Placing | null,
): Promise<Resolution> {
  const key = {
    entry: at.entry,
    step: at.step,
    // Where the session sent it back it asks another question than where its document asks by itself.
    asking_step: RESUMED_STEPS + 2 * at.asked + (context.resumed?.joined === true ? 1 : 0),
  };
  const placing = waitingPlacing(context, carried);
  const { reply } = await whereabouts(context, key, null, placing !== null);
  if (reply.outcome === "not_in" && reply.waits && placing)
    return await placeCall(context, at.entry, placing, at.step);
  const said = { rule: null, step: at.step, outcome: reply.outcome, reason: reply.reason };
  const sealed = carried === null ? undefined : await sealedForLine(context, at, carried);
  if (reply.outcome !== "unsettled") {
    const room = reply.room === "" ? null : reply.room;
    return { ...said, room, told: true, next: stepOf(context, reply, at, { sealed }) };
  }
  return { ...said, room: reply.room ?? null, next: heldFor(context, at, {}, sealed) };
}

/**
 * What was decided for a call whose document's join failed, where it may go back to its line and needs a waiting document. Of a call that
 * carries nothing, since the session wrote its document or there is too much to carry, it is what the rules decide now: null if they say
 * something else by now, or ask first.
 */
function waitingPlacing(context: CallContext, carried: Placing | null): Placing | null {
  const { document_said: said } = saidIn(context);
  if (said !== "failed" && said !== "no-answer") return null;
  if (carried) return carried;
  const { rules } = context.tenant;
  if (!rules) return null;
  const decision = decide(rules, context.call, context.received_at, {});
  return decision.action === "place" && decision.wait !== undefined ? placingOf(decision, {}) : null;
}

/** Asks the session where the call is; where that does not know, REST, and the session once more with what REST said. */
async function whereabouts(
  context: CallContext,
  key: Pick<LookRequest, "entry" | "step" | "asking_step">,
  rooms: readonly string[] | null,
  may_wait = false,
): Promise<{ reply: LookReply; rest: NonNullable<LookRequest["rest"]>["said"] | "unasked" }> {
  const { session, call, ends_at } = context;
  const request: LookRequest = {
    v: 1,
    call_id: call.call_id,
    ...key,
    ...(call.via === "relay" ? { by_commands: true as const } : {}),
    ...(call.segment_id === undefined ? {} : { segment_id: call.segment_id }),
    ...saidIn(context),
    may_hold: true,
    ...(may_wait ? { may_wait: true as const } : {}),
    note: context.note,
  };
  const half = Date.now() + (ends_at - RENDER_MS - Date.now()) / 2;
  const reply: LookReply = await look(session, request, half);
  const asked =
    reply.outcome === "unsettled" ? (rooms ?? (reply.room === undefined ? null : [reply.room])) : null;
  if (asked === null) return { reply, rest: "unasked" };
  const rest = await askRest(context, asked);
  return {
    reply: await look(session, { ...request, rest }, ends_at - RENDER_MS),
    rest: rest.said,
  };
}

function stepOf(
  context: CallContext,
  reply: Exclude<LookReply, { outcome: "unsettled" }>,
  at: ResumedAt,
  placing: Pick<Placing, "after" | "max_duration_s" | "capacity" | "rejoin_s"> & {
    sealed: string | undefined;
  },
): Step {
  const { params } = stayingOf(context, placing);
  switch (reply.outcome) {
    case "joined":
      return { does: "stay" };
    case "document": {
      const { after_url } = reply;
      const after =
        after_url === undefined ? {} : { after: { action: "hand_over" as const, swml: after_url } };
      const join = inlineJoin(context, { ...after, ...placing }, reply.room, reply.join);
      const { may_stand, limited, keeps_seat } = reply;
      const asks = {
        always: may_stand === true,
        limited: limited === true,
        keeps_seat: keeps_seat === true || placing.rejoin_s !== undefined,
        sealed: placing.sealed,
      };
      return { ...join, ...asksUs(context, at, asks) };
    }
    case "over":
      // The session sees to a call that RELAY joined; one whose own document asks goes where its rule says.
      return reply.after_url !== undefined && saidIn(context).document_said !== undefined
        ? { does: "hand_over", swml: reply.after_url, params }
        : over;
    case "hold":
      return heldFor(context, at, ringing(reply), placing.sealed);
    case "not_in":
      return reply.word ? lastStep(context, reply.word) : { does: "apologise" };
    default:
      return reply.outcome satisfies never;
  }
}

function heldFor(
  context: CallContext,
  at: ResumedAt,
  rings: { ringing?: true },
  sealed: string | undefined,
): Step {
  const asked = at.asked % ASKED_BETWEEN;
  const asks = asked < MOST_ASKED ? askedAgain(context, at, sealed) : undefined;
  if (!asks) return { does: "stay" };
  return asked < ASKED_OFTEN
    ? { does: "ask_again", ms: HOLD_MS, ...rings, asks }
    : { does: "ask_again", ms: LONG_MS, ringing: true, asks };
}

/** From a hold a call comes back with what it came with: the result of its document's join, or none. */
function askedAgain(context: CallContext, at: ResumedAt, sealed: string | undefined): AsksUs | undefined {
  return asksUs(context, at, { always: true, joined: context.resumed?.joined === true, sealed }).asks;
}

function ringing({ again }: { again?: true }): { ringing?: true } {
  return again ? { ringing: true } : {};
}

/** A webhook's caller has heard it ring before the first hold; a call by a context has heard nothing since its join was sent. */
function ringingWhile({ call }: CallContext, reply: { again?: true }): { ringing?: true } {
  return call.via === "relay" ? { ringing: true } : ringing(reply);
}

async function askRest(
  { tenant, call, ends_at, rest }: CallContext,
  rooms: readonly string[],
): Promise<NonNullable<LookRequest["rest"]>> {
  const find = (project: Project, signal: AbortSignal) => findInRooms(project, rooms, call.call_id, signal);
  // Time is kept for the session's second look, too.
  const ms = Math.max(1, ends_at - 2 * RENDER_MS - Date.now());
  try {
    const conference_sid = rest
      ? await rest("question", ms / 2, find)
      : await find(tenant.project, AbortSignal.timeout(ms));
    return conference_sid === null ? { said: "absent" } : { said: "found", conference_sid };
  } catch (error) {
    log("warn", "rest.failed", { tenant: tenant.tenant, call: call.call_id, error: describeError(error) });
    const isBusy = error instanceof RestBusy || error instanceof TooLate;
    return { said: isBusy ? "busy" : "failed" };
  }
}
