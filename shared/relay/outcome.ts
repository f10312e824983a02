import * as z from "zod";
import { clip, type Frame } from "./frames.ts";

/**
 * How a command ended. `message` is the server's own text, cut at 500 characters; it may quote the command's parameters,
 * so it is not for logs where those hold a secret.
 */
export type Outcome =
  | { kind: "ok"; code: string; result: Record<string, unknown> }
  /** No such call (404), or it was there and is gone (410): ordinary, the caller may have hung up. */
  | { kind: "gone"; code: "404" | "410"; message: string }
  /** 409: the call is connected already, or another client controls it. */
  | { kind: "conflict"; message: string }
  /** Any other code; empty where the result had none. */
  | { kind: "failed"; code: string; message: string }
  /** A JSON-RPC error; 0 where it had no code. */
  | { kind: "error"; code: number; message: string }
  /** Sent, and no answer by the deadline, or the socket was lost: it may have been carried out. */
  | { kind: "unanswered" }
  /** Never on the wire. */
  | { kind: "unsent"; why: UnsentReason };

export type UnsentReason = "deadline" | "queue_full" | "refused" | "closed" | "not_connected";

// A code is a string on the wire; a number is read as what it plainly means.
const commandResult = z.looseObject({
  code: z.union([z.string(), z.number().transform(String)]),
  message: z.string().catch(""),
});

/** Sorts the answer to a command. Nothing without a code of 2xx is a success. */
export function outcomeOf(answer: Extract<Frame, { kind: "result" | "error" }>): Outcome {
  if (answer.kind === "error") return { kind: "error", code: answer.code, message: answer.message };
  const read = commandResult.safeParse(answer.result);
  if (!read.success) return { kind: "failed", code: "", message: "The result has no code." };
  const code = clip(read.data.code);
  const message = clip(read.data.message);
  if (/^2\d\d$/.test(code)) return { kind: "ok", code, result: read.data };
  if (code === "404" || code === "410") return { kind: "gone", code, message };
  if (code === "409") return { kind: "conflict", message };
  return { kind: "failed", code, message };
}

/** RELAY asks to come again later: nothing was carried out. */
export function isBusy(outcome: Outcome): boolean {
  return outcome.kind === "failed" && outcome.code === "429";
}

/** In words for a log or a status page: codes alone, since the server's own text may quote a command's secrets. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "ok":
      return "accepted";
    case "gone":
      return outcome.code;
    case "conflict":
      return "409";
    case "failed":
      return `code ${outcome.code || "missing"}`;
    case "error":
      return `JSON-RPC error ${outcome.code}`;
    case "unanswered":
      return "no answer";
    case "unsent":
      return `not sent (${outcome.why})`;
    default:
      return outcome satisfies never;
  }
}
