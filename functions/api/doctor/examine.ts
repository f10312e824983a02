import type { DoctorReply, Finding } from "../../../shared/api/doctor.ts";
import { jurisdictionFindings } from "./jurisdiction.ts";
import { namingFindings } from "./naming.ts";
import { relayFindings } from "./relay.ts";
import { restFindings } from "./rest.ts";
import { rulesetFindings } from "./ruleset.ts";
import { signatureFindings } from "./signature.ts";
import { lookUp } from "./tenant.ts";
import { readPastedUrl, urlFindings } from "./url.ts";

/**
 * Walks the way of a call and says what is wrong on it. What cannot be looked at, since something before it is missing,
 * has no finding.
 *
 * @param pasted The URL as pasted at SignalWire: hostile until looked at.
 * @param origin Where this Worker was asked: its public URL where none is set.
 */
export async function examine(env: Env, id: string, pasted: string, origin: string): Promise<DoctorReply> {
  const url = readPastedUrl(pasted);
  const { tenant, findings: lookedUp } = await lookUp(env, id, origin);
  const set = tenant?.record.public_url ?? env.PUBLIC_URL;
  const setting = set === undefined ? "unset" : isPublicUrl(set) ? "set" : "unusable";
  const public_url = set !== undefined && setting === "set" ? set : origin;
  const findings: Finding[] = [...urlFindings(url, id, tenant, public_url), ...lookedUp];
  let observed: Pick<DoctorReply, "observations"> = {};
  if (tenant) {
    const jurisdiction = await jurisdictionFindings(env, tenant.project);
    findings.push(...jurisdiction);
    const [signature, naming, relay, rest] = await Promise.all([
      signatureFindings(url, tenant, { public_url, setting }, Date.now()),
      // Asking the wrong session would begin it.
      jurisdiction.length > 0 ? [] : namingFindings(env, tenant),
      jurisdiction.length > 0 ? { findings: [] } : relayFindings(env, tenant),
      restFindings(tenant.project),
    ]);
    const { findings: told, ...seen } = relay;
    findings.push(
      ...naming,
      ...signature,
      ...rulesetFindings(tenant, env.CREDENTIALS_KEY, origin),
      ...told,
      ...rest,
    );
    observed = seen;
  }
  return { findings, ok: findings.every(({ ok }) => ok), ...observed };
}

/** Webhooks' paths are put behind it as it stands. */
function isPublicUrl(text: string): boolean {
  return /^https?:\/\/[^?#\s]+$/i.test(text) && URL.canParse(text);
}
