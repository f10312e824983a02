/** One figure that was measured, and what measured it. */
export interface Figure {
  /** Null where it was never measured. */
  value: number | null;
  /** The row of `npm run bench` that measures it; a count needs none. */
  by: string;
}

/** What is done for each call, and for each hour in which a project is connected: as docs/figures.md has it, and nowhere else. */
export const measured = {
  /** A call by SWML or cXML sends one; what its callbacks add was never measured. */
  webhooks_per_call: { value: 1, by: "counted: its first webhook alone" },
  /** Of the whole process, the Durable Object's part included. */
  cpu_ms_per_webhook: { value: 0.892, by: "bench webhook-to-accepted" },
  object_requests_per_call: { value: null, by: "bench per-call" },
  rows_written_per_call: { value: null, by: "bench per-call" },
  rows_read_per_call: { value: null, by: "bench per-call" },
  kv_reads_per_call: { value: null, by: "bench per-call" },
  bytes_per_call: { value: null, by: "bench disk" },
  object_requests_per_hour: { value: null, by: "bench idle" },
  rows_written_per_hour: { value: null, by: "bench idle" },
  rows_read_per_hour: { value: null, by: "bench idle" },
  kv_reads_per_hour: { value: null, by: "bench idle" },
  /** Of 10,000 rules told apart by CEL. */
  cpu_ms_to_compile: { value: 115, by: "bench decide" },
  /** The dearest decision that rules and a caller's values can bring about. */
  cpu_ms_of_dearest_decision: { value: 41, by: "docs/rules.md" },
  /** By what workerd's memory grew with 10,000 rules told apart by CEL, garbage included: 62 to 164. */
  mib_of_10000_rules: { value: 102, by: "bench decide" },
} satisfies Record<string, Figure>;

export type Figures = Readonly<Record<keyof typeof measured, Figure>>;
