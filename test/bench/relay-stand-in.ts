import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { type EventFrame, type Member, Rooms } from "./stand-in-rooms.ts";
import { CONTEXT } from "./wire.ts";

/**
 * The smallest RELAY that a session can be driven against: it connects anyone, answers every call, takes every join and
 * tells of it; REST says the same. It offers calls on a context where it is asked to. Its own process, asked over Node's IPC, so that
 * its work is not counted as ours.
 */
export interface Counts {
  answers: number;
  joins: number;
  /** Told on a socket that lived long enough for the ack. */
  events: number;
  /** Events that were acknowledged. */
  acks: number;
  /** Frames that no session should have sent here: a method, or the ack of no event. */
  odd: string[];
}

export type Asked =
  | { ask: "counts" }
  /** Cuts every socket, at once or with the next join's answer owed; told when a later socket's first command is taken. */
  | { ask: "cut"; when: "at once" | "on a join" }
  /** So many calls are in so many rooms from now on. */
  | { ask: "settle"; calls: number; rooms: number }
  /** So many events in one burst; told when all are acknowledged. */
  | { ask: "flood"; events: number }
  /** So many calls on the context, so many of them at once; told when each is in its room and that is acknowledged. */
  | { ask: "offer"; times: number; at_once: number; project_id: string }
  /** From now on so many calls are offered a second, while a session is connected, and people leave as others come; frames are kept. */
  | { ask: "ring"; per_s: number; project_id: string }
  /** Kills a process with the next such frame in hand, before it is read; told nothing. */
  | { ask: "kill"; pid: number; on: "ack" | "join" }
  /** What was kept of frames since this was asked last; told once no session is connected any more. */
  | { ask: "wire" }
  /** Calls that were offered end, and leave their rooms. */
  | { ask: "end" };

/** How long it took, and each call from its offer to its join. */
export interface Offered {
  took_ms: number;
  joined_ms: number[];
}

/** What came over the wire, all of it read. */
export interface Wire {
  /** Calls whose join was sent here. */
  joins: string[];
  /** What was told of calls, and acknowledged. */
  acked: Telling[];
}

export interface Telling {
  call_id: string;
  event_type: string;
  status: string;
}

export type Told = Counts | { took_ms: number } | Offered | Wire;

interface Frame {
  id: string;
  method?: string;
  params: Member;
}

/** A few calls are offered this often. */
const RING_MS = 10;

/** What happens to people in conferences, over and over. */
const HAPPENINGS = [
  "participant-mute",
  "participant-speech-start",
  "participant-unmute",
  "participant-hold",
  "participant-speech-stop",
  "participant-unhold",
];

const counts: Counts = { answers: 0, joins: 0, events: 0, acks: 0, odd: [] };
const occupancy = new Rooms();
const unacked = new Set<string>();
/** Those that RELAY would tell of calls. */
const connected = new WeakSet<WebSocket>();
/** `at` is null while it waits for its join. */
let cut: { at: number | null } | null = null;
let flood: { begun: number; unacked: Set<string> } | null = null;
/** Calls that were offered and have not ended. */
const offered = new Set<string>();
let offering: Offering | null = null;
/** What is killed with the next frame of a kind. */
let doomed: { pid: number; isOn: (frame: Buffer) => boolean } | null = null;
/** Frames since somebody asked; null while nobody wants them. */
let wire: (Wire & { told: Map<string, Telling> }) | null = null;

interface Offering {
  project_id: string;
  /** So many are still to be offered. */
  left: number;
  begun: number;
  /** When each was offered that has not joined yet. */
  since: Map<string, number>;
  /** The events of joins that are not acknowledged yet. */
  joins: Set<string>;
  joined_ms: number[];
}

