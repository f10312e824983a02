import { Hono } from "hono";
import { type Project, readProject } from "../directory.ts";
import { describeError } from "../log.ts";
import { sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { within } from "./within.ts";

const DIRECTORY_MS = 4_000;
const STATUS_MS = 5_000;

/** `GET /api/projects/:project/session`: how the project's RELAY session is. Connects nothing. */
export const sessionRoute = new Hono<{ Bindings: Env }>().get("/:project/session", async (c) => {
  let project: Project;
  try {
    // Read first: asking after a project that does not exist must not make a Durable Object for it.
    project = await within(DIRECTORY_MS, readProject(c.env, c.req.param("project")));
  } catch (error) {
    return refusal(c, 404, "project_unreadable", error instanceof Error ? error.message : String(error));
  }
  try {
    const { state, since, queued, in_flight, last_reason } = await within(
      STATUS_MS,
      sessionOf(c.env, project).status(),
    );
    return c.json({ state, since, queued, in_flight, last_reason });
  } catch (error) {
    return refusal(c, 503, "session_silent", `The project's session did not answer: ${describeError(error)}`);
  }
});
