import { isLoopback } from "../functions/api/doctor/loopback.ts";
import { type ApiAnswer, type ApiRequest, prepare, readAnswer } from "../shared/api/client.ts";
import type { Endpoint } from "../shared/api/endpoint.ts";
import type { Operation } from "../shared/api/endpoints.ts";
import { refusalSchema } from "../shared/api/refusal.ts";

export type CannotAsk =
  | "no_token"
  | "not_a_webhook_url"
  | "unreachable"
  | "redirected"
  | "unauthorized"
  | "api_closed"
  | "forbidden"
  | "not_a_partyline"
  | "unknown_tenant"
  | "unknown_version"
  | "unknown_pin"
  | "other_key"
  | "ruleset_unreadable"
  | "version_differs"
  | "failed";

export interface Failure {
  ok: false;
  error: { code: CannotAsk; message: string };
}

/** What the Worker said; the command judges it. */
export interface WorkerAnswer<O extends Operation = Operation> {
  ok: true;
  status: number;
  /** The hash in its `ETag`; null without one. */
  etag: string | null;
  /** Undefined where it is not JSON. */
  json: unknown;
  /** Null where it is none of the operation's answers. */
  told: ApiAnswer<O> | null;
}

/** Where a Worker is, and what it is asked with. */
export interface Access {
  /** The path included under which it is served. */
  url: URL;
  /** The Worker's `ADMIN_TOKEN`, or a tenant's token. */
  token: string;
}

interface Question {
  method: Endpoint["method"];
  headers?: Record<string, string>;
  body?: string;
  /** How long the answer may take, in milliseconds. */
  answer_ms: number;
}

/** Asks for one operation of the API. Never rejects. @param how the headers that it wants, and how long the answer may take. */
export async function askApi<O extends Operation>(
  { url, token }: Access,
  operation: O,
  request: ApiRequest<O>,
  how: Pick<Question, "headers" | "answer_ms">,
): Promise<WorkerAnswer<O> | Failure> {
  const { path, ...prepared } = prepare(operation, request);
  const answer = await ask(apiUrl(url, path), token, { ...prepared, ...how });
  return answer.ok ? { ...answer, told: readAnswer(operation, answer.status, answer.json) } : answer;
}

/**
 * Asks a Worker's API. Never rejects; no token, no answer, a wrong token, a closed API and a redirect are told apart here.
 */
async function ask(
  endpoint: URL,
  token: string,
  question: Question,
): Promise<Omit<WorkerAnswer, "told"> | Failure> {
  if (token === "") {
    return cannot("no_token", "ADMIN_TOKEN is not set: give this command the Worker's in the environment.");
  }
  // Node would quote it in its own error.
  if (!/^[!-~]+$/.test(token)) {
    return cannot("no_token", "ADMIN_TOKEN holds a blank or a character that no header can carry.");
  }
  const { method, headers = {}, body = null, answer_ms } = question;
  let response: Response;
  let said: string;
  try {
    response = await fetch(endpoint, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      body,
      // The token is for this host alone.
      redirect: "manual",
      signal: AbortSignal.timeout(answer_ms),
    });
    said = await response.text();
  } catch (error) {
    return cannot(
      "unreachable",
      `${endpoint.origin} cannot be reached (${reasonOf(error, answer_ms)}). Is the host right, and is the Worker deployed there?`,
    );
  }
  const json = jsonOf(said);
  const etag = /^(?:W\/)?"([^"]*)"$/.exec(response.headers.get("etag") ?? "")?.[1] ?? null;
  return refused(endpoint, response, json) ?? { ok: true, status: response.status, etag, json };
}

/** The Worker's API path at a base. The token does not travel readable, even where http was given. */
export function apiUrl(base: URL, path: string): URL {
  const endpoint = new URL(`${base.pathname.replace(/\/+$/, "")}/api${path}`, base.origin);
  if (!isLoopback(endpoint.hostname)) endpoint.protocol = "https:";
  return endpoint;
}

/** For an answer of which the command can make nothing. */
export function unexpected(
  { origin }: URL,
  { status, json }: Pick<WorkerAnswer, "status" | "json">,
): Failure {
  const refusal = refusalSchema.safeParse(json);
  return cannot(
    "failed",
    `${origin} answered ${status}${refusal.success ? `: ${refusal.data.error.message.replace(/\.$/, "")}` : ""}.`,
  );
}

export function cannot(code: CannotAsk, message: string): Failure {
  return { ok: false, error: { code, message } };
}

function refused({ origin }: URL, { status, headers }: Response, json: unknown): Failure | null {
  if (status === 401) {
    return cannot(
      "unauthorized",
      `${origin} does not take ADMIN_TOKEN: it is not the one that the Worker has. Set it anew with npx wrangler secret put ADMIN_TOKEN`,
    );
  }
  if (status === 403) {
    const refusal = refusalSchema.safeParse(json);
    // What the Worker itself refuses is for the command to say.
    if (refusal.success && refusal.data.error.code !== "api_closed") return null;
    if (refusal.success) return cannot("api_closed", refusal.data.error.message);
    return cannot(
      "forbidden",
      `something before the Worker at ${origin} refuses the request (403). It would refuse SignalWire's too: let /hooks and /api through.`,
    );
  }
  if (status >= 300 && status < 400) {
    const to = URL.parse(headers.get("location") ?? "", origin)?.origin ?? "elsewhere";
    return cannot("redirected", `${origin} sends us on to ${to}: paste the URL that it ends at.`);
  }
  return null;
}

/** Node's `fetch failed` has what happened in its cause: ECONNREFUSED, ENOTFOUND, a certificate. */
function reasonOf(error: unknown, answer_ms: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${answer_ms / 1000} s`;
  return error.cause instanceof Error ? reasonOf(error.cause, answer_ms) || error.message : error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
