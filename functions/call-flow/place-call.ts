import { forwardingOf, withRoom } from "../../shared/callbacks.ts";
import { cxmlUrl } from "../../shared/documents/cxml-url.ts";
import type { Heard, Step } from "../../shared/documents/step.ts";
import { canonicalOf } from "../../shared/identity.ts";
import type { Placing } from "../../shared/placing.ts";
import { fitsSeal } from "../../shared/seal.ts";
import type { PlaceReply, PlaceRequest } from "../session/contract/placement.ts";
import { namingSaid } from "../tenants/room-naming.ts";
import { place } from "./ask-session.ts";
import {
  type CallContext,
  RENDER_MS,
  type Resolution,
  resumeUrlFor,
  roomProofsFor,
  roomsBefore,
  wireJoin,
  wireNames,
} from "./call-context.ts";
import { lastStep } from "./join-steps.ts";
import { documentJoin, isTurnedAway, type PlacedAt, stateAt, stepFor, uncounted } from "./next-step.ts";
import { rejoinOf } from "./rejoin.ts";

/** A poll is answered within this: the caller hears nothing meanwhile. */
const POLL_MS = 1_500;
/** For questions and words between the decision and the wait. */
const OVERTIME_MS = 5 * 60_000;

/** Where the call comes from that is to be placed. */
interface ComesFrom {
  /** Afresh, at that time, ms. */
  arrived_at?: number;
  /** Its line. */
  from_queue?: NonNullable<PlacedAt["from_queue"]>;
  /** Heard by the document that joins. */
  before?: Heard;
  /** A ring; the session knows nothing of its placement. */
  by_document?: true;
}

/** Puts the call into its room: by RELAY where that can be, else by its own document. */
export async function placeCall(
  context: CallContext,
  entry: string,
  placing: Placing,
  step: number,
  { arrived_at, from_queue, before, by_document }: ComesFrom = {},
): Promise<Resolution> {
  const rooms = wireNames(context.tenant, placing.rooms);
  const join = wireJoin(context, placing);
  const said = { rule: placing.rule, ruleset: placing.ruleset, step };
  const at: PlacedAt = { entry, step, placing, ...(from_queue ? { from_queue } : {}) };
  if (!context.authentic) {
    const [room] = rooms;
    if (placing.wait?.for.includes("admission")) {
      const next = lastStep(context, placing.wait.otherwise);
      return { ...said, room: null, outcome: "declined", reason: "not authentic", next };
    }
    const next = await documentJoin(context, at, { room, join: uncounted(join, placing) });
    return { ...said, room, outcome: "document", reason: "not authentic", next: saying(next, before) };
  }
  const namedBefore = roomsBefore(context, placing);
  const room_proofs = await roomProofsFor(context, [...rooms, ...(namedBefore.rooms_before ?? [])]);
  const reply = await place(context.session, context.tenant, {
    ...placing,
    ...factsOf(context, placing),
    entry,
    step,
    ...namingSaid(context.tenant),
    ...rejoinOf(context, placing),
    ...(arrived_at === undefined ? {} : { arrived_at }),
    rooms,
    ...namedBefore,
    join,
    room_proofs,
    // A call that could not come back must not be put on a hold.
    join_via:
      !by_document && !before && mayHold(at, longest(rooms)) ? context.tenant.record.join_via : "document",
    note: context.note,
    ...(await fetchingOf(context, at, rooms[0])),
    ...(from_queue?.purpose === "poll"
      ? { polled: true as const, deadline_at: context.received_at + POLL_MS }
      : {}),
  });
  const outcome = outcomeOf(context, placing, reply);
  const placed = {
    ...at,
    ...(reply.entry === undefined ? {} : { entry: reply.entry }),
    // From here on it waits as the session says: its polls carry that, too.
    ...(reply.wait === undefined
      ? {}
      : {
          // Written by the session.
          placing: { ...placing, wait: JSON.parse(reply.wait) as NonNullable<Placing["wait"]> },
        }),
  };
  return {
    ...said,
    room: isTurnedAway(outcome) ? null : reply.room,
    outcome,
    reason: reply.reason,
    next: saying(
      await stepFor(context, placed, {
        ...reply,
        outcome,
        // Where the session was not there to do it.
        join: withRoom(reply.join, reply.room, room_proofs[reply.room]),
      }),
      before,
    ),
    // A session that counts the call has written it down.
    ...(reply.counted ? { told: true as const } : {}),
  };
}

function saying(next: Step, before: Heard | undefined): Step {
  return before && next.does === "join" ? { ...next, before } : next;
}

/** A call that comes out of its line hears music as it is: its document joins, and there is no hold to come back from. */
function mayHold(at: PlacedAt, room: string): boolean {
  return at.from_queue === undefined && fitsSeal(stateAt(at, "confirm", room));
}

/** A call of cXML's that may have to wait is led on from there by REST, to a URL of its own. */
async function fetchingOf(
  context: CallContext,
  at: PlacedAt,
  room: string,
): Promise<Pick<PlaceRequest, "fetch_url" | "fetched">> {
  if (at.from_queue) return at.from_queue.purpose === "fetched" ? { fetched: true } : {};
  if (at.placing.wait === undefined || context.call.via !== "cxml") return {};
  const back = await resumeUrlFor(context, stateAt(at, "fetched", room));
  const fetch_url = back && cxmlUrl(back);
  return fetch_url === null ? {} : { fetch_url };
}

/** Of a call that RELAY cannot address nothing was sent, so there is nothing about it that is not known. */
function outcomeOf(
  { call, received_at }: CallContext,
  { wait, decided_at }: Placing,
  { outcome, counted }: PlaceReply,
): PlaceReply["outcome"] {
  // A caller who may have to wait comes in by the session's word alone; while it is out of reach the wait ends all the same.
  if (wait && !counted) {
    return received_at > decided_at + wait.max_s * 1000 + OVERTIME_MS ? "waited" : "waiting";
  }
  return outcome === "unknown" && call.node_id === undefined ? "document" : outcome;
}

/** What the session is to know of the call beside the decision. */
function factsOf(
  { tenant: { project, record, tenant }, call, ends_at, untold }: CallContext,
  { join, after, recording_notice = untold }: Placing,
): Omit<PlaceRequest, keyof Placing | "entry" | "step" | "join_via"> &
  Pick<PlaceRequest, "recording_notice"> {
  // Whom the roster is to show of a call that was made: the one who was called.
  const shown = call.direction === "outbound" ? "to" : "from";
  const from = canonicalOf(call, shown);
  return {
    v: 1,
    project_id: project.project_id,
    project_version: project.version,
    tenant,
    call_id: call.call_id,
    ...(call.node_id === undefined ? {} : { node_id: call.node_id }),
    ingress: call.via,
    ...(call.segment_id === undefined ? {} : { segment_id: call.segment_id }),
    answered: call.call_state === "answered",
    ...(call.via === "relay" ? { by_commands: true as const } : {}),
    from,
    ...(call[shown] === from ? {} : { from_before: call[shown] }),
    ...(recording_notice === undefined ? {} : { recording_notice }),
    // Where a command fetches the call, it is to SWML.
    ...(after?.swml === undefined ? {} : { after_url: after.swml }),
    forwarding: forwardingOf(join, call.via),
    deadline_at: Math.min(Date.now() + record.join_deadline_ms, ends_at - RENDER_MS),
    join_deadline_ms: record.join_deadline_ms,
  };
}

function longest(names: readonly string[]): string {
  return names.reduce((a, b) => (b.length > a.length ? b : a), "");
}
