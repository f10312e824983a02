import { type Context, Hono } from "hono";
import { describeError } from "../log.ts";
import type { SessionStatus } from "../session/operator/session-status.ts";
import { sessionOf } from "../session-client.ts";
import { readProject } from "../tenants/directory.ts";
import type { Project } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import { refusal } from "./refusal.ts";

const DIRECTORY_MS = 4_000;
const ANSWER_MS = 5_000;

type ApiContext = Context<{ Bindings: Env }>;

/**
 * `GET /api/projects/:project/session`: how the project's RELAY session is; connects nothing.
 * `POST …/session/reconnect`: a fresh connection, at once; calls outlive it.
 */
export const sessionRoute = new Hono<{ Bindings: Env }>()
  .get("/:project/session", (c) =>
    answer(c, c.req.param("project"), async (project) => await sessionOf(c.env, project).status()),
  )
  .post("/:project/session/reconnect", (c) =>
    answer(
      c,
      c.req.param("project"),
      async (project) => await sessionOf(c.env, project).reconnect(project.project_id, project.version),
    ),
  );

async function answer(
  c: ApiContext,
  project_id: string,
  ask: (project: Project) => Promise<SessionStatus>,
): Promise<Response> {
  let project: Project;
  try {
    // Read first: asking after a project that does not exist must not make a Durable Object for it.
    project = await withTimeout(DIRECTORY_MS, readProject(c.env, project_id));
  } catch (error) {
    return refusal(c, 404, "project_unreadable", error instanceof Error ? error.message : String(error));
  }
  try {
    return c.json(await withTimeout(ANSWER_MS, ask(project)));
  } catch (error) {
    return refusal(c, 503, "session_silent", `The project's session did not answer: ${describeError(error)}`);
  }
}
