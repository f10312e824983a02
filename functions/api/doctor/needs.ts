import type { Finding } from "../../../shared/api/doctor.ts";
import type { Rule, Ruleset } from "../../../shared/rules/schema/ruleset.ts";
import type { Tenant } from "../../tenants/tenant.ts";

/** What good rules need that stands elsewhere, as far as it is missing: the key that PINs are compared by, contexts. */
export function needFindings(
  { rules, ways_in = [] }: Ruleset,
  {
    tenant,
    project,
  }: Pick<Tenant, "tenant"> & { project: Pick<Tenant["project"], "project_id" | "contexts"> },
  credentials_key: string | undefined,
): Finding[] {
  const findings: Finding[] = [];
  if (!credentials_key && asksSecrets(rules)) {
    findings.push(
      missing(
        "The rules ask for PINs, and CREDENTIALS_KEY is not set: none can be right.",
        "npx wrangler secret put CREDENTIALS_KEY (openssl rand -base64 32 makes one); then make the PINs with npx partyline secret.",
      ),
    );
  }
  if (ways_in.includes("relay") && !Object.values(project.contexts).includes(tenant)) {
    findings.push(
      missing(
        'The rules say that calls come by "relay", and no context of the project is this tenant\'s: none will.',
        `Write "contexts": { "<context>": "${tenant}" } into project/${project.project_id}.`,
      ),
    );
  }
  return findings;
}

function asksSecrets(rules: readonly Rule[]): boolean {
  return rules.some(
    ({ ask = {}, rules: inner = [] }) =>
      Object.values(ask).some(({ secret }) => secret === true) || asksSecrets(inner),
  );
}

function missing(message: string, fix: string): Finding {
  return { check: "ruleset", ok: false, message, fix };
}
