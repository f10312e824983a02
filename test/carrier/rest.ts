import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import type { RestResource } from "./faults.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { runCommand } from "./relay-commands.ts";
import { describeIssues, restParamsSchema } from "./relay-methods.ts";
import { serveCallRecordings, serveCalls } from "./rest-calls.ts";
import { plain, serveConferences } from "./rest-conferences.ts";
import { serveConferenceLogs, serveVoiceLog } from "./rest-logs.ts";
import type { ListPages } from "./rest-pages.ts";
import { serveRecording, serveRecordings } from "./rest-recordings.ts";
import type { World } from "./world.ts";

const commandSchema = z.strictObject({
  command: z.string(),
  id: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});

/** A request that the REST API takes. */
interface Route {
  readonly resource: RestResource;
  /** A GET of a list of conferences or participants. */
  readonly is_list: boolean;
  /** The account that the path names; null where it names none. */
  readonly account: string | null;
  serve(project: Project, pages: ListPages): WebAnswer;
}

/** Every so many requests one is refused, where `rest_429` says so. */
const refused_each = 3;
const retry_after_s = 1;

/** The REST API, as far as webhooks and RELAY leave something to it. Null where the path is none of its own. */
export async function serveRest(world: World, request: WebRequest): Promise<WebAnswer | null> {
  const route = routeOf(request);
  if (route === null) return null;
  const project = authorized(world, request.authorization);
  if (project === null || (route.account !== null && route.account !== project.project_id)) {
    return { status: 401, json: { code: 20003, message: "Authenticate", status: 401 } };
  }
  const { method, url } = request;
  project.journal.note("rest", { method, path: url.pathname + url.search, body: request.body });
  project.rest_requests += 1;
  if (project.switches.rest_429 === "often" && project.rest_requests % refused_each === 0) return tooMany;
  const { resource, is_list } = route;
  const fault = project.faults.fireAtRest({ method, resource, fields: fieldsOf(request) }, is_list);
  if (project.latency_ms > 0) await wait(project.latency_ms);
  const perform = (pages = pagesOf(project, resource)) => route.serve(project, pages);
  switch (fault?.kind) {
    case "list":
      return perform(fault.as);
    case "delay":
    case "go_silent":
      await wait(fault.ms);
      return perform();
    case "late":
      if (fault.ms !== undefined) setTimeout(() => perform(), fault.ms);
      return method === "DELETE" ? { status: 204 } : { status: 200, json: { message: "accepted" } };
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

/** What a request asks for: the fields of a form, or the command of a body. */
function fieldsOf({ body, url }: WebRequest): string[] {
  if (url.pathname !== "/api/calling/calls") return [...new URLSearchParams(body).keys()];
  const parsed = commandSchema.safeParse(jsonOf(body));
  return parsed.success ? [parsed.data.command] : [];
}

const tooMany: WebAnswer = {
  status: 429,
  headers: { "retry-after": String(retry_after_s) },
  json: { code: 20429, message: "Too many requests", status: 429 },
};

function routeOf(request: WebRequest): Route | null {
  const { path, url, method } = request;
  if (url.pathname === "/api/calling/calls") {
    const serve = (project: Project) => serveCommand(project, request);
    return { resource: "commands", is_list: false, account: null, serve };
  }
  if (url.pathname.startsWith("/api/voice/logs/")) {
    const serve = (project: Project) => serveVoiceLog(project, request);
    return { resource: "voice_logs", is_list: false, account: null, serve };
  }
  if (url.pathname === "/api/logs/conferences") {
    const serve = (project: Project, pages: ListPages) => serveConferenceLogs(project, request, pages);
    return { resource: "conference_logs", is_list: method === "GET", account: null, serve };
  }
  if (/^\/api\/relay\/rest\/recordings(\/|$)/.test(url.pathname)) {
    const serve = (project: Project, pages: ListPages) => serveRecordings(project, request, pages);
    const is_list = method === "GET" && path[4] === undefined;
    return { resource: "recordings", is_list, account: null, serve };
  }
  if (!url.pathname.startsWith("/api/laml/2010-04-01/Accounts/")) return null;
  const [account = "", kind = "", sid, part = "", part_sid] = path.slice(4);
  if (kind === "Calls" && plain(part) === "Recordings") {
    const serve = (project: Project) => serveCallRecordings(project, request);
    return { resource: "call_recordings", is_list: false, account, serve };
  }
  if (kind === "Calls") {
    const serve = (project: Project) => serveCalls(project, request);
    return { resource: "calls", is_list: false, account, serve };
  }
  if (kind === "Recordings") {
    const serve = (project: Project) => serveRecording(project, request);
    return { resource: "recordings", is_list: false, account, serve };
  }
  const of_participants = plain(part) === "Participants";
  const of_recordings = plain(part) === "Recordings";
  return {
    resource: of_participants ? "participants" : of_recordings ? "recordings" : "conferences",
    is_list: method === "GET" && (of_participants ? part_sid : sid) === undefined,
    account,
    serve: (project, pages) => serveConferences(project, request, pages),
  };
}

/** The switch leaves no conference in a list; who is in one is the matter of other switches, and of recordings none asks. */
function pagesOf({ switches }: Project, resource: RestResource): ListPages {
  if (resource === "recordings") return "whole";
  return switches.rest_list_pages === "empty" && resource === "participants"
    ? "whole"
    : switches.rest_list_pages;
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
