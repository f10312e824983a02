import { describeError } from "../log.ts";
import type { SessionStatus } from "../session/operator/session-status.ts";
import { sessionOf } from "../session-client.ts";
import { readProject } from "../tenants/records.ts";
import type { Project } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";

const DIRECTORY_MS = 4_000;
const ANSWER_MS = 5_000;

/**
 * `GET /api/projects/:project/session`: how the project's RELAY session is; connects nothing.
 * `POST …/session/reconnect`: a fresh connection, at once; calls outlive it.
 */
export function sessionRoutes(api: Api): void {
  route(api, "getSession", async (c, { params, answer }) => {
    const status = await ask(c, params.project, (project) => sessionOf(c.env, project).status());
    return status instanceof Response ? status : answer(200, status);
  });
  route(api, "reconnectSession", async (c, { params, answer }) => {
    const status = await ask(c, params.project, (project) =>
      sessionOf(c.env, project).reconnect(project.project_id, project.version),
    );
    return status instanceof Response ? status : answer(200, status);
  });
}

/** How the session is, or the answer that says why that cannot be told. */
async function ask(
  c: ApiContext,
  project_id: string,
  question: (project: Project) => Promise<SessionStatus>,
): Promise<SessionStatus | Response> {
  let project: Project;
  try {
    // Read first: asking after a project that does not exist must not make a Durable Object for it.
    project = await withTimeout(DIRECTORY_MS, readProject(c.env, project_id));
  } catch (error) {
    return refusal(c, 404, "project_unreadable", error instanceof Error ? error.message : String(error));
  }
  try {
    return await withTimeout(ANSWER_MS, question(project));
  } catch (error) {
    return refusal(c, 503, "session_silent", `The project's session did not answer: ${describeError(error)}`);
  }
}
