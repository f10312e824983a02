import { randomBytes, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { CarrierClient, type CarrierProject, type NumberSetup } from "../carrier/client.ts";
import type { DemoCall, DemoTenant } from "./call.ts";
import type { CarrierProcess } from "./carrier-process.ts";
import { floor } from "./floor.ts";
import { acme } from "./one-way.ts";
import { desk, pins } from "./three-ways.ts";
import { troubled } from "./troubles.ts";
import type { RunningWorker } from "./worker.ts";

export interface StagedCall extends DemoCall {
  call_id: string;
}

/** A tenant that is ready for its calls: a project at the carrier, records and rules in KV. */
export interface StagedTenant {
  tenant: string;
  carrier: CarrierProject;
  /** What would be set at SignalWire for its numbers, by each way. */
  number: NumberSetup;
  /** Asks the Worker's API for the tenant, as an operator would. @param path under the tenant's. */
  ask(method: "PATCH" | "POST" | "PUT", path: string, body?: object): Promise<Response>;
  acts: StagedCall[][];
}

interface Environment {
  carrier: CarrierProcess;
  worker: RunningWorker;
  credentials_key: string;
  admin_token: string;
  /** What `https://voicemail.example.com` in the rules stands for here. */
  voicemail_url: string;
}

/** What the commands of README's "Five things to try" take from the environment. */
export function variablesOf(
  { carrier, number }: Pick<StagedTenant, "carrier" | "number">,
  control: string,
  admin_token: string,
): Record<string, string> {
  return {
    CARRIER_CONTROL: control,
    CARRIER_PROJECT: carrier.project_id,
    WORKER: new URL(number.swml).origin,
    ADMIN_TOKEN: admin_token,
  };
}

/** Sets up every tenant of the demo as its owner would, all with the same rules: `npx partyline seal`, then `wrangler kv key put`. */
export async function stageTenants(environment: Environment): Promise<StagedTenant[]> {
  const text = await readFile(join(import.meta.dirname, "rules.json"), "utf8");
  const rules = text.replaceAll("https://voicemail.example.com", environment.voicemail_url);
  return await Promise.all(
    [acme, desk, ...troubled, floor].map((tenant) => stageTenant(environment, tenant, rules)),
  );
}

async function stageTenant(
  { carrier, worker, credentials_key, admin_token }: Environment,
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
    contexts: { [tenant]: tenant },
  };
  await worker.put(`project/${project_id}`, JSON.stringify(record));
  await worker.put(`tenant/${tenant}`, JSON.stringify({ project_id, public_url: worker.url }));
  await worker.put(`ruleset/${tenant}`, rules);
  for (const [digits, pin] of Object.entries(pins)) {
    await worker.put(
      `pins/${tenant}/${await answerHmac(credentials_key, tenant, digits)}`,
      JSON.stringify(pin),
    );
  }
  const hooks = `${worker.url}/hooks/${tenant}`;
  return {
    tenant,
    carrier: project,
    number: { swml: `${hooks}/swml`, cxml: `${hooks}/cxml`, relay: tenant },
    acts: staged,
    ask: (method, path, body) =>
      fetch(`${worker.url}/api/tenants/${tenant}/${path}`, {
        method,
        headers: { authorization: `Bearer ${admin_token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

function faultsOf({ call_id, faults = [] }: StagedCall) {
  return faults.map((fault) => ({ times: 1, ...fault, match: { ...fault.match, call_id } }));
}
