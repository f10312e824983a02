import { describeError, log } from "./log.ts";
import { sessionOf } from "./session-client.ts";
import { contextsIn, NoRecord, readProject } from "./tenants/records.ts";
import type { Project } from "./tenants/tenant.ts";

const PROJECTS = "project/";
/** A key for each project that takes calls by contexts: these alone take turns, however many others there are. */
const WANTING = "contexts/";
/** Where among the projects the next run goes on looking; there while they are more than one run looks at. */
const NEXT = "cron/next";
/** Sessions that one run wakes, for a Worker has only so many requests; more take turns, run by run. */
const RUN_SESSIONS = 300;
/** Records that one run looks at for contexts that the list lacks: not all are put by the API, which tells of them at once. */
const RUN_RECORDS = 300;
/** Keys that KV gives at once. */
const KEYS = 100;
/** At once. */
const BATCH = 10;
/** How often it runs; see wrangler.toml. */
const EVERY_MS = 300_000;

/** Wakes the session of each project that takes calls by RELAY contexts. Each by itself: one that fails is logged. */
export async function wakeSessions(env: Env, scheduled_at: number): Promise<void> {
  const listed = await wanting(env);
  const found = await newlyWanting(env, new Set(listed));
  const all = [
    ...turnOf(listed, Math.floor(scheduled_at / EVERY_MS)).map((id) => [id, true] as const),
    ...found.map((id) => [id, false] as const),
  ];
  for (let first = 0; first < all.length; first += BATCH) {
    await Promise.all(all.slice(first, first + BATCH).map(([id, isListed]) => lookAfter(env, id, isListed)));
  }
}

/** Brings the project's session up where its record names contexts, and lists the project for cron. Never rejects. */
export async function wakeSession(env: Env, project_id: string): Promise<void> {
  let isListed = false;
  try {
    isListed = (await env.DIRECTORY.get(WANTING + project_id)) !== null;
  } catch {
    // Then it is listed once more.
  }
  await lookAfter(env, project_id, isListed);
}

async function lookAfter(env: Env, project_id: string, isListed: boolean): Promise<void> {
  try {
    const project = await projectOrNone(env, project_id);
    const wants = project !== null && Object.keys(project.contexts).length > 0;
    if (wants !== isListed) await list(env, project_id, wants);
    if (wants) await sessionOf(env, project).wake(project_id, project.version);
  } catch (error) {
    log("error", "session.not_woken", { project: project_id, error: describeError(error) });
  }
}

/** Null where KV has no record of it. */
async function projectOrNone(env: Env, project_id: string): Promise<Project | null> {
  try {
    return await readProject(env, project_id);
  } catch (error) {
    if (error instanceof NoRecord) return null;
    throw error;
  }
}

async function list(env: Env, project_id: string, wants: boolean): Promise<void> {
  try {
    if (wants) await env.DIRECTORY.put(WANTING + project_id, "1");
    else await env.DIRECTORY.delete(WANTING + project_id);
  } catch (error) {
    // The session is woken all the same, and the list is put right by a later run.
    log("warn", "session.not_listed", { project: project_id, error: describeError(error) });
  }
}

async function wanting(env: Env): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page: KVNamespaceListResult<unknown> = await env.DIRECTORY.list({ prefix: WANTING, cursor });
    ids.push(...page.keys.map(({ name }) => name.slice(WANTING.length)));
    cursor = page.list_complete ? null : page.cursor;
  } while (cursor !== null);
  return ids;
}

/** Of the records whose turn it is to be looked at, those that name contexts and are not listed. Never rejects. */
async function newlyWanting(env: Env, listed: ReadonlySet<string>): Promise<string[]> {
  try {
    const found: string[] = [];
    for (const keys of chunks(await recordsInTurn(env), KEYS)) {
      for (const [key, text] of await env.DIRECTORY.get(keys)) {
        const id = key.slice(PROJECTS.length);
        if (!listed.has(id) && text !== null && contextsIn(text) > 0) found.push(id);
      }
    }
    return found;
  } catch (error) {
    log("error", "session.projects_not_read", { error: describeError(error) });
    return [];
  }
}

async function recordsInTurn(env: Env): Promise<string[]> {
  const from = await env.DIRECTORY.get(NEXT);
  let page: KVNamespaceListResult<unknown>;
  try {
    page = await env.DIRECTORY.list({ prefix: PROJECTS, limit: RUN_RECORDS, cursor: from });
  } catch (error) {
    // A place that KV knows no more would be asked for for ever.
    if (from !== null) await env.DIRECTORY.delete(NEXT);
    throw error;
  }
  if (!page.list_complete) await env.DIRECTORY.put(NEXT, page.cursor);
  else if (from !== null) await env.DIRECTORY.delete(NEXT);
  return page.keys.map(({ name }) => name);
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/** Those whose turn it is. */
function turnOf(ids: readonly string[], run: number): string[] {
  const turns = Math.max(1, Math.ceil(ids.length / RUN_SESSIONS));
  return ids.filter((_, index) => index % turns === run % turns);
}
