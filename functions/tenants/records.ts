import { openSecret } from "../../shared/credentials.ts";
import { toHex, toUtf8 } from "../../shared/encoding.ts";
import { projectRecord, readRecord, type TenantRecord, tenantRecord } from "../../shared/records.ts";
import type { Problem } from "../../shared/rules/schema/problems.ts";
import { describeError, log } from "../log.ts";
import { rpcSessions, type SessionFor, type SessionPlace } from "../session-client.ts";
import { lastGoodRecords, notedPlace, placeIn, tellUnknownKeys, wordIn } from "./last-good-records.ts";
import type { Owner, Project } from "./tenant.ts";

/** The tenant of the one-tenant start. */
const DEFAULT_TENANT = "default";

/** Where tenants are read from: KV and the Worker's secrets, and sessions where those of KV are bad. */
export interface Sources {
  env: Env;
  sessionFor: SessionFor;
}

/** An owner, and the texts that KV has of the two records. */
export interface OwnerRead extends Owner {
  source: { tenant: string | null; project: string | null };
}

interface TenantRecordRead {
  record: TenantRecord;
  /** KV's, and the one that `record` was read from. */
  text: string | null;
  good: string | null;
}

export async function readTenantRecord(
  from: Sources,
  tenant: string,
  previous: OwnerRead | null,
): Promise<TenantRecordRead | null> {
  const key = `tenant/${tenant}`;
  const text = await from.env.DIRECTORY.get(key);
  if (text === null) {
    const record = implicitTenant(from.env, tenant);
    return record && { record, text, good: null };
  }
  const read = readRecord(tenantRecord, text);
  if (read.ok) {
    tellUnknownKeys(key, read.unknown);
    return { record: read.record, text, good: text };
  }
  const bad = badRecord(key, read.problems);
  const kept = await keptTenant(from, tenant, text, previous);
  if (!kept) throw bad;
  if (previous?.source.tenant !== text) logBad(key, bad);
  return kept;
}

/** The tenant by its last good record, this isolate's or the one that a session keeps; null: there is none. */
async function keptTenant(
  from: Sources,
  tenant: string,
  text: string,
  previous: OwnerRead | null,
): Promise<TenantRecordRead | null> {
  const good = previous?.good.tenant ?? (await keptTenantText(from, tenant, text));
  const kept = good === null ? null : readRecord(tenantRecord, good);
  return kept?.ok ? { record: kept.record, text, good } : null;
}

/** From the session that kept it last; where none was noted, from that of the project which the bad record names. */
async function keptTenantText(from: Sources, tenant: string, text: string): Promise<string | null> {
  const place = (await notedPlace(from.env, tenant)) ?? (await placeNamed(from, text));
  const kept = place && (await lastGoodRecords(from.sessionFor(place), tenant, place));
  return kept?.tenant ?? null;
}

async function placeNamed(from: Sources, text: string): Promise<SessionPlace | null> {
  const project_id = wordIn(text, "project_id");
  if (project_id === undefined) return null;
  return placeIn(project_id, (await readProjectText(from.env, project_id)) ?? "");
}

/** The owner; by the last good record where the tenant's names a project that is not there, and named another before. */
export async function ownerOrKept(
  from: Sources,
  tenant: string,
  found: TenantRecordRead,
  previous: OwnerRead | null,
): Promise<OwnerRead> {
  try {
    return await ownerOf(from, tenant, found, previous);
  } catch (error) {
    if (!(error instanceof NoRecord) || found.text === null) throw error;
    const kept = await keptTenant(from, tenant, found.text, previous);
    if (!kept || kept.record.project_id === found.record.project_id) throw error;
    const owner = await ownerOf(from, tenant, kept, previous);
    if (previous?.source.tenant !== found.text) logBad(`tenant/${tenant}`, error);
    return owner;
  }
}

async function ownerOf(
  from: Sources,
  tenant: string,
  { record, text: tenantText, good }: TenantRecordRead,
  previous: OwnerRead | null,
): Promise<OwnerRead> {
  const { project_id } = record;
  const text = await readProjectText(from.env, project_id);
  const source = { tenant: tenantText, project: text };
  const before =
    previous?.record.project_id === project_id
      ? { project: previous.project, text: previous.good.project }
      : undefined;
  const opened =
    before && previous?.source.project === text
      ? before
      : await openOrKept(from, { project_id, tenant }, text, before);
  return { tenant, record, project: opened.project, source, good: { tenant: good, project: opened.text } };
}

/** The project by its last good record, which its session keeps; null where none is kept, or it does not open any more. */
async function keptProject(
  from: Sources,
  { project_id, tenant }: ProjectAsked,
  text: string,
): Promise<OpenedProject | null> {
  const noted = tenant === undefined ? null : await notedPlace(from.env, tenant);
  const place = noted?.project_id === project_id ? noted : placeIn(project_id, text);
  const kept = await lastGoodRecords(from.sessionFor(place), "", place);
  if (!kept || kept.project === null) return null;
  const good = kept.project === "" ? null : kept.project;
  const project = await openProject(from.env, project_id, good).catch(() => null);
  return project && { project, text: good };
}

function logBad(key: string, error: unknown): void {
  log("error", "record.bad", { record: key, serving: "the last good version", error: describeError(error) });
}

/** The project as its record has it now, or else had it last. Throws where there is none, or no secrets of its open. */
export async function readProject(env: Env, project_id: string): Promise<Project> {
  const text = await readProjectText(env, project_id);
  return (await openOrKept({ env, sessionFor: rpcSessions(env) }, { project_id }, text)).project;
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
  from: Sources,
  asked: ProjectAsked,
  text: string | null,
  before?: OpenedProject,
): Promise<OpenedProject> {
  const { project_id } = asked;
  try {
    return { project: await openProject(from.env, project_id, text), text };
  } catch (error) {
    // A record that was deleted is meant to be gone.
    const kept = text === null ? null : (before ?? (await keptProject(from, asked, text)));
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

function badRecord(key: string, problems: readonly Problem[]): Error {
  if (problems.some(({ path, message }) => path === "" && message === "is not JSON"))
    return new Error(`${key} in KV is not JSON`);
  const said = problems.map(({ path, message }) => `${path || "(top)"}: ${message}`);
  return new Error(`${key} in KV is not as it should be: ${said.join("; ")}`);
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", toUtf8(text));
  return toHex(new Uint8Array(hash));
}
