import type { Finding, Observed } from "../../../shared/api/doctor.ts";
import type { Breaker } from "../../../shared/circuit-breaker.ts";
import { observedQuestions } from "../../../shared/observed-questions.ts";
import { describeError } from "../../log.ts";
import type { SessionStatus } from "../../session/operator/session-status.ts";
import { sessionOf } from "../../session-client.ts";
import type { Owner, Project } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";

/** How long the session has to come up, and how much longer its answer may take. */
const CONNECT_MS = 8_000;
const ANSWER_MS = CONNECT_MS + 1_500;

/** Whether the project's session is up or comes up, and what it has seen of SignalWire. */
export async function relayFindings(
  env: Env,
  { tenant, project }: Owner,
): Promise<{ findings: Finding[]; observations?: Observed[] }> {
  try {
    const { project_id, version } = project;
    const session = sessionOf(env, project);
    const status = await withTimeout(ANSWER_MS, session.check(project_id, version, CONNECT_MS));
    return {
      findings: [relayFinding(status, project), ...evidenceFindings(status, tenant, Date.now())],
      observations: observedIn(status),
    };
  } catch (error) {
    const message = `The project's session did not answer: ${describeError(error)}.`;
    const fix = "Ask again; if it stays so, look at the Worker's log.";
    return { findings: [{ check: "relay", ok: false, message, fix }] };
  }
}

/** Each open question that a project can answer, with what was seen. */
function observedIn({ observations = [] }: Partial<Pick<SessionStatus, "observations">>): Observed[] {
  return Object.entries(observedQuestions).map(([question, { asks, assumed }]) => ({
    question,
    asks,
    assumed,
    seen: observations
      .filter((one) => one.question === question)
      .map(({ reading, times, first_at, last_at }) => ({ reading, times, first_at, last_at })),
  }));
}

/** A conference that was seen split so recently is worth a word. */
const SPLIT_MS = 24 * 3_600_000;

/** What SignalWire does not tell here, and what it costs. A session of the version before says nothing of it. */
export function evidenceFindings(
  {
    leaving,
    of_tenants,
    split_rooms = [],
    presumed_gone = 0,
  }: Partial<Pick<SessionStatus, "leaving" | "of_tenants" | "split_rooms" | "presumed_gone">>,
  tenant: string,
  now: number,
): Finding[] {
  const findings: Finding[] = [];
  const isOpen = (breaker: Breaker | undefined) => (breaker?.open_until ?? 0) > now;
  if (isOpen(leaving) || isOpen(of_tenants?.leaving[tenant])) {
    findings.push({
      check: "relay",
      ok: true,
      message:
        "Calls join by document: no evidence of leaving. SignalWire does not tell when callers whom RELAY joined leave.",
      fix: "See that status callbacks reach this Worker and are signed (public_url, signing key); it is tried again every hour.",
    });
  }
  const split = split_rooms.filter(({ at }) => at > now - SPLIT_MS);
  if (split.length > 0) {
    const names = split.map(({ room }) => room).join(", ");
    findings.push({
      check: "relay",
      ok: true,
      message: `Two conferences live under one name, so callers do not hear each other: ${names}.`,
      fix: "Let all callers of a room come the same way (ways_in): cXML calls may have conferences of their own.",
    });
  }
  if (presumed_gone > 0) {
    findings.push({
      check: "rest",
      ok: true,
      message: `${presumed_gone} ${presumed_gone === 1 ? "seat is" : "seats are"} not counted: nothing says whether the callers left.`,
      fix: "GET the conferences to see them (presumed_gone); POST …/calls/<call_id>/end ends a call that hangs in silence.",
    });
  }
  return findings;
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
  if (last_reason.startsWith("the credentials were refused")) {
    return {
      check: "relay",
      ok: false,
      message: `SignalWire refuses the project id or token: ${last_reason}.`,
      fix: `See that the token is one of project ${project_id} in that space (${origin}) and has not been revoked; then npx partyline seal --project ${project_id} and put the record again.`,
    };
  }
  if (state === "refused" || last_reason.startsWith("the connection was refused")) {
    return {
      check: "relay",
      ok: false,
      message: `SignalWire refuses RELAY connections of the project: ${last_reason}.`,
      fix: `See that the token of project ${project_id} is one of that space (${origin}) and may use calling. Partyline tries again every minute; meanwhile calls join by document.`,
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
