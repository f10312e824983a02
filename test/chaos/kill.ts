import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { bindings, records, webhook } from "../bench/acme.ts";
import { temporaryFolder } from "../bench/children.ts";
import type { Wire } from "../bench/relay-stand-in.ts";
import { startStandIn } from "../bench/stand-in.ts";
import { CONTEXT } from "../bench/wire.ts";
import { bundle, type Served, serve } from "../bench/workerd.ts";
import { Random } from "./random.ts";

/** Webhooks under way at once. */
const WEBHOOKS = 32;
/** Calls on a context. */
const CALLS_PER_S = 200;
/** How long a Worker lives under load before it is killed, ms. */
const LIVES_MS = { least: 300, most: 1_000 };
/** Kills by turns: as soon as such a frame is on the other side, which is when its row may still be missing, or at any moment. */
const WITH = ["ack", "join", "ack", "whatever it does"] as const;
/** A webhook that was not answered is tried again after this, ms. */
const AGAIN_MS = 20;
/** Stories told in full. */
const TOLD = 5;

export interface Killed {
  kills: number;
  /** Joins that came over the wire, and acknowledgements of events. */
  joins: number;
  acked: number;
  /** Of these, how many have no row. */
  joins_without_row: number;
  acked_without_row: number;
  /** The first of them. */
  stories: string[];
}

/**
 * Kills workerd in the midst of its work, again and again, and starts it on the same storage. What has gone out by then must have
 * its row: after each kill the storage is read as it was left, before anything could repair it.
 */
export async function kill(seed: number, kills: number, entry = "functions/index.ts"): Promise<Killed> {
  const random = new Random(seed);
  const { folder } = temporaryFolder();
  const standIn = await startStandIn();
  const script = await bundle(folder, entry);
  const settings = { text: bindings, kv: await records(standIn.relay_url, { [CONTEXT]: "acme" }), said() {} };
  const killed: Killed = {
    kills: 0,
    joins: 0,
    acked: 0,
    joins_without_row: 0,
    acked_without_row: 0,
    stories: [],
  };
  let served: Served = await serve(folder, "kill-0", script, settings);
  const load = new Webhooks(() => served.url);
  await standIn.ring(CALLS_PER_S);
  while (killed.kills < kills) {
    await wait(random.between(LIVES_MS.least, LIVES_MS.most));
    const on = WITH[killed.kills % WITH.length];
    if (on === undefined || on === "whatever it does") process.kill(served.pid, "SIGKILL");
    else standIn.killOn(on, served.pid);
    await served.ended;
    killed.kills += 1;
    judge(killed, await standIn.wire(), join(folder, "left"), served.storage);
    const { storage } = served;
    if (killed.kills < kills)
      served = await serve(folder, `kill-${killed.kills}`, script, { ...settings, storage });
  }
  await load.stop();
  return killed;
}

/** Webhooks one after another, so many at once; those that a kill met are given up, as by SignalWire. */
class Webhooks {
  readonly #lanes: Promise<void>[];
  #isOver = false;

  constructor(url: () => string) {
    this.#lanes = Array.from({ length: WEBHOOKS }, (_, lane) => this.#run(url, lane));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
  }

  async #run(url: () => string, lane: number): Promise<void> {
    for (let index = lane; !this.#isOver; index += WEBHOOKS) {
      const { path, method, headers, body } = webhook(index);
      try {
        const response = await fetch(url() + path, { method, headers, body: new Uint8Array(body) });
        await response.arrayBuffer();
      } catch {
        await wait(AGAIN_MS);
      }
    }
  }
}

function judge(killed: Killed, { joins, acked }: Wire, copy: string, storage: string): void {
  // A copy: reading takes up what SQLite's log holds, which is the next Worker's to do.
  cpSync(storage, copy, { recursive: true });
  const [placed, recorded] = [new Set<string>(), new Set<string>()];
  for (const file of readdirSync(copy, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".sqlite")) continue;
    const database = new DatabaseSync(join(copy, file));
    if (!database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'placements'").get()) continue;
    for (const { call_id } of database.prepare("SELECT call_id FROM placements").iterate())
      placed.add(String(call_id));
    for (const { call_id, event_type, status } of database
      .prepare("SELECT call_id, event_type, status FROM events")
      .iterate())
      recorded.add(`${call_id} ${event_type} ${status}`);
    database.close();
  }
  rmSync(copy, { recursive: true });
  const unplaced = joins.filter((call_id) => !placed.has(call_id));
  const unrecorded = acked.filter(
    ({ call_id, event_type, status }) => !recorded.has(`${call_id} ${event_type} ${status}`),
  );
  killed.joins += joins.length;
  killed.acked += acked.length;
  killed.joins_without_row += unplaced.length;
  killed.acked_without_row += unrecorded.length;
  const stories = [
    ...unplaced.map((call_id) => `call ${call_id} was joined and has no placement`),
    ...unrecorded.map(
      ({ call_id, event_type, status }) =>
        `${event_type} ${status} of call ${call_id} was acknowledged and has no row`,
    ),
  ].map((story) => `kill ${killed.kills}: ${story}`);
  killed.stories.push(...stories.slice(0, TOLD - killed.stories.length));
}
