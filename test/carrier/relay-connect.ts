import { randomBytes } from "node:crypto";
import type { Project } from "./project.ts";
import { type ConnectParams, connectSchema, describeIssues } from "./relay-methods.ts";
import type { RelaySession } from "./relay-session.ts";
import type { World } from "./world.ts";

export type ConnectOutcome =
  | { ok: true; project: Project; session: RelaySession; restored: boolean; params: ConnectParams }
  | { ok: false; error: { code: number; message: string; data?: Record<string, unknown> } };

export const authRequired = {
  code: -32401,
  message: "Unauthorized",
  data: { signalwire_error_code: "AUTH_REQUIRED" },
};

/** The project that a connect frame speaks of, credentials right or wrong; null where there is no such project. */
export function projectNamedBy(world: World, frame: unknown): Project | null {
  const parsed = connectSchema.safeParse(frame);
  return parsed.success ? named(world, parsed.data) : null;
}

/** Whose journal tells of a first frame, refused or not: the project that it names, however malformed, else the only one. */
export function projectConcerned(world: World, params: unknown): Project | null {
  const [first = null, ...others] = world.projects.values();
  return projectNamedBy(world, params) ?? looseProject(world, params) ?? (others.length === 0 ? first : null);
}

/** Judges a `signalwire.connect`; opens a session, or resumes one. */
export function connectSession(world: World, frame: unknown): ConnectOutcome {
  const parsed = connectSchema.safeParse(frame);
  if (!parsed.success) {
    const issues = describeIssues(parsed.error);
    const message = `Invalid params: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`;
    return { ok: false, error: { code: -32602, message, data: { issues } } };
  }
  const params = parsed.data;
  const project = named(world, params);
  if (project === null) return { ok: false, error: authRequired };
  const resumed = params.protocol === undefined ? undefined : project.sessions.get(params.protocol);
  const by = authorizedBy(project, resumed, params);
  project.journal.note("session", {
    what: by === null ? "refused" : "authenticated",
    by,
    state_given:
      params.authorization_state === undefined ? "none" : by === "authorization_state" ? "current" : "stale",
    protocol_given: params.protocol ?? null,
    restored: by !== null && resumed !== undefined,
    contexts: params.contexts ?? [],
    agent: params.agent,
  });
  if (by === null) return { ok: false, error: authRequired };
  const session = resumed ?? project.openSession();
  session.authorization_state = `${Buffer.from(project.project_id).toString("base64url")}.${randomBytes(24).toString("base64url")}`;
  for (const context of params.contexts ?? []) session.contexts.add(context);
  return { ok: true, project, session, restored: resumed !== undefined, params };
}

export function connectResult(
  project: Project,
  session: RelaySession,
  restored: boolean,
): Record<string, unknown> {
  return {
    protocol: session.protocol,
    identity: session.identity,
    sessionid: session.sessionid,
    nodeid: "carrier.us-east",
    session_restored: restored,
    // On no published page, but `@signalwire/realtime-api` fails to reconnect without it.
    authorization: { project: project.project_id, signature: session.signature },
  };
}

function authorizedBy(
  project: Project,
  resumed: RelaySession | undefined,
  params: ConnectParams,
): "authorization_state" | "token" | null {
  const state = params.authorization_state;
  if (
    state !== undefined &&
    project.switches.authorization_state_survives &&
    resumed !== undefined &&
    resumed.authorization_state === state
  ) {
    return "authorization_state";
  }
  const given = params.authentication;
  return given !== undefined && "token" in given && given.token === project.token ? "token" : null;
}

function named(world: World, { authentication, authorization_state }: ConnectParams): Project | null {
  if (authentication !== undefined && "project" in authentication) {
    return world.projects.get(authentication.project) ?? null;
  }
  const [project_id = ""] = (authorization_state ?? "").split(".");
  return world.projects.get(Buffer.from(project_id, "base64url").toString()) ?? null;
}

function looseProject(world: World, frame: unknown): Project | null {
  const authentication: unknown =
    typeof frame === "object" && frame !== null ? Reflect.get(frame, "authentication") : undefined;
  if (typeof authentication !== "object" || authentication === null) return null;
  return world.projects.get(String(Reflect.get(authentication, "project"))) ?? null;
}
