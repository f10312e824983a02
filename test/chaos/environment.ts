import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { temporaryFolder } from "../bench/children.ts";
import { bundle, type Served, serve } from "../bench/workerd.ts";
import { type Carrier, startCarrier } from "../carrier/carrier.ts";
import type { Project } from "../carrier/project.ts";
import { startVoicemail } from "../demo/voicemail.ts";
import { CALLER_ID, DIALLED, LIMIT_S } from "./dials.ts";
import type { Plan } from "./plan.ts";
import { type RuleServer, startRuleServer } from "./rule-server.ts";
import { pins, rules } from "./rules.ts";

/** A session takes the calls of its contexts within this, or the run does not begin. */
const SUBSCRIBED_MS = 15_000;

/** So many calls are made a second: none is to wait for its turn. */
const DIALS_PER_S = 20;

/** For what operators ask of the Worker. */
export const ADMIN_TOKEN = "chaos-admin-token";

/** A carrier with the plan's projects on it. */
export interface Staged {
  plan: Plan;
  carrier: Carrier;
  /** As the plan numbers them. */
  projects: Project[];
  /** What the rules' own server was told of recordings, by whichever project. */
  told: readonly string[];
}

export interface LogLine {
  at: number;
  line: string;
}

export interface Environment {
  staged: Staged[];
  worker: Served;
  /** What the Worker logged and workerd said, and when. */
  log: LogLine[];
  /** Has the sessions of a plan's projects come up that take calls by contexts. */
  open(one: Staged): Promise<void>;
  close(): Promise<void>;
}

/** Carriers in this process, a carrier for each plan so that none disturbs another, and one Worker on a workerd for all. */
export async function setUpEnvironment(plans: readonly Plan[]): Promise<Environment> {
  const credentials_key = randomBytes(32).toString("base64");
  const voicemail = await startVoicemail();
  const ruleServer = await startRuleServer();
  const staged = await Promise.all(plans.map((plan) => stageOne(plan, ruleServer)));
  const kv: Record<string, string> = {};
  for (const one of staged)
    Object.assign(
      kv,
      await recordsOf(one, credentials_key, { voicemail: voicemail.url, recordings: ruleServer.url }),
    );
  const { folder } = temporaryFolder();
  const script = await bundle(folder, "test/chaos/worker.ts");
  const log: LogLine[] = [];
  const worker = await serve(folder, "chaos", script, {
    text: { CREDENTIALS_KEY: credentials_key, ADMIN_TOKEN },
    kv,
    said: (line) => log.push({ at: Date.now(), line }),
  });
  return {
    staged,
    worker,
    log,
    open: (one) => open(one, worker.url),
    async close() {
      worker.stop();
      voicemail.stop();
      ruleServer.stop();
      await Promise.all(staged.map(({ carrier }) => carrier.close()));
    },
  };
}

/** Says where the Worker is reached, too, which nobody knew before. */
async function open({ plan, projects }: Staged, url: string): Promise<void> {
  const ask = async (path: string, init: RequestInit) => {
    const response = await fetch(`${url}/chaos/${path}`, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  for (const [index, { project_id, tenants }] of plan.projects.entries()) {
    for (const [number, tenant] of tenants.entries()) {
      // Seats are counted for joins by RELAY and by document alike.
      const join_via = plan.scenario === "seats" && number === 1 ? "document" : "relay";
      const limit = number === 1 ? { max_duration_s: LIMIT_S } : {};
      const dial = { allow: [`${DIALLED}*`], from: [CALLER_ID], max_concurrent: 100, ...limit };
      // Callers may come as SIP URIs of this host.
      const sip_gateways = ["example.signalwire.com"];
      const body = JSON.stringify({ project_id, join_via, public_url: url, dial, sip_gateways });
      await ask(`directory/tenant/${tenant}`, { method: "PUT", body });
    }
    if (plan.scenario !== "troubles") continue;
    await ask(`${project_id}/wake`, { method: "POST" });
    await subscribed(projects[index], tenants);
  }
}

async function subscribed(project: Project | undefined, contexts: readonly string[]): Promise<void> {
  const isUp = () =>
    [...(project?.sessions.values() ?? [])].some((session) =>
      contexts.every((context) => session.contexts.has(context)),
    );
  for (const until = Date.now() + SUBSCRIBED_MS; !isUp(); await wait(50)) {
    if (Date.now() > until) throw new Error(`nobody takes the calls of ${contexts.join(", ")}`);
  }
}

async function stageOne(plan: Plan, { told }: RuleServer): Promise<Staged> {
  const carrier = await startCarrier(0);
  const projects = plan.projects.map(({ project_id, seed, readings }) => {
    const project = carrier.world.create({ project_id, seed, switches: readings });
    if (project === null) throw new Error(`the plan has project ${project_id} twice`);
    return project;
  });
  return { plan, carrier, projects, told };
}

async function recordsOf(
  { plan, carrier, projects }: Staged,
  credentials_key: string,
  urls: { voicemail: string; recordings: string },
): Promise<Record<string, string>> {
  const kv: Record<string, string> = {};
  for (const [index, { project_id, token, signing_key }] of projects.entries()) {
    const seal = (secret: string) =>
      sealSecret(credentials_key, project_id, secret, new Uint8Array(randomBytes(ivBytes)));
    const tenants = plan.projects[index]?.tenants ?? [];
    // Each tenant's context is named as it is.
    const contexts = plan.scenario === "troubles" ? Object.fromEntries(tenants.map((id) => [id, id])) : {};
    kv[`project/${project_id}`] = JSON.stringify({
      space: carrier.rest,
      contexts,
      session: { dials_per_s: DIALS_PER_S },
      credentials: await seal(token),
      signing_keys: [await seal(signing_key)],
    });
    for (const tenant of tenants) {
      const hmac = async (pin: string) => await answerHmac(credentials_key, tenant, pin);
      const hmacs = { bridge: await hmac(pins.bridge), board: await hmac(pins.board) };
      kv[`ruleset/${tenant}`] = JSON.stringify(rules(urls.voicemail, urls.recordings, hmacs));
    }
  }
  return kv;
}
