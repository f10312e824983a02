import * as z from "zod";
import type { Project } from "./project.ts";
import { type CommandResult, runCommand } from "./relay-commands.ts";
import type { RelayConnection } from "./relay-connection.ts";
import { describeIssues, paramsSchema } from "./relay-methods.ts";

export const requestSchema = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.uuid(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});
type Request = z.output<typeof requestSchema>;

/** What goes back to a request, and what is then done. */
type Reply = { frame: Record<string, unknown>; effect?: (() => void) | undefined };

/** Performs a request and answers it, at once or, by the switch, when the webhook of its call is answered. */
export function onRequest(connection: RelayConnection, request: Request): void {
  const { calls, switches } = connection.project;
  const call = calls.get(String(request.params["call_id"]));
  const in_flight = switches.commands_wait_for_webhook ? call?.webhook_in_flight : null;
  if (in_flight) void in_flight.then(() => serve(connection, request));
  else serve(connection, request);
}

/** Performs a request and answers it, unless a fault has it otherwise. */
function serve(connection: RelayConnection, request: Request): void {
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
    case "late": {
      const code = { code: "200", message: "accepted", ...(typeof call_id === "string" ? { call_id } : {}) };
      connection.sendAnswer(resultFrame(request.id, code), facts);
      if (fault.ms !== undefined) setTimeout(() => perform(false), fault.ms);
      return;
    }
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
  const schema = paramsSchema(method);
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
      return { frame: resultFrame(id, { timestamp: params["timestamp"] ?? project.timestamp() }) };
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

export function errorFrame(
  id: string | null,
  code: number,
  message: string,
  data?: Record<string, unknown>,
): Record<string, unknown> {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data === undefined ? {} : { data }) } };
}
