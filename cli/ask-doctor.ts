import { isLoopback } from "../functions/api/doctor/loopback.ts";
import { type DoctorReply, doctorReplySchema } from "../functions/api/doctor/reply.ts";
import { refusalSchema } from "../functions/api/refusal.ts";

/** The Worker waits for RELAY, REST and KV for about 14 s at most. */
const ANSWER_MS = 30_000;

export type CannotAsk =
  | "no_token"
  | "not_a_webhook_url"
  | "unreachable"
  | "redirected"
  | "unauthorized"
  | "api_closed"
  | "forbidden"
  | "not_a_partyline"
  | "failed";

export type Asked =
  | { ok: true; reply: DoctorReply }
  | { ok: false; error: { code: CannotAsk; message: string } };

/**
 * Asks the Worker behind the URL about it. Never rejects.
 * @param pasted As pasted at SignalWire.
 * @param token The Worker's `ADMIN_TOKEN`.
 */
export async function askDoctor(pasted: string, token: string): Promise<Asked> {
  if (token === "") {
    return cannot("no_token", "ADMIN_TOKEN is not set: give this command the Worker's in the environment.");
  }
  // Node would quote it in its own error.
  if (!/^[!-~]+$/.test(token)) {
    return cannot("no_token", "ADMIN_TOKEN holds a blank or a character that no header can carry.");
  }
  const endpoint = endpointOf(pasted);
  if (endpoint === null) {
    return cannot(
      "not_a_webhook_url",
      "the URL should be the one pasted at SignalWire: https://<host>/hooks/<tenant>/swml",
    );
  }
  let response: Response;
  let body: string;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ url: pasted }),
      // The token is for this host alone.
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    body = await response.text();
  } catch (error) {
    return cannot(
      "unreachable",
      `${endpoint.origin} cannot be reached (${reasonOf(error)}). Is the host right, and is the Worker deployed there?`,
    );
  }
  return read(endpoint, response, jsonOf(body));
}

/** Where to ask; null where the URL names no host or tenant. */
function endpointOf(pasted: string): URL | null {
  const url = URL.parse(pasted);
  const [, base, tenant] = /^(.*?)\/hooks\/([^/]+)/.exec(url?.pathname ?? "") ?? [];
  if (!url || tenant === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  const endpoint = new URL(`${base}/api/tenants/${tenant}/doctor`, url.origin);
  // The token does not travel readable, even where http was pasted; that it was is then among what is wrong.
  if (!isLoopback(endpoint.hostname)) endpoint.protocol = "https:";
  return endpoint;
}

function read({ origin }: URL, { status, headers }: Response, json: unknown): Asked {
  const refusal = refusalSchema.safeParse(json);
  const said = refusal.success ? refusal.data.error : null;
  switch (status) {
    case 200: {
      const reply = doctorReplySchema.safeParse(json);
      if (reply.success) return { ok: true, reply: reply.data };
      return cannot(
        "not_a_partyline",
        `what answers at ${origin} is not a Partyline, or one of another version.`,
      );
    }
    case 401:
      return cannot(
        "unauthorized",
        `${origin} does not take ADMIN_TOKEN: it is not the one that the Worker has. Set it anew with npx wrangler secret put ADMIN_TOKEN`,
      );
    case 403:
      if (said?.code === "api_closed") return cannot("api_closed", said.message);
      return cannot(
        "forbidden",
        `something before the Worker at ${origin} refuses the request (403). It would refuse SignalWire's too: let /hooks and /api through.`,
      );
    case 404:
      return cannot(
        "not_a_partyline",
        `${origin} has no doctor: it is not a Partyline, or an older one. Is the host right?`,
      );
    default:
      if (status >= 300 && status < 400) {
        const to = URL.parse(headers.get("location") ?? "", origin)?.origin ?? "elsewhere";
        return cannot("redirected", `${origin} sends us on to ${to}: paste the URL that it ends at.`);
      }
      return cannot("failed", `${origin} answered ${status}${said ? `: ${said.message}` : ""}.`);
  }
}

function cannot(code: CannotAsk, message: string): Asked {
  return { ok: false, error: { code, message } };
}

/** Node's `fetch failed` has what happened in its cause: ECONNREFUSED, ENOTFOUND, a certificate. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${ANSWER_MS / 1000} s`;
  return error.cause instanceof Error ? reasonOf(error.cause) || error.message : error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
