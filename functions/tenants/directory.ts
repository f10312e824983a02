import { isTenantId } from "../../shared/conference.ts";
import { parseRuleset } from "../../shared/rules/check/parse.ts";
import { compileRuleset, hashRuleset } from "../../shared/rules/compile/compile.ts";
import type { CompiledRuleset } from "../../shared/rules/compile/compiled-ruleset.ts";
import { DECISION_STEPS } from "../../shared/rules/limits.ts";
import { kvListsOf } from "../../shared/rules/schema/ruleset.ts";
import { describeError, log, withoutUrls } from "../log.ts";
import { rpcSessions, type SessionFor } from "../session-client.ts";
import { type KvLists, readLists } from "./kv-lists.ts";
import { lastGood } from "./last-good-ruleset.ts";
import { type OwnerRead, ownerOrKept, readTenantRecord, type Sources } from "./records.ts";
import { hasPlainNames } from "./room-naming.ts";
import { StaleCache } from "./stale-cache.ts";
import type { Owner, Tenant } from "./tenant.ts";

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
  sessionFor: SessionFor = rpcSessions(env),
): Promise<Tenant | null> {
  if (!isTenantId(tenant)) return null;
  return await tenants.get(
    tenant,
    (previous) => readTenant(env, tenant, previous, sessionFor),
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
  sessionFor: SessionFor = rpcSessions(env),
): Promise<Owner | null> {
  if (!isTenantId(tenant)) return null;
  if (tenants.has(tenant)) return await findTenant(env, tenant, keepAlive, sessionFor);
  return await owners.get(
    tenant,
    (previous) => readOwner({ env, sessionFor }, tenant, previous),
    keepAlive,
    (error) => log("error", "directory.stale", { tenant, error: describeError(error) }),
  );
}

/** The tenant as KV has it now, past any cache of ours. */
export async function readTenant(
  env: Env,
  tenant: string,
  previous: Tenant | null,
  sessionFor: SessionFor = rpcSessions(env),
): Promise<Tenant | null> {
  const from = { env, sessionFor };
  const found = await readTenantRecord(from, tenant, previous);
  // A made-up name costs one read.
  if (!found) return null;
  const [owner, rulesetText] = await Promise.all([
    ownerOrKept(from, tenant, found, previous),
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
    : await compileFor(from, { tenant, record, project, good }, rulesetText, previous, lists);
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

async function readOwner(
  from: Sources,
  tenant: string,
  previous: OwnerRead | null,
): Promise<OwnerRead | null> {
  const found = await readTenantRecord(from, tenant, previous);
  return found && (await ownerOrKept(from, tenant, found, previous));
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
  from: Sources,
  whose: Owner,
  text: string | null,
  previous: Rules | null,
  lists: KvLists | undefined,
): Promise<Rules> {
  const { tenant, project } = whose;
  if (text === null) return await withoutText(from, whose, previous, lists);
  const parsed = await compileText(from.env, whose, text, lists);
  if (parsed.ok) {
    const { most_steps } = parsed.rules;
    if (most_steps > DECISION_STEPS)
      log("warn", "ruleset.over_budget", { tenant, project: project.project_id, steps: most_steps });
    return { ...parsed, is_sure: true };
  }
  const kept = previous?.rules ? await withLists(from, whose, previous, lists) : await keptRules(from, whose);
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
  { env }: Sources,
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
  from: Sources,
  whose: Owner,
  previous: Rules | null,
  lists: KvLists | undefined,
): Promise<Rules> {
  const { tenant, project } = whose;
  const served = previous?.rules_text ?? null;
  const kept =
    served === null ? await keptRules(from, whose) : await compiledAgain(from.env, whose, served, lists);
  if (kept.rules) {
    log("error", "ruleset.missing", {
      tenant,
      project: project.project_id,
      serving: "the last good version",
    });
    return kept;
  }
  const none = await compileText(from.env, whose, null);
  return { ...(none.ok ? none : noRules), is_sure: kept.is_sure };
}

const noRules: Rules = { rules: null, rules_text: null, lists: new Map(), is_sure: true };

async function keptRules(from: Sources, whose: Owner): Promise<Rules> {
  try {
    const kept = await lastGood(from.sessionFor(whose.project), whose.tenant);
    return kept ? await compiledAgain(from.env, whose, kept.text) : noRules;
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
