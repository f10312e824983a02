import type { WebSocket } from "ws";
import * as z from "zod";
import type { FaultAction } from "./faults.ts";
import { textWithoutSecrets } from "./journal.ts";
import {
  authRequired,
  connectResult,
  connectSession,
  projectConcerned,
  projectNamedBy,
} from "./relay-connect.ts";
import { RelayConnection } from "./relay-connection.ts";
import { describeIssues } from "./relay-methods.ts";
import { errorFrame, onRequest, requestSchema } from "./relay-requests.ts";
import type { World } from "./world.ts";

const answerSchema = z.union([
  z.strictObject({ jsonrpc: z.literal("2.0"), id: z.string(), result: z.record(z.string(), z.unknown()) }),
  z.strictObject({ jsonrpc: z.literal("2.0"), id: z.string(), error: z.unknown() }),
]);

/** So much of a frame that is not JSON is journaled. */
const LONGEST_TEXT = 2000;

/** Serves one client's socket from its first frame on. */
export function serveRelay(world: World, socket: WebSocket): void {
  let connection: RelayConnection | null = null;
  socket.on("error", () => socket.terminate());
  socket.on("close", (code) => {
    connection?.project.journal.note("session", { what: "closed", code });
    connection?.closed();
  });
  socket.on("message", (data, binary) => {
    if (connection?.silent) return;
    const frame = binary ? "a binary frame" : parseJson(String(data));
    if (connection !== null) {
      onFrame(connection, frame);
      return;
    }
    connect(world, socket, frame, (made) => {
      connection = made;
    });
  });
}

function connect(
  world: World,
  socket: WebSocket,
  frame: unknown,
  made: (connection: RelayConnection) => void,
): void {
  const request = requestSchema.safeParse(frame);
  const journal = projectConcerned(world, paramsOf(frame))?.journal;
  journal?.note("frame_in", { frame });
  const violation = (reason: string) => journal?.note("violation", { reason, method: "signalwire.connect" });
  const refuse = (id: unknown, error: Record<string, unknown>) => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, error }), () => socket.close(1000));
  };
  if (!request.success || request.data.method !== "signalwire.connect") {
    violation("the first frame is no signalwire.connect");
    refuse(request.data?.id ?? null, authRequired);
    return;
  }
  const { id, params } = request.data;
  const named = projectNamedBy(world, params);
  const proceed = () => {
    const outcome = connectSession(world, params);
    if (!outcome.ok) {
      if (outcome.error.code === -32602) violation(outcome.error.message);
      refuse(id, outcome.error);
      return;
    }
    const { project, session, restored } = outcome;
    if (!session.firstUse(id)) {
      project.journal.note("violation", { reason: `request id ${id} was used before`, id });
    }
    // One connection a session: the new one takes over.
    session.link?.close();
    const connection = new RelayConnection(project, session, socket);
    session.link = connection;
    made(connection);
    connection.sendAnswer(
      { jsonrpc: "2.0", id, result: connectResult(project, session, restored) },
      { method: "signalwire.connect" },
    );
    connection.sendEvent({
      event_type: "signalwire.authorization.state",
      timestamp: project.timestamp(),
      params: { authorization_state: session.authorization_state },
    });
    for (const event of session.takeBacklog()) connection.sendEvent(event);
    project.offerUnclaimed();
  };
  // Whoever connects names its project only here, so this is where a connection can be refused to one project alone.
  const refused = named?.faults.fire("connect", {}) ?? null;
  connectFault(
    refused?.kind === "refuse" ? { kind: "drop_socket" } : refused,
    socket,
    () => {
      const fault = named?.faults.fire("authenticate", { method: "signalwire.connect" }) ?? null;
      connectFault(fault, socket, proceed, (error) => refuse(id, error));
    },
    (error) => refuse(id, error),
  );
}

function connectFault(
  fault: FaultAction | null,
  socket: WebSocket,
  proceed: () => void,
  refuse: (error: Record<string, unknown>) => void,
): void {
  switch (fault?.kind) {
    case undefined:
    case "duplicate":
    case "reorder":
      proceed();
      return;
    case "delay":
    case "go_silent":
      setTimeout(() => {
        if (socket.readyState === socket.OPEN) proceed();
      }, fault.ms);
      return;
    case "refuse":
      refuse(authRequired);
      return;
    case "error":
      refuse({ code: fault.code, message: fault.message ?? "scripted error" });
      return;
    case "code":
      refuse({ code: -32000, message: fault.message ?? "scripted error", data: { code: fault.code } });
      return;
    case "drop_socket":
      socket.terminate();
      return;
    case "close_before":
      socket.close(1000);
      return;
    case "close_after":
      proceed();
      socket.close(1000);
      return;
    case "swallow":
    case "ignore":
    case "lose":
      return;
  }
}

function onFrame(connection: RelayConnection, frame: unknown): void {
  const { project, session } = connection;
  project.journal.note("frame_in", { session: session.sessionid, frame });
  const violation = (reason: string, more: Record<string, unknown> = {}) =>
    project.journal.note("violation", { reason, ...more });
  if (typeof frame === "object" && frame !== null && !("method" in frame)) {
    const answer = answerSchema.safeParse(frame);
    if (!answer.success || "error" in answer.data) {
      violation("neither a request nor a plain result", { frame });
      return;
    }
    if (!connection.acknowledged(answer.data.id)) {
      violation(`nothing waits for an answer with id ${answer.data.id}`, { id: answer.data.id });
    }
    return;
  }
  const request = requestSchema.safeParse(frame);
  if (!request.success) {
    violation("not a JSON-RPC 2.0 request", { issues: describeIssues(request.error) });
    const id: unknown = typeof frame === "object" && frame !== null ? Reflect.get(frame, "id") : null;
    connection.sendAnswer(errorFrame(typeof id === "string" ? id : null, -32600, "Invalid Request"), {});
    return;
  }
  const { id, method } = request.data;
  if (!session.firstUse(id)) {
    violation(`request id ${id} was used before`, { id, method });
    connection.sendAnswer(errorFrame(id, -32600, `Invalid Request: id ${id} was used before`), { method });
    return;
  }
  onRequest(connection, request.data);
}

function paramsOf(frame: unknown): unknown {
  return typeof frame === "object" && frame !== null ? Reflect.get(frame, "params") : undefined;
}

/** What is not JSON is journaled as the text that it is. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return textWithoutSecrets(text.slice(0, LONGEST_TEXT));
  }
}
