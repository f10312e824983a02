import * as z from "zod";
import type { Frame } from "./frames.ts";
import type { RelaySettings, Resume } from "./inputs.ts";

/** How `signalwire.connect` was answered. `why` holds no text of the server's that could quote a secret. */
export type Handshake =
  | { kind: "accepted"; protocol: string; restored: boolean }
  /** `of`: whether it is the credentials that are refused, by the server's own word. */
  | { kind: "refused"; of: "credentials" | "connection"; why: string }
  /** The server's trouble, not ours. */
  | { kind: "failed"; why: string };

/** Stands for HTTP's 401. */
const UNAUTHORIZED = -32401;

// The connect result is the one that has no `code`.
const connectResult = z.looseObject({
  protocol: z.string().min(1),
  session_restored: z.boolean().optional().catch(undefined),
});

/** The params of `signalwire.connect`, protocol version 2.0.0; what there is nothing to say about is left out. */
export function connectParams(
  settings: RelaySettings,
  contexts: readonly string[],
  resume: Resume,
): Record<string, unknown> {
  return {
    version: { major: 2, minor: 0, revision: 0 },
    agent: settings.agent,
    event_acks: true,
    authentication: { project: settings.project, token: settings.token },
    ...(contexts.length === 0 ? {} : { contexts }),
    ...resume,
  };
}

/** @param asked the protocol that was to be resumed, if any. */
export function readHandshake(
  answer: Extract<Frame, { kind: "result" | "error" }>,
  asked: string | undefined,
): Handshake {
  if (answer.kind === "error") {
    const { code, signalwire_code } = answer;
    const name =
      signalwire_code !== undefined && /^[A-Z_]+$/.test(signalwire_code) ? ` ${signalwire_code}` : "";
    const why = `error ${code}${name}`;
    if (code === UNAUTHORIZED || signalwire_code === "AUTH_REQUIRED")
      return { kind: "refused", of: "credentials", why };
    return isTrouble(code) ? { kind: "failed", why } : { kind: "refused", of: "connection", why };
  }
  const read = connectResult.safeParse(answer.result);
  if (!read.success) return { kind: "failed", why: "signalwire.connect was answered without a protocol" };
  const { protocol, session_restored } = read.data;
  return { kind: "accepted", protocol, restored: session_restored ?? protocol === asked };
}

/**
 * Codes that speak of the server: JSON-RPC's internal error, and, as -32401 stands for HTTP's 401, those that stand for
 * 408, 429 and 5xx. Any other error is a refusal: -32000 came with "auth rejected" in SignalWire's own tests.
 */
function isTrouble(code: number): boolean {
  return code === -32603 || code === -32408 || code === -32429 || (code <= -32500 && code >= -32599);
}
