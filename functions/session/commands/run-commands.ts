import { evidenceOfList, evidenceOfRefusal, mayShowWhoLeft } from "../../../shared/evidence.ts";
import { isByDocument, mayMove } from "../../../shared/placement.ts";
import { describeOutcome, type Outcome } from "../../../shared/relay/outcome.ts";
import { describeError, log } from "../../log.ts";
import { RestBusy, type RestOutcome } from "../../rest.ts";
import {
  type CallStatuses,
  callStatuses,
  commandCall,
  evidenceOfStatuses,
  hangUpCall,
  redirectCall,
} from "../../rest-calls.ts";
import { findInRooms, listRoom, type RoomListing, sidListing } from "../../rest-conferences.ts";
import { TooLate } from "../../slots.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import { isBeingPutBack } from "../reconcile/absence.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import { observeListing } from "../reconcile/observe-listing.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommand, PendingCommands } from "../store/commands.ts";
import type { History } from "../store/history.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RelayTrust } from "../store/relay-trust.ts";
import { FETCHED_LATE_MS, FETCHED_MS, FETCHES, fetchedFrom, hasFetched } from "../store/resume-url-of.ts";
import type { RoomChecks } from "../store/room-checks.ts";
import { kindOf, listable } from "../store/suspicions.ts";
import { asksBy } from "../store/wait-terms.ts";
import { type CallCommand, commandFor } from "./command-for.ts";

const COMMAND_MS = 3_000;
const REST_MS = 4_000;
/** A call that none of our commands reaches for so long after it left its room has dropped, as far as its seat goes. */
const ANSWERED_WITHIN_MS = 5_000;
/** Commands under way at once; the rest wait a turn. */
const BATCH = 50;
/** When a call that somebody unsigned said to have left is asked about again, each time after the last, ms. */
const ASK_AGAIN_MS = [30_000, 35_000, 60_000, 120_000, 300_000, 600_000, 600_000] as const;
/** Without a second source for so long, an unsigned leave counts against relying on leaves to be told. */
const UNSIGNED_ALONE_MS = 60_000;

/** What commands read and change. */
export interface CommandHost {
  pendingCommands: PendingCommands;
  placements: Placements;
  occupancy: Occupancy;
  circuitBreaker: CircuitBreaker;
  leaving: CircuitBreaker;
  observations: Observations;
  corrections: Corrections;
  trust: RelayTrust;
  checks: RoomChecks;
  history: History;
  queue: WaitingQueue;
  heldSeats: Pick<HeldSeats, "isPromised">;
  relayManager: Pick<RelayManager, "ready" | "protocol" | "rest">;
  now(): number;
}

/** What REST said of rooms in one batch of commands: one listing serves all of a room. */
interface Listings {
  listings: Map<string, Promise<RoomListing>>;
  failed: Set<string>;
}

/** Does what is due: by RELAY first, by REST where RELAY can't, and again later where neither could. */
export async function runCommands(host: CommandHost): Promise<void> {
  for (
    let due = host.pendingCommands.takeDue(BATCH);
    due.length > 0;
    due = host.pendingCommands.takeDue(BATCH)
  ) {
    const rooms: Listings = { listings: new Map(), failed: new Set() };
    await Promise.all(
      due.map(async (pending) => {
        if (pending.kind === "verify") await verify(host, pending, rooms);
        else if (pending.kind === "fetch" && pending.node_id === null) await lead(host, pending);
        else await run(host, pending);
      }),
    );
    // Thousands may be due at once, and be done without waiting for anything.
    if (due.length === BATCH) await scheduler.wait(0);
  }
}

