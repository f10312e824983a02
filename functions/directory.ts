import type { z } from "zod";
import { isTenantId } from "../shared/conference.ts";
import { openSecret } from "../shared/credentials.ts";
import { type CompiledRuleset, compileRuleset, hashRuleset } from "../shared/rules/compile.ts";
import { DECISION_STEPS } from "../shared/rules/limits.ts";
import { parseRuleset } from "../shared/rules/parse.ts";
import { lastGood } from "./kept-rulesets.ts";
import { describeError, log, withoutUrls } from "./log.ts";
import { type ProjectRecord, projectRecord, type TenantRecord, tenantRecord } from "./records.ts";
import { StaleCache } from "./stale-cache.ts";

/** A project as the rest of the Worker uses it: addresses worked out, secrets opened. Never logged. */
export interface Project {
  project_id: string;
  relay_url: string;
  rest_url: string;
  token: string;
  signing_keys: readonly string[];
  plain_names_for?: string;
  /** Tenants by the RELAY contexts whose calls they decide on. */
  contexts: Readonly<Record<string, string>>;
  session: ProjectRecord["session"];
  /** Changes whenever the record does: how a session learns of new credentials. */
  version: string;
}

/** A tenant without its rules: enough to check a token or a signature. */
export interface Owner {
  tenant: string;
  record: TenantRecord;
  project: Project;
}

export interface Tenant extends Owner {
  /** Null where there is no ruleset, or none that could ever be read here: the fallback speaks. */
  rules: CompiledRuleset | null;
  /** The text that `rules` was compiled from: not KV's where that is bad. Null where KV holds none. */
  rules_text: string | null;
  /** Whether the last good rules could be looked for, where those of KV are not served: else the next refresh does. */
  is_sure: boolean;
  /** The texts that this was read from, so that a refresh compiles only what changed. */
  source: { tenant: string | null; project: string | null; ruleset: string | null };
}

/** The tenant of the one-tenant start. */
const DEFAULT_TENANT = "default";

/**
 * What a compiled ruleset takes in memory for each character of its text: with 10,000 rules, measured in Node 24 after garbage
 * collection, 18 bytes told apart by number, 20 by schedules, 24 by prefix, 33 by CEL. workerd's shorter pointers make it less.
 */
const BYTES_A_CHARACTER = 33;
/** What a tenant takes beside its texts: records, keys, tokens. */
const BYTES_A_TENANT = 8_192;
/** Of the isolate's 128 MB. */
const MAX_RULES_BYTES = 64 * 1024 * 1024;
const MAX_OWNERS_BYTES = 8 * 1024 * 1024;

const tenants = new StaleCache<Tenant>({ bytesOf, max_bytes: MAX_RULES_BYTES });
/** Tenants that were read without their rules. */
const owners = new StaleCache<OwnerRead>({ bytesOf: () => BYTES_A_TENANT, max_bytes: MAX_OWNERS_BYTES });

function bytesOf({ rules_text, source }: Tenant): number {
  const compiled = (rules_text?.length ?? 0) * BYTES_A_CHARACTER;
  const read = [rules_text, source.ruleset, source.tenant, source.project];
  // A text that stands twice is one in memory.
  return (
    BYTES_A_TENANT + compiled + [...new Set(read)].reduce((bytes, text) => bytes + (text?.length ?? 0), 0)
  );
}

/**
 * A tenant with its project and compiled ruleset, from KV or from what this isolate has kept.
 * Null: no such tenant. Throws where the tenant or its keys can't be read and nothing is kept.
 */
export async function findTenant(
  env: Env,
  tenant: string,
  keepAlive: (work: Promise<unknown>) => void,
): Promise<Tenant | null> {
  if (!isTenantId(tenant)) return null;
  return await tenants.get(
    tenant,
    (previous) => readTenant(env, tenant, previous),
    keepAlive,
    (error) => log("error", "directory.stale", { tenant, error: describeError(error) }),
  );
}

/**
 * A tenant without its rules, so that no ruleset is read or compiled for a request that has not authenticated yet. A tenant whose
 * rules are cached comes from that cache. Otherwise as `findTenant`.
 */
export async function findOwner(
  env: Env,
  tenant: string,
  keepAlive: (work: Promise<unknown>) => void,
): Promise<Owner | null> {
  if (!isTenantId(tenant)) return null;
  if (tenants.has(tenant)) return await findTenant(env, tenant, keepAlive);
  return await owners.get(
    tenant,
    (previous) => readOwner(env, tenant, previous),
    keepAlive,
    (error) => log("error", "directory.stale", { tenant, error: describeError(error) }),
  );
}

