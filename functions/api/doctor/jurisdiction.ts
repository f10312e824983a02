import type { Finding } from "../../../shared/api/doctor.ts";
import { jurisdictions } from "../../../shared/records.ts";
import { describeError } from "../../log.ts";
import { type Jurisdiction, sessionIn } from "../../session-client.ts";
import type { Project } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";

const ANSWER_MS = 4_000;

/**
 * Whether the project has had its session under another value of `session.jurisdiction`: what that one knows, of calls that are up
 * too, this one would not know.
 */
export async function jurisdictionFindings(env: Env, project: Project): Promise<Finding[]> {
  const { jurisdiction } = project.session;
  const others = [undefined, ...jurisdictions].filter((other) => other !== jurisdiction);
  try {
    const since = async (where: Jurisdiction | undefined) => {
      const used = await usedSince(env, project, where);
      return { where, used: used ?? Number.POSITIVE_INFINITY };
    };
    const all = await withTimeout(ANSWER_MS, Promise.all([jurisdiction, ...others].map(since)));
    // One that is newer was made by a record that has been put right since.
    const first = all.reduce((oldest, one) => (one.used < oldest.used ? one : oldest));
    return first.where === jurisdiction ? [] : [moved(project, first.where)];
  } catch (error) {
    const message = `Whether the project has a session in another jurisdiction cannot be said: ${describeError(error)}.`;
    return [
      { check: "project", ok: false, message, fix: "Ask again; if it stays so, look at the Worker's log." },
    ];
  }
}

async function usedSince(
  env: Env,
  project: Project,
  jurisdiction: Jurisdiction | undefined,
): Promise<number | null> {
  let session: ReturnType<typeof sessionIn>;
  try {
    session = sessionIn(env, project, jurisdiction);
  } catch {
    // A runtime without jurisdictions, as a developer's own is, has nothing in them.
    return null;
  }
  return await session.usedSince();
}

function moved({ project_id, session: { jurisdiction } }: Project, first: Jurisdiction | undefined): Finding {
  const setting =
    jurisdiction === undefined ? "no session.jurisdiction" : `session.jurisdiction ${jurisdiction}`;
  const kept = first === undefined ? "without one" : `under ${first}`;
  const back =
    first === undefined ? "take session.jurisdiction out of" : `set session.jurisdiction to "${first}" in`;
  return {
    check: "project",
    ok: false,
    message: `The record has ${setting}, and the project has had its session ${kept}: what that knows of calls, seats and rulesets this one does not, and nothing moves it.`,
    fix: `It is fixed at first use: ${back} project/${project_id}, and put the record again.`,
  };
}
