import { type DoctorReply, doctorReplySchema } from "../shared/api/doctor.ts";
import { apiUrl, askWorker, cannot, type Failure, unexpected } from "./ask-worker.ts";

/** The Worker waits for RELAY, REST and KV for about 14 s at most. */
const ANSWER_MS = 30_000;

export type Asked = { ok: true; reply: DoctorReply } | Failure;

/**
 * Asks the Worker behind the URL about it. Never rejects.
 * @param pasted As pasted at SignalWire.
 * @param token The Worker's `ADMIN_TOKEN`.
 */
export async function askDoctor(pasted: string, token: string): Promise<Asked> {
  const endpoint = endpointOf(pasted);
  if (endpoint === null) {
    return cannot(
      "not_a_webhook_url",
      "the URL should be the one pasted at SignalWire: https://<host>/hooks/<tenant>/swml",
    );
  }
  const body = JSON.stringify({ url: pasted });
  const answer = await askWorker(endpoint, token, { method: "POST", body, answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { origin } = endpoint;
  switch (answer.status) {
    case 200: {
      const reply = doctorReplySchema.safeParse(answer.json);
      if (reply.success) return { ok: true, reply: reply.data };
      return cannot(
        "not_a_partyline",
        `what answers at ${origin} is not a Partyline, or one of another version.`,
      );
    }
    case 404:
      return cannot(
        "not_a_partyline",
        `${origin} has no doctor: it is not a Partyline, or an older one. Is the host right?`,
      );
    default:
      return unexpected(endpoint, answer);
  }
}

/** Where to ask; null where the URL names no host or tenant. */
function endpointOf(pasted: string): URL | null {
  const url = URL.parse(pasted);
  const [, base, tenant] = /^(.*?)\/hooks\/([^/]+)/.exec(url?.pathname ?? "") ?? [];
  if (!url || tenant === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  // The endpoint is https even where http was pasted; that it was is then among what is wrong.
  return apiUrl(new URL(base || "/", url.origin), `/tenants/${tenant}/doctor`);
}