const http = createServer((request, response) => {
  const said = occupancy.rest(request.url ?? "");
  response.writeHead(said ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(said));
});
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    if (doomed?.isOn(data)) {
      process.kill(doomed.pid, "SIGKILL");
      doomed = null;
    }
    // What was on its way when the socket was cut is lost with it.
    if (socket.readyState !== socket.OPEN) return;
    const { id, method, params } = JSON.parse(data.toString()) as Frame;
    switch (method) {
      case undefined:
        acknowledged(id);
        return;
      case "signalwire.connect":
        send(socket, { id, result: { protocol: `signalwire_${randomUUID()}`, identity: "bench" } });
        connected.add(socket);
        return;
      case "signalwire.ping":
        send(socket, { id, result: {} });
        return;
      case "signalwire.receive":
        send(socket, { id, result: { code: "200", message: "Receiving events" } });
        return;
      case "calling.answer":
        takenAfterCut();
        counts.answers += 1;
        send(socket, { id, result: { code: "200", message: "Answered", call_id: params.call_id } });
        if (offered.has(params.call_id)) tell(socket, stateOf(params.call_id, "answered"));
        return;
      case "calling.join_conference":
        if (cut?.at === null) return cutAll(cut);
        takenAfterCut();
        counts.joins += 1;
        send(socket, { id, result: { code: "200", message: "Joining conference", call_id: params.call_id } });
        joined(socket, params);
        return;
      case "calling.end":
        // Of a call that left its room while `ring` is on, where none ends by itself.
        send(socket, { id, result: { code: "200", message: "Disconnecting call", call_id: params.call_id } });
        return;
      default:
        counts.odd.push(method);
        send(socket, { id, error: { code: -32601, message: "Method not found" } });
    }
  });
});

function send(socket: WebSocket, frame: object): void {
  socket.send(JSON.stringify({ jsonrpc: "2.0", ...frame }));
}

function tell(socket: WebSocket, event: EventFrame): void {
  counts.events += 1;
  unacked.add(event.id);
  if (wire) {
    const { event_type, params } = event.params;
    const { call_id, status = params.call_state ?? "" } = params;
    wire.told.set(event.id, { call_id, event_type, status });
  }
  send(socket, event);
}

function joined(socket: WebSocket, member: Member): void {
  wire?.joins.push(member.call_id);
  const event = occupancy.join(member);
  const since = offering?.since.get(member.call_id);
  if (offering && since !== undefined) {
    offering.joined_ms.push(performance.now() - since);
    offering.since.delete(member.call_id);
    offering.joins.add(event.id);
  }
  tell(socket, event);
}

function offer(): void {
  if (!offering || offering.left === 0) return;
  offering.left -= 1;
  offering.since.set(offerCall(theSocket(), offering.project_id, offering.left), performance.now());
}

/** Every so often a few calls, and as many leave; nothing while no session is connected. */
function ring(per_s: number, project_id: string): void {
  wire = { joins: [], acked: [], told: new Map() };
  setInterval(() => {
    const socket = [...server.clients].find((one) => one.readyState === one.OPEN && connected.has(one));
    if (!socket) return;
    for (let call = 0; call < (per_s * RING_MS) / 1000; call += 1) offerCall(socket, project_id, call);
    const leaving = new Set(occupancy.members(Math.ceil((per_s * RING_MS) / 1000)));
    for (const event of occupancy.leave((member) => leaving.has(member))) tell(socket, event);
  }, RING_MS);
}

function offerCall(socket: WebSocket, project_id: string, index: number): string {
  const call_id = randomUUID();
  offered.add(call_id);
  const numbers = { from_number: "+15550100001", to_number: `+1555${String(index % 50).padStart(7, "0")}` };
  tell(socket, {
    id: randomUUID(),
    method: "signalwire.event",
    params: {
      event_type: "calling.call.receive",
      timestamp: occupancy.timestamp(),
      params: {
        call_id,
        node_id: `${call_id}@us-east`,
        segment_id: randomUUID(),
        tag: randomUUID(),
        call_state: "created",
        direction: "inbound",
        context: CONTEXT,
        project_id,
        device: { type: "phone", params: numbers },
      },
    },
  });
  return call_id;
}

