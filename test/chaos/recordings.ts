import type { Conference } from "../carrier/conferences.ts";
import type { CallRecord } from "./call-record.ts";
import { NOTICE } from "./rules.ts";

/** What is said where the rule's own notice could not be played. */
const PLAINER_NOTICE = "This call may be recorded.";

interface Recorded {
  conference_id: string;
  recording: Conference["recording"];
}

/** Participants who are inside when a recording begins are told by REST within this. */
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
    if (heard.heard.some(({ detail }) => detail.includes(NOTICE) || detail.includes(PLAINER_NOTICE)))
      return false;
    return stays.some(({ conference_id, from, to }) => {
      const span = spans.get(conference_id);
      if (span === undefined) return false;
      const recorded_ms = Math.min(span.to, to ?? Number.POSITIVE_INFINITY) - Math.max(span.from, from);
      return recorded_ms > (from < span.from ? TOLD_WITHIN_MS : 0);
    });
  });
}

/**
 * Recordings that are over, and of whose end the rule's own server was not told.
 * @param told the bodies of what it was told, each of which names the recording by its id, or in its URL.
 */
export function untoldRecordings(
  conferences: Iterable<Recorded>,
  told: readonly string[],
): { conference_id: string; sid: string }[] {
  return [...conferences].flatMap(({ conference_id, recording }) => {
    if (recording?.state !== "stopped") return [];
    const { sid } = recording;
    return told.some((body) => body.includes(sid)) ? [] : [{ conference_id, sid }];
  });
}
