import { randomBytes } from "node:crypto";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { temporaryFolder } from "../bench/children.ts";
import { bundle, type Served, serve } from "../bench/workerd.ts";
import { type Carrier, startCarrier } from "../carrier/carrier.ts";
import type { Project } from "../carrier/project.ts";
import { startVoicemail } from "../demo/voicemail.ts";
import { rules } from "./callers.ts";
import type { Plan } from "./plan.ts";

/** For what operators ask of the Worker. */
export const ADMIN_TOKEN = "chaos-admin-token";

/** A carrier with the plan's projects on it. */
export interface Staged {
  plan: Plan;
  carrier: Carrier;
  /** As the plan numbers them. */
  projects: Project[];
}

export interface LogLine {
  at: number;
  line: string;
}

export interface Stage {
  staged: Staged[];
  worker: Served;
  /** What the Worker logged and workerd said, and when. */
  log: LogLine[];
  close(): Promise<void>;
}

/** Carriers in this process, a carrier for each plan so that none disturbs another, and one Worker on a workerd for all. */
export async function setStage(plans: readonly Plan[]): Promise<Stage> {
  const credentials_key = randomBytes(32).toString("base64");
  const voicemail = await startVoicemail();
  const staged = await Promise.all(plans.map(stageOne));
  const kv: Record<string, string> = {};
  for (const one of staged) Object.assign(kv, await recordsOf(one, credentials_key, voicemail.url));
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
    async close() {
      worker.stop();
      voicemail.stop();
      await Promise.all(staged.map(({ carrier }) => carrier.close()));
    },
  };
}

async function stageOne(plan: Plan): Promise<Staged> {
  const carrier = await startCarrier(0);
  const projects = plan.projects.map(({ project_id, seed }) => {
    const project = carrier.world.create({ project_id, seed });
    if (project === null) throw new Error(`the plan has project ${project_id} twice`);
    return project;
  });
  return { plan, carrier, projects };
}

async function recordsOf(
  { plan, carrier, projects }: Staged,
  credentials_key: string,
  voicemail_url: string,
): Promise<Record<string, string>> {
  const kv: Record<string, string> = {};
  for (const [index, { project_id, token, signing_key }] of projects.entries()) {
    const seal = (secret: string) =>
      sealSecret(credentials_key, project_id, secret, new Uint8Array(randomBytes(ivBytes)));
    kv[`project/${project_id}`] = JSON.stringify({
      space: carrier.rest,
      credentials: await seal(token),
      signing_keys: [await seal(signing_key)],
    });
    for (const [number, tenant] of (plan.projects[index]?.tenants ?? []).entries()) {
      // Seats are counted for joins by RELAY and by document alike.
      const join_via = plan.scenario === "seats" && number === 1 ? "document" : "relay";
      kv[`tenant/${tenant}`] = JSON.stringify({ project_id, join_via });
      kv[`ruleset/${tenant}`] = JSON.stringify(rules(voicemail_url));
    }
  }
  return kv;
}
