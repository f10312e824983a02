import type { Scope } from "../../../shared/api/scopes.ts";

/** What a token may do, as it was made. */
export interface Grant {
  name: string;
  scopes: Scope[];
  /** Patterns of rooms' plain names; null: all of the tenant's rooms. */
  rooms: string[] | null;
  /** Whether callers' numbers are masked in what it is answered. */
  mask_numbers: boolean;
  /** ms; null: never. */
  expires_at: number | null;
}

/** A token as operators see it: all but the secret. */
export interface TokenView extends Grant {
  id: string;
  /** ms. */
  created_at: number;
  /** The token that made it, or `admin`. */
  created_by: string;
}

export interface NewToken extends Grant {
  project_id: string;
  tenant: string;
  id: string;
  /** SHA-256 of the secret, hex. */
  digest: string;
  created_by: string;
}

/** One thing that somebody did, or was refused, by the API. No words that were spoken, and no digits that were keyed, are in it. */
export interface AuditEntry {
  /** ms. */
  at: number;
  /** The token's id; `admin`, or `access` for somebody who came by Cloudflare Access. */
  token: string;
  /** The token's name, or the mail address. */
  name: string;
  /** E.g. `lobby.admit`. */
  action: string;
  /** What of the path, and of the answer, says what it was done to. */
  target: Record<string, string>;
  /** How SignalWire was told; null if it was not, or is told later. */
  sent_by: "relay" | "rest" | "document" | null;
  /** `ok`, or the code of the refusal. */
  outcome: string;
  status: number;
  verified_by: "event" | "rest" | null;
  ms: number;
}

export interface AuditPage {
  /** Newest first. */
  entries: (AuditEntry & { id: number })[];
  /** What brings the next page; null if there is none. */
  next: number | null;
}
