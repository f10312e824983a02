import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { CarrierClient, type CarrierProject } from "../carrier/client.ts";
import { type DemoCall, type DemoTenant, tenants } from "./calls.ts";
import type { CarrierProcess } from "./carrier-process.ts";
import type { RunningWorker } from "./worker.ts";

export interface StagedCall extends DemoCall {
  call_id: string;
}

/** A tenant that is ready for its calls: a project at the carrier, records and rules in KV. */
export interface StagedTenant {
  tenant: string;
  carrier: CarrierProject;
  /** What would be pasted at SignalWire. */
  webhook_url: string;
  acts: StagedCall[][];
}

interface Stage {
  carrier: CarrierProcess;
  worker: RunningWorker;
  credentials_key: string;
  /** What `https://voicemail.example.com` in the rules stands for here. */
  voicemail_url: string;
}

/** Sets up every tenant of the demo as its owner would: `npx partyline seal`, then `wrangler kv key put`. */
export async function stageTenants(stage: Stage): Promise<StagedTenant[]> {
  const text = await readFile(join(import.meta.dirname, "rules.json"), "utf8");
  const rules = text.replaceAll("https://voicemail.example.com", stage.voicemail_url);
  return await Promise.all(tenants.map((tenant) => stageTenant(stage, tenant, rules)));
}

async function stageTenant(
  { carrier, worker, credentials_key }: Stage,
  { tenant, acts, faults = [] }: DemoTenant,
  rules: string,
): Promise<StagedTenant> {
  // Ids are given out beforehand, so that what goes wrong for one call can be scripted by its id.
  const staged = acts.map((act) => act.map((call) => ({ ...call, call_id: randomUUID() })));
  const project = await new CarrierClient(carrier.control).createProject({
    faults: [...faults, ...staged.flat().flatMap(faultsOf)],
  });
  const { project_id } = project;
  const seal = (secret: string) =>
    sealSecret(credentials_key, project_id, secret, new Uint8Array(randomBytes(ivBytes)));
  const record = {
    space: carrier.origin,
    credentials: await seal(project.token),
    signing_keys: [await seal(project.signing_key)],
  };
  await worker.put(`project/${project_id}`, JSON.stringify(record));
  await worker.put(`tenant/${tenant}`, JSON.stringify({ project_id, public_url: worker.url }));
  await worker.put(`ruleset/${tenant}`, rules);
  return { tenant, carrier: project, webhook_url: `${worker.url}/hooks/${tenant}/swml`, acts: staged };
}

function faultsOf({ call_id, faults = [] }: StagedCall) {
  return faults.map((fault) => ({ times: 1, ...fault, match: { ...fault.match, call_id } }));
}
