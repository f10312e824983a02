import type { z } from "zod";
import type { Answer } from "../../shared/rules/answers.ts";
import { pinRecord } from "../../shared/rules/schema/pin-record.ts";
import { problemsOf } from "../../shared/rules/schema/problems.ts";
import type { AskedState } from "../../shared/seal.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { describeError, log } from "../log.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";

/** KV's shortest cache time: a PIN that is added or removed is seen this much later, beside KV's own delay. Misses too. */
const CACHED_S = 30;
/** Time limit for reading a PIN from KV. */
const KV_MS = 1_000;
/** The HMAC of no PIN. */
const NO_PIN = "0".repeat(64);

/** Thrown if KV cannot be read: the PIN counts as neither right nor wrong. */
export class PinsUnreadable extends Error {
  override readonly name = "PinsUnreadable";
}

/**
 * What was keyed, as the rules see it: of a secret only its HMAC, and what KV holds under it.
 *
 * @param digits as they were keyed, or "" for none.
 * @param ends_at deadline of the webhook, ms.
 * @throws {PinsUnreadable}
 */
export async function keyedAnswer(
  env: Env,
  tenant: Tenant,
  { min_digits, max_digits, secret, try: tries }: AskedState["question"],
  digits: string,
  ends_at = Number.POSITIVE_INFINITY,
): Promise<Answer> {
  if (digits === "") return { tries };
  if (!secret) return { tries, value: digits };
  const isPlausible = /^\d+$/.test(digits) && digits.length >= min_digits && digits.length <= max_digits;
  // Keys that can be no PIN still count as a wrong one; without the secret key no PIN can be recognised.
  if (!isPlausible || !env.CREDENTIALS_KEY) return { tries, hmac: NO_PIN };
  const hmac = await answerHmac(env.CREDENTIALS_KEY, tenant.tenant, digits);
  const pin = tenant.rules?.pins ? await findPin(env, tenant.tenant, hmac, ends_at) : null;
  return { tries, hmac, ...(pin === null ? {} : { pin }) };
}

/** KV `pins/<tenant>/<hmac>`. */
async function findPin(
  env: Env,
  tenant: string,
  hmac: string,
  ends_at: number,
): Promise<NonNullable<Answer["pin"]> | null> {
  let text: string | null;
  try {
    const ms = Math.min(KV_MS, ends_at - Date.now());
    text = await withTimeout(ms, env.DIRECTORY.get(`pins/${tenant}/${hmac}`, { cacheTtl: CACHED_S }));
  } catch (error) {
    log("error", "pins.unreadable", { tenant, error: describeError(error) });
    throw new PinsUnreadable("the tenant's PINs can't be read from KV");
  }
  if (text === null) return null;
  const record = readRecord(text);
  if (typeof record === "string") {
    // Enough of the key to find the entry.
    log("error", "pins.bad_record", { tenant, key: `pins/${tenant}/${hmac.slice(0, 8)}…`, why: record });
    return null;
  }
  const { room, role } = record;
  return { ...(room === undefined ? {} : { room }), ...(role === undefined ? {} : { role }) };
}

function readRecord(text: string): z.infer<typeof pinRecord> | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const parsed = pinRecord.safeParse(json);
  if (parsed.success) return parsed.data;
  return problemsOf(parsed.error.issues, json)
    .map(({ path, message }) => `${path || "(top)"}: ${message}`)
    .join("; ");
}
