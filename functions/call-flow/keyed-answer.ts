import type { z } from "zod";
import type { Answer } from "../../shared/rules/answers.ts";
import { pinRecord } from "../../shared/rules/schema/pin-record.ts";
import { problemsOf } from "../../shared/rules/schema/problems.ts";
import type { AskedState } from "../../shared/seal.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { describeError, log } from "../log.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";

/** The least that KV takes: a PIN that is made or withdrawn is seen so much later, beside KV's own delay. Misses likewise. */
const CACHED_S = 30;
/** PINs that KV does not give within this are not taken. */
const KV_MS = 1_000;
/** What no PIN has: HMACs are of what was keyed. */
const NO_PIN = "0".repeat(64);

/** Thrown where KV does not say whose PIN it is: the PIN is taken for neither right nor wrong. */
export class PinsUnreadable extends Error {
  override readonly name = "PinsUnreadable";
}

/**
 * What was keyed, as the rules see it: of a secret only what stands for it, and what KV holds of it.
 *
 * @param digits as they were keyed, or "" for none.
 * @param ends_at when the webhook can wait no longer, ms.
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
  // What no PIN can be is keyed wrong all the same; without the key no PIN can be told right.
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
    // Enough of the key to find it by.
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
