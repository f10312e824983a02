import { KEY_CHECK, PINS_AT_ONCE, type StoredPin } from "../shared/api/pins.ts";
import { answerHmac } from "../shared/secret-answer.ts";
import { askApi, cannot, type Failure } from "./ask-worker.ts";
import type { HashedPin } from "./pin-list.ts";
import { failureOf, refusalOf, type Target } from "./ruleset-api.ts";

/** The Worker waits for KV for about 14 s at most. */
const ANSWER_MS = 30_000;

/** All PINs of the tenant in KV. Never rejects. */
export async function listPins(target: Target): Promise<{ ok: true; pins: StoredPin[] } | Failure> {
  const pins: StoredPin[] = [];
  let after: string | undefined;
  do {
    const request = { params: { tenant: target.tenant }, query: { after } };
    const answer = await askApi(target, "listPins", request, { answer_ms: ANSWER_MS });
    if (!answer.ok) return answer;
    if (answer.told?.status !== 200) return failureOf(target, answer);
    pins.push(...answer.told.data.pins);
    after = answer.told.data.next ?? undefined;
  } while (after !== undefined);
  return { ok: true, pins };
}

/**
 * Writes PINs to KV, a part at a time. Never rejects; where a part fails, those before it are written.
 * @param key The `CREDENTIALS_KEY` that they were made with: the Worker takes none that were made with another.
 */
export async function writePins(
  target: Target,
  pins: readonly HashedPin[],
  key: string,
): Promise<{ ok: true } | (Failure & { written: number })> {
  const check = await answerHmac(key, target.tenant, KEY_CHECK);
  for (let written = 0; written < pins.length; written += PINS_AT_ONCE) {
    const part = pins.slice(written, written + PINS_AT_ONCE).map(({ hmac, record }) => ({ hmac, ...record }));
    const request = { params: { tenant: target.tenant }, body: { check, pins: part } };
    const answer = await askApi(target, "putPins", request, { answer_ms: ANSWER_MS });
    if (!answer.ok) return { ...answer, written };
    if (answer.status === 200) continue;
    const said = refusalOf(answer);
    if (said?.code === "other_key") return { ...cannot("other_key", said.message), written };
    return { ...failureOf(target, answer), written };
  }
  return { ok: true };
}

/** Deletes a PIN from KV. Never rejects. @param id of `pinId`. */
export async function revokePin(target: Target, id: string): Promise<{ ok: true } | Failure> {
  const request = { params: { tenant: target.tenant, id } };
  const answer = await askApi(target, "revokePin", request, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  if (answer.status === 204) return { ok: true };
  if (refusalOf(answer)?.code === "unknown_pin")
    return cannot("unknown_pin", `${target.tenant} has no such PIN in KV.`);
  return failureOf(target, answer);
}
