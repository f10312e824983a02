import type { RelayEvent } from "./events.ts";
import type { Outcome } from "./outcome.ts";

export type ConnectionState =
  | "idle"
  | "connecting"
  | "authenticating"
  | "ready"
  | "draining"
  | "backing_off"
  | "refused";

/** Things worth counting. A count's `detail` never holds a secret or text of unbounded length. */
export type Counted =
  /** A frame that is not JSON-RPC; `detail` says how. */
  | "junk_frame"
  /** An answer to nothing that we wait for: late, repeated or invented. */
  | "unknown_answer"
  /** A request of a method that we don't know; answered with -32601. */
  | "unknown_request"
  /** A request of a known method with a body that can't be read; answered with -32602. */
  | "bad_request"
  /** An event of a known type without what makes it one; passed on as `other`. */
  | "malformed_event"
  /** A frame before the socket was said to be open; ignored. */
  | "early_frame"
  | "ping_answered"
  | "probe_sent"
  | "probe_unanswered"
  | "handshake_timeout"
  | "credentials_refused"
  /** `signalwire.connect` was refused for a reason that does not name the credentials. */
  | "connection_refused"
  /** `signalwire.receive` or `signalwire.unreceive` did not succeed; `detail` has the code. */
  | "contexts_failed"
  /** A command whose handle is in use; ignored. */
  | "duplicate_command";

/** What the shell must do, in this order, in the turn in which it is told. */
export type Effect =
  | { do: "connect"; generation: number }
  /** `code`: 1000 where we part in order, 4000 where the server did not keep up its end. */
  | { do: "disconnect"; generation: number; code: number }
  /** `command`: the handle of the command whose frame this is, so that its row is written in the same turn. */
  | { do: "send"; generation: number; text: string; command?: string }
  /** Write a row, then send `ack`, then act. An event that came without an id wants no ack: null. */
  | { do: "event"; event: RelayEvent; generation: number; ack: string | null }
  /** Persist the value (a secret), then send `ack`. */
  | { do: "authorization_state"; value: string; generation: number; ack: string | null }
  | { do: "settle"; command: string; outcome: Outcome }
  /** Authenticated. `restored`: the server took up the session that we asked for. */
  | { do: "session"; protocol: string; restored: boolean }
  /** Drop the persisted protocol and authorization_state. */
  | { do: "forget_session" }
  | { do: "state"; from: ConnectionState; to: ConnectionState; reason: string }
  | { do: "count"; what: Counted; detail?: string };
