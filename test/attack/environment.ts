import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { callbackTokens } from "../../shared/callback-token.ts";
import { ivBytes, sealSecret } from "../../shared/credentials.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { temporaryFolder } from "../bench/children.ts";
import { bundle, type Served, serve } from "../bench/workerd.ts";
import { type Carrier, startCarrier } from "../carrier/carrier.ts";
import { CarrierClient, type CarrierProject } from "../carrier/client.ts";
import { type LocalServer, serveLocally } from "../local-server.ts";
import { Canaries } from "./canaries.ts";
import { badRules, bankRules, costlyRules, numbers, rulesOf } from "./rules.ts";

/** The one-tenant start, of which KV knows nothing. */
const DEFAULT = "default";
/**
 * Tenants by the project that they share. `reporting` has `report_until`; `bad` has rules that can't be read; `spare` is there for
 * operators to change, and `delta` for scenes; all callers of a bank are asked for a PIN.
 */
const projectsOf = {
  first: ["alfa", "bravo"],
  second: ["charlie", "reporting", "bank", "bank-2", "bank-3", "costly", "bad", "delta", "spare"],
  third: [DEFAULT],
} as const;

export const tenantNames = Object.values(projectsOf).flat();
export type TenantName = (typeof tenantNames)[number];

/** Calls that are somewhere while the attack runs, by tenant. */
const callers = [
  { tenant: "alfa", call_id: "alfa-1", to: numbers.team, in_room: true },
  { tenant: "alfa", call_id: "alfa-2", to: numbers.team, in_room: true },
  { tenant: "alfa", call_id: "alfa-waits", to: numbers.lobby, in_room: false },
  { tenant: "bravo", call_id: "bravo-1", to: numbers.team, in_room: true },
  { tenant: "charlie", call_id: "charlie-1", to: numbers.team, in_room: true },
  { tenant: "charlie", call_id: "charlie-2", to: numbers.team, in_room: true },
  { tenant: DEFAULT, call_id: "default-1", to: numbers.team, in_room: true },
] as const satisfies readonly { tenant: TenantName; call_id: string; to: string; in_room: boolean }[];

export const callIds = callers.map(({ call_id }) => call_id);

export interface StagedTenant {
  name: TenantName;
  project: CarrierProject;
  /** As its conferences' callbacks bring it. */
  token: string;
  /** The one that its callers are in; "" where there are none. */
  conference_id: string;
  /** The PIN in its rules, and the one in KV. */
  pins: readonly [string, string];
}

export interface Environment {
  worker: Served;
  admin_token: string;
  canaries: Canaries;
  tenants: ReadonlyMap<TenantName, StagedTenant>;
  /** What the Worker logged and workerd said. */
  log: string[];
  /** What came to the tenants' own servers. */
  visitors: string[];
  close(): Promise<void>;
}

/** A carrier in this process and the Worker on a workerd, every secret of them a canary, and calls in their rooms. */
export async function setUpEnvironment(): Promise<Environment> {
  const canaries = new Canaries();
  const admin_token = canaries.make("admin-token", null, "never");
  const carrier = await startCarrier(0);
  const servers = await startServers();
  const credentials_key = canaries.add("credentials-key", keyText(), null, "never");
  const sealing_key = canaries.add("credentials-key in base64", btoa(credentials_key), null, "never");
  const kv: Record<string, string> = {};
  const tenants = new Map<TenantName, StagedTenant>();
  const secrets = { canaries, sealing_key, kv };
  for (const [name, owned] of Object.entries(projectsOf)) {
    const project = await projectOf(carrier, name, secrets);
    for (const tenant of owned) tenants.set(tenant, await tenantOf(tenant, project, servers.url, secrets));
  }
  const [, , third] = await Promise.all(
    Object.values(projectsOf).map(([first]) => tenants.get(first)?.project),
  );
  const log: string[] = [];
  const { folder } = temporaryFolder();
  const worker = await serve(folder, "attack", await bundle(folder, "test/attack/worker.ts"), {
    text: {
      ADMIN_TOKEN: admin_token,
      CREDENTIALS_KEY: sealing_key,
      SIGNALWIRE_SPACE: carrier.rest,
      SIGNALWIRE_PROJECT_ID: third?.project_id ?? "",
      SIGNALWIRE_API_TOKEN: third?.token ?? "",
      SIGNALWIRE_SIGNING_KEY: third?.signing_key ?? "",
    },
    kv,
    said: (line) => log.push(line),
  });
  const environment: Environment = {
    worker,
    admin_token,
    canaries,
    tenants,
    log,
    visitors: servers.visitors,
    async close() {
      worker.stop();
      servers.stop();
      await carrier.close();
    },
  };
  await sayWhereWeAre(environment);
  await seat(environment);
  return environment;
}

function isBank(name: TenantName): boolean {
  return name.startsWith("bank");
}

/** 32 bytes that can be read. */
function keyText(): string {
  return `canary-credentials-${randomBytes(8).toString("hex")}`.slice(0, 32);
}

