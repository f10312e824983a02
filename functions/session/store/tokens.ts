import type { Grant, NewToken, TokenView } from "../contract/api-access.ts";
import type { Disk } from "./disk.ts";

/** A tenant's tokens. */
export const MOST_TOKENS = 200;
/** A token that has expired is still listed for so long. */
const LISTED_MS = 30 * 24 * 3_600_000;

interface TokenRow extends Record<string, SqlStorageValue> {
  id: string;
  tenant: string;
  digest: string;
  data: string;
  created_at: number;
  expires_at: number | null;
}

type Kept = Omit<TokenView, "id" | "created_at" | "expires_at">;

/** Tokens — the table of the API's tokens, and its one owner. Of a secret it has the SHA-256. Used by the API's access. */
export class Tokens {
  readonly #disk: Disk;
  readonly #now: () => number;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
  }

  add({
    tenant,
    id,
    digest,
    expires_at,
    name,
    scopes,
    rooms,
    mask_numbers,
    created_by,
  }: NewToken): TokenView {
    const created_at = this.#now();
    const kept: Kept = { name, scopes, rooms, mask_numbers, created_by };
    this.#disk.exec(
      "INSERT INTO tokens (id, tenant, digest, data, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      id,
      tenant,
      digest,
      JSON.stringify(kept),
      created_at,
      expires_at,
    );
    return { id, ...kept, created_at, expires_at };
  }

  /** What is kept of a token that is good now; null: there is none. */
  find(tenant: string, id: string): { digest: string; grant: Grant } | null {
    const [row] = this.#disk.exec<TokenRow>("SELECT * FROM tokens WHERE id = ?", id);
    if (row?.tenant !== tenant) return null;
    if (row.expires_at !== null && row.expires_at <= this.#now()) return null;
    return { digest: row.digest, grant: viewOf(row) };
  }

  ofTenant(tenant: string): TokenView[] {
    return this.#disk
      .exec<TokenRow>(
        "SELECT * FROM tokens INDEXED BY tokens_by_tenant WHERE tenant = ? LIMIT ?",
        tenant,
        MOST_TOKENS,
      )
      .toArray()
      .map(viewOf);
  }

  /** False: there is none of that id. */
  remove(tenant: string, id: string): boolean {
    return (
      this.#disk.exec("DELETE FROM tokens WHERE id = ? AND tenant = ? RETURNING id", id, tenant).toArray()
        .length > 0
    );
  }

  /** Forgets up to `limit` that expired long ago; returns how many. */
  forget(limit: number): number {
    return this.#disk
      .exec(
        `DELETE FROM tokens WHERE id IN
           (SELECT id FROM tokens INDEXED BY tokens_by_expiry WHERE expires_at < ? LIMIT ?) RETURNING id`,
        this.#now() - LISTED_MS,
        limit,
      )
      .toArray().length;
  }
}

function viewOf({ id, data, created_at, expires_at }: TokenRow): TokenView {
  // The table is ours alone: what it holds is what `add` wrote.
  return { id, ...(JSON.parse(data) as Kept), created_at, expires_at };
}
