import * as z from "zod";
import { jsonOf, jurisdictions } from "../../shared/records.ts";
import type { Problem } from "../../shared/rules/schema/problems.ts";
import { describeError, log } from "../log.ts";
import type { SessionApi } from "../session/contract/session-api.ts";
import type { KeptRecords } from "../session/contract/tenants.ts";
import type { SessionPlace } from "../session-client.ts";
import { withTimeout } from "../timeout.ts";
import type { Tenant } from "./tenant.ts";

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

/** Has the project's session keep the records that serve the tenant, and KV in which session they are. Behind the answer; never rejects. */
export async function handOverRecords(
  { env, session }: { env: Env; session: SessionApi },
  { tenant, project, good }: Tenant,
): Promise<void> {
  if (handedOver.size >= MAX_REMEMBERED) handedOver.clear();
  handedOver.set(tenant, good);
  try {
    await session.keepRecords({
      tenant,
      project_id: project.project_id,
      project_version: project.version,
      record: good.tenant,
    });
    if (good.tenant !== null) await notePlace(env, tenant, project);
  } catch (error) {
    handedOver.delete(tenant);
    log("warn", "record.not_kept", { tenant, error: describeError(error) });
  }
}

const placeNoted = z.object({ project_id: z.string(), jurisdiction: z.enum(jurisdictions).optional() });

/** KV's key for where a tenant's last good record is kept: a bad record may not say so itself. */
function placeKey(tenant: string): string {
  return `served/${tenant}`;
}

/** KV takes few writes, and this one seldom changes. */
async function notePlace(env: Env, tenant: string, { project_id, session }: SessionPlace): Promise<void> {
  const { jurisdiction } = session;
  const text = JSON.stringify({ project_id, jurisdiction });
  if ((await env.DIRECTORY.get(placeKey(tenant))) !== text) await env.DIRECTORY.put(placeKey(tenant), text);
}

/** The session that kept the tenant's records last; null: none that is known. */
export async function notedPlace(env: Env, tenant: string): Promise<SessionPlace | null> {
  const noted = placeNoted.safeParse(jsonOf((await env.DIRECTORY.get(placeKey(tenant))) ?? ""));
  if (!noted.success) return null;
  const { project_id, jurisdiction } = noted.data;
  return { project_id, session: { jurisdiction } };
}

/** The project's session, as far as its record says where that is, however bad. */
export function placeIn(project_id: string, project_text: string): SessionPlace {
  const jurisdiction = jurisdictions.find((one) => one === wordIn(project_text, "jurisdiction"));
  return { project_id, session: { jurisdiction } };
}

/**
 * The last good records of a tenant and its project; null where the session can't be asked.
 * @param tenant "" for those of the project alone.
 */
export async function lastGoodRecords(
  session: SessionApi,
  tenant: string,
  { project_id }: SessionPlace,
): Promise<KeptRecords | null> {
  try {
    return await withTimeout(LAST_GOOD_MS, session.lastGoodRecords(tenant));
  } catch (error) {
    log("error", "record.last_good_unreadable", { project: project_id, error: describeError(error) });
    return null;
  }
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
