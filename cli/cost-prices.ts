/** What Cloudflare asks for one thing. */
export interface Price {
  free_per_day: number;
  /** In a month of the paid plan. */
  included: number;
  /** USD for each million more. */
  usd_per_million: number;
}

/**
 * Cloudflare's price list, from copies of its pages on Workers, Durable Objects and KV. They bear no date; the newest change that
 * they tell of is of this one.
 */
export const PRICES_OF = "2026-06-30";
export const BASE_USD = 5;

export const prices = {
  worker_requests: { free_per_day: 100_000, included: 10_000_000, usd_per_million: 0.3 },
  object_requests: { free_per_day: 100_000, included: 1_000_000, usd_per_million: 0.15 },
  object_gb_s: { free_per_day: 13_000, included: 400_000, usd_per_million: 12.5 },
  rows_written: { free_per_day: 100_000, included: 50_000_000, usd_per_million: 1 },
  rows_read: { free_per_day: 5_000_000, included: 25_000_000_000, usd_per_million: 0.001 },
  kv_reads: { free_per_day: 100_000, included: 10_000_000, usd_per_million: 0.5 },
} satisfies Record<string, Price>;

/** CPU time has no daily part of the free plan, but a limit for each request. */
export const CPU_MS = { included: 30_000_000, usd_per_million: 0.02 };
export const STORED_GB = { free: 5, included: 5, usd_per_gb: 0.2 };
/** What an object in memory is charged as. */
export const OBJECT_GB = 0.128;

export const limits = {
  object_gb: 10,
  cpu_ms_free: 10,
  cpu_ms_paid: 30_000,
  memory_mb: 128,
};
