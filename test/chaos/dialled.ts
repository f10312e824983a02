import type { Call } from "../carrier/calls.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import { MAX_DURATION } from "./judge.ts";

type DialledCall = Pick<Call, "call_id" | "facts" | "end_reason" | "times">;

/** For the way there and for a busy machine. */
const TOLERANCE_MS = 250;

/** Calls that we made and that ended because their time was over, before what was asked for it. */
export function cutCalls(calls: Iterable<DialledCall>, entries: readonly JournalEntry[]): DialledCall[] {
  const limits = new Map(entries.flatMap(limitOf));
  return [...calls].filter(({ facts, end_reason, times }) => {
    if (facts.origin !== "dial" || end_reason !== MAX_DURATION) return false;
    const lasted_ms = (times.end_time ?? times.start_time) - (times.answer_time ?? times.start_time);
    return lasted_ms < (limits.get(facts.tag ?? "") ?? 0) - TOLERANCE_MS;
  });
}

interface DialFrame {
  method?: string;
  params?: {
    tag?: string;
    max_duration?: number;
    devices?: { params?: { max_duration?: number } }[][];
  };
}

/** The tag of a dial, with its limit in ms: a device's is in seconds, and what a dial names beside its devices meant as minutes. */
function limitOf(entry: JournalEntry): [string, number][] {
  if (entry.kind !== "frame_in") return [];
  const { method, params } = (entry["frame"] ?? {}) as DialFrame; // As the carrier has judged it.
  if (method !== "calling.dial" || params?.tag === undefined) return [];
  const { tag, devices = [], max_duration } = params;
  const [limit_s = max_duration === undefined ? 0 : max_duration * 60] = devices
    .flat()
    .flatMap((device) => device.params?.max_duration ?? []);
  return [[tag, limit_s * 1000]];
}
