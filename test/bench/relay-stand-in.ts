import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { type EventFrame, type Member, Rooms } from "./stand-in-rooms.ts";

/**
 * The smallest RELAY that a session can be driven against: it connects anyone, answers every call, takes every join and
 * tells of it; REST says the same. Its own process, asked over Node's IPC, so that its work is not counted as ours.
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
  | { ask: "flood"; events: number };

export type Told = Counts | { took_ms: number };

interface Frame {
  id: string;
  method?: string;
  params: Member;
}

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
/** `at` is null while it waits for its join. */
let cut: { at: number | null } | null = null;
let flood: { begun: number; unacked: Set<string> } | null = null;

const http = createServer((request, response) => {
  const said = occupancy.rest(request.url ?? "");
  response.writeHead(said ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(said));
});
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    // What was on its way when the socket was cut is lost with it.
    if (socket.readyState !== socket.OPEN) return;
    const { id, method, params } = JSON.parse(data.toString()) as Frame;
    switch (method) {
      case undefined:
        acknowledged(id);
        return;
      case "signalwire.connect":
        send(socket, { id, result: { protocol: `signalwire_${randomUUID()}`, identity: "bench" } });
        return;
      case "signalwire.ping":
        send(socket, { id, result: {} });
        return;
      case "calling.answer":
        takenAfterCut();
        counts.answers += 1;
        send(socket, { id, result: { code: "200", message: "Answered", call_id: params.call_id } });
        return;
      case "calling.join_conference":
        if (cut?.at === null) return cutAll(cut);
        takenAfterCut();
        counts.joins += 1;
        send(socket, { id, result: { code: "200", message: "Joining conference", call_id: params.call_id } });
        tell(socket, occupancy.join(params));
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
  send(socket, event);
}

function acknowledged(id: string): void {
  if (unacked.delete(id)) counts.acks += 1;
  else counts.odd.push("an ack");
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
  const [socket] = server.clients;
  if (!socket) throw new Error("no session is connected");
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
    default:
      asked satisfies never;
  }
});
process.on("disconnect", () => process.exit());
