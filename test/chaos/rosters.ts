import { setTimeout as wait } from "node:timers/promises";
import { ADMIN_TOKEN, type Staged } from "./environment.ts";

/** What is put right within this is right: what has just happened is asked about again after 10 s. */
const LIMIT_MS = 45_000;
const POLL_MS = 500;

/** A room in which the ledger has other calls than the carrier. */
export interface Differing extends Counted {
  carrier: number;
}

export interface SeatsCompared {
  /** How many rooms differed before a reconciliation was called for. */
  before: number;
  /** Those that differ after it. */
  differing: Differing[];
  /** Participants of whom the roster itself says that they may have gone. */
  presumed_gone: number;
  doubted: number;
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
  const { differing: before } = await compare(staged, worker_url);
  for (const { project_id } of staged.plan.projects) {
    await ask(worker_url, `/projects/${project_id}/session/reconnect`, "POST");
  }
  for (;;) {
    const now = await compare(staged, worker_url);
    const ms = Date.now() - began_at;
    if (now.differing.length === 0 || ms > LIMIT_MS) return { before: before.length, ...now, ms };
    await wait(POLL_MS);
  }
}

async function compare(
  { plan, projects }: Staged,
  worker_url: string,
): Promise<Omit<SeatsCompared, "before" | "ms">> {
  const found = await Promise.all(
    plan.projects.map(async ({ tenants }, index) => {
      const theirs = new Map<string, number>();
      for (const { name, participants } of projects[index]?.conferences.values() ?? []) {
        theirs.set(keyOf(name), (theirs.get(keyOf(name)) ?? 0) + participants.size);
      }
      const ours = (await Promise.all(tenants.map((tenant) => rosterOf(worker_url, tenant)))).flat();
      const counted = await Promise.all(ours.map((listed) => countSeats(worker_url, listed)));
      return { differing: differing(theirs, counted), ours };
    }),
  );
  const ours = found.flatMap((one) => one.ours);
  return {
    differing: found.flatMap((one) => one.differing),
    presumed_gone: ours.reduce((sum, { presumed_gone = 0 }) => sum + presumed_gone, 0),
    doubted: ours.reduce((sum, { doubted = 0 }) => sum + doubted, 0),
  };
}

/** A room of the roster: how many are there for certain, and how many more may be. */
export interface Counted {
  name: string;
  certain: number;
  uncertain: number;
}

/** Rooms in which the carrier has fewer than are there for certain, or more than may be there. Two conferences of one name are one room. */
export function differing(theirs: ReadonlyMap<string, number>, counted: readonly Counted[]): Differing[] {
  const ours = new Map<string, { certain: number; uncertain: number }>();
  for (const { name, certain, uncertain } of counted) {
    const sum = ours.get(keyOf(name)) ?? { certain: 0, uncertain: 0 };
    ours.set(keyOf(name), { certain: sum.certain + certain, uncertain: sum.uncertain + uncertain });
  }
  return [...new Set([...theirs.keys(), ...ours.keys()])]
    .map((name) => ({ name, certain: 0, uncertain: 0, ...ours.get(name), carrier: theirs.get(name) ?? 0 }))
    .filter(({ certain, uncertain, carrier }) => carrier < certain || carrier > certain + uncertain);
}

/** Names may come back normalised. */
function keyOf(name: string): string {
  return name.trim().toLowerCase();
}

async function countSeats(worker_url: string, listed: Listed): Promise<Counted> {
  const { name, confirmed, strangers, presumed_gone = 0, doubted = 0 } = listed;
  if (presumed_gone + doubted === 0) return { name, certain: confirmed + strangers, uncertain: 0 };
  const participants = await participantsOf(worker_url, listed);
  const isUncertain = (one: Participant) => one.presumed_gone === true || one.doubted === true;
  return {
    name,
    certain: participants.filter((one) => one.confirmed && !isUncertain(one)).length + strangers,
    uncertain: participants.filter(isUncertain).length,
  };
}

export interface Listed {
  tenant: string;
  name: string;
  confirmed: number;
  strangers: number;
  presumed_gone?: number;
  doubted?: number;
}

export interface Participant {
  call_id: string;
  confirmed: boolean;
  presumed_gone?: boolean;
  doubted?: boolean;
}

/** What the API lists of a tenant's conferences. */
export async function rosterOf(worker_url: string, tenant: string): Promise<Listed[]> {
  const { conferences } = (await ask(worker_url, `/tenants/${tenant}/conferences`, "GET")) as {
    conferences: Omit<Listed, "tenant">[];
  }; // As the API's roster has it.
  return conferences.map((one) => ({ ...one, tenant }));
}

/** Those in one of them; none where it is over by now. */
export async function participantsOf(worker_url: string, { tenant, name }: Listed): Promise<Participant[]> {
  const path = `/tenants/${tenant}/conferences/${encodeURIComponent(name)}`;
  const found = await ask(worker_url, path, "GET", { participants: [] });
  return (found as { participants: Participant[] }).participants; // As the API has it.
}

/** @param ifMissing what a 404 means; without it a 404 is an error, as is every other refusal. */
async function ask(
  worker_url: string,
  path: string,
  method: "GET" | "POST",
  ifMissing?: object,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const response = await fetch(`${worker_url}/api${path}`, { method, headers });
  if (response.status === 404 && ifMissing !== undefined) return ifMissing;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}