/** The tenant as KV has it now, past any cache of ours. */
export async function readTenant(env: Env, tenant: string, previous: Tenant | null): Promise<Tenant | null> {
  const found = await readTenantRecord(env, tenant);
  // A made-up name costs one read.
  if (!found) return null;
  const [owner, rulesetText] = await Promise.all([
    ownerOf(env, tenant, found, previous),
    env.DIRECTORY.get(`ruleset/${tenant}`),
  ]);
  const { record, project } = owner;
  const isSame =
    previous?.is_sure === true &&
    previous.source.ruleset === rulesetText &&
    previous.source.tenant === found.text &&
    previous.project === project;
  const { rules, rules_text, is_sure } = isSame
    ? previous
    : await compileFor(env, { tenant, record, project }, rulesetText, previous);
  return {
    tenant,
    record,
    project,
    rules,
    rules_text,
    is_sure,
    source: { tenant: found.text, project: owner.source.project, ruleset: rulesetText },
  };
}

/** An owner, and the text of its project's record. */
interface OwnerRead extends Owner {
  source: { project: string | null };
}

interface TenantRecordRead {
  record: TenantRecord;
  text: string | null;
}

async function readOwner(env: Env, tenant: string, previous: OwnerRead | null): Promise<OwnerRead | null> {
  const found = await readTenantRecord(env, tenant);
  return found && (await ownerOf(env, tenant, found, previous));
}

async function readTenantRecord(env: Env, tenant: string): Promise<TenantRecordRead | null> {
  const text = await env.DIRECTORY.get(`tenant/${tenant}`);
  const record =
    text === null ? implicitTenant(env, tenant) : parseRecord(tenantRecord, `tenant/${tenant}`, text);
  return record && { record, text };
}

async function ownerOf(
  env: Env,
  tenant: string,
  { record }: TenantRecordRead,
  previous: OwnerRead | null,
): Promise<OwnerRead> {
  const text = await readProjectText(env, record.project_id);
  const project =
    previous && previous.source.project === text && previous.record.project_id === record.project_id
      ? previous.project
      : await openProject(env, record.project_id, text);
  return { tenant, record, project, source: { project: text } };
}

/** The project as its record has it now. Throws where there is none, or its secrets do not open. */
export async function readProject(env: Env, project_id: string): Promise<Project> {
  return await openProject(env, project_id, await readProjectText(env, project_id));
}

/** The project's record as KV has it, its secrets sealed; null where KV has none. */
export async function readProjectText(env: Env, project_id: string): Promise<string | null> {
  return await env.DIRECTORY.get(`project/${project_id}`);
}

function implicitTenant(env: Env, tenant: string): TenantRecord | null {
  if (tenant !== DEFAULT_TENANT || !env.SIGNALWIRE_PROJECT_ID) return null;
  return tenantRecord.parse({ project_id: env.SIGNALWIRE_PROJECT_ID });
}

/** @param text of its record. Throws where it is none, or its secrets do not open. */
export async function openProject(env: Env, project_id: string, text: string | null): Promise<Project> {
  if (text === null) return await projectOfSecrets(env, project_id);
  const key = `project/${project_id}`;
  const record = parseRecord(projectRecord, key, text);
  if (!env.CREDENTIALS_KEY) {
    throw new Error(
      `${key} holds sealed secrets and CREDENTIALS_KEY is not set: set it with wrangler secret put CREDENTIALS_KEY`,
    );
  }
  const [token, ...signing_keys] = await Promise.all(
    [record.credentials, ...record.signing_keys].map((sealed) =>
      openSecret(env.CREDENTIALS_KEY ?? "", project_id, sealed),
    ),
  );
  return {
    project_id,
    ...addresses(record.space, record.relay_url, record.rest_url),
    token: token ?? "",
    signing_keys,
    ...(record.plain_names_for === undefined ? {} : { plain_names_for: record.plain_names_for }),
    contexts: record.contexts,
    session: record.session,
    version: await digest(text),
  };
}

/** How many contexts a record names that was good once. */
export function contextsIn(text: string): number {
  return Object.keys(projectRecord.parse(JSON.parse(text)).contexts).length;
}

/** KV answered, and has no record of the project. */
export class NoRecord extends Error {
  override readonly name = "NoRecord";
}

