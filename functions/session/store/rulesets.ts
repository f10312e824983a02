import type { KeptVersion, RulesetVersion } from "../contract/tenants.ts";
import type { Disk } from "./disk.ts";
import type { Following } from "./news.ts";

/** SQLite takes 2 MB a value, and a ruleset may be twice that: it is kept in parts of so many characters. */
const PART_LENGTH = 500_000;
/** How exactly it is known when a version was last used: written no more often than this. */
const USE_RESOLUTION_MS = 3_600_000;
/** A new version is seen everywhere within this. */
const BY_TURNS_MS = 120_000;

export interface RulesNews extends Following {
  /** Another version than before serves the tenant. */
  rulesServed(tenant: string, hash: string): void;
}

/** Versions of a tenant's that were written by the API and never served: more are forgotten, or who writes would fill the storage. */
const UNSERVED = 50;
/** Of a tenant's newest parts among which those are looked for. */
const LOOKED_AT = 900;

/**
 * Rulesets — the versions of rulesets that kept calls were decided by, and the last good one of each tenant. Used by CallHistory.
 */
export class Rulesets {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #news: RulesNews;
  /** When each version's use was last written down. */
  readonly #used = new Map<string, number>();
  /** Up to where old versions were looked at: those that are kept all the same must not stand before the others. */
  #looked_at = { last_used: 0, id: 0 };

  constructor(disk: Disk, now: () => number, news: RulesNews) {
    this.#disk = disk;
    this.#now = now;
    this.#news = news;
  }

  /** Marks the version as the one that serves its tenant now; false if its text is not here. */
  serves(tenant: string, hash: string): boolean {
    const isFollowed = this.#news.isFollowed(tenant);
    const isNews = isFollowed && this.#isNews(tenant, hash);
    const isHere =
      this.#disk
        .exec(
          "UPDATE rulesets SET served_at = ?1, last_used = ?1 WHERE tenant = ?2 AND hash = ?3 RETURNING part",
          this.#now(),
          tenant,
          hash,
        )
        .toArray().length > 0;
    if (isHere && isNews) this.#news.rulesServed(tenant, hash);
    return isHere;
  }

