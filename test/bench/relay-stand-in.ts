import { randomUUID } from "node:crypto";
import { WebSocketServer } from "ws";

/**
 * The smallest RELAY that a session can be driven against: it connects anyone, answers every call, takes every join and
 * tells of it. Its own process, asked for its counts over Node's IPC, so that its work is not counted as ours.
 */
export interface Counts {
  answers: number;
  joins: number;
  events: number;
  /** Events that were acknowledged. */
  acks: number;
  /** Frames that no session should have sent here. */
  odd: number;
}

interface Frame {
  id: string;
  method?: string;
  params: { call_id: string; node_id: string; name: string };
}

const counts: Counts = { answers: 0, joins: 0, events: 0, acks: 0, odd: 0 };
const unacked = new Set<string>();
const conferences = new Map<string, string>();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });

server.on("connection", (socket) => {
  const send = (frame: object): void => socket.send(JSON.stringify({ jsonrpc: "2.0", ...frame }));
  socket.on("message", (data: Buffer) => {
    const { id, method, params } = JSON.parse(data.toString()) as Frame;
    switch (method) {
      case undefined:
        if (unacked.delete(id)) counts.acks += 1;
        else counts.odd += 1;
        return;
      case "signalwire.connect":
        send({ id, result: { protocol: `signalwire_${randomUUID()}`, identity: "bench" } });
        return;
      case "signalwire.ping":
        send({ id, result: {} });
        return;
      case "calling.answer":
        counts.answers += 1;
        send({ id, result: { code: "200", message: "Answered", call_id: params.call_id } });
        return;
      case "calling.join_conference": {
        const event = joined(params);
        counts.joins += 1;
        counts.events += 1;
        unacked.add(event.id);
        send({ id, result: { code: "200", message: "Joining conference", call_id: params.call_id } });
        send(event);
        return;
      }
      default:
        counts.odd += 1;
        send({ id, error: { code: -32601, message: "Method not found" } });
    }
  });
});

function joined({ call_id, node_id, name }: Frame["params"]) {
  const conference_id = conferences.get(name) ?? randomUUID();
  conferences.set(name, conference_id);
  const inner = {
    conference_id,
    name,
    status: "participant-join",
    size: 2,
    node_id,
    region: "us",
    call_id,
    muted: false,
    hold: false,
    start_on_join: true,
    end_on_leave: false,
  };
  return {
    id: randomUUID(),
    method: "signalwire.event",
    params: { event_type: "calling.conference", timestamp: Date.now() / 1000, params: inner },
  };
}

server.on("listening", () => process.send?.(server.address()));
process.on("message", () => process.send?.(counts));
process.on("disconnect", () => process.exit());
