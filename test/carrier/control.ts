import * as z from "zod";
import { callView, conferenceView } from "./control-views.ts";
import { startCxml } from "./cxml-documents.ts";
import { startDocument } from "./documents.ts";
import { redacted, type WebAnswer, type WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { RelayConnection } from "./relay-connection.ts";
import { describeIssues } from "./relay-methods.ts";
import { callRequestSchema, projectSettingsSchema } from "./settings.ts";
import { waitFor, waitSchema } from "./waiting.ts";
import type { World } from "./world.ts";

const digitsSchema = z.strictObject({ digits: z.string().regex(/^[0-9A-D*#]+$/i) });
const speechSchema = z.strictObject({ speaking: z.boolean() });
const hangUpSchema = z.strictObject({ reason: z.string().default("hangup") });
const outageSchema = z.strictObject({
  listening: z.boolean(),
  ms: z.number().int().min(0).max(600_000).default(600_000),
});
const eventSchema = z.strictObject({
  event_type: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** So many at once, each of a call of its own (`<call_id>-1` and so on) where there are several. */
  count: z.number().int().min(1).max(100_000).default(1),
});
const framesSchema = z.strictObject({ text: z.string() });
const socketsSchema = z.strictObject({
  do: z.enum(["drop", "close", "disconnect", "disconnect_restart", "silence"]),
  /** How long `silence` lasts; 0 ends one. */
  ms: z.number().int().min(0).max(600_000).default(600_000),
});

const missing: WebAnswer = { status: 404, json: { error: "no such thing" } };

/** What tests and people steer the carrier with, under `/_carrier`. */
export async function serveControl(world: World, request: WebRequest): Promise<WebAnswer> {
  const [, area, project_id, what, id, action] = request.path;
  if (area === "outage" && request.method === "POST") {
    return accept(outageSchema, request, ({ listening, ms }) => {
      world.setOutage(listening ? 0 : ms);
      return { status: 204 };
    });
  }
  if (area !== "projects") return missing;
  if (project_id === undefined) return projects(world, request);
  const project = world.projects.get(project_id);
  if (project === undefined) return { status: 404, json: { error: `there is no project ${project_id}` } };
  switch (what) {
    case undefined:
      return oneProject(world, project, request);
    case "calls":
      return id === undefined ? calls(project, request) : oneCall(project, id, action, request);
    case "conferences":
      return { status: 200, json: [...project.conferences.values()].map(conferenceView) };
    case "journal":
      return journal(project, request);
    case "wait":
      return accept(waitSchema, request, async (asked) => {
        const { seen, what } = await waitFor(project, asked);
        return { status: seen ? 200 : 408, json: redacted(what) };
      });
    case "sockets":
      return sockets(project, request);
    case "events":
      return accept(eventSchema, request, ({ event_type, params, count }) => {
        for (let n = 1; n <= count; n += 1) {
          const own = count === 1 ? params : { ...params, call_id: `${String(params["call_id"])}-${n}` };
          project.emit(event_type, own, [...project.sessions.values()]);
        }
        return { status: 204 };
      });
    case "frames":
      return accept(framesSchema, request, ({ text }) => {
        for (const connection of connections(project)) connection.sendRaw(text);
        return { status: 204 };
      });
    default:
      return missing;
  }
}

function projects(world: World, request: WebRequest): WebAnswer | Promise<WebAnswer> {
  if (request.method === "GET") return { status: 200, json: [...world.projects.keys()] };
  return accept(projectSettingsSchema, request, (settings) => {
    const project = world.create(settings);
    return project === null
      ? { status: 409, json: { error: `there is a project ${settings.project_id} already` } }
      : { status: 201, json: credentials(project) };
  });
}

function oneProject(world: World, project: Project, request: WebRequest): WebAnswer | Promise<WebAnswer> {
  switch (request.method) {
    case "DELETE":
      world.remove(project.project_id);
      return { status: 204 };
    case "PATCH":
      return accept(projectSettingsSchema.omit({ project_id: true }), request, (settings) => {
        project.change(settings);
        return { status: 200, json: credentials(project) };
      });
    default:
      return {
        status: 200,
        json: {
          project_id: project.project_id,
          switches: project.switches,
          sessions: [...project.sessions.values()].map(({ protocol, link, contexts }) => ({
            protocol,
            connected: link !== null,
            contexts: [...contexts],
          })),
        },
      };
  }
}

function credentials({ project_id, token, signing_key }: Project): Record<string, string> {
  return { project_id, token, signing_key };
}

function calls(project: Project, request: WebRequest): WebAnswer | Promise<WebAnswer> {
  if (request.method !== "POST") {
    return { status: 200, json: redacted([...project.calls.values()].map(callView)) };
  }
  return accept(callRequestSchema, request, (placed) => {
    if (placed.call_id !== undefined && project.calls.has(placed.call_id)) {
      return { status: 409, json: { error: `there is a call ${placed.call_id} already` } };
    }
    const { url, cxml_url, context, params, duplicate_webhooks, ...facts } = placed;
    const origin = cxml_url !== undefined ? "cxml" : context !== undefined ? "context" : "webhook";
    const call = project.addCall({ ...facts, direction: "inbound", origin });
    if (url !== undefined) startDocument(project, call, { start: { url }, params, duplicate_webhooks });
    else if (cxml_url !== undefined) {
      startCxml(project, call, { url: cxml_url, method: facts.cxml_method }, duplicate_webhooks);
    } else if (context !== undefined) project.offer(call, context);
    else call.ring();
    return { status: 201, json: { call_id: call.call_id, node_id: call.node_id } };
  });
}

function oneCall(
  project: Project,
  call_id: string,
  action: string | undefined,
  request: WebRequest,
): WebAnswer | Promise<WebAnswer> {
  const call = project.calls.get(call_id);
  if (call === undefined) return { status: 404, json: { error: `there is no call ${call_id}` } };
  switch (action) {
    case undefined:
      return { status: 200, json: redacted(callView(call)) };
    case "digits":
      return accept(digitsSchema, request, ({ digits }) => {
        call.press(digits);
        return { status: 204 };
      });
    case "speech":
      return accept(speechSchema, request, ({ speaking }) => {
        call.conference?.speak(call.call_id, speaking);
        return { status: 204 };
      });
    case "hangup":
      return accept(hangUpSchema, request, ({ reason }) => {
        call.hangUp(reason);
        return { status: 204 };
      });
    default:
      return missing;
  }
}

function journal(project: Project, { url }: WebRequest): WebAnswer {
  const after = Number(url.searchParams.get("after") ?? 0);
  const kind = url.searchParams.get("kind") ?? undefined;
  return { status: 200, json: redacted(project.journal.after(after, kind)) };
}

function sockets(project: Project, request: WebRequest): WebAnswer | Promise<WebAnswer> {
  return accept(socketsSchema, request, (asked) => {
    for (const connection of connections(project)) {
      switch (asked.do) {
        case "drop":
          connection.drop();
          break;
        case "close":
          connection.close();
          break;
        case "silence":
          connection.goSilent(asked.ms);
          break;
        case "disconnect":
        case "disconnect_restart": {
          const restart = asked.do === "disconnect_restart";
          connection.disconnect(restart);
          // The client was told to forget it; whoever asks for it yet gets a new one.
          if (restart) project.sessions.delete(connection.session.protocol);
          break;
        }
      }
    }
    return { status: 204 };
  });
}

function connections(project: Project): RelayConnection[] {
  return [...project.sessions.values()]
    .map(({ link }) => link)
    .filter((link): link is RelayConnection => link instanceof RelayConnection);
}

async function accept<Schema extends z.ZodType>(
  schema: Schema,
  request: WebRequest,
  then: (asked: z.output<Schema>) => WebAnswer | Promise<WebAnswer>,
): Promise<WebAnswer> {
  if (request.method === "GET") return { status: 405, json: { error: "POST only" } };
  const parsed = schema.safeParse(jsonOf(request.body));
  if (!parsed.success) return { status: 422, json: { errors: describeIssues(parsed.error) } };
  return then(parsed.data);
}

function jsonOf(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