  /** While a new version is not seen everywhere both serve by turns, which is told once. */
  #isNews(tenant: string, hash: string): boolean {
    const [row] = this.#disk.exec<{ served_at: number }>(
      "SELECT served_at FROM rulesets WHERE tenant = ? AND hash = ? AND part = 0",
      tenant,
      hash,
    );
    return row !== undefined && row.served_at < this.#now() - BY_TURNS_MS && this.#newest(tenant) !== hash;
  }

  /** Keeps the version that serves its tenant now. */
  keep(tenant: string, { hash, text }: RulesetVersion): void {
    if (this.serves(tenant, hash)) return;
    const now = this.#now();
    try {
      for (let part = 0; part === 0 || part * PART_LENGTH < text.length; part += 1) {
        this.#disk.exec(
          "INSERT INTO rulesets (tenant, hash, part, text, last_used, served_at, kept_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
          tenant,
          hash,
          part,
          text.slice(part * PART_LENGTH, (part + 1) * PART_LENGTH),
          now,
          now,
          now,
        );
      }
    } catch (error) {
      // A part of it would be read as the whole.
      this.#disk.exec("DELETE FROM rulesets WHERE tenant = ? AND hash = ?", tenant, hash);
      throw error;
    }
    if (this.#news.isFollowed(tenant)) this.#news.rulesServed(tenant, hash);
  }

  /** Keeps a version that was written to KV by the API. @param by null if the writer did not say who it is. */
  pushed(tenant: string, version: RulesetVersion, by: string | null): void {
    this.keep(tenant, version);
    this.#disk.attempt(
      "UPDATE rulesets SET pushed_at = ?, pushed_by = ? WHERE tenant = ? AND hash = ? AND part = 0",
      this.#now(),
      by,
      tenant,
      version.hash,
    );
    this.#forgetUnserved(tenant);
  }

  #forgetUnserved(tenant: string): void {
    const parts = this.#disk
      .exec<{ hash: string; unserved: number }>(
        `SELECT hash, last_used IS kept_at AS unserved FROM rulesets INDEXED BY rulesets_by_service
         WHERE tenant = ? ORDER BY served_at DESC LIMIT ?`,
        tenant,
        LOOKED_AT,
      )
      .toArray();
    const unserved = new Set(parts.filter((part) => part.unserved === 1).map(({ hash }) => hash));
    for (const hash of [...unserved].slice(UNSERVED))
      this.#disk.exec("DELETE FROM rulesets WHERE tenant = ? AND hash = ?", tenant, hash);
  }

  /** Up to `limit` versions that are kept, the one that served last first. */
  versions(tenant: string, limit: number): KeptVersion[] {
    return this.#disk
      .exec<Omit<KeptVersion, "last_at"> & { served_at: number; last_used: number }>(
        `SELECT hash, kept_at AS first_at, served_at, last_used, pushed_at, pushed_by
         FROM rulesets INDEXED BY rulesets_by_service WHERE tenant = ? AND part = 0 ORDER BY served_at DESC LIMIT ?`,
        tenant,
        limit,
      )
      .toArray()
      .map(({ served_at, last_used, ...version }) => ({
        ...version,
        last_at: Math.max(served_at, last_used),
      }));
  }

  /** A call that is kept was decided by this version. */
  used(tenant: string, hash: string): void {
    const id = `${tenant} ${hash}`;
    const now = this.#now();
    if (now - (this.#used.get(id) ?? 0) < USE_RESOLUTION_MS) return;
    this.#used.set(id, now);
    this.#disk.attempt("UPDATE rulesets SET last_used = ? WHERE tenant = ? AND hash = ?", now, tenant, hash);
  }

  /** Null if the version was never kept, or is kept no more. */
  text(tenant: string, hash: string): string | null {
    const parts = this.#disk
      .exec<{ text: string }>(
        "SELECT text FROM rulesets WHERE tenant = ? AND hash = ? ORDER BY part",
        tenant,
        hash,
      )
      .toArray();
    return parts.length === 0 ? null : parts.map(({ text }) => text).join("");
  }

  /** The version that served the tenant last; null if none ever did. */
  lastGood(tenant: string): RulesetVersion | null {
    const hash = this.#newest(tenant);
    const text = hash === null ? null : this.text(tenant, hash);
    return hash === null || text === null ? null : { hash, text };
  }

  #newest(tenant: string): string | null {
    const [row] = this.#disk.exec<{ hash: string }>(
      "SELECT hash FROM rulesets INDEXED BY rulesets_by_service WHERE tenant = ? ORDER BY served_at DESC LIMIT 1",
      tenant,
    );
    return row?.hash ?? null;
  }

  /** Forgets up to `limit` parts of versions that no call used for `max_age_ms`, but never a tenant's last good one; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    if (this.#used.size > 1_000) this.#used.clear();
    const old = this.#disk
      .exec<{ id: number; last_used: number }>(
        `SELECT rowid AS id, last_used FROM rulesets INDEXED BY rulesets_by_age
         WHERE last_used < ? AND (last_used, rowid) > (?, ?) ORDER BY last_used, rowid LIMIT ?`,
        this.#now() - max_age_ms - USE_RESOLUTION_MS,
        this.#looked_at.last_used,
        this.#looked_at.id,
        limit,
      )
      .toArray();
    const last = old.at(-1);
    this.#looked_at = last && old.length === limit ? last : { last_used: 0, id: 0 };
    if (!last) return 0;
    return this.#disk
      .exec(
        `DELETE FROM rulesets WHERE rowid IN (SELECT value FROM json_each(?)) AND served_at <
           (SELECT MAX(served_at) FROM rulesets AS others INDEXED BY rulesets_by_service
            WHERE others.tenant = rulesets.tenant)
         RETURNING part`,
        JSON.stringify(old.map(({ id }) => id)),
      )
      .toArray().length;
  }
}
