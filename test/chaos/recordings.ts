import type { Conference } from "../carrier/conferences.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { CallRecord } from "./records.ts";
import { NOTICE } from "./rules.ts";

interface Recorded {
  conference_id: string;
  recording: Conference["recording"];
}

/** Whoever is inside when a recording begins is told then, by REST: within this. */
const TOLD_WITHIN_MS = 10_000;

/** Callers who were in a conference while it was recorded, and were never told that it might be. */
export function recordedWithoutNotice(
  records: readonly CallRecord[],
  conferences: Iterable<Recorded>,
): CallRecord[] {
  const spans = new Map<string, { from: number; to: number }>(
    [...conferences].flatMap(({ conference_id, recording }) => {
      if (!recording) return [];
      const { since, state, duration_s } = recording;
      const to = state === "stopped" ? since + duration_s * 1000 : Number.POSITIVE_INFINITY;
      return [[conference_id, { from: since, to }]];
    }),
  );
  return records.filter(({ stays, heard }) => {
    if (heard.heard.some(({ detail }) => detail.includes(NOTICE))) return false;
    return stays.some(({ conference_id, from, to }) => {
      const span = spans.get(conference_id);
      if (span === undefined) return false;
      const recorded_ms = Math.min(span.to, to ?? Number.POSITIVE_INFINITY) - Math.max(span.from, from);
      return recorded_ms > (from < span.from ? TOLD_WITHIN_MS : 0);
    });
  });
}

/** Conferences that were recorded, and of whose recordings nobody was told in a way that they acknowledged. */
export function untoldRecordings(
  conferences: Iterable<Recorded>,
  entries: readonly JournalEntry[],
): Recorded[] {
  const told = new Set(
    entries
      .filter(({ kind, event_type }) => kind === "status_callback" && event_type === "recording")
      .filter(({ http_status }) => typeof http_status === "number" && http_status < 300)
      .map(({ conference_id }) => conference_id),
  );
  return [...conferences].filter((one) => one.recording?.state === "stopped" && !told.has(one.conference_id));
}
