import type { DoctorReply } from "../shared/api/doctor.ts";
import { apiUrl, askApi, cannot, type Failure, unexpected } from "./ask-worker.ts";

/** The Worker waits for RELAY, REST and KV for about 14 s at most. */
const ANSWER_MS = 30_000;

export type Asked = { ok: true; reply: DoctorReply } | Failure;

/**
 * Asks the Worker behind the URL about it. Never rejects.
 * @param pasted As pasted at SignalWire.
 * @param token The Worker's `ADMIN_TOKEN`.
 */
export async function askDoctor(pasted: string, token: string): Promise<Asked> {
  const target = targetOf(pasted);
  if (target === null) {
    return cannot(
      "not_a_webhook_url",
      "the URL should be the one pasted at SignalWire: https://<host>/hooks/<tenant>/swml",
    );
  }
  const { url, tenant } = target;
  const request = { params: { tenant }, body: { url: pasted } };
  const answer = await askApi({ url, token }, "examineTenant", request, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { origin } = apiUrl(url, "");
  switch (answer.status) {
    case 200: {
      if (answer.told?.status === 200) return { ok: true, reply: answer.told.data };
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
      return unexpected(apiUrl(url, ""), answer);
  }
}

/** Where to ask; null where the URL names no host or tenant. */
function targetOf(pasted: string): { url: URL; tenant: string } | null {
  const url = URL.parse(pasted);
  const [, base, tenant] = /^(.*?)\/hooks\/([^/]+)/.exec(url?.pathname ?? "") ?? [];
  if (!url || tenant === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  // It is asked by https even where http was pasted; that it was is then among what is wrong.
  return { url: new URL(base || "/", url.origin), tenant: decodeURIComponent(tenant) };
}
