import { setTimeout as wait } from "node:timers/promises";
import type { Project } from "../carrier/project.ts";
import type { Staged } from "./environment.ts";
import { type Listed, type Participant, participantsOf, rosterOf } from "./rosters.ts";

const EVERY_MS = 2_000;

export interface Leaks {
  /** How long each seat was seen to be held after its caller had left, in ms. */
  stop(): Promise<number[]>;
}

/** Looks at the rosters again and again, for callers whom they still have in a room that those have left. */
export function watchLeaks({ plan, projects }: Staged, worker_url: string): Leaks {
  const held_ms = new Map<string, number>();
  const over = new AbortController();
  const look = async (project: Project, tenant: string) => {
    for (const listed of await rosterOf(worker_url, tenant)) {
      if (listed.confirmed <= roomSize(project, listed)) continue;
      for (const { call_id, ms } of leaksIn(project, await participantsOf(worker_url, listed))) {
        held_ms.set(call_id, ms);
      }
    }
  };
  const watch = async () => {
    while (!over.signal.aborted) {
      const looks = plan.projects.flatMap(({ tenants }, index) => {
        const project = projects[index];
        return project ? tenants.map((tenant) => look(project, tenant)) : [];
      });
      // An object that vanishes as it is asked answers nothing.
      await Promise.allSettled(looks);
      await wait(EVERY_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  };
  const watching = watch();
  return {
    async stop() {
      over.abort();
      await watching;
      return [...held_ms.values()];
    },
  };
}

function roomSize({ conferences }: Project, { name }: Listed): number {
  const rooms = [...conferences.values()].filter(({ settings }) => settings.name === name);
  return rooms.reduce((sum, { participants }) => sum + participants.size, 0);
}

/** Since when those have left who are listed as in the room for certain, and are in none. */
function leaksIn(project: Project, participants: readonly Participant[]): { call_id: string; ms: number }[] {
  return participants.flatMap(({ call_id, confirmed, presumed_gone, doubted }) => {
    const call = project.calls.get(call_id);
    const left_at = call?.joins.at(-1)?.left_at ?? null;
    if (!call || left_at === null || !confirmed || presumed_gone === true || doubted === true) return [];
    return [{ call_id, ms: call.now() - left_at }];
  });
}
