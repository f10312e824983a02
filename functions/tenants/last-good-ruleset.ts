import { describeError, log } from "../log.ts";
import type { SessionApi } from "../session/contract/session-api.ts";
import type { RulesetVersion } from "../session/contract/tenants.ts";
import { withTimeout } from "../timeout.ts";
import type { Tenant } from "./tenant.ts";

/** A tenant whose rules in KV are bad waits this long for the last good ones. */
const LAST_GOOD_MS = 1_500;
/** Tenants of which an isolate remembers what it handed over. */
const MAX_TENANTS = 5_000;

/** The version of each tenant's rules that this isolate handed over last. */
const handedOver = new Map<string, string>();

/** Whether the session has yet to hear from this isolate which version serves the tenant. */
export function isNews({ tenant, rules }: Tenant): boolean {
  return rules !== null && handedOver.get(tenant) !== rules.hash;
}

/**
 * Has the tenant's session keep the version of the rules that serves: calls decided by it can be explained, and where a bad one
 * reaches KV it serves on. Behind the answer; never rejects.
 */
export async function handOver(session: SessionApi, { tenant, rules, rules_text }: Tenant): Promise<void> {
  if (!rules || rules_text === null) return;
  const { hash } = rules;
  if (handedOver.size >= MAX_TENANTS) handedOver.clear();
  handedOver.set(tenant, hash);
  try {
    await session.keepRuleset(tenant, { hash, text: rules_text });
  } catch (error) {
    handedOver.delete(tenant);
    log("warn", "ruleset.not_kept", { tenant, error: describeError(error) });
  }
}

/** The version of the tenant's rules that served last, from its session; null where none did. Rejects where it is out of reach. */
export async function lastGood(session: SessionApi, tenant: string): Promise<RulesetVersion | null> {
  return await withTimeout(LAST_GOOD_MS, session.lastGoodRuleset(tenant));
}
