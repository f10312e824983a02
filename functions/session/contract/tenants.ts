/** A version of a tenant's rules: its SHA-256 in hex, and the text that has it. */
export interface RulesetVersion {
  hash: string;
  text: string;
}

/** A version of a tenant's rules that is kept, without its text; times in ms. */
export interface KeptVersion {
  hash: string;
  /** When it was first written by the API, or first served; null: before that was noted. */
  first_at: number | null;
  /** When it is last known to have served, to the hour. */
  last_at: number;
  /** When it was written by the API last; null: never. */
  pushed_at: number | null;
  /** Who wrote it, by that client's own word. */
  pushed_by: string | null;
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
