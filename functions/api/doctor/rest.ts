import type { Finding } from "../../../shared/api/doctor.ts";
import { describeError } from "../../log.ts";
import { checkCredentials } from "../../rest.ts";
import type { Project } from "../../tenants/tenant.ts";

const ANSWER_MS = 5_000;

/** Whether the REST API takes the credentials: what finds calls where RELAY does not see them. */
export async function restFindings(project: Project): Promise<Finding[]> {
  const { origin } = new URL(project.rest_url);
  const fix = `See that space (or rest_url) of project ${project.project_id} is right.`;
  let status: number;
  try {
    ({ status } = await checkCredentials(project, AbortSignal.timeout(ANSWER_MS)));
  } catch (error) {
    const message = `REST at ${origin} cannot be reached: ${describeError(error)}.`;
    return [{ check: "rest", ok: false, message, fix }];
  }
  if (status >= 200 && status < 300) {
    return [{ check: "rest", ok: true, message: `REST at ${origin} takes the project id and token.` }];
  }
  if (status === 401 || status === 403) {
    return [
      {
        check: "rest",
        ok: false,
        message: `REST at ${origin} refuses the project id or token (${status}).`,
        fix: `See that the token is one of project ${project.project_id} in that space, and that its scopes include voice.`,
      },
    ];
  }
  return [{ check: "rest", ok: false, message: `REST at ${origin} answered ${status}.`, fix }];
}
