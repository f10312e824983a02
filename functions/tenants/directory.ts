import { isTenantId } from "../../shared/conference.ts";
import { openSecret } from "../../shared/credentials.ts";
import { projectRecord, readRecord, type TenantRecord, tenantRecord } from "../../shared/records.ts";
import { parseRuleset } from "../../shared/rules/check/parse.ts";
import { compileRuleset, hashRuleset } from "../../shared/rules/compile/compile.ts";
import type { CompiledRuleset } from "../../shared/rules/compile/compiled-ruleset.ts";
import { DECISION_STEPS } from "../../shared/rules/limits.ts";
import type { Problem } from "../../shared/rules/schema/problems.ts";
import { kvListsOf } from "../../shared/rules/schema/ruleset.ts";
import { describeError, log, withoutUrls } from "../log.ts";
import type { SessionPlace } from "../session-client.ts";
import { type KvLists, readLists } from "./kv-lists.ts";
import { lastGoodRecords, notedPlace, placeIn, tellUnknownKeys, wordIn } from "./last-good-records.ts";
import { lastGood } from "./last-good-ruleset.ts";
import { hasPlainNames } from "./room-naming.ts";
import { StaleCache } from "./stale-cache.ts";
import type { Owner, Project, Tenant } from "./tenant.ts";

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

function bytesOf({ rules_text, lists, source }: Tenant): number {
  const listed = [...lists.values()].reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
  const compiled = ((rules_text?.length ?? 0) + listed) * BYTES_A_CHARACTER;
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
  const found = await readTenantRecord(env, tenant, previous);
  // A made-up name costs one read.
  if (!found) return null;
  const [owner, rulesetText] = await Promise.all([
    ownerOrKept(env, tenant, found, previous),
    env.DIRECTORY.get(`ruleset/${tenant}`),
  ]);
  const { record, project, good } = owner;
  const plain = hasPlainNames(owner);
  const lists = previous ? await readLists(env, previous.rules?.kv_lists ?? [], previous.lists) : undefined;
  const isSame =
    previous?.is_sure === true &&
    areListsSame(previous, lists) &&
    previous.source.ruleset === rulesetText &&
    previous.plain === plain &&
    previous.source.tenant === found.text &&
    previous.project === project;
  const served = isSame
    ? previous
    : await compileFor(env, { tenant, record, project, good }, rulesetText, previous, lists);
  return {
    tenant,
    record,
    project,
    good,
    rules: served.rules,
    rules_text: served.rules_text,
    lists: served.lists,
    is_sure: served.is_sure,
    plain,
    source: { ...owner.source, ruleset: rulesetText },
  };
}

/** An owner, and the texts that KV has of the two records. */
interface OwnerRead extends Owner {
  source: { tenant: string | null; project: string | null };
}

interface TenantRecordRead {
  record: TenantRecord;
  /** KV's, and the one that `record` was read from. */
  text: string | null;
  good: string | null;
}

async function readOwner(env: Env, tenant: string, previous: OwnerRead | null): Promise<OwnerRead | null> {
  const found = await readTenantRecord(env, tenant, previous);
  return found && (await ownerOrKept(env, tenant, found, previous));
}

async function readTenantRecord(
  env: Env,
  tenant: string,
  previous: OwnerRead | null,
): Promise<TenantRecordRead | null> {
  const key = `tenant/${tenant}`;
  const text = await env.DIRECTORY.get(key);
  if (text === null) {
    const record = implicitTenant(env, tenant);
    return record && { record, text, good: null };
  }
  const read = readRecord(tenantRecord, text);
  if (read.ok) {
    tellUnknownKeys(key, read.unknown);
    return { record: read.record, text, good: text };
  }
  const bad = badRecord(key, read.problems);
  const kept = await keptTenant(env, tenant, text, previous);
  if (!kept) throw bad;
  if (previous?.source.tenant !== text) logBad(key, bad);
  return kept;
}

/** The tenant by its last good record, this isolate's or the one that a session keeps; null: there is none. */
async function keptTenant(
  env: Env,
  tenant: string,
  text: string,
  previous: OwnerRead | null,
): Promise<TenantRecordRead | null> {
  const good = previous?.good.tenant ?? (await keptTenantText(env, tenant, text));
  const kept = good === null ? null : readRecord(tenantRecord, good);
  return kept?.ok ? { record: kept.record, text, good } : null;
}

/** From the session that kept it last; where none was noted, from that of the project which the bad record names. */
async function keptTenantText(env: Env, tenant: string, text: string): Promise<string | null> {
  const place = (await notedPlace(env, tenant)) ?? (await placeNamed(env, text));
  const kept = place && (await lastGoodRecords(env, tenant, place));
  return kept?.tenant ?? null;
}

