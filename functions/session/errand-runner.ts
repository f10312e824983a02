import { mayMove } from "../../shared/placement.ts";
import type { Outcome } from "../../shared/relay/outcome.ts";
import type { Project } from "../directory.ts";
import { describeError, log } from "../log.ts";
import { commandCall, isCallOver, isInRooms, listRoom, type RoomListing, redirectCall } from "../rest.ts";
import { absenceBy, isBeingPutBack } from "./absence.ts";
import type { RelayConnection } from "./connection.ts";
import { type CallCommand, commandFor } from "./errand-commands.ts";
import type { Errand, Errands } from "./errands.ts";
import type { Health } from "./health.ts";
import type { Line } from "./line.ts";
import type { Placement, Placements } from "./placements.ts";
import { describeOutcome } from "./placing.ts";

const COMMAND_MS = 3_000;
const REST_MS = 4_000;
/** Errands under way at once; the rest wait a turn. */
const BATCH = 50;

export interface ErrandHost {
  errands: Errands;
  placements: Placements;
  health: Health;
  now(): number;
  /** The open connection, or null where there is none. */
  connection(): RelayConnection | null;
  project(): Promise<Project>;
  /** The placement's call is not in its room, by REST's word; or it is. */
  left(row: Placement): void;
  found(row: Placement): void;
  /** REST's list does not tell whether it is there. */
  undecided(row: Placement): void;
  line: Line;
  /** For the call's story: what came of a command. */
  told(row: Placement, command: string, by: "relay" | "rest" | "nobody", said: string): void;
}

/** What REST said of rooms in one batch of errands: one listing serves all of a room. */
interface Rooms {
  listings: Map<string, Promise<RoomListing[]>>;
  failed: Set<string>;
}

/** Does what is due: by RELAY first, by REST where RELAY can't, and again later where neither could. */
export async function runErrands(host: ErrandHost): Promise<void> {
  for (let due = host.errands.takeDue(BATCH); due.length > 0; due = host.errands.takeDue(BATCH)) {
    const rooms: Rooms = { listings: new Map(), failed: new Set() };
    await Promise.all(
      due.map(async (errand) => {
        if (errand.kind === "verify") await verify(host, errand, rooms);
        else if (errand.kind === "fetch" && errand.node_id === null) await lead(host, errand);
        else await run(host, errand);
      }),
    );
  }
}

async function run(host: ErrandHost, errand: Errand): Promise<void> {
  const command = commandFor(host, errand);
  if (!command || (await isThereAlready(host, errand))) {
    host.errands.done(errand);
    return;
  }
  const relay = await byRelay(host, errand, command);
  if (relay?.kind === "ok") {
    finish(host, errand, "relay");
    return;
  }
  if (relay?.kind === "gone" && relay.code === "410") {
    gone(host, errand);
    return;
  }
  // It may have been fetched all the same: a second transfer would take it out of its room again.
  if (errand.kind === "fetch" && relay?.kind === "unanswered") {
    later(host, errand, { relay: describeOutcome(relay) });
    return;
  }
  // A 404 is not yet "gone": RELAY may not see a call that came by webhook.
  const rest = await byRest(host, errand, command);
  if (rest.kind === "ok") finish(host, errand, "rest");
  else if (rest.kind === "gone") gone(host, errand);
  else later(host, errand, { relay: relay ? describeOutcome(relay) : "not connected", rest: rest.reason });
}

/** Whether an earlier try to bring the call to its room had more success than anybody heard of. */
async function isThereAlready(host: ErrandHost, errand: Errand): Promise<boolean> {
  if ((errand.kind !== "fetch" && errand.kind !== "rejoin") || errand.attempts === 0) return false;
  const row = host.placements.find(errand);
  if (row?.state !== "by_document") return false;
  try {
    if (!(await isInRooms(await host.project(), [row.room], row.call_id, AbortSignal.timeout(REST_MS)))) {
      return false;
    }
  } catch {
    return false;
  }
  host.found(row);
  return true;
}

/**
 * Whether the call is where the ledger has it: REST is believed. Asked where events may have been missed, and where somebody
 * unsigned says that it left.
 */
async function verify(host: ErrandHost, errand: Errand, { listings, failed }: Rooms): Promise<void> {
  const row = host.placements.find(errand);
  if (!row || !mayMove(row.state, "left") || isBeingPutBack(row)) {
    host.errands.done(errand);
    return;
  }
  const { trail } = row;
  try {
    const project = await host.project();
    let listing = listings.get(row.room);
    if (!listing) {
      listing = listRoom(project, row.room, AbortSignal.timeout(REST_MS));
      listings.set(row.room, listing);
    }
    const present = new Set((await listing).flatMap(({ call_ids }) => [...call_ids]));
    // Where the row moved while REST answered, that is newer than the answer.
    if (row.trail !== trail) log("info", "verify.overtaken", { call: row.call_id, now: row.state });
    else if (present.has(row.call_id)) host.found(row);
    else if (absenceBy(present, host.placements)(row)) host.left(row);
    else host.undecided(row);
  } catch (error) {
    if (!failed.has(row.room)) log("warn", "verify.failed", { room: row.room, error: describeError(error) });
    failed.add(row.room);
    // Soon again: it may sit in silence where a room was.
    host.errands.retry(errand);
    return;
  }
  host.errands.done(errand);
}

