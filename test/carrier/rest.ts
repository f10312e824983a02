import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { runCommand } from "./relay-commands.ts";
import { describeIssues, restParamsSchema } from "./relay-methods.ts";
import { serveCalls } from "./rest-calls.ts";
import { serveConferences } from "./rest-conferences.ts";
import type { World } from "./world.ts";

const commandSchema = z.strictObject({
  command: z.string(),
  id: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});

/** The REST API, as far as webhooks and RELAY leave something to it. Null where the path is none of its own. */
export async function serveRest(world: World, request: WebRequest): Promise<WebAnswer | null> {
  const [api, kind, , accounts, account] = request.path;
  const laml =
    api === "api" && kind === "laml" && request.path[2] === "2010-04-01" && accounts === "Accounts";
  const calling = request.url.pathname === "/api/calling/calls";
  if (!laml && !calling) return null;
  const project = authorized(world, request.authorization);
  if (project === null || (laml && account !== project.project_id)) {
    return { status: 401, json: { code: 20003, message: "Authenticate", status: 401 } };
  }
  const { method, url } = request;
  project.journal.note("rest", { method, path: url.pathname + url.search, body: request.body });
  const fault = project.faults.fire("rest", { method });
  if (project.latency_ms > 0) await wait(project.latency_ms);
  const perform = () => (laml ? serveCompatibility(project, request) : serveCommand(project, request));
  switch (fault?.kind) {
    case "delay":
    case "go_silent":
      await wait(fault.ms);
      return perform();
    case "refuse":
      return { status: 403, json: { message: "scripted" } };
    case "code":
      return { status: Number(fault.code), json: { message: fault.message ?? "scripted" } };
    case "error":
      return { status: 500, json: { message: fault.message ?? "scripted" } };
    case "swallow":
    case "close_after":
      perform();
      return { cut: true };
    case "ignore":
    case "lose":
    case "drop_socket":
    case "close_before":
      return { cut: true };
    case "duplicate":
    case "reorder":
    case undefined:
      return perform();
  }
}

function serveCompatibility(project: Project, request: WebRequest): WebAnswer {
  return request.path[5] === "Calls" ? serveCalls(project, request) : serveConferences(project, request);
}

function authorized(world: World, authorization: string | null): Project | null {
  const [scheme, credentials = ""] = (authorization ?? "").split(" ");
  if (scheme?.toLowerCase() !== "basic") return null;
  const text = Buffer.from(credentials, "base64").toString("utf8");
  const colon = text.indexOf(":");
  const project = world.projects.get(text.slice(0, colon));
  return project !== undefined && project.token === text.slice(colon + 1) ? project : null;
}

function serveCommand(project: Project, { method, body }: WebRequest): WebAnswer {
  if (method !== "POST") return { status: 405, json: { message: "POST only" } };
  const parsed = commandSchema.safeParse(jsonOf(body));
  if (!parsed.success) return invalid(project, parsed.error);
  const { command, id, params } = parsed.data;
  const schema = restParamsSchema(command);
  if (schema === null) return { status: 422, json: { message: `there is no command ${command}` } };
  const judged = schema.safeParse({ ...params, call_id: id });
  if (!judged.success) return invalid(project, judged.error);
  const result = runCommand(project, null, command, { ...params, call_id: id });
  if (result.violation !== undefined) {
    project.journal.note("violation", { reason: result.violation, method: command });
  }
  result.effect?.();
  const { code, message, extra } = result;
  return { status: Number(code), json: { id, code, message, ...extra } };
}

function invalid(project: Project, error: z.ZodError): WebAnswer {
  const issues = describeIssues(error);
  project.journal.note("violation", { reason: "malformed REST command", issues });
  return { status: 422, json: { message: "Invalid params", issues } };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