async function run(host: CommandHost, pending: PendingCommand): Promise<void> {
  const command = commandFor(host, pending);
  if (!command || (await isThereAlready(host, pending))) {
    const row = pending.kind === "fetch" ? host.placements.find(pending) : null;
    if (row && hasFetched(row)) host.queue.handedOver(row);
    host.pendingCommands.done(pending);
    return;
  }
  const relay = await byRelay(host, pending, command);
  if (relay?.kind === "ok") {
    took(host, pending, { relay_took: host.relayManager.protocol });
    livesOn(host, pending);
    carriedOut(host, pending, "relay");
    return;
  }
  if (relay?.kind === "gone") unanswered(host, pending);
  if (relay?.kind === "gone" && relay.code === "410") {
    gone(host, pending);
    return;
  }
  // It may have been fetched all the same: a second transfer would take it out of its room again.
  if (pending.kind === "fetch" && relay?.kind === "unanswered") {
    later(host, pending, { relay: describeOutcome(relay) });
    return;
  }
  // A 404 is not yet "gone", even where RELAY took a command before: REST may see the call yet.
  const rest = await byRest(host, pending, command);
  // Something has dropped it meanwhile: it was not sent, or nothing follows from it.
  if (!host.pendingCommands.has(pending)) return host.pendingCommands.done(pending);
  if (rest.kind === "ok") {
    took(host, pending, { rest_took: 1 });
    livesOn(host, pending);
    carriedOut(host, pending, "rest");
    return;
  }
  if (rest.kind === "later") {
    host.observations.saw("rest_429", "seen");
    host.pendingCommands.putOff(pending, rest.retry_after_ms, { counts: false });
    return;
  }
  // By some readings a call that is gone gets a 422: its own status may tell.
  const isRefused = rest.kind === "refused" || rest.status === 422;
  if (rest.kind === "refused" || isOverdue(host, pending)) unanswered(host, pending);
  const saysOver = (by: "relay" | "rest", code: string) => isOverBy(host, pending, by, code);
  if (
    (rest.kind === "refused" && saysOver("rest", rest.code)) ||
    (rest.kind === "refused" && relay?.kind === "gone" && saysOver("relay", relay.code)) ||
    (isRefused && (await isOver(host, pending)))
  ) {
    gone(host, pending);
    return;
  }
  const said = rest.kind === "refused" ? rest.code : rest.reason;
  const why = { relay: relay ? describeOutcome(relay) : "not connected", rest: said };
  later(host, pending, why, rest.kind === "refused");
  // Nobody sees the call, which is no proof that it is gone. It holds up nobody else in its line until it asks by itself.
  if (isRefused && pending.kind === "fetch") host.queue.missed(pending);
}

/** What was to be done for a call after its room was done: it was up, so it did not drop out of the room, but was removed. */
function livesOn({ placements, corrections }: CommandHost, pending: PendingCommand): void {
  const row = pending.kind === "end" || pending.kind === "after" ? placements.find(pending) : null;
  if (row?.state === "left") corrections.removed(row);
}

/** The call is gone, or not seen: for its caller's seat that is a drop, whatever else is to be found out. */
function unanswered({ placements, corrections }: CommandHost, pending: PendingCommand): void {
  const row = placements.find(pending);
  if (row) corrections.unanswered(row);
}

/** A call that was to be put back into its room has not been for so long that its caller may have dropped. */
function isOverdue({ placements, now }: CommandHost, pending: PendingCommand): boolean {
  const left_ts = pending.kind === "rejoin" ? (placements.find(pending)?.left_ts ?? null) : null;
  return left_ts !== null && now() - left_ts * 1000 >= ANSWERED_WITHIN_MS;
}

/** Whether a refused command shows that the call is over. */
function isOverBy(host: CommandHost, pending: PendingCommand, by: "relay" | "rest", code: string): boolean {
  const row = host.placements.find(pending);
  const taken = { relay: row?.relay_took ?? null, rest: row?.rest_took === 1 };
  return evidenceOfRefusal(by, code, taken, host.relayManager.protocol) === "over";
}

/** That side has taken a command for the call: from now on its 404 means that the call is gone. */
function took(
  host: CommandHost,
  pending: PendingCommand,
  changes: Pick<Placement, "relay_took"> | Pick<Placement, "rest_took">,
): void {
  const row = host.placements.find(pending);
  if (!row) return;
  const isKnown = "rest_took" in changes ? row.rest_took === 1 : row.relay_took === changes.relay_took;
  if (!isKnown) host.placements.update(row, changes);
}