async function placeNamed(env: Env, text: string): Promise<SessionPlace | null> {
  const project_id = wordIn(text, "project_id");
  if (project_id === undefined) return null;
  return placeIn(project_id, (await readProjectText(env, project_id)) ?? "");
}

/** The owner; by the last good record where the tenant's names a project that is not there, and named another before. */
async function ownerOrKept(
  env: Env,
  tenant: string,
  found: TenantRecordRead,
  previous: OwnerRead | null,
): Promise<OwnerRead> {
  try {
    return await ownerOf(env, tenant, found, previous);
  } catch (error) {
    if (!(error instanceof NoRecord) || found.text === null) throw error;
    const kept = await keptTenant(env, tenant, found.text, previous);
    if (!kept || kept.record.project_id === found.record.project_id) throw error;
    const owner = await ownerOf(env, tenant, kept, previous);
    if (previous?.source.tenant !== found.text) logBad(`tenant/${tenant}`, error);
    return owner;
  }
}

async function ownerOf(
  env: Env,
  tenant: string,
  { record, text: tenantText, good }: TenantRecordRead,
  previous: OwnerRead | null,
): Promise<OwnerRead> {
  const { project_id } = record;
  const text = await readProjectText(env, project_id);
  const source = { tenant: tenantText, project: text };
  const before =
    previous?.record.project_id === project_id
      ? { project: previous.project, text: previous.good.project }
      : undefined;
  const opened =
    before && previous?.source.project === text
      ? before
      : await openOrKept(env, { project_id, tenant }, text, before);
  return { tenant, record, project: opened.project, source, good: { tenant: good, project: opened.text } };
}

/** The project by its last good record, which its session keeps; null where none is kept, or it does not open any more. */
async function keptProject(
  env: Env,
  { project_id, tenant }: ProjectAsked,
  text: string,
): Promise<OpenedProject | null> {
  const noted = tenant === undefined ? null : await notedPlace(env, tenant);
  const place = noted?.project_id === project_id ? noted : placeIn(project_id, text);
  const kept = await lastGoodRecords(env, "", place);
  if (!kept || kept.project === null) return null;
  const good = kept.project === "" ? null : kept.project;
  const project = await openProject(env, project_id, good).catch(() => null);
  return project && { project, text: good };
}

function logBad(key: string, error: unknown): void {
  log("error", "record.bad", { record: key, serving: "the last good version", error: describeError(error) });
}

/** The project as its record has it now, or else had it last. Throws where there is none, or no secrets of its open. */
export async function readProject(env: Env, project_id: string): Promise<Project> {
  const text = await readProjectText(env, project_id);
  return (await openOrKept(env, { project_id }, text)).project;
}

interface ProjectAsked {
  project_id: string;
  /** For which it is read, if for one. */
  tenant?: string;
}

interface OpenedProject {
  project: Project;
  /** Of the record that it was read from: not KV's where that is bad. */
  text: string | null;
}

/** @param before as it was opened last in this isolate, if it was. */
async function openOrKept(
  env: Env,
  asked: ProjectAsked,
  text: string | null,
  before?: OpenedProject,
): Promise<OpenedProject> {
  const { project_id } = asked;
  try {
    return { project: await openProject(env, project_id, text), text };
  } catch (error) {
    // A record that was deleted is meant to be gone.
    const kept = text === null ? null : (before ?? (await keptProject(env, asked, text)));
    if (!kept) throw error;
    logBad(`project/${project_id}`, error);
    return kept;
  }
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
  const read = readRecord(projectRecord, text);
  if (!read.ok) throw badRecord(key, read.problems);
  tellUnknownKeys(key, read.unknown);
  const { record } = read;
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
    ...(record.plain_names_for == null ? {} : { plain_names_for: record.plain_names_for }),
    says_names: record.plain_names_for !== undefined,
    contexts: record.contexts,
    ...(record.access === undefined ? {} : { access: record.access }),
    session: record.session,
    version: await digest(text),
  };
}

