/** One figure that was measured, and what measured it. */
export interface Figure {
  /** Null where it was never measured. */
  value: number | null;
  /** The row of `npm run bench` that measures it; a count needs none. */
  by: string;
}

const CALL = "bench per-call, 2026-11-28";
const HOUR = "bench idle, 2026-11-28";

/** What is done for each call, and for each hour in which a project is connected: as docs/figures.md and docs/cost.md have it, and nowhere else. */
export const measured = {
  /** By SWML or cXML, its status callbacks included; by a context 3. */
  webhooks_per_call: { value: 4, by: CALL },
  /** Of the whole process, the Durable Object's part included. */
  cpu_ms_per_webhook: { value: 0.892, by: "bench webhook-to-accepted" },
  object_requests_per_call: { value: 4, by: CALL },
  /** By a context, the dearest way; by SWML 41, by cXML 24. */
  rows_written_per_call: { value: 50, by: CALL },
  rows_read_per_call: { value: 67, by: CALL },
  /** Of one that comes alone; where calls come often nearly none reads KV. */
  kv_reads_per_call: { value: 5, by: CALL },
  /** By a context; by SWML 4,806, by cXML 3,878. */
  bytes_per_call: { value: 5_366, by: CALL },
  /** Connected while calls are in rooms. */
  object_requests_per_hour: { value: 125, by: HOUR },
  rows_written_per_hour: { value: 281, by: HOUR },
  rows_read_per_hour: { value: 9_422, by: HOUR },
  kv_reads_per_hour: { value: 113, by: HOUR },
  /** Connected for calls of contexts, with none at all. */
  object_requests_per_hour_of_contexts: { value: 354, by: HOUR },
  rows_written_per_hour_of_contexts: { value: 354, by: HOUR },
  rows_read_per_hour_of_contexts: { value: 24_426, by: HOUR },
  kv_reads_per_hour_of_contexts: { value: 118, by: HOUR },
  /** Of 10,000 rules told apart by CEL. */
  cpu_ms_to_compile: { value: 115, by: "bench decide" },
  /** The dearest decision that rules and a caller's values can bring about. */
  cpu_ms_of_dearest_decision: { value: 41, by: "docs/rules.md" },
  /** By what workerd's memory grew with 10,000 rules told apart by CEL, garbage included: 62 to 164. */
  mib_of_10000_rules: { value: 102, by: "bench decide" },
} satisfies Record<string, Figure>;

export type Figures = Readonly<Record<keyof typeof measured, Figure>>;