/** Whether an earlier try to bring the call to its room had more success than anybody heard of. */
async function isThereAlready(host: CommandHost, pending: PendingCommand): Promise<boolean> {
  if ((pending.kind !== "fetch" && pending.kind !== "rejoin") || pending.attempts === 0) return false;
  const row = host.placements.find(pending);
  if (!row || !isByDocument(row.state)) return false;
  // Where leaving ends the conference for all, one more document that joins would end it.
  if (row.join.end_on_exit !== true && mayShowWhoLeft(row.left_ts, host.now())) return false;
  const sid = await host.relayManager
    .rest("question", REST_MS, (project, signal) => findInRooms(project, [row.room], row.call_id, signal))
    .catch(() => null);
  if (sid === null) return false;
  host.corrections.found(row, sid);
  return true;
}

/**
 * Asks about a call that is in doubt: first for its own status, then for its room's list. What neither says for sure changes nothing.
 */
async function verify(host: CommandHost, pending: PendingCommand, rooms: Listings): Promise<void> {
  const { placements, corrections, pendingCommands } = host;
  const row = placements.find(pending);
  if (!row || !mayMove(row.state, "left") || isBeingPutBack(row, host.now())) {
    pendingCommands.done(pending);
    return;
  }
  const { trail } = row;
  try {
    const asked_at = host.now();
    const statuses = await statusesOf(host, row);
    const status = evidenceOfStatuses(statuses);
    observeStatuses(host, row, statuses);
    const listing = status === "over" ? null : await listingOf(host, row.room, rooms);
    // Where the row moved while REST answered, that is newer than the answer.
    if (row.trail !== trail) log("info", "verify.overtaken", { call: row.call_id, now: row.state });
    else if (listing === null) corrections.over(row, "its status says that the call is over");
    else {
      const around = host.occupancy.around(row.room);
      observeListing(host.observations, listing, around, asked_at);
      const said = evidenceOfList(listing, listable(row), around.map(listable), asked_at);
      if (said === "present") corrections.found(row, sidListing(listing, row.call_id));
      else if (said === "missing" && row.state === "joined") corrections.missing(row, asked_at);
      // Who was never seen holds a seat for a while; who is there by REST is then counted without a name.
      else if (row.state !== "joined") host.checks.demand(row.room);
    }
  } catch (error) {
    if (error instanceof RestBusy || error instanceof TooLate) {
      if (error instanceof RestBusy) host.observations.saw("rest_429", "seen");
      pendingCommands.putOff(pending, error.retry_after_ms, { counts: false });
      return;
    }
    if (!rooms.failed.has(row.room))
      log("warn", "verify.failed", { room: row.room, error: describeError(error) });
    rooms.failed.add(row.room);
    // Soon again: it may sit in silence where a room was.
    if (!pendingCommands.retry(pending)) countUnsigned(host, row);
    return;
  }
  askAgain(host, pending, row);
}

/** A leave that somebody unsigned told of stays a question until there is a second source. */
function askAgain(host: CommandHost, pending: PendingCommand, row: Placement): void {
  const wait = ASK_AGAIN_MS[pending.attempts];
  if (row.unsigned_leave_at === null || !mayMove(row.state, "left") || wait === undefined) {
    host.pendingCommands.done(pending);
    return;
  }
  countUnsigned(host, row);
  host.pendingCommands.putOff(pending, wait, { counts: true });
}

/** Three in a row without a second source, and the tenant's calls join by document: then a call ends with its conference. */
function countUnsigned({ leaving, now }: CommandHost, row: Placement): void {
  const { unsigned_leave_at, joined_by, tenant } = row;
  if (unsigned_leave_at === null || joined_by !== "relay" || counted.has(row)) return;
  if (now() - unsigned_leave_at < UNSIGNED_ALONE_MS) return;
  counted.add(row);
  leaving.failed("no evidence of leaving", now(), tenant, "tenant");
}

/** Rows whose unsigned leave has been counted. */
const counted = new WeakSet<Placement>();

