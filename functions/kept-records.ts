import { jurisdictions } from "../shared/records.ts";
import type { Problem } from "../shared/rules/problems.ts";
import type { Tenant } from "./directory.ts";
import { describeError, log } from "./log.ts";
import type { KeptRecords } from "./session/tenant-records.ts";
import { askPart, type SessionPlace, sessionOf } from "./session-client.ts";
import { within } from "./within.ts";

/** A tenant whose record in KV is bad waits this long for the last good one. */
const LAST_GOOD_MS = 1_500;
/** Tenants of which an isolate remembers what it handed over, and unknown keys that it has told of. */
const MAX_REMEMBERED = 5_000;

/** The records by which this isolate last served each tenant, as it handed them over. */
const handedOver = new Map<string, Tenant["good"]>();
const told = new Set<string>();

/** Whether the session has yet to hear from this isolate by which records the tenant is served. */
export function areRecordsNews({ tenant, good }: Tenant): boolean {
  const known = handedOver.get(tenant);
  return known?.tenant !== good.tenant || known.project !== good.project;
}

/** Has the project's session keep the records that serve the tenant. Behind the answer; never rejects. */
export async function handOverRecords(env: Env, { tenant, project, good }: Tenant): Promise<void> {
  if (handedOver.size >= MAX_REMEMBERED) handedOver.clear();
  handedOver.set(tenant, good);
  try {
    await askPart(sessionOf(env, project).tenants(), (tenants) =>
      tenants.keep({
        tenant,
        project_id: project.project_id,
        project_version: project.version,
        record: good.tenant,
      }),
    );
  } catch (error) {
    handedOver.delete(tenant);
    log("warn", "record.not_kept", { tenant, error: describeError(error) });
  }
}

/**
 * The last good records of a tenant and its project; null where the session that would have them can't be found or asked.
 * @param tenant "" for those of the project alone.
 * @param project_text of the project's record, however bad: where it is kept stands in it.
 */
export async function lastGoodRecords(
  env: Env,
  tenant: string,
  project_id: string,
  project_text: string,
): Promise<KeptRecords | null> {
  const jurisdiction = wordIn(project_text, "jurisdiction");
  const known = jurisdictions.find((one) => one === jurisdiction);
  const place: SessionPlace = { project_id, session: known === undefined ? {} : { jurisdiction: known } };
  try {
    return await within(LAST_GOOD_MS, ask(env, place, tenant));
  } catch (error) {
    log("error", "record.last_good_unreadable", { project: project_id, error: describeError(error) });
    return null;
  }
}

async function ask(env: Env, place: SessionPlace, tenant: string): Promise<KeptRecords> {
  return await askPart(sessionOf(env, place).tenants(), (tenants) => tenants.lastGood(tenant));
}

/** The text at a key of a record that may not even be JSON; undefined where it can't be told. */
export function wordIn(text: string, key: "jurisdiction" | "project_id"): string | undefined {
  return new RegExp(`"${key}"\\s*:\\s*"([\\w.:-]{1,100})"`).exec(text)?.[1];
}

/** Says in the log which keys of a record are not served by, each once. */
export function tellUnknownKeys(key: string, unknown: readonly Problem[]): void {
  for (const { path, suggestion } of unknown) {
    const id = `${key} ${path}`;
    if (told.has(id)) continue;
    if (told.size >= MAX_REMEMBERED) told.clear();
    told.add(id);
    log("warn", "record.unknown_key", {
      record: key,
      path: path.slice(0, 200),
      ...(suggestion === undefined ? {} : { meant: suggestion }),
    });
  }
}
