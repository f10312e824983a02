import type { ProjectRecord, TenantRecord } from "../../shared/records.ts";
import type { CompiledRuleset } from "../../shared/rules/compile/compiled-ruleset.ts";
import { deriveKeys, type SealKeys } from "../../shared/seal-keys.ts";

import type { KvLists } from "./kv-lists.ts";

/** A project as the rest of the Worker uses it: addresses worked out, secrets opened. Never logged. */
export interface Project {
  project_id: string;
  relay_url: string;
  rest_url: string;
  token: string;
  signing_keys: readonly string[];
  plain_names_for?: string;
  /** Whether the record says whose names are plain; if not, rooms go on being named as they were. */
  says_names: boolean;
  /** Tenants by the RELAY contexts whose calls they decide on. */
  contexts: Readonly<Record<string, string>>;
  session: ProjectRecord["session"];
  /** Cloudflare Access in front of the API. */
  access?: NonNullable<ProjectRecord["access"]>;
  /** Changes whenever the record does: how a session learns of new credentials. */
  version: string;
}

/** A tenant without its rules: enough to check a token or a signature. */
export interface Owner {
  tenant: string;
  record: TenantRecord;
  project: Project;
  /** The records' texts that these were read from: not KV's where those are bad. Null: there is none. */
  good: { tenant: string | null; project: string | null };
}

export interface Tenant extends Owner {
  /** Null where there is no ruleset, or none that could ever be read here: the fallback speaks. */
  rules: CompiledRuleset | null;
  /** The text that `rules` was compiled from: not KV's where that is bad. Null where KV holds none. */
  rules_text: string | null;
  /** The lists that the rules name in KV, as they serve. */
  lists: KvLists;
  /** Whether the last good rules could be looked for, where those of KV are not served: else the next refresh does. */
  is_sure: boolean;
  /** Whether the rules were compiled for rooms with plain names. */
  plain: boolean;
  /** The texts that KV has, so that a refresh compiles only what changed. */
  source: { tenant: string | null; project: string | null; ruleset: string | null };
}

/** Where SignalWire reaches us, without a slash at the end: the tenant's, else the Worker's, else where this request came. */
export function publicUrl(env: Env, record: TenantRecord, request_url: string): string {
  return (record.public_url ?? env.PUBLIC_URL ?? new URL(request_url).origin).replace(/\/+$/, "");
}

/** Derived once for each reading of a project's record. */
const derived = new WeakMap<Project, SealKeys>();

/** The keys of what calls of the project carry for us. */
export async function sealKeysOf(credentials_key: string | undefined, project: Project): Promise<SealKeys> {
  let keys = derived.get(project);
  if (!keys) {
    keys = await deriveKeys({
      ...(credentials_key === undefined ? {} : { credentials_key }),
      signing_keys: project.signing_keys,
    });
    derived.set(project, keys);
  }
  return keys;
}
