import { RpcTarget } from "cloudflare:workers";
import { log } from "../../log.ts";
import type { AuditEntry, AuditPage, Grant, NewToken, TokenView } from "../contract/api-access.ts";
import type { Audit } from "../store/audit.ts";
import type { Settings } from "../store/settings.ts";
import { MOST_TOKENS, type Tokens } from "../store/tokens.ts";

/** Entries of one token that say that something was refused, in one minute: what it asks for in vain must not push out the rest. */
const REFUSALS = 60;
const MINUTE_MS = 60_000;
/** Tokens of which refusals are counted. */
const COUNTED = 1_000;

export interface AuditQuery {
  /** From the page before. */
  after?: number;
  limit: number;
}

/** ApiAccess — who may use the API for the project's tenants, and what they did. Used by the Worker's API alone. */
export class ApiAccess extends RpcTarget {
  readonly #tokens: Tokens;
  readonly #audit: Audit;
  readonly #settings: Settings;
  readonly #now: () => number;
  readonly #wrote: () => void;
  readonly #revoked: (tenant: string, id: string) => void;
  readonly #refusals = new Map<string, { since: number; count: number }>();

  /**
   * @param wrote called when something was written that is to be deleted one day.
   * @param revoked told of each token that is revoked.
   */
  constructor(
    { tokens, audit, settings }: { tokens: Tokens; audit: Audit; settings: Settings },
    now: () => number,
    wrote: () => void,
    revoked: (tenant: string, id: string) => void,
  ) {
    super();
    this.#tokens = tokens;
    this.#audit = audit;
    this.#settings = settings;
    this.#now = now;
    this.#wrote = wrote;
    this.#revoked = revoked;
  }

  /** What the token may do; null if it is not the tenant's, is revoked, has expired, or the secret is another. */
  verify(tenant: string, id: string, digest: string): Grant | null {
    const found = this.#tokens.find(tenant, id);
    if (!found || !isSame(found.digest, digest)) return null;
    const { name, scopes, rooms, mask_numbers, expires_at } = found.grant;
    return { name, scopes, rooms, mask_numbers, expires_at };
  }

  tokens(tenant: string): TokenView[] {
    return this.#tokens.ofTenant(tenant);
  }

  /** Null: the tenant has too many already. */
  create(token: NewToken): TokenView | null {
    this.#settings.use(token.project_id);
    if (this.#tokens.ofTenant(token.tenant).length >= MOST_TOKENS) return null;
    const made = this.#tokens.add(token);
    this.#wrote();
    return made;
  }

  /** At once: the next request that brings the token is refused, and what it listens to is closed. False: there is none of that id. */
  revoke(tenant: string, id: string): boolean {
    const isRevoked = this.#tokens.remove(tenant, id);
    if (isRevoked) this.#revoked(tenant, id);
    return isRevoked;
  }

  /** Writes down what was done. @param project_id of the tenant. */
  record(project_id: string, tenant: string, entry: AuditEntry): void {
    this.#settings.use(project_id);
    if (entry.status >= 400 && this.#isTooMany(`${tenant} ${entry.token}`)) return;
    if (!this.#audit.add(tenant, entry)) {
      const { token, action, outcome } = entry;
      log("error", "audit.not_written", { tenant, token, action, outcome });
    }
    this.#wrote();
  }

  /** Newest first. */
  audit(tenant: string, { after = Number.MAX_SAFE_INTEGER, limit }: AuditQuery): AuditPage {
    return this.#audit.page(tenant, after, limit);
  }

  #isTooMany(who: string): boolean {
    const now = this.#now();
    const counted = this.#refusals.get(who);
    if (!counted || now - counted.since >= MINUTE_MS) {
      if (this.#refusals.size >= COUNTED) this.#refusals.clear();
      this.#refusals.set(who, { since: now, count: 1 });
      return false;
    }
    counted.count += 1;
    return counted.count > REFUSALS;
  }
}

/** In constant time. Both are SHA-256 in hex, of one length. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text));
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return crypto.subtle.timingSafeEqual(a, b);
}