interface Secrets {
  canaries: Canaries;
  sealing_key: string;
  kv: Record<string, string>;
}

async function projectOf(
  carrier: Carrier,
  name: string,
  { canaries, sealing_key, kv }: Secrets,
): Promise<CarrierProject> {
  const project = await new CarrierClient(carrier.control).createProject({
    project_id: `project-${name}`,
    token: canaries.make(`api-token-${name}`, null, "never"),
    signing_key: canaries.make(`signing-key-${name}`, null, "never"),
    ping_interval_ms: 600_000,
  });
  if (name === "third") return project;
  const { project_id } = project;
  const seal = async (what: string, secret: string) => {
    const sealed = await sealSecret(sealing_key, project_id, secret, new Uint8Array(randomBytes(ivBytes)));
    return canaries.add(`${what}-${name}, sealed`, sealed, null, "never");
  };
  kv[`project/${project_id}`] = JSON.stringify({
    space: carrier.rest,
    credentials: await seal("api-token", project.token),
    signing_keys: [
      await seal("signing-key", project.signing_key),
      await seal("old-signing-key", canaries.make(`old-signing-key-${name}`, null, "never")),
    ],
    session: { stay_up: true },
  });
  return project;
}

async function tenantOf(
  name: TenantName,
  project: CarrierProject,
  servers_url: string,
  { canaries, sealing_key, kv }: Secrets,
): Promise<StagedTenant> {
  const pin = (what: string) => {
    const digits = String(100_000_000_000 + (randomBytes(5).readUIntBE(0, 5) % 899_999_999_999));
    return canaries.add(what, digits, name, "never");
  };
  const pins = [pin("PIN in the rules"), pin("PIN in KV")] as const;
  const hmacOf = async (digits: string) =>
    canaries.add("a PIN's HMAC", await answerHmac(sealing_key, name, digits), name, "never");
  const [hmac, hmac_in_kv] = [await hmacOf(pins[0]), await hmacOf(pins[1])];
  const note = canaries.make("pin-note", name, "pins");
  kv[`pins/${name}/${hmac_in_kv}`] = JSON.stringify({ room: "members", note });
  const ruleset = isBank(name)
    ? bankRules(hmac)
    : name === "costly"
      ? costlyRules
      : name === "bad"
        ? badRules(canaries.make("password", name, "never"))
        : rulesOf({
            server: `${servers_url}/${name}`,
            url: (what) => canaries.make(what, name, "rules"),
            bearer: canaries.make("bearer", name, "calls"),
            hmac,
          });
  kv[`ruleset/${name}`] = JSON.stringify(ruleset);
  const [token, ...older] = await callbackTokens(
    { credentials_key: sealing_key, signing_keys: [project.signing_key] },
    name,
  );
  canaries.add("callback token", token, name, "calls");
  for (const one of older) canaries.add("older callback token", one, name, "never");
  return { name, project, token, conference_id: "", pins };
}

/** The tenants' records name the Worker's own address, so that no request's Host header stands for it. */
async function sayWhereWeAre({ worker, tenants }: Environment): Promise<void> {
  for (const [name, { project }] of tenants) {
    if (name === DEFAULT) continue;
    const record = {
      project_id: project.project_id,
      public_url: worker.url,
      ...(isBank(name) || name === "costly" ? { join_via: "document" } : {}),
      ...(name === "reporting" ? { report_until: Date.now() + 3_600_000 } : {}),
    };
    const url = `${worker.url}/attack/directory/tenant/${name}`;
    await fetch(url, { method: "PUT", body: JSON.stringify(record) });
  }
}

async function seat({ worker, tenants, admin_token }: Environment): Promise<void> {
  const headers = { authorization: `Bearer ${admin_token}` };
  for (const [index, { tenant, call_id, to, in_room }] of callers.entries()) {
    const { project } = tenants.get(tenant) ?? missing(tenant);
    const url = `${worker.url}/hooks/${tenant}/swml`;
    await project.placeCall({ call_id, from: `+1555010000${index}`, to, url });
    const name = tenant === DEFAULT ? "team" : `${tenant}:team`;
    if (in_room) {
      await project.wait({ call: { call_id, in_conference: name }, timeout_ms: 15_000 });
      // Past the time that a call is held for in which its join may be undone.
      await project.wait({
        journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
        timeout_ms: 30_000,
      });
      continue;
    }
    await project.wait({ call: { call_id, heard: { contains: "line.mp3" } }, timeout_ms: 15_000 });
  }
  for (const tenant of tenants.values()) {
    const room = await fetch(`${worker.url}/api/tenants/${tenant.name}/conferences/team`, { headers });
    if (!room.ok) continue;
    const { conference_id } = (await room.json()) as { conference_id: string | null }; // The API's own.
    tenant.conference_id = conference_id ?? "";
  }
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`);
}

/** Where the tenants' own documents are, and their callbacks go; what comes is kept. */
async function startServers(): Promise<LocalServer & { visitors: string[] }> {
  const visitors: string[] = [];
  const server = createServer((request, response) => {
    visitors.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  return { ...(await serveLocally(server)), visitors };
}
