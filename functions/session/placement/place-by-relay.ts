import { describeOutcome, isBusy, type Outcome } from "../../../shared/relay/outcome.ts";
import { describeError } from "../../log.ts";
import { timeoutOr } from "../../timeout.ts";
import type { PlacementKey, PlaceReply, PlaceRequest } from "../contract/placement.ts";
import type { RelayConnection } from "../relay/relay-connection.ts";
import { chooseRoom } from "../seats/choose-room.ts";
import type { FullRooms } from "../seats/full-rooms.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import { isFull } from "../store/disk.ts";
import type { Observations } from "../store/observations.ts";
import { joinCommandId, replyOf } from "../store/place-reply.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";

/** What is kept of the time for the answer to a join that is sent late: a quarter, and this at most. */
const ANSWER_RESERVE_MS = 300;

/** RELAY is asked again after this where it had too much to do. */
const BUSY_MS = 300;

/** What a placement needs of the session. */
export interface PlaceByRelayHost {
  placements: Placements;
  occupancy: Occupancy;
  now(): number;
  /** The connection, asked for and under way; rejects if the project's record can't be read. */
  connection(request: PlaceRequest): Promise<RelayConnection>;
  /** Of the RELAY session as it is now. */
  protocol(): string | null;
  /** Says why RELAY must not be tried now, or null. */
  avoidRelay(): string | null;
  /** Resolves when a participant-join of this placement comes. */
  joinSeen(key: PlacementKey): Promise<void>;
  /** How each command of a placement ended. */
  commandEnded(outcome: Outcome): void;
  observations: Pick<Observations, "saw">;
  fullRooms: Pick<FullRooms, "refused">;
}

/**
 * Places one call: a row, `calling.answer`, `calling.join_conference`, each state written before it is acted on.
 * Resolves by the deadline whatever happens; what is then not sent never will be.
 */
export async function placeByRelay(host: PlaceByRelayHost, request: PlaceRequest): Promise<PlaceReply> {
  const { placements } = host;
  const now = host.now();
  const deadline_at = Math.min(request.deadline_at, now + request.join_deadline_ms);
  // From here to the row there is no await: two calls cannot be given one seat.
  const chosen = chooseRoom(host.occupancy, request);
  const planned = { ...request, deadline_at };
  if (chosen.room === null) {
    const { reason, turned_away } = chosen;
    const uncounted = { ...byDocumentReply(request, reason), outcome: turned_away };
    return await orUncounted(placements, request, uncounted, () => {
      placements.plan(planned, request.rooms[0], reason, "failed", turned_away);
      return replyOf(mustFind(placements, request));
    });
  }
  const { room } = chosen;
  planned.join = chosen.join;
  const uncounted = { ...byDocumentReply(planned, "the storage is full"), room };
  return await orUncounted(placements, request, uncounted, () => placeIn(host, planned, room));
}

/** If there is no room for the call's row nobody counts it: its document joins, and the conference's own limit stands. */
async function orUncounted(
  placements: Placements,
  key: PlacementKey,
  uncounted: PlaceReply,
  place: () => PlaceReply | Promise<PlaceReply>,
): Promise<PlaceReply> {
  try {
    return await place();
  } catch (error) {
    if (!isFull(error)) throw error;
    placements.abandon(key);
    return uncounted;
  }
}

async function placeIn(host: PlaceByRelayHost, planned: PlaceRequest, room: string): Promise<PlaceReply> {
  const { placements } = host;
  const { deadline_at } = planned;
  const avoid = deadline_at <= host.now() ? "the deadline had passed" : reasonForDocument(host, planned);
  if (avoid !== null) {
    placements.plan(planned, room, avoid, "by_document");
  } else {
    placements.plan(planned, room, "planned", "planned");
    // The event may come where the answer does not: then there is nothing more to wait for.
    const settled = Promise.race([byCommands(host, planned, deadline_at), host.joinSeen(planned)]);
    await timeoutOr(deadline_at - host.now(), settled, undefined);
  }
  const row = mustFind(placements, planned);
  giveUpWaiting(placements, row, heldSince(planned, host.now()));
  return replyOf(row);
}