/** How many contexts a record names that was good once. */
export function contextsIn(text: string): number {
  const read = readRecord(projectRecord, text);
  return read.ok ? Object.keys(read.record.contexts).length : 0;
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
    says_names: false,
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

type Rules = Pick<Tenant, "rules" | "rules_text" | "lists" | "is_sure">;

/** Whether KV has the same as before in the lists that the rules name. */
function areListsSame({ rules, lists }: Rules, read: KvLists | undefined): boolean {
  return (rules?.kv_lists ?? []).every((name) => read?.get(name) === lists.get(name));
}

/**
 * Compiles the ruleset; a bad one, or one that was there and is gone, leaves the last good one serving, this isolate's or the one that
 * the project's session keeps, and says so loudly. A tenant that never had one has its fallback.
 */
async function compileFor(
  env: Env,
  whose: Owner,
  text: string | null,
  previous: Rules | null,
  lists: KvLists | undefined,
): Promise<Rules> {
  const { tenant, project } = whose;
  if (text === null) return await withoutText(env, whose, previous, lists);
  const parsed = await compileText(env, whose, text, lists);
  if (parsed.ok) {
    const { most_steps } = parsed.rules;
    if (most_steps > DECISION_STEPS)
      log("warn", "ruleset.over_budget", { tenant, project: project.project_id, steps: most_steps });
    return { ...parsed, is_sure: true };
  }
  const kept = previous?.rules ? await withLists(env, whose, previous, lists) : await keptRules(env, whose);
  log("error", "ruleset.bad", {
    tenant,
    project: project.project_id,
    serving: kept.rules ? "the last good version" : "the fallback",
    errors: parsed.errors.slice(0, 10).map((one) => ({ ...one, message: withoutUrls(one.message) })),
  });
  return kept;
}

/** The last good rules, with the lists as KV has them now. */
async function withLists(
  env: Env,
  whose: Owner,
  { rules, rules_text, lists, is_sure }: Rules,
  read: KvLists | undefined,
): Promise<Rules> {
  const before = { rules, rules_text, lists, is_sure };
  return areListsSame(before, read) || rules_text === null
    ? before
    : await compiledAgain(env, whose, rules_text, read);
}

async function withoutText(
  env: Env,
  whose: Owner,
  previous: Rules | null,
  lists: KvLists | undefined,
): Promise<Rules> {
  const { tenant, project } = whose;
  const served = previous?.rules_text ?? null;
  const kept = served === null ? await keptRules(env, whose) : await compiledAgain(env, whose, served, lists);
  if (kept.rules) {
    log("error", "ruleset.missing", {
      tenant,
      project: project.project_id,
      serving: "the last good version",
    });
    return kept;
  }
  const none = await compileText(env, whose, null);
  return { ...(none.ok ? none : noRules), is_sure: kept.is_sure };
}

const noRules: Rules = { rules: null, rules_text: null, lists: new Map(), is_sure: true };

async function keptRules(env: Env, whose: Owner): Promise<Rules> {
  try {
    const kept = await lastGood(env, whose.tenant, whose.project);
    return kept ? await compiledAgain(env, whose, kept.text) : noRules;
  } catch (error) {
    log("error", "ruleset.last_good_unreadable", { tenant: whose.tenant, error: describeError(error) });
    return { ...noRules, is_sure: false };
  }
}

async function compiledAgain(env: Env, whose: Owner, text: string, read?: KvLists): Promise<Rules> {
  const compiled = await compileText(env, whose, text, read);
  if (!compiled.ok) return noRules;
  const { rules, rules_text, lists } = compiled;
  return { rules, rules_text, lists, is_sure: true };
}

/**
 * The rules that a text makes for the tenant, or what is wrong with it.
 * @param previous the lists in KV, as they were read last.
 */
export async function compileText(
  env: Env,
  { tenant, record, project }: Owner,
  text: string | null,
  previous?: KvLists,
): Promise<
  | { ok: true; rules: CompiledRuleset; rules_text: string | null; lists: KvLists }
  | Extract<ReturnType<typeof parseRuleset>, { ok: false }>
> {
  const options = {
    tenant,
    plain: hasPlainNames({ tenant, project }),
    ...(record.fallback === undefined ? {} : { fallback: record.fallback }),
  };
  const parsed = parseRuleset(text ?? '{"rules":[]}', { ...options, serving: true });
  if (!parsed.ok) return parsed;
  const lists = await readLists(env, kvListsOf(parsed.ruleset), previous);
  const values = new Map([...lists].map(([name, list]) => [name, list.values]));
  const hash = await hashRuleset(text ?? "");
  const rules = compileRuleset(parsed.ruleset, { ...options, hash, lists: values });
  return { ok: true, rules, rules_text: text, lists };
}

function badRecord(key: string, problems: readonly Problem[]): Error {
  if (problems.some(({ path, message }) => path === "" && message === "is not JSON"))
    return new Error(`${key} in KV is not JSON`);
  const said = problems.map(({ path, message }) => `${path || "(top)"}: ${message}`);
  return new Error(`${key} in KV is not as it should be: ${said.join("; ")}`);
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
