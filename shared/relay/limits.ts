/** Every bound of the client. Times in ms. */
export interface Limits {
  /** For the socket to open, and again for `signalwire.connect` to be answered. */
  handshake_ms: number;
  /** Silence after which the client sends a `signalwire.ping`. */
  probe_after_ms: number;
  /** Silence after that ping for which the socket is given up: with the above, half-open sockets are found within 20 s. */
  probe_answer_ms: number;
  /** Watched closely: between two pings, and for the answer to each. */
  watch_probe_after_ms: number;
  watch_probe_answer_ms: number;
  /** For answers still to come on a socket that is being left for another. */
  farewell_ms: number;
  /** Readiness that counts as steady: a connection lost sooner is a failed try. */
  steady_ms: number;
  backoff_base_ms: number;
  backoff_cap_ms: number;
  /** Refusals in a row after which the client is `refused`. */
  refusals: number;
  /** Between two tries while `refused`: of credentials that a person must change, and for any other reason. */
  refused_retry_ms: number;
  refused_otherwise_retry_ms: number;
  /** Commands accepted and not sent yet. */
  max_queued: number;
  /** Commands sent and not answered yet. */
  max_in_flight: number;
  /** Largest frame looked into, in bytes of UTF-8. */
  frame_bytes: number;
}

export const DEFAULT_LIMITS: Readonly<Limits> = {
  handshake_ms: 10_000,
  probe_after_ms: 10_000,
  probe_answer_ms: 10_000,
  watch_probe_after_ms: 1_500,
  watch_probe_answer_ms: 4_000,
  farewell_ms: 500,
  steady_ms: 10_000,
  backoff_base_ms: 250,
  backoff_cap_ms: 30_000,
  refusals: 3,
  refused_retry_ms: 300_000,
  refused_otherwise_retry_ms: 60_000,
  max_queued: 500,
  max_in_flight: 500,
  frame_bytes: 1_048_576,
};
