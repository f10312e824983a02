import type { Project } from "../../directory.ts";
import { describeError } from "../../log.ts";
import type { SessionStatus } from "../../session/session-status.ts";
import { sessionOf } from "../../session-client.ts";
import { within } from "../../within.ts";
import type { Finding } from "./reply.ts";

/** How long the session has to come up, and how much longer its answer may take. */
const CONNECT_MS = 8_000;
const ANSWER_MS = CONNECT_MS + 1_500;

/** Whether the project's session is up or comes up. */
export async function relayFindings(env: Env, project: Project): Promise<Finding[]> {
  try {
    const { project_id, version } = project;
    const session = sessionOf(env, project);
    return [relayFinding(await within(ANSWER_MS, session.check(project_id, version, CONNECT_MS)), project)];
  } catch (error) {
    const message = `The project's session did not answer: ${describeError(error)}.`;
    return [
      { check: "relay", ok: false, message, fix: "Ask again; if it stays so, look at the Worker's log." },
    ];
  }
}

/** The state of the session, in words. */
export function relayFinding(
  { state, last_reason }: Pick<SessionStatus, "state" | "last_reason">,
  { project_id, relay_url }: Pick<Project, "project_id" | "relay_url">,
): Finding {
  const { origin } = new URL(relay_url);
  if (state === "ready") {
    return { check: "relay", ok: true, message: `RELAY is up: ${origin} takes the project id and token.` };
  }
  if (state === "refused" || last_reason.startsWith("the credentials were refused")) {
    return {
      check: "relay",
      ok: false,
      message: `SignalWire refuses the project id or token: ${last_reason}.`,
      fix: `See that the token is one of project ${project_id} in that space (${origin}) and has not been revoked; then npx partyline seal --project ${project_id} and put the record again.`,
    };
  }
  const fix = `See that space (or relay_url) of project ${project_id} is right, and that SignalWire is up. Meanwhile calls join by document.`;
  switch (state) {
    case "idle":
      return { check: "relay", ok: false, message: `The session could not be opened: ${last_reason}.`, fix };
    case "authenticating":
      return {
        check: "relay",
        ok: false,
        message: `RELAY at ${origin} takes the connection and does not answer the log-in.`,
        fix,
      };
    case "draining":
      return {
        check: "relay",
        ok: true,
        message: `RELAY is up, and moving to a new connection: ${last_reason}.`,
      };
    default:
      return {
        check: "relay",
        ok: false,
        message: `RELAY at ${origin} cannot be reached${last_reason === "" ? "" : `: ${last_reason}`}.`,
        fix,
      };
  }
}
