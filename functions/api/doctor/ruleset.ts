import type { Finding } from "../../../shared/api/doctor.ts";
import { jsonOf } from "../../../shared/records.ts";
import { budgetProblem } from "../../../shared/rules/check/check-budget.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import type { Problem } from "../../../shared/rules/schema/problems.ts";
import { hasPlainNames } from "../../tenants/room-naming.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { needFindings } from "./needs.ts";
import { pushRules, yamlFinding } from "./write-commands.ts";

/** Errors and warnings shown at most, each; `npx partyline check` shows them all. */
const SHOWN = 10;

const OVER = "The ruleset serves all the same: a call that would take longer gets the fallback.";

/** Whether the ruleset is there and good, by the same reading that serves calls, and has what it needs beside it. @param url Where this Worker was asked. */
export function rulesetFindings(
  { tenant, project, record, source }: Tenant,
  credentials_key: string | undefined,
  url: string,
): Finding[] {
  const plain = hasPlainNames({ tenant, project });
  if (source.ruleset === null) {
    const spoken = record.fallback === undefined ? "is rejected" : "gets the tenant's fallback";
    return [
      {
        check: "ruleset",
        ok: false,
        message: `There is no ruleset: every call ${spoken}.`,
        fix: pushRules(tenant, url),
      },
    ];
  }
  const yaml =
    jsonOf(source.ruleset) === undefined ? yamlFinding(`ruleset/${tenant}`, source.ruleset, url) : null;
  if (yaml !== null) return [{ check: "ruleset", ok: false, ...yaml }];
  const checkCommand = `npx partyline check rules.json --tenant ${tenant}${plain ? " --plain" : ""}`;
  const parsed = parseRuleset(source.ruleset, { tenant, plain, serving: true });
  const warnings = parsed.warnings
    .slice(0, SHOWN)
    .map((warning) => finding(true, `Warning: ${sentence(warning)}`, fixOf(warning) ?? checkCommand));
  if (parsed.ok) {
    const { length } = parsed.ruleset.rules;
    const count =
      length === 0
        ? finding(
            true,
            "The ruleset is good, and has no rules: every call gets the fallback.",
            "Write a rule.",
          )
        : finding(true, `The ruleset is good: ${length} rule${length === 1 ? "" : "s"}.`);
    const over = budgetProblem(parsed.ruleset, { tenant, plain });
    const needs = needFindings(parsed.ruleset, { tenant, project }, credentials_key);
    return [count, ...(over === null ? [] : [finding(false, sentence(over), OVER)]), ...needs, ...warnings];
  }
  const errors = parsed.errors.slice(0, SHOWN).map((error) => finding(false, sentence(error), fixOf(error)));
  const more = parsed.errors.length - errors.length;
  if (more > 0) errors.push(finding(false, `And ${more} more.`, checkCommand));
  return [...errors, ...warnings];
}

function sentence({ path, message }: Problem): string {
  return path === "" ? `The ruleset ${message}.` : `${path}: ${message}.`;
}

function fixOf({ suggestion }: Problem): string | undefined {
  return suggestion === undefined ? undefined : `Did you mean ${JSON.stringify(suggestion)}?`;
}

function finding(ok: boolean, message: string, fix?: string): Finding {
  return { check: "ruleset", ok, message, ...(fix === undefined ? {} : { fix }) };
}
