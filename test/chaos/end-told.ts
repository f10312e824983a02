import type { JournalEntry } from "../carrier/journal.ts";
import { callOf, frameOf } from "./records.ts";

/** What reached the Worker may have been sent in the same moment as the recording ended. */
const SAME_MOMENT_MS = 100;
const OK = 200;

/**
 * Whether anything that reached the Worker said that a conference, or somebody's stay in it, was over when its recording was: an event, a
 * callback, or a call of it that came back by its document.
 */
export function wasEndTold(entries: readonly JournalEntry[], conference_id: string): boolean {
  const ended = entries.find(
    (entry) =>
      entry.kind === "recording" &&
      entry["status"] === "completed" &&
      entry["conference_id"] === conference_id,
  );
  if (!ended) return false;
  const isOfItsEnd = (entry: JournalEntry) => entry.at >= ended.at - SAME_MOMENT_MS;
  const calls = new Set(
    entries.flatMap((entry) => {
      const isLeave = entry.kind === "conference" && entry["status"] === "participant-leave";
      return isLeave && entry["conference_id"] === conference_id && isOfItsEnd(entry)
        ? (callOf(entry) ?? [])
        : [];
    }),
  );
  return entries.some((entry) => {
    if (!isOfItsEnd(entry)) return false;
    const isItsCalls = calls.has(callOf(entry) ?? "");
    switch (entry.kind) {
      case "status_callback":
        return (entry["conference_id"] === conference_id || isItsCalls) && isTaken(entry["http_status"]);
      case "webhook":
        return isItsCalls && isTaken(entry["status"]);
      case "frame_out": {
        const { method, params } = frameOf(entry);
        return (
          method === "signalwire.event" && (isItsCalls || params?.params?.conference_id === conference_id)
        );
      }
      default:
        return false;
    }
  });
}

function isTaken(status: unknown): boolean {
  return typeof status === "number" && status >= OK && status < OK + 100;
}