/** When the document that holds the call after its join starts; null if there is none. */
export function heldSince({ by_commands }: PlaceRequest, now: number): number | null {
  return by_commands ? null : now;
}

function mustFind(placements: Placements, key: PlacementKey): Placement {
  const row = placements.find(key);
  if (!row) throw new Error("a placement vanished while it was made");
  return row;
}

function reasonForDocument(host: PlaceByRelayHost, request: PlaceRequest): string | null {
  if (request.join_via === "document") return "the tenant joins by document";
  if (request.node_id === undefined) return "the call has no node_id";
  // A document that starts after RELAY's join may take the call out of it, and so end the conference for all.
  if (request.join.end_on_exit === true) return "its leave would end the conference";
  return host.avoidRelay();
}

async function byCommands(host: PlaceByRelayHost, request: PlaceRequest, deadline_at: number): Promise<void> {
  const { placements } = host;
  const row = placements.find(request);
  if (!row) return;
  let connection: RelayConnection;
  try {
    connection = await host.connection(request);
  } catch (error) {
    placements.move(row, "by_document", {
      joined_by: "document",
      reason: describeError(error),
    });
    return;
  }
  const ids = { node_id: request.node_id, call_id: request.call_id };
  const reserve = Math.min(ANSWER_RESERVE_MS, (deadline_at - row.created_at) / 4);
  const timing = { lane: request.call_id, deadline_at, must_send_by: deadline_at - reserve };
  if (!request.answered) {
    const answer = { ...timing, method: "calling.answer", params: ids };
    let outcome = await connection.command({ ...answer, id: crypto.randomUUID() });
    while (isBusy(outcome) && host.now() + BUSY_MS < timing.must_send_by) {
      await scheduler.wait(BUSY_MS);
      outcome = await connection.command({ ...answer, id: crypto.randomUUID() });
    }
    host.commandEnded(outcome);
    placements.mark(row, "calling.answer", describeOutcome(outcome));
    if (outcome.kind !== "ok") {
      byDocument(placements, request, "calling.answer", outcome);
      return;
    }
  }
  // Time may have run out meanwhile, and the caller have a document that joins.
  if (placements.find(request)?.state !== "planned") return;
  const join = {
    method: "calling.join_conference",
    params: { ...ids, name: row.room, ...request.join },
  };
  let outcome = await connection.command({ ...timing, ...join, id: joinCommandId(request) });
  let tries = 1;
  // Too many at once: not carried out, and no reason for anything but to come again while there is time.
  while (isBusy(outcome) && host.now() + BUSY_MS < timing.must_send_by) {
    await scheduler.wait(BUSY_MS);
    outcome = await connection.command({ ...timing, ...join, id: joinCommandId(request) });
    tries += 1;
  }
  host.commandEnded(outcome);
  observeJoin(host.observations, request, outcome, tries);
  if (outcome.kind === "failed" && /^4\d\d$/.test(outcome.code) && !isBusy(outcome))
    host.fullRooms.refused(row);
  placements.mark(row, "calling.join_conference", describeOutcome(outcome));
  settleJoin(host, request, outcome);
}

function observeJoin(
  observations: PlaceByRelayHost["observations"],
  { ingress, answered }: PlaceRequest,
  outcome: Outcome,
  tries: number,
): void {
  if (isBusy(outcome)) observations.saw("relay_429", "seen");
  if (outcome.kind === "ok")
    observations.saw(
      "result_conference_id",
      typeof outcome.result["conference_id"] === "string" ? "named" : "not named",
    );
  if (ingress === "swml") {
    if (outcome.kind === "ok") observations.saw("relay_drives_webhook_calls", true);
    else if (outcome.kind === "gone") observations.saw("relay_drives_webhook_calls", outcome.code);
    // Where RELAY took the answer, it drives the call.
    else if (outcome.kind === "conflict" && answered) observations.saw("relay_drives_webhook_calls", "409");
  }
  // It was told to be answered, and then that it is not.
  if (!answered && outcome.kind === "conflict") observations.saw("answer_is_async", true);
  // The join was the very next command, and did not come too soon.
  if (!answered && outcome.kind === "ok" && tries === 1) observations.saw("answer_is_async", false);
}

