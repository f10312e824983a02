import { setTimeout as wait } from "node:timers/promises";
import { ADMIN_TOKEN, type Staged } from "./stage.ts";

/** What is put right within this is right: what has just happened is asked about again after 10 s. */
const LIMIT_MS = 45_000;
const POLL_MS = 500;

export interface SeatsCompared {
  /** How many rooms differed before a reconciliation was called for. */
  before: number;
  /** Those that differ after it. */
  differing: string[];
  /** How long it took until all were alike. */
  ms: number;
}

/** In the evening, with callers in the rooms; and at the end, when nobody is. */
export interface SeatsFound {
  evening: SeatsCompared;
  end: SeatsCompared;
}

/** Has every session reconnect, as an operator would, and sees whether the API's rosters become the carrier's conferences. */
export async function compareSeats(staged: Staged, worker_url: string): Promise<SeatsCompared> {
  const began_at = Date.now();
  const before = (await differingRooms(staged, worker_url)).length;
  for (const { project_id } of staged.plan.projects) {
    await ask(worker_url, `/projects/${project_id}/session/reconnect`, "POST");
  }
  for (;;) {
    const differing = await differingRooms(staged, worker_url);
    const ms = Date.now() - began_at;
    if (differing.length === 0 || ms > LIMIT_MS) return { before, differing, ms };
    await wait(POLL_MS);
  }
}

async function differingRooms({ plan, projects }: Staged, worker_url: string): Promise<string[]> {
  const found = await Promise.all(
    plan.projects.map(async ({ tenants }, index) => {
      const project = projects[index];
      const theirs = new Map<string, number>();
      // Two conferences may share a name.
      for (const { settings, participants } of project?.conferences.values() ?? []) {
        theirs.set(settings.name, (theirs.get(settings.name) ?? 0) + participants.size);
      }
      const lists = await Promise.all(
        tenants.map((tenant) => ask(worker_url, `/tenants/${tenant}/conferences`, "GET")),
      );
      const ours = new Map(
        lists
          .flatMap((list) => (list as { conferences: Listed[] }).conferences) // As the API's roster has it.
          .map(({ name, confirmed, strangers }) => [name, confirmed + strangers]),
      );
      const names = new Set([...theirs.keys(), ...ours.keys()]);
      return [...names].filter((name) => (theirs.get(name) ?? 0) !== (ours.get(name) ?? 0));
    }),
  );
  return found.flat();
}

interface Listed {
  name: string;
  confirmed: number;
  strangers: number;
}

async function ask(worker_url: string, path: string, method: "GET" | "POST"): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const response = await fetch(`${worker_url}/api${path}`, { method, headers });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}
