import type { JournalEntry } from "../carrier/journal.ts";
import { callOf, frameOf } from "./records.ts";

/** What reached the Worker may have been sent in the same moment as the recording ended. */
const SAME_MOMENT_MS = 100;
const OK = 200;

/** What is told of a conference that is over, or of its recording. */
const ENDS = new Set(["conference-end", "record-stop", "completed"]);

/**
 * Whether what reached the Worker said that a conference was over when its recording was: its own end or its recording's, or that each
 * of those who were inside then was out of it, by an event, a callback, or a document by which the call came back.
 */
export function wasEndTold(entries: readonly JournalEntry[], conference_id: string): boolean {
  const ended = entries.find(
    (entry) =>
      entry.kind === "recording" &&
      entry["status"] === "completed" &&
      entry["conference_id"] === conference_id,
  );
  if (!ended) return false;
  const since = entries.filter(({ at }) => at >= ended.at - SAME_MOMENT_MS);
  const inside = new Set(
    since.flatMap((entry) => {
      const isLeave = entry.kind === "conference" && entry["status"] === "participant-leave";
      return isLeave && entry["conference_id"] === conference_id ? (callOf(entry) ?? []) : [];
    }),
  );
  const told = since.filter(reachedUs);
  const isOver = told.some((entry) => {
    const { conference_id: id, status } = saidIn(entry);
    return id === conference_id && ENDS.has(String(status));
  });
  const calls = new Set(told.map(callOf));
  return isOver || [...inside].every((call_id) => calls.has(call_id));
}

function reachedUs(entry: JournalEntry): boolean {
  switch (entry.kind) {
    case "status_callback":
      return isTaken(entry["http_status"]);
    case "webhook":
      return isTaken(entry["status"]);
    case "frame_out":
      return frameOf(entry).method === "signalwire.event";
    default:
      return false;
  }
}

function saidIn(entry: JournalEntry): { conference_id?: unknown; status?: unknown } {
  if (entry.kind === "frame_out") return frameOf(entry).params?.params ?? {};
  return { conference_id: entry["conference_id"], status: entry["status"] };
}

function isTaken(status: unknown): boolean {
  return typeof status === "number" && status >= OK && status < OK + 100;
}