/** Once the last frame of every session is read. */
async function reportWire(kept: NonNullable<typeof wire>): Promise<void> {
  await Promise.all([...server.clients].map((socket) => once(socket, "close")));
  wire = { joins: [], acked: [], told: new Map() };
  report({ joins: kept.joins, acked: kept.acked });
}

function stateOf(call_id: string, call_state: "answered" | "ended"): EventFrame {
  const params = { call_id, node_id: `${call_id}@us-east`, call_state, direction: "inbound" };
  const reason = call_state === "ended" ? { end_reason: "hangup" } : {};
  return {
    id: randomUUID(),
    method: "signalwire.event",
    params: {
      event_type: "calling.call.state",
      timestamp: occupancy.timestamp(),
      params: { ...params, ...reason },
    },
  };
}

/** Each call that is in its room makes way for the next. */
function afterJoin(of: Offering): void {
  offer();
  if (of.since.size > 0 || of.joins.size > 0) return;
  report({ took_ms: performance.now() - of.begun, joined_ms: of.joined_ms });
  offering = null;
}

function endOffered(): void {
  const socket = theSocket();
  // A call that only left its room would be ended by the session.
  for (const call_id of offered) tell(socket, stateOf(call_id, "ended"));
  for (const event of occupancy.leave(({ call_id }) => offered.has(call_id))) tell(socket, event);
  offered.clear();
}

function theSocket(): WebSocket {
  const [socket] = server.clients;
  if (!socket) throw new Error("no session is connected");
  return socket;
}

function acknowledged(id: string): void {
  if (unacked.delete(id)) counts.acks += 1;
  else counts.odd.push("an ack");
  const told = wire?.told.get(id);
  if (told) wire?.acked.push(told);
  if (offering?.joins.delete(id)) afterJoin(offering);
  if (!flood?.unacked.delete(id) || flood.unacked.size > 0) return;
  report({ took_ms: performance.now() - flood.begun });
  flood = null;
}

function takenAfterCut(): void {
  if (!cut || cut.at === null) return;
  report({ took_ms: performance.now() - cut.at });
  cut = null;
}

function cutAll(which: { at: number | null }): void {
  which.at = performance.now();
  for (const socket of server.clients) socket.terminate();
  counts.events -= unacked.size;
  unacked.clear();
}

function flow(events: number): void {
  const socket = theSocket();
  const frames = occupancy.happenings(events, HAPPENINGS);
  flood = { begun: performance.now(), unacked: new Set(frames.map(({ id }) => id)) };
  for (const frame of frames) tell(socket, frame);
}

function report(told: Told): void {
  process.send?.(told);
}

http.listen(0, "127.0.0.1", () => process.send?.(http.address()));
process.on("message", (asked: Asked) => {
  switch (asked.ask) {
    case "counts":
      return report(counts);
    case "cut":
      cut = { at: null };
      if (asked.when === "at once") cutAll(cut);
      return;
    case "settle":
      occupancy.settle(asked.calls, asked.rooms);
      return report(counts);
    case "flood":
      return flow(asked.events);
    case "offer": {
      const { times, at_once, project_id } = asked;
      offering = {
        project_id,
        left: times,
        begun: performance.now(),
        since: new Map(),
        joins: new Set(),
        joined_ms: [],
      };
      for (let lane = 0; lane < Math.min(at_once, times); lane += 1) offer();
      return;
    }
    case "ring":
      ring(asked.per_s, asked.project_id);
      return report(counts);
    case "kill": {
      const { pid, on } = asked;
      const isJoin = (frame: Buffer) => frame.includes("calling.join_conference");
      doomed = { pid, isOn: on === "join" ? isJoin : (frame) => !frame.includes('"method"') };
      return;
    }
    case "wire":
      if (!wire) throw new Error("no frames are kept");
      void reportWire(wire);
      return;
    case "end":
      endOffered();
      return report(counts);
    default:
      asked satisfies never;
  }
});
process.on("disconnect", () => process.exit());