async function listingOf(
  { relayManager }: CommandHost,
  room: string,
  { listings }: Listings,
): Promise<RoomListing> {
  const listing =
    listings.get(room) ??
    relayManager.rest("list", REST_MS, (project, signal) => listRoom(project, room, signal));
  listings.set(room, listing);
  return await listing;
}

async function statusesOf(
  { relayManager }: CommandHost,
  { call_id, segment_id }: Pick<Placement, "call_id" | "segment_id">,
): Promise<CallStatuses> {
  return await relayManager.rest("question", REST_MS, (project, signal) =>
    callStatuses(project, call_id, segment_id, signal),
  );
}

function observeStatuses(
  { observations }: CommandHost,
  row: Placement,
  { compatibility, voice_log }: CallStatuses,
): void {
  const { ingress } = kindOf(row);
  observations.saw("call_status_known", `${ingress}: ${compatibility === null ? "no" : "yes"}`);
  if (row.segment_id !== null && evidenceOfStatuses({ compatibility, voice_log: null }) !== "alive")
    observations.saw("voice_logs", voice_log === null ? "absent" : "present");
}

/**
 * A call of cXML's that has its turn, or is not let in, is led out of its line by REST. Where REST can't, it comes by itself when
 * it asks next, and its seat is kept so long: REST is asked whether there is a call yet, since of one that hung up nobody would
 * tell, and the next in the line would wait for its seat.
 */
async function lead(host: CommandHost, pending: PendingCommand): Promise<void> {
  const url = awaited(host, pending)?.wait?.fetch_url;
  const isToBeLed = url !== undefined && !(await isThereAlready(host, pending));
  const led = isToBeLed ? await redirected(host, pending, url) : "failed";
  if (led === "ok") {
    finish(host, pending, "rest");
    return;
  }
  if (awaited(host, pending) && (await isOver(host, pending))) {
    gone(host, pending);
    return;
  }
  const row = awaited(host, pending);
  if (!row) host.pendingCommands.done(pending);
  // REST sees no such call. It may ask by itself yet; past that it holds up nobody.
  else if (led === "refused" && host.now() > asksBy(row)) giveUp(host, pending);
  else if (!host.pendingCommands.retry(pending)) host.queue.missed(pending);
}

function giveUp(host: CommandHost, pending: PendingCommand): void {
  host.pendingCommands.done(pending);
  host.queue.missed(pending);
}

/** The row of one who is to come out of the line and has not been seen to. */
function awaited({ placements }: CommandHost, pending: PendingCommand): Placement | null {
  const row = placements.find(pending);
  if (!row || row.joined_ts !== null) return null;
  return isByDocument(row.state) || (row.state === "failed" && row.turned_away !== null) ? row : null;
}

async function redirected(
  host: CommandHost,
  pending: PendingCommand,
  url: string,
): Promise<"ok" | "refused" | "failed"> {
  try {
    const led = await host.relayManager.rest(
      "command",
      REST_MS,
      (project, signal) => redirectCall(project, pending.call_id, url, signal),
      () => host.pendingCommands.has(pending),
    );
    if (led.kind !== "ok")
      log("info", "waiter.not_led", {
        call: pending.call_id,
        error:
          led.kind === "failed" ? led.reason : `REST answered ${led.kind === "refused" ? led.code : "429"}`,
      });
    return led.kind === "later" ? "failed" : led.kind;
  } catch (error) {
    log("info", "waiter.not_led", { call: pending.call_id, error: describeError(error) });
    return "failed";
  }
}

/** Whether the call's own status says that it is over. */
async function isOver(host: CommandHost, pending: PendingCommand): Promise<boolean> {
  const segment_id = host.placements.find(pending)?.segment_id ?? null;
  try {
    const statuses = await statusesOf(host, { call_id: pending.call_id, segment_id });
    return evidenceOfStatuses(statuses) === "over";
  } catch (error) {
    log("info", "call.status_unknown", { call: pending.call_id, error: describeError(error) });
    return false;
  }
}