/**
 * A call of cXML's that has its turn, or is not let in, is led out of its line by REST. Where REST can't, it comes by itself when
 * it asks next, and its seat is kept so long: REST is asked whether there is a call yet, since of one that hung up nobody would
 * tell, and the next in the line would wait for its seat.
 */
async function lead(host: ErrandHost, errand: Errand): Promise<void> {
  const url = awaited(host, errand)?.wait?.fetch_url;
  if (url !== undefined && !(await isThereAlready(host, errand)) && (await isLed(host, errand, url))) {
    finish(host, errand, "rest");
    return;
  }
  if (awaited(host, errand) && (await isOver(host, errand))) {
    gone(host, errand);
    return;
  }
  const row = awaited(host, errand);
  if (!row) host.errands.done(errand);
  else if (!host.errands.retry(errand)) host.line.takeBack(row);
}

/** The row of one who is to come out of the line and has not been seen to. */
function awaited({ placements }: ErrandHost, errand: Errand): Placement | null {
  const row = placements.find(errand);
  if (!row || row.joined_ts !== null) return null;
  return row.state === "by_document" || (row.state === "failed" && row.turned_away !== null) ? row : null;
}

async function isLed(host: ErrandHost, { call_id }: Errand, url: string): Promise<boolean> {
  try {
    const led = await redirectCall(await host.project(), call_id, url, AbortSignal.timeout(REST_MS));
    if (led.kind === "failed") log("info", "waiter.not_led", { call: call_id, error: led.reason });
    return led.kind === "ok";
  } catch (error) {
    log("info", "waiter.not_led", { call: call_id, error: describeError(error) });
    return false;
  }
}

async function isOver(host: ErrandHost, { call_id }: Errand): Promise<boolean> {
  try {
    return await isCallOver(await host.project(), call_id, AbortSignal.timeout(REST_MS));
  } catch (error) {
    log("info", "waiter.unseen", { call: call_id, error: describeError(error) });
    return false;
  }
}

function later(host: ErrandHost, errand: Errand, why: Record<string, string>): void {
  const again = host.errands.retry(errand);
  const row = host.placements.find(errand);
  const said = Object.entries(why).map(([who, failure]) => `${who}: ${failure}`);
  if (row) host.told(row, errand.kind, "nobody", said.join("; "));
  if (!again && row && errand.kind === "fetch") host.line.takeBack(row);
  log(again ? "warn" : "error", again ? "errand.retry" : "errand.given_up", {
    kind: errand.kind,
    call: errand.call_id,
    ...why,
  });
}

async function byRelay(host: ErrandHost, errand: Errand, command: CallCommand): Promise<Outcome | null> {
  const connection = host.connection();
  if (!connection || errand.node_id === null) return null;
  return await connection.command({
    id: crypto.randomUUID(),
    lane: errand.call_id,
    method: command.method,
    params: { node_id: errand.node_id, call_id: errand.call_id, ...command.params },
    deadline_at: host.now() + COMMAND_MS,
  });
}

async function byRest(host: ErrandHost, errand: Errand, { method, params }: CallCommand) {
  try {
    return await commandCall(
      await host.project(),
      errand.call_id,
      method,
      params,
      AbortSignal.timeout(REST_MS),
    );
  } catch (error) {
    return { kind: "failed" as const, reason: describeError(error) };
  }
}

function finish(host: ErrandHost, errand: Errand, by: "relay" | "rest"): void {
  host.errands.done(errand);
  const row = host.placements.find(errand);
  if (row) host.told(row, errand.kind, by, "done");
  if (row && errand.kind === "fetch") host.line.handedOver(row);
  if (errand.kind === "rejoin" && row?.doubt === "taken out") {
    host.placements.update(row, { doubt: null });
    host.health.failed("joined, and taken out by a document", host.now());
  }
  log("info", "errand.done", { kind: errand.kind, call: errand.call_id, by });
}

function gone(host: ErrandHost, errand: Errand): void {
  host.errands.done(errand);
  const row = host.placements.find(errand);
  if (row) host.told(row, errand.kind, "nobody", "the call was gone already");
  if (row && errand.kind === "rejoin") host.placements.move(row, "left", { reason: "the call is gone" });
  if (row && errand.kind === "fetch") host.line.ended(row);
}
