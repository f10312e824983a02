import type { WebSocket } from "ws";
import * as z from "zod";
import type { FaultAction } from "./faults.ts";
import type { Project } from "./project.ts";
import { type CommandResult, runCommand } from "./relay-commands.ts";
import { authRequired, connectResult, connectSession, projectNamedBy } from "./relay-connect.ts";
import { RelayConnection } from "./relay-connection.ts";
import { describeIssues, paramsSchema } from "./relay-methods.ts";
import type { World } from "./world.ts";

const requestSchema = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.uuid(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});
const answerSchema = z.union([
  z.strictObject({ jsonrpc: z.literal("2.0"), id: z.string(), result: z.record(z.string(), z.unknown()) }),
  z.strictObject({ jsonrpc: z.literal("2.0"), id: z.string(), error: z.unknown() }),
]);

type Request = z.output<typeof requestSchema>;

/** What goes back to a request, and what is then done. */
type Reply = { frame: Record<string, unknown>; effect?: (() => void) | undefined };

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
    const frame = binary ? undefined : parseJson(String(data));
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
  const refuse = (id: unknown, error: Record<string, unknown>) => {
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, error }), () => socket.close(1000));
  };
  if (!request.success || request.data.method !== "signalwire.connect") {
    refuse(request.data?.id ?? null, authRequired);
    return;
  }
  const { id, params } = request.data;
  const named = projectNamedBy(world, params);
  named?.journal.note("frame_in", { frame: request.data });
  const proceed = () => {
    const outcome = connectSession(world, params);
    if (!outcome.ok) {
      if (outcome.error.code === -32602) {
        outcome.project?.journal.note("violation", {
          reason: outcome.error.message,
          method: "signalwire.connect",
        });
      }
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
      timestamp: Date.now() / 1000,
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
    connection.sendAnswer(errorFrame(null, -32600, "Invalid Request"), {});
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

function onRequest(connection: RelayConnection, request: Request): void {
  const { project } = connection;
  const call_id = request.params["call_id"];
  const facts = { method: request.method, ...(typeof call_id === "string" ? { call_id } : {}) };
  const perform = (answered = true) => {
    const { frame, effect } = reply(connection, request);
    if (answered) connection.sendAnswer(frame, facts);
    effect?.();
  };
  const fault = project.faults.fire("command", facts);
  switch (fault?.kind) {
    case undefined:
      perform();
      return;
    case "delay":
    case "reorder":
      setTimeout(perform, fault.kind === "delay" ? fault.ms : 100);
      return;
    case "refuse":
      connection.sendAnswer(resultFrame(request.id, { code: "409", message: "scripted" }), facts);
      return;
    case "code":
      connection.sendAnswer(
        resultFrame(request.id, { code: fault.code, message: fault.message ?? "scripted" }),
        facts,
      );
      return;
    case "error":
      connection.sendAnswer(errorFrame(request.id, fault.code, fault.message ?? "scripted error"), facts);
      return;
    case "swallow":
      perform(false);
      return;
    case "duplicate": {
      const { frame, effect } = reply(connection, request);
      connection.sendAnswer(frame, facts);
      connection.sendAnswer(frame, facts);
      effect?.();
      return;
    }
    case "ignore":
    case "lose":
      return;
    case "go_silent":
      connection.goSilent(fault.ms);
      return;
    case "drop_socket":
      connection.drop();
      return;
    case "close_before":
      connection.close();
      return;
    case "close_after":
      perform(false);
      connection.close();
      return;
  }
}

/** Judges the params and runs the command. */
function reply(connection: RelayConnection, { id, method, params }: Request): Reply {
  const { project, session } = connection;
  const schema = paramsSchema(method, session.dialect);
  if (schema === null) {
    project.journal.note("violation", { reason: `unknown method ${method}`, method });
    return { frame: errorFrame(id, -32601, `Method not found: ${method}`) };
  }
  const parsed = schema.safeParse(params);
  if (!parsed.success) {
    const issues = describeIssues(parsed.error);
    const reason = `Invalid params: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`;
    project.journal.note("violation", { reason, method, issues });
    return { frame: errorFrame(id, -32602, reason, { issues }) };
  }
  switch (method) {
    case "signalwire.ping":
      return { frame: resultFrame(id, { timestamp: params["timestamp"] ?? Date.now() / 1000 }) };
    case "signalwire.receive":
      for (const context of contextsOf(params)) session.contexts.add(context);
      return {
        frame: resultFrame(id, { code: "200", message: "Receiving events" }),
        effect: () => project.offerUnclaimed(),
      };
    case "signalwire.unreceive":
      for (const context of contextsOf(params)) session.contexts.delete(context);
      return { frame: resultFrame(id, { code: "200", message: "Unreceiving events" }) };
    case "signalwire.execute": {
      const inner = z.object({ method: z.string(), params: z.record(z.string(), z.unknown()) }).parse(params);
      const { frame, effect } = reply(connection, { jsonrpc: "2.0", id, ...inner });
      // The older form wraps the answer as well.
      return { frame: "result" in frame ? resultFrame(id, { result: frame["result"] }) : frame, effect };
    }
    default:
      return commandReply(project, id, method, runCommand(project, session, method, params));
  }
}

function commandReply(project: Project, id: string, method: string, result: CommandResult): Reply {
  const { code, message, extra, effect, violation } = result;
  if (violation !== undefined) project.journal.note("violation", { reason: violation, method });
  return { frame: resultFrame(id, { code, message, ...extra }), effect };
}

function contextsOf(params: Record<string, unknown>): string[] {
  const { contexts } = params;
  return Array.isArray(contexts) ? contexts.filter((context) => typeof context === "string") : [];
}

function resultFrame(id: string, result: Record<string, unknown>): Record<string, unknown> {
  return { jsonrpc: "2.0", id, result };
}

function errorFrame(
  id: string | null,
  code: number,
  message: string,
  data?: Record<string, unknown>,
): Record<string, unknown> {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