function later(
  host: CommandHost,
  pending: PendingCommand,
  why: Record<string, string>,
  isRefused = false,
): void {
  // If neither side can be reached, it is done when one can. A waiter's seat is not kept so long.
  const lasts = !isRefused && pending.kind !== "fetch";
  const row = host.placements.find(pending);
  const again = isToFetch(pending, row)
    ? waitForFetch(host, pending)
    : host.pendingCommands.retry(pending, lasts);
  const said = Object.entries(why).map(([who, failure]) => `${who}: ${failure}`);
  if (row) host.history.action(row, { deed: pending.kind, by: "nobody", said: said.join("; ") });
  if (!again && pending.kind === "fetch") host.queue.missed(pending);
  log(again ? "warn" : "error", again ? "errand.retry" : "errand.given_up", {
    kind: pending.kind,
    call: pending.call_id,
    ...why,
  });
}

async function byRelay(
  host: CommandHost,
  pending: PendingCommand,
  command: CallCommand,
): Promise<Outcome | null> {
  const connection = host.relayManager.ready;
  if (!connection || pending.node_id === null) return null;
  return await connection.command({
    id: crypto.randomUUID(),
    lane: pending.call_id,
    method: command.method,
    params: { node_id: pending.node_id, call_id: pending.call_id, ...command.params },
    deadline_at: host.now() + COMMAND_MS,
  });
}

async function byRest(
  host: CommandHost,
  pending: PendingCommand,
  { method, params }: CallCommand,
): Promise<RestOutcome> {
  const { call_id } = pending;
  try {
    const isOfUse = () => host.pendingCommands.has(pending);
    const outcome = await host.relayManager.rest(
      "command",
      REST_MS,
      (project, signal) => commandCall(project, call_id, method, params, signal),
      isOfUse,
    );
    // A call of cXML's may be the compatibility API's alone.
    const isCxmls = pending.node_id === null && method === "calling.end";
    if (outcome.kind !== "refused" || !isCxmls) return outcome;
    const ended = await host.relayManager.rest(
      "command",
      REST_MS,
      (project, signal) => hangUpCall(project, call_id, signal),
      isOfUse,
    );
    return ended.kind === "failed" || ended.kind === "refused" ? outcome : ended;
  } catch (error) {
    return { kind: "failed", reason: describeError(error) };
  }
}

/** Whether the call is told to fetch the document by which it joins. */
function isToFetch({ kind, attempts }: PendingCommand, row: Placement | null): boolean {
  if (kind !== "fetch" || !row || !isByDocument(row.state) || attempts >= FETCHES) return false;
  return fetchedFrom(row) !== null;
}

/** What nobody answered for may be carried out late. */
function waitForFetch(host: CommandHost, pending: PendingCommand): true {
  host.pendingCommands.putOff(pending, FETCHED_LATE_MS, { counts: true });
  return true;
}

/** What was sent to fetch its document is done when it has. */
function carriedOut(host: CommandHost, pending: PendingCommand, by: "relay" | "rest"): void {
  const row = host.placements.find(pending);
  if (row && isToFetch(pending, row) && !hasFetched(row)) {
    host.history.action(row, { deed: pending.kind, by, said: "told to fetch" });
    host.pendingCommands.putOff(pending, FETCHED_MS, { counts: true });
  } else finish(host, pending, by);
}

function finish(host: CommandHost, pending: PendingCommand, by: "relay" | "rest"): void {
  host.pendingCommands.done(pending);
  const row = host.placements.find(pending);
  if (row) host.history.action(row, { deed: pending.kind, by, said: "done" });
  if (row && pending.kind === "fetch") host.queue.handedOver(row);
  if (pending.kind === "rejoin" && row?.doubt === "taken out") host.trust.callLives(row, host.now());
  log("info", "errand.done", { kind: pending.kind, call: pending.call_id, by });
}

function gone(host: CommandHost, pending: PendingCommand): void {
  host.pendingCommands.done(pending);
  const row = host.placements.find(pending);
  if (row) host.history.action(row, { deed: pending.kind, by: "nobody", said: "the call was gone already" });
  if (row && pending.kind === "fetch") host.queue.ended(row);
  if (row && mayMove(row.state, "left")) host.corrections.over(row, "a command found the call gone");
}
