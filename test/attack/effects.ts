import { readdirSync } from "node:fs";
import type { SessionStatus } from "../../functions/session/operator/session-status.ts";
import type { CarrierProject } from "../carrier/client.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { Environment, TenantName } from "./environment.ts";

/** What an operator can see of a tenant. */
const views = [
  "conferences",
  "conferences/team",
  "conferences/lobby",
  "calls?limit=200",
  "dials",
  "pins",
  "ruleset",
];
/** Frames that keep a connection open. */
const PING = "signalwire.ping";

/** All that could have changed, by where it stands. */
export type State = ReadonlyMap<string, string>;

export interface Change {
  where: string;
  before: string;
  after: string;
}

/**
 * What a session does by the clock, though nobody asks: it looks at rooms by REST every five minutes, and keeps what it saw. Changes
 * there count only if the same requests bring them about once more.
 */
export function isByTheClock({ where }: Change): boolean {
  return /REST reads$|: (room_checks|observations)$/.test(where);
}

/** What there is of these tenants, and of all projects, at this moment. @param whole everything besides. */
export async function stateOf(
  environment: Environment,
  names: readonly TenantName[],
  whole: boolean,
): Promise<State> {
  const state = new Map<string, string>();
  const { worker, admin_token, tenants } = environment;
  const headers = { authorization: `Bearer ${admin_token}` };
  const text = async (path: string) => await (await fetch(worker.url + path, { headers })).text();
  for (const name of names) {
    for (const view of views) {
      const seen = await text(`/api/tenants/${name}/${view}`);
      state.set(`${name}: ${view}`, view.startsWith("conferences") ? withoutLapses(seen) : seen);
    }
  }
  const projects = new Map([...tenants.values()].map(({ project }) => [project.project_id, project]));
  for (const project_id of projects.keys()) {
    const session = JSON.parse(await text(`/api/projects/${project_id}/session`)) as SessionStatus;
    const { breaker, leaving, state: link, counters } = session;
    // Those of the project alone: a tenant may have its own calls join by document.
    const open = [breaker, leaving].filter(({ open_until }) => open_until !== null).length;
    state.set(`${project_id}: open breakers`, String(open));
    if (whole)
      state.set(
        `${project_id}: session`,
        JSON.stringify({ breaker, leaving, link, counters: withoutProbes(counters) }),
      );
  }
  if (!whole) return state;
  state.set("KV: writes", await text("/attack/kv-writes"));
  state.set("Durable Objects", objectsIn(worker.storage).join("\n"));
  state.set("the tenants' servers", environment.visitors.join("\n"));
  for (const [project_id, project] of projects) {
    const kept = JSON.parse(await text(`/attack/kept/${project_id}`)) as Record<string, unknown[]>; // The worker's own.
    for (const [table, rows] of Object.entries(kept)) {
      // Written now and then; the session tells them as they are.
      if (table === "counters") continue;
      state.set(`${project_id}: ${table}`, rows.map((row) => JSON.stringify(row)).join("\n"));
    }
    for (const [where, entries] of await carrierOf(project))
      state.set(`${project_id}: ${where}`, entries.join("\n"));
  }
  return state;
}

/** Seats lapse by the clock, and REST's count of a room comes and goes; the ledger's own rows are compared besides. */
function withoutLapses(view: string): string {
  return view.replace(/"(expected|presumed_gone|doubted|strangers)":\w+,?/g, "");
}

export function changes(before: State, after: State): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((where) => {
    const [was = "", is = ""] = [before.get(where), after.get(where)];
    return was === is ? [] : [{ where, before: was, after: is }];
  });
}

/** A change as a person reads it: the lines that came and went. */
export function describeChange({ where, before, after }: Change): string {
  const [was, is] = [before.split("\n"), after.split("\n")];
  const only = (some: string[], others: string[], mark: string) => {
    const known = new Set(others);
    return some
      .filter((line) => !known.has(line))
      .slice(0, 3)
      .map((line) => `  ${mark} ${line.slice(0, 400)}`);
  };
  return [where, ...only(was, is, "-"), ...only(is, was, "+")].join("\n");
}

/** Without how often the session has asked whether its connection lives. */
function withoutProbes(counters: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).filter(([name]) => !name.startsWith("probe_")));
}

/** Whatever file a Durable Object has: one of a name that nobody should have made one for would be another. */
function objectsIn(storage: string): string[] {
  return readdirSync(storage, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".sqlite"))
    .sort();
}

/** What SignalWire was asked for and did, but for pings; reads by REST apart. */
async function carrierOf(project: CarrierProject): Promise<Map<string, string[]>> {
  const done: string[] = [];
  const reads: string[] = [];
  for (const entry of await project.journal()) {
    const line = JSON.stringify(entry);
    if (entry.kind === "rest" && entry["method"] === "GET") reads.push(line);
    else if (!isPing(entry)) done.push(line);
  }
  return new Map([
    ["what SignalWire did", done],
    ["REST reads", reads],
  ]);
}

function isPing(entry: JournalEntry): boolean {
  const { method, result } = (entry["frame"] ?? {}) as { method?: string; result?: { timestamp?: number } }; // As the journal has it.
  return method === PING || (entry.kind === "frame_out" && Object.keys(result ?? {}).join() === "timestamp");
}
