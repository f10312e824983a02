import { describeError } from "./log.ts";
import type { Urgency } from "./slots.ts";
import type { Project } from "./tenants/tenant.ts";

// SignalWire's REST API: how a request is sent, and what its failures mean. Beside it `rest-calls.ts`, `rest-conferences.ts`,
// `rest-controls.ts` and `rest-recordings.ts` say what is asked and commanded.

/** Runs a REST request when there is room for one more. It may wait `ms` for that, and its timeout of `ms` starts then. */
export type RunRest = <T>(
  urgency: Urgency,
  ms: number,
  work: (project: Project, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/**
 * What SignalWire's REST API says of a call command: done; refused with a code that may say that the call is gone, or that REST
 * does not see it; later (429, not carried out); or no usable answer, with its status where there was one.
 */
export type RestOutcome =
  | { kind: "ok" }
  | { kind: "refused"; code: "404" | "410" }
  | { kind: "later"; retry_after_ms: number }
  | { kind: "failed"; reason: string; status?: number };

/** SignalWire asked us to come again later: nothing was carried out, and nothing is to be concluded. */
export class RestBusy extends Error {
  readonly retry_after_ms: number;

  constructor(retry_after_ms: number) {
    super("REST answered 429");
    this.retry_after_ms = retry_after_ms;
  }
}

/** Waits after a 429 that names none, and at most. */
const RETRY_AFTER_MS = 2_000;
const LONGEST_RETRY_AFTER_MS = 60_000;

/** What an error of a request means for the command that it was to give. */
export function failureOf(error: unknown): Extract<RestOutcome, { kind: "later" | "failed" }> {
  if (error instanceof RestBusy) return { kind: "later", retry_after_ms: error.retry_after_ms };
  return { kind: "failed", reason: describeError(error) };
}

/** Whether SignalWire's REST API takes the project's credentials, for the doctor. */
export async function checkCredentials(project: Project, signal: AbortSignal): Promise<{ status: number }> {
  const response = await request(project, `${accountPath(project)}/Conferences.json?PageSize=1`, signal);
  await response.body?.cancel();
  return { status: response.status };
}

/** The answer's text. Throws where REST did not take the request. */
export async function readText(response: Response): Promise<string> {
  if (response.ok) return await response.text();
  await response.body?.cancel();
  throw new Error(`REST answered ${response.status}`);
}

export async function readJson(response: Response): Promise<unknown> {
  return JSON.parse(await readText(response));
}

export function accountPath(project: Project): string {
  return `/api/laml/2010-04-01/Accounts/${encodeURIComponent(project.project_id)}`;
}

/**
 * One request. What only asks is asked once more where REST fails for a moment: a list takes several requests, and a caller may hear
 * nothing meanwhile.
 */
export async function request(
  project: Project,
  path: string,
  signal: AbortSignal,
  body?: object | URLSearchParams,
): Promise<Response> {
  if (body) return await requestOnce(project, path, signal, body);
  try {
    const response = await requestOnce(project, path, signal);
    if (response.status < 500) return response;
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof RestBusy || signal.aborted) throw error;
  }
  return await requestOnce(project, path, signal);
}

export async function requestOnce(
  project: Project,
  path: string,
  signal: AbortSignal,
  body?: object | URLSearchParams,
  method = body ? "POST" : "GET",
): Promise<Response> {
  const url = new URL(path, project.rest_url);
  // The page's link comes from outside: our credentials go to our project's host and nowhere else.
  if (url.origin !== new URL(project.rest_url).origin) throw new Error("REST pointed to another host");
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${project.project_id}:${project.token}`)}`,
      accept: "application/json",
      // Of a form fetch says itself that it is one.
      ...(body && !isForm ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
    redirect: "manual",
    signal,
  });
  if (response.status !== 429) return response;
  await response.body?.cancel();
  throw new RestBusy(retryAfter(response.headers.get("retry-after")));
}

/** In seconds on the wire; an HTTP date is not worth reading for so short a wait. */
function retryAfter(header: string | null): number {
  const ms = Number(header ?? Number.NaN) * 1_000;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : RETRY_AFTER_MS;
}
