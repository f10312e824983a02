import type { Finding } from "../../../shared/api/doctor.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import type { Problem } from "../../../shared/rules/schema/problems.ts";
import { hasPlainNames } from "../../tenants/room-naming.ts";
import type { Tenant } from "../../tenants/tenant.ts";

/**
 * What the rules' own checks say of the fallback in the tenant's record. It speaks where the ruleset has none, with that
 * ruleset's roles and defaults; where something is wrong with it calls are served all the same, and at worst turned away.
 */
export function fallbackFindings({ tenant, record, project, rules_text }: Tenant): Finding[] {
  const { fallback } = record;
  if (fallback === undefined) return [];
  const plain = hasPlainNames({ tenant, project });
  const served = parseRuleset(rules_text ?? '{"rules":[]}', { tenant, plain, serving: true });
  const ruleset = served.ok && served.ruleset.fallback === undefined ? served.ruleset : { rules: [] };
  const checked = parseRuleset({ ...ruleset, fallback }, { tenant, plain, serving: true });
  const errors = checked.ok ? [] : checked.errors.filter(isOfFallback);
  return [
    ...errors.map((error) => finding(false, tenant, error)),
    ...checked.warnings.filter(isOfFallback).map((warning) => finding(true, tenant, warning)),
  ];
}

function isOfFallback({ path }: Problem): boolean {
  return /^fallback\b/.test(path);
}

function finding(ok: boolean, tenant: string, { path, message, suggestion }: Problem): Finding {
  const meant = suggestion === undefined ? "" : `Did you mean ${JSON.stringify(suggestion)}? `;
  return {
    check: "tenant",
    ok,
    message: `${ok ? "Warning: " : ""}tenant/${tenant}, ${path}: ${message}.`,
    fix: `${meant}Fix the record and write it to KV again.`,
  };
}
