import * as z from "zod";

/** A JSON-RPC id as the peer wrote it; SignalWire's are UUIDs, and an answer repeats what came. */
export type FrameId = string | number;

/** One text frame, told apart by what it asks of us. `junk` is everything that is none of the others. */
export type Frame =
  | { kind: "request"; id: FrameId | null; method: string; params: unknown }
  | { kind: "result"; id: FrameId | null; result: unknown }
  | { kind: "error"; id: FrameId | null; code: number; message: string; signalwire_code?: string }
  | { kind: "junk"; reason: JunkReason };

export type JunkReason = "binary" | "too large" | "not JSON" | "not JSON-RPC";

/** JSON-RPC 2.0's own error codes that we answer with. */
export const METHOD_NOT_FOUND = -32601;
export const INVALID_PARAMS = -32602;

/** Longest text of the server's that is kept of an error or a result, in UTF-16 units. */
const MESSAGE_LENGTH = 500;

const encoder = new TextEncoder();

// `jsonrpc` may be missing, since the published clients never look at it; another version is refused.
const envelope = z.looseObject({
  jsonrpc: z.literal("2.0").optional(),
  id: z.union([z.string(), z.number(), z.null()]).optional(),
  method: z.string().min(1).optional(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

const errorBody = z.looseObject({
  code: z.coerce.number().int().catch(0),
  message: z.string().catch(""),
  data: z.looseObject({ signalwire_error_code: z.string().optional() }).optional().catch(undefined),
});

/**
 * Reads one WebSocket message. Never throws.
 * @param data the text, or the size of a binary message (RELAY sends text alone).
 * @param limit_bytes the largest frame that is looked into, in bytes of UTF-8.
 */
export function readFrame(data: string | { binary: number }, limit_bytes: number): Frame {
  if (typeof data !== "string") return { kind: "junk", reason: "binary" };
  if (exceeds(data, limit_bytes)) return { kind: "junk", reason: "too large" };
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return { kind: "junk", reason: "not JSON" };
  }
  const read = envelope.safeParse(json);
  if (!read.success) return { kind: "junk", reason: "not JSON-RPC" };
  const { id = null, method, params, result, error } = read.data;
  if (method !== undefined) return { kind: "request", id, method, params };
  if (error !== undefined && error !== null) return { kind: "error", id, ...readError(error) };
  if (result !== undefined) return { kind: "result", id, result };
  return { kind: "junk", reason: "not JSON-RPC" };
}

/** A request frame's text. */
export function request(id: string, method: string, params: Record<string, unknown>): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

/** The empty result that answers events, pings and disconnects. */
export function reply(id: FrameId): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: {} });
}

export function replyError(id: FrameId, code: number, message: string): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}

/** The server's own words, cut to a length that a row or a log line can hold. */
export function clip(text: string): string {
  return text.length > MESSAGE_LENGTH ? `${text.slice(0, MESSAGE_LENGTH)}…` : text;
}

function readError(error: unknown): { code: number; message: string; signalwire_code?: string } {
  const read = errorBody.safeParse(error);
  if (!read.success) return { code: 0, message: "The error is not an object." };
  const signalwire_code = read.data.data?.signalwire_error_code;
  return {
    code: read.data.code,
    message: clip(read.data.message),
    ...(signalwire_code === undefined ? {} : { signalwire_code: clip(signalwire_code) }),
  };
}

/** Counts bytes only where the length in UTF-16 units leaves it open: a unit is one to three bytes. */
function exceeds(text: string, limit_bytes: number): boolean {
  if (text.length > limit_bytes) return true;
  if (text.length * 3 <= limit_bytes) return false;
  return encoder.encode(text).byteLength > limit_bytes;
}

/** What this client sends for itself and answers to; the commands are the caller's own. */
export const SIGNALWIRE = {
  connect: "signalwire.connect",
  event: "signalwire.event",
  ping: "signalwire.ping",
  disconnect: "signalwire.disconnect",
  receive: "signalwire.receive",
  unreceive: "signalwire.unreceive",
} as const;