/** The join's frame goes out in this turn. */
export function joinIsSending(placements: Placements, command: string): void {
  if (!command.startsWith("[")) return;
  const [call_id, entry, step] = JSON.parse(command) as [string, string, number]; // Written by joinCommandId.
  const row = placements.find({ call_id, entry, step });
  if (row) placements.move(row, "sending", { reason: "sent", may_stand: 1 });
}

function settleJoin(
  { placements, now, protocol }: Pick<PlaceByRelayHost, "placements" | "now" | "protocol">,
  request: PlaceRequest,
  outcome: Outcome,
): void {
  const row = placements.find(request);
  if (!row) return;
  const reason = describeOutcome(outcome);
  const hold_at = heldSince(request, now());
  switch (outcome.kind) {
    case "ok": {
      placements.move(row, "accepted", {
        reason,
        joined_by: "relay",
        hold_at,
        // Its document stays: nothing of it will come back by itself.
        stay_at: hold_at,
        relay_took: protocol(),
      });
      return;
    }
    case "unsent":
    case "gone":
    case "conflict":
    case "failed":
    case "error":
      byDocument(placements, request, "calling.join_conference", outcome);
      return;
    case "unanswered":
      placements.move(row, "unknown", { reason, joined_by: "relay", hold_at });
      return;
    default:
      outcome satisfies never;
  }
}

function byDocument(placements: Placements, request: PlaceRequest, method: string, outcome: Outcome): void {
  const row = placements.find(request);
  if (!row) return;
  if (outcome.kind !== "unsent") placements.move(row, "rejected", { reason: describeOutcome(outcome) });
  placements.move(row, "by_document", {
    joined_by: "document",
    may_stand: method === "calling.join_conference" && mayHaveBeenDone(outcome) ? 1 : 0,
    reason: `${method}: ${describeOutcome(outcome)}`,
    // It may mean that RELAY cannot see the call, or just that the caller hung up: what the call does next tells.
    doubt: outcome.kind === "gone" && outcome.code === "404" ? "404" : null,
  });
}

/** A refusal that names the call or the request is one. Any other failure may have come after the join. */
function mayHaveBeenDone(outcome: Outcome): boolean {
  if (outcome.kind === "failed") return !/^4\d\d$/.test(outcome.code);
  return outcome.kind === "error" && outcome.code !== -32601 && outcome.code !== -32602;
}

/**
 * Nobody waits for an answer any more: at the deadline, or where another incarnation began it. What is not sent goes by
 * document and will not be sent; what became of what is sent is not known. Where the event was first and the answer is still to
 * come, the hold begins all the same: what its document does to the room must be known for that.
 */
export function giveUpWaiting(placements: Placements, row: Placement, hold_at: number | null): void {
  if (row.state === "planned") {
    placements.move(row, "by_document", {
      joined_by: "document",
      reason: "RELAY was not ready by the deadline",
    });
  } else if (row.state === "sending") {
    placements.move(row, "unknown", {
      joined_by: "relay",
      hold_at,
      reason: "no answer by the deadline",
    });
  } else if (
    row.state === "joined" &&
    row.joined_by === "relay" &&
    row.hold_at === null &&
    hold_at !== null
  ) {
    placements.update(row, { hold_at, stay_at: hold_at });
  }
}

/** Nothing was counted and nothing sent: the document joins where it must. */
export function byDocumentReply(request: PlaceRequest, reason: string): PlaceReply {
  return { v: 1, outcome: "document", room: request.rooms[0], join: request.join, counted: false, reason };
}
