import { describeError, log } from "./log.ts";
import { sessionOf } from "./session-client.ts";
import { readProject } from "./tenants/records.ts";

const PREFIX = "project/";
/** Keys that are listed at most: ten pages. */
const MAX_KEYS = 10_000;
/** Projects that one run looks after, for a Worker has only so many requests; more take turns, run by run. */
const RUN_PROJECTS = 300;
/** At once. */
const BATCH = 10;
/** How often it runs; see wrangler.toml. */
const EVERY_MS = 300_000;

/** Wakes the session of each project that takes calls by RELAY contexts. Each by itself: one that fails is logged. */
export async function wakeSessions(env: Env, scheduled_at: number): Promise<void> {
  const ids = turnOf(await projectIds(env), Math.floor(scheduled_at / EVERY_MS));
  for (let first = 0; first < ids.length; first += BATCH) {
    await Promise.all(ids.slice(first, first + BATCH).map((id) => wakeSession(env, id)));
  }
}

/** Brings the project's session up where its record names contexts. Never rejects. */
export async function wakeSession(env: Env, project_id: string): Promise<void> {
  try {
    const project = await readProject(env, project_id);
    if (Object.keys(project.contexts).length === 0) return;
    await sessionOf(env, project).wake(project_id, project.version);
  } catch (error) {
    log("error", "session.not_woken", { project: project_id, error: describeError(error) });
  }
}

async function projectIds(env: Env): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  while (ids.length < MAX_KEYS) {
    const page: KVNamespaceListResult<unknown> = await env.DIRECTORY.list({ prefix: PREFIX, cursor });
    ids.push(...page.keys.map(({ name }) => name.slice(PREFIX.length)));
    if (page.list_complete) return ids;
    cursor = page.cursor;
  }
  log("error", "session.projects_not_listed", {
    listed: ids.length,
    why: "there are more records of projects",
  });
  return ids;
}

/** Those whose turn it is. */
function turnOf(ids: readonly string[], run: number): string[] {
  const turns = Math.max(1, Math.ceil(ids.length / RUN_PROJECTS));
  return ids.filter((_, index) => index % turns === run % turns);
}
