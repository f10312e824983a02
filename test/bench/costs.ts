import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { type Carrier, startCarrier } from "../carrier/carrier.ts";
import { CarrierClient, type CarrierProject } from "../carrier/client.ts";
import type { Costs } from "./costs-worker.ts";
import { round1 } from "./load.ts";
import { bundle, type Served, serve } from "./workerd.ts";

const WORKER = "test/bench/costs-worker.ts";
/** An idle hour is over in so many seconds of the wall's clock. */
const HOUR_S = 60;
const WARM_UP = 20;
const AT_ONCE = 10;
/** What is left to be written after the last leave is written within this, ms. */
const RESPITE_MS = 5_000;
const UP_MS = 15_000;

type Ingress = "swml" | "cxml" | "relay";

interface State extends Costs {
  state: string;
  live: number;
  contexts: number;
  bytes: number;
}

interface House {
  served: Served;
  carrier: Carrier;
  project: CarrierProject;
  costs(): Promise<State>;
  close(): Promise<void>;
}

/**
 * What an hour costs a connected project that nobody calls, without contexts and with one, and one that has a call in a room all the
 * while; the hour is played 60 times as fast.
 */
export async function measureIdle(folder: string): Promise<object> {
  const script = await bundle(folder, WORKER);
  const hour = async (name: string, contexts: boolean, isCalled: boolean) => {
    const speed = 3_600 / HOUR_S;
    await using house = await open(folder, `idle-${name}`, { script, contexts, speed });
    if (isCalled) await arrive(house, "swml", 0);
    await wait(RESPITE_MS);
    await house.costs();
    await wait(HOUR_S * 1_000);
    const { alarms, rows_written, rows_read, kv_reads, object_requests, state, live } = await house.costs();
    if (state !== "ready" || live !== (isCalled ? 1 : 0))
      throw new Error(`the session is ${state}, with ${live} calls`);
    return { alarms, rows_written, rows_read, kv_reads, object_requests: object_requests + alarms };
  };
  const [without_contexts, with_contexts, with_a_call] = await Promise.all([
    hour("without", false, false),
    hour("contexts", true, false),
    hour("call", false, true),
  ]);
  return { without_contexts, with_contexts, with_a_call };
}

/** What a call costs that joins a room, hears of its end and hangs up, callbacks and events included, by each ingress; and its bytes. */
export async function measureCalls(folder: string, calls: number): Promise<object> {
  const script = await bundle(folder, WORKER);
  const each: Record<string, object> = {};
  for (const via of ["swml", "cxml", "relay"] as const) {
    const contexts = via === "relay";
    await using house = await open(folder, `calls-${via}`, { script, contexts, speed: 1 });
    await house.costs();
    await play(house, via, 1);
    const { kv_reads } = await house.costs();
    await play(house, via, WARM_UP);
    const before = await house.costs();
    await play(house, via, calls);
    const after = await house.costs();
    const of = (count: number) => round1(count / calls);
    each[via] = {
      webhooks: of(after.webhooks),
      object_requests: of(after.object_requests + after.alarms),
      rows_written: of(after.rows_written),
      rows_read: of(after.rows_read),
      kv_reads: of(after.kv_reads),
      // Where nothing is in the isolate's cache any more.
      kv_reads_of_first: kv_reads,
      alarms_in_all: after.alarms,
      bytes: Math.round((after.bytes - before.bytes) / calls),
    };
  }
  return { calls, ...each };
}

/** So many calls, a few at a time, each in the room of its lane; resolves when all that they left to be done is done. */
async function play(house: House, via: Ingress, calls: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < calls; index = next++)
      await house.project.hangUp(await arrive(house, via, index));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  await wait(RESPITE_MS);
}

/** A call that comes and is in its room when this resolves. */
async function arrive({ served: { url }, project }: House, via: Ingress, index: number): Promise<string> {
  const number = { swml: `${url}/hooks/acme/swml`, cxml: `${url}/hooks/acme/cxml`, relay: "main" };
  const caller = { from: `+1555${String(index).padStart(7, "0")}`, to: desk(index % AT_ONCE) };
  const { call_id } = await project.placeCallVia(via, number, caller);
  const room = `acme:team-${index % AT_ONCE}`;
  await project.wait({ call: { call_id, in_conference: room }, timeout_ms: 20_000 });
  return call_id;
}

function desk(index: number): string {
  return `+1555010010${index}`;
}

async function open(
  folder: string,
  name: string,
  { script, contexts, speed }: { script: string; contexts: boolean; speed: number },
): Promise<House & AsyncDisposable> {
  const carrier = await startCarrier(0);
  const project = await new CarrierClient(carrier.control).createProject({
    project_id: randomUUID(),
    speed: 10,
  });
  const credentials_key = randomBytes(32).toString("base64");
  const seal = (secret: string) =>
    sealSecret(credentials_key, project.project_id, secret, new Uint8Array(randomBytes(ivBytes)));
  const record = {
    space: carrier.rest,
    credentials: await seal(project.token),
    signing_keys: [await seal(project.signing_key)],
    contexts: contexts ? { main: "acme" } : {},
    session: { stay_up: true },
  };
  const rules = Array.from({ length: AT_ONCE }, (_, index) => ({
    id: `team-${index}`,
    match: { to: desk(index) },
    place: { room: `team-${index}` },
  }));
  const served = await serve(folder, name, script, {
    text: { CREDENTIALS_KEY: credentials_key, ADMIN_TOKEN: "bench", SPEED: String(speed) },
    kv: {
      [`project/${project.project_id}`]: JSON.stringify(record),
      "ruleset/acme": JSON.stringify({ rules }),
    },
    said: (line) => {
      if (line.includes('"level":"error"')) throw new Error(line);
    },
  });
  const ask = async (path: string, method: string, body?: object): Promise<State> => {
    const response = await fetch(`${served.url}/bench/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as State;
  };
  const { project_id } = project;
  const costs = () => ask(project_id, "GET");
  await ask("directory/tenant/acme", "PUT", { project_id, public_url: served.url });
  await ask(`${project_id}/check`, "POST");
  if (contexts) await ask(`${project_id}/wake`, "POST");
  const isUp = ({ state, contexts: subscribed }: State) =>
    state === "ready" && subscribed === (contexts ? 1 : 0);
  for (const until = Date.now() + UP_MS; !isUp(await costs()); await wait(100)) {
    if (Date.now() > until) throw new Error("the session does not come up");
  }
  const close = async () => {
    served.stop();
    await served.ended;
    await carrier.close();
  };
  return { served, carrier, project, costs, close, [Symbol.asyncDispose]: close };
}
