import type { Finding } from "../../../shared/api/doctor.ts";
import { isTenantId } from "../../../shared/conference.ts";
import { CredentialsKeyError, SealedSecretError } from "../../../shared/credentials.ts";
import { jsonOf, type RecordKind, recordProblems } from "../../../shared/records.ts";
import { readTenant } from "../../tenants/directory.ts";
import { openProject } from "../../tenants/records.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";
import { fallbackFindings } from "./fallback.ts";
import { putRecord, yamlFinding } from "./write-commands.ts";

const DIRECTORY_MS = 4_000;
/** Problems of one record. */
const SHOWN = 10;

/** The tenant and its project as KV has them now, past the isolate's cache: a record that was just fixed counts. @param url Where this Worker was asked. */
export async function lookUp(
  env: Env,
  id: string,
  url: string,
): Promise<{ tenant: Tenant | null; findings: Finding[] }> {
  if (!isTenantId(id)) {
    const message = "The URL names no tenant: an id is 1 to 24 of a-z, 0-9 and -.";
    return { tenant: null, findings: [{ check: "tenant", ok: false, message }] };
  }
  let tenant: Tenant | null;
  try {
    tenant = await withTimeout(DIRECTORY_MS, readTenant(env, id, null));
  } catch (error) {
    return { tenant: null, findings: await unreadable(env, id, error, url) };
  }
  if (!tenant) return { tenant, findings: [unknownTenant(id, url)] };
  const ofTenant = tenantFindings(tenant, url);
  const ofProject = await projectFindings(env, tenant, url);
  return { tenant, findings: [...ofTenant, ...fallbackFindings(tenant), ...ofProject] };
}

function tenantFindings(tenant: Tenant, url: string): Finding[] {
  const key = `tenant/${tenant.tenant}`;
  const { source, good } = tenant;
  const wrong = recordFindings("tenant", key, source.tenant, url);
  if (source.tenant === good.tenant) return [tenantFinding(tenant), ...wrong];
  return [servedByLast("tenant", key), ...wrong];
}

async function projectFindings(env: Env, tenant: Tenant, url: string): Promise<Finding[]> {
  const { source, good, project } = tenant;
  const key = `project/${project.project_id}`;
  const wrong = recordFindings("project", key, source.project, url);
  if (source.project === good.project) return [projectFinding(tenant), ...wrong];
  if (wrong.length > 0) return [servedByLast("project", key), ...wrong];
  const opened = await openProject(env, project.project_id, source.project).catch((error: unknown) =>
    unreadable(env, tenant.tenant, error, url),
  );
  return [servedByLast("project", key), ...(Array.isArray(opened) ? opened.filter(isOfProject) : [])];
}

/** Everything that is wrong with a record as it stands in KV, keys that are left out included. */
function recordFindings(kind: RecordKind, key: string, text: string | null, url: string): Finding[] {
  const problems = text === null ? [] : recordProblems(kind, text);
  if (problems.length === 0) return [];
  const yaml = jsonOf(text ?? "") === undefined ? yamlFinding(key, text, url) : null;
  if (yaml !== null) return [{ check: kind, ok: false, ...yaml }];
  const put = putRecord(kind, key.slice(kind.length + 1), url);
  return problems.slice(0, SHOWN).map(({ path, message, suggestion }) => ({
    check: kind,
    ok: false,
    message: `${key} in KV${path === "" ? "" : `, ${path}`}: ${message}.`,
    fix: `${suggestion === undefined ? "" : `Did you mean ${JSON.stringify(suggestion)}? `}Fix the record and write it to KV again: ${put}`,
  }));
}

function servedByLast(kind: RecordKind, key: string): Finding {
  const message = `${key} in KV is bad: the last good version serves.`;
  return { check: kind, ok: false, message };
}

function isOfProject({ check }: Finding): boolean {
  return check === "project";
}

function unknownTenant(id: string, url: string): Finding {
  const secrets =
    id === "default" ? " Or set the secrets SIGNALWIRE_SPACE, _PROJECT_ID, _API_TOKEN and _SIGNING_KEY." : "";
  return {
    check: "tenant",
    ok: false,
    message: `There is no tenant ${id}: KV has no key tenant/${id}. Its calls are refused with 403.`,
    fix: `Write tenant.json, { "project_id": "…" }, and put it: ${putRecord("tenant", id, url)}.${secrets} It may take KV a minute to show what was just put.`,
  };
}

function tenantFinding({ tenant, record, source }: Tenant): Finding {
  const from = source.tenant === null ? "the one-tenant start" : `tenant/${tenant} in KV`;
  return {
    check: "tenant",
    ok: true,
    message: `${tenant} is known from ${from}; project ${record.project_id}.`,
  };
}

function projectFinding({ project, source }: Tenant): Finding {
  const key = `project/${project.project_id}`;
  const message =
    source.project === null
      ? `Token and signing key come from the Worker's secrets, and open. Conferences have plain names; when you write ${key}, they keep them unless its plain_names_for says otherwise.`
      : `Token and signing key come from ${key} in KV, and open.`;
  return { check: "project", ok: true, message };
}

/** Which of the records it was that could not be read; the directory's own words name the field. */
async function unreadable(env: Env, id: string, error: unknown, url: string): Promise<Finding[]> {
  const said = error instanceof Error ? error.message : String(error);
  const [, key, kind] = /^((tenant|project)\/\S+) in KV is not JSON/.exec(said) ?? [];
  const yaml = key === undefined ? null : yamlFinding(key, await textOf(env, key), url);
  if (yaml !== null) return [{ check: kind === "tenant" ? "tenant" : "project", ok: false, ...yaml }];
  const message = `${said.slice(0, 2_000)}.`;
  const isSecret = error instanceof SealedSecretError || error instanceof CredentialsKeyError;
  const [, project_id] = /\bproject\/(\S+)/.exec(said) ?? [];
  if (said.startsWith(`tenant/${id} `) || (!isSecret && project_id === undefined)) {
    return [
      {
        check: "tenant",
        ok: false,
        message,
        fix: `Fix the record and write it to KV again: ${putRecord("tenant", id, url)}`,
      },
    ];
  }
  return [
    { check: "tenant", ok: true, message: `${id} is known.` },
    {
      check: "project",
      ok: false,
      message,
      ...(project_id === undefined || said.includes("CREDENTIALS_KEY")
        ? {}
        : { fix: projectFix(project_id, url) }),
    },
  ];
}

async function textOf(env: Env, key: string): Promise<string | null> {
  return await withTimeout(DIRECTORY_MS, env.DIRECTORY.get(key)).catch(() => null);
}

function projectFix(project_id: string, url: string): string {
  return `Seal token and signing key with npx partyline seal --project ${project_id}, and put the record: ${putRecord("project", project_id, url)}`;
}
