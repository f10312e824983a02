import { openSecret } from "../../shared/credentials.ts";
import type { ProjectRecord, RecordKind, TenantRecord } from "../../shared/records.ts";
import { type Path, type Problem, problem } from "../../shared/rules/schema/problems.ts";
import { NoRecord, openProject, readProjectText } from "../tenants/records.ts";
import { jurisdictionFindings } from "./doctor/jurisdiction.ts";

export interface Needs {
  errors: Problem[];
  warnings: Problem[];
}

/** What a good record needs beside it: secrets that open, a project that is there, tenants of its contexts. */
export async function needsOf(env: Env, kind: RecordKind, id: string, text: string): Promise<Needs> {
  const record: unknown = JSON.parse(text);
  return kind === "tenant"
    ? await tenantNeeds(env, record as TenantRecord) // It was checked.
    : await projectNeeds(env, id, record as ProjectRecord, text); // Likewise.
}

async function tenantNeeds(env: Env, { project_id }: TenantRecord): Promise<Needs> {
  try {
    await openProject(env, project_id, await readProjectText(env, project_id));
    return { errors: [], warnings: [] };
  } catch (error) {
    if (!(error instanceof NoRecord)) return { errors: [], warnings: [problem(["project_id"], said(error))] };
    const message = `there is no project ${project_id}: put its record first, with npx partyline project put`;
    return { errors: [problem(["project_id"], message)], warnings: [] };
  }
}

async function projectNeeds(env: Env, id: string, record: ProjectRecord, text: string): Promise<Needs> {
  const errors = await sealProblems(env, id, record);
  if (errors.length > 0) return { errors, warnings: [] };
  const moved = await jurisdictionFindings(env, await openProject(env, id, text));
  const [first] = moved;
  if (first !== undefined) errors.push(problem(["session", "jurisdiction"], first.message));
  return { errors, warnings: await contextWarnings(env, record) };
}

async function sealProblems(env: Env, id: string, record: ProjectRecord): Promise<Problem[]> {
  const { CREDENTIALS_KEY } = env;
  if (!CREDENTIALS_KEY) {
    const message =
      "the Worker has no CREDENTIALS_KEY to open it with: npx wrangler secret put CREDENTIALS_KEY";
    return [problem(["credentials"], message)];
  }
  const sealed: [path: Path, text: string][] = [
    [["credentials"], record.credentials],
    ...record.signing_keys.map((text, index): [Path, string] => [["signing_keys", index], text]),
  ];
  const problems = sealed.map(async ([path, text]) => {
    try {
      await openSecret(CREDENTIALS_KEY, id, text);
      return [];
    } catch (error) {
      return [problem(path, said(error))];
    }
  });
  return (await Promise.all(problems)).flat();
}

/** A context's tenant may be put after its project. */
async function contextWarnings(env: Env, { contexts = {} }: Partial<ProjectRecord>): Promise<Problem[]> {
  const entries = Object.entries(contexts);
  if (entries.length === 0) return [];
  const keys = [...new Set(entries.map(([, tenant]) => `tenant/${tenant}`))];
  const records = await env.DIRECTORY.get(keys);
  return entries
    .filter(([, tenant]) => (records.get(`tenant/${tenant}`) ?? null) === null)
    .map(([context, tenant]) =>
      problem(["contexts", context], `there is no tenant ${tenant} yet: its calls are not taken until then`),
    );
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
