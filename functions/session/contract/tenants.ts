/** A version of a tenant's rules: its SHA-256 in hex, and the text that has it. */
export interface RulesetVersion {
  hash: string;
  text: string;
}

/** The texts of records that were good when calls were last served by them; "" is the Worker's secrets, null that none is kept. */
export interface KeptRecords {
  tenant: string | null;
  project: string | null;
}

/** A Worker has served calls by these. */
export interface ServedRecords {
  tenant: string;
  project_id: string;
  /** Of the project's record. */
  project_version: string;
  /** The tenant's record; null for the one-tenant start, which has none. */
  record: string | null;
}