/** The one-tenant start: everything from the Worker's secrets. */
async function projectOfSecrets(env: Env, project_id: string): Promise<Project> {
  const { SIGNALWIRE_SPACE: space, SIGNALWIRE_API_TOKEN: token, SIGNALWIRE_SIGNING_KEY: signing_key } = env;
  if (env.SIGNALWIRE_PROJECT_ID !== project_id || !space || !token || !signing_key) {
    throw new NoRecord(
      `there is no record project/${project_id} in KV, and the secrets SIGNALWIRE_SPACE, SIGNALWIRE_PROJECT_ID, ` +
        "SIGNALWIRE_API_TOKEN and SIGNALWIRE_SIGNING_KEY do not all stand for it",
    );
  }
  return {
    project_id,
    ...addresses(space),
    token,
    signing_keys: [signing_key],
    plain_names_for: DEFAULT_TENANT,
    contexts: {},
    session: projectRecord.shape.session.parse(undefined),
    version: await digest(JSON.stringify([space, token, signing_key])),
  };
}

/** `example`, `example.signalwire.com`, or for a stand-in on loopback `http://127.0.0.1:9600`. */
function addresses(
  space: string,
  relay_url?: string,
  rest_url?: string,
): { relay_url: string; rest_url: string } {
  const origin = /^https?:\/\//.test(space)
    ? new URL(space).origin
    : `https://${space.includes(".") ? space : `${space}.signalwire.com`}`;
  return { relay_url: relay_url ?? origin.replace(/^http/, "ws"), rest_url: rest_url ?? origin };
}

type Rules = Pick<Tenant, "rules" | "rules_text" | "is_sure">;

/**
 * Compiles the ruleset; a bad one, or one that was there and is gone, leaves the last good one serving, this isolate's or the one that
 * the project's session keeps, and says so loudly. A tenant that never had one has its fallback.
 */
async function compileFor(
  env: Env,
  whose: Owner,
  text: string | null,
  previous: Rules | null,
): Promise<Rules> {
  const { tenant, project } = whose;
  if (text === null) return await withoutText(env, whose, previous);
  const parsed = await compileText(whose, text);
  if (parsed.ok) {
    const { most_steps } = parsed.rules;
    if (most_steps > DECISION_STEPS)
      log("warn", "ruleset.over_budget", { tenant, project: project.project_id, steps: most_steps });
    return { ...parsed, is_sure: true };
  }
  const { rules, rules_text, is_sure } = previous?.rules ? previous : await keptRules(env, whose);
  log("error", "ruleset.bad", {
    tenant,
    project: project.project_id,
    serving: rules ? "the last good version" : "the fallback",
    errors: parsed.errors.slice(0, 10).map((one) => ({ ...one, message: withoutUrls(one.message) })),
  });
  return { rules, rules_text, is_sure };
}

async function withoutText(env: Env, whose: Owner, previous: Rules | null): Promise<Rules> {
  const { tenant, project } = whose;
  const served = previous?.rules_text ?? null;
  const kept = served === null ? await keptRules(env, whose) : await compiledAgain(whose, served);
  if (kept.rules) {
    log("error", "ruleset.missing", {
      tenant,
      project: project.project_id,
      serving: "the last good version",
    });
    return kept;
  }
  const none = await compileText(whose, null);
  return { ...(none.ok ? none : noRules), is_sure: kept.is_sure };
}

const noRules: Rules = { rules: null, rules_text: null, is_sure: true };

async function keptRules(env: Env, whose: Owner): Promise<Rules> {
  try {
    const kept = await lastGood(env, whose.tenant, whose.project);
    return kept ? await compiledAgain(whose, kept.text) : noRules;
  } catch (error) {
    log("error", "ruleset.last_good_unreadable", { tenant: whose.tenant, error: describeError(error) });
    return { ...noRules, is_sure: false };
  }
}

async function compiledAgain(whose: Owner, text: string): Promise<Rules> {
  const compiled = await compileText(whose, text);
  if (!compiled.ok) return noRules;
  const { rules, rules_text } = compiled;
  return { rules, rules_text, is_sure: true };
}

/** The rules that a text makes for the tenant, or what is wrong with it. */
export async function compileText(
  { tenant, record, project }: Owner,
  text: string | null,
): Promise<
  | { ok: true; rules: CompiledRuleset; rules_text: string | null }
  | Extract<ReturnType<typeof parseRuleset>, { ok: false }>
> {
  const options = {
    tenant,
    plain: project.plain_names_for === tenant,
    ...(record.fallback === undefined ? {} : { fallback: record.fallback }),
  };
  const parsed = parseRuleset(text ?? '{"rules":[]}', { ...options, serving: true });
  if (!parsed.ok) return parsed;
  const rules = compileRuleset(parsed.ruleset, { ...options, hash: await hashRuleset(text ?? "") });
  return { ok: true, rules, rules_text: text };
}

function parseRecord<S extends z.ZodType>(schema: S, key: string, text: string): z.infer<S> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${key} in KV is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new Error(`${key} in KV is not as it should be: ${issues.join("; ")}`);
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
