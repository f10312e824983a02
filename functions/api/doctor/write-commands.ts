import type { RecordKind } from "../../../shared/records.ts";
import { isYaml } from "../not-json.ts";

/** The command that writes a record to KV. @param url Where this Worker was asked. */
export function putRecord(kind: RecordKind, id: string, url: string, language = "json"): string {
  return `npx partyline ${kind} put ${id} ${kind}.${language} --url ${url}`;
}

/** The command that writes a tenant's ruleset to KV. */
export function pushRules(tenant: string, url: string, language = "json"): string {
  return `npx partyline push rules.${language} --url ${url} --tenant ${tenant}`;
}

/** For a text in KV that is YAML: the message, and what turns it into JSON. Null where it is something else. */
export function yamlFinding(
  key: string,
  text: string | null,
  url: string,
): { message: string; fix: string } | null {
  const [, kind = "", id = ""] = /^(project|tenant|ruleset)\/(.*)$/s.exec(key) ?? [];
  if (text === null || !isYaml(text)) return null;
  const command =
    kind === "tenant" || kind === "project" ? putRecord(kind, id, url, "yaml") : pushRules(id, url, "yaml");
  return {
    message: `${key} in KV is YAML, and KV holds JSON.`,
    fix: `Write it again from the YAML file, which this command turns into JSON: ${command} --force`,
  };
}
