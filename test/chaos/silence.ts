import type { CallRecord } from "./call-record.ts";

/** Ms since the call began. */
interface Gap {
  from: number;
  to: number;
}

/** When nothing was heard, up to the call's end or the run's. */
function gapsOf({ call, heard, ended_at, seen_until }: CallRecord): Gap[] {
  const gaps: Gap[] = [];
  let quiet_from = 0;
  const sounds = heard.heard.filter(({ sound }) => sound !== "silence");
  for (const { from_ms, to_ms } of sounds.toSorted((a, b) => a.from_ms - b.from_ms)) {
    if (from_ms > quiet_from) gaps.push({ from: quiet_from, to: from_ms });
    quiet_from = Math.max(quiet_from, to_ms ?? Number.POSITIVE_INFINITY);
  }
  const end = (ended_at ?? seen_until) - call.began_at;
  if (end > quiet_from) gaps.push({ from: quiet_from, to: end });
  return gaps;
}

/** The longest silence before a moment, in ms. */
export function silenceBefore(record: CallRecord, at: number): number {
  const until = at - record.call.began_at;
  return longest(gapsOf(record).map(({ from, to }) => Math.min(to, until) - from));
}

/** The longest silence after a moment, in ms. */
export function silenceAfter(record: CallRecord, at: number): number {
  const since = at - record.call.began_at;
  return longest(gapsOf(record).map(({ from, to }) => to - Math.max(from, since)));
}

function longest(spans_ms: readonly number[]): number {
  return Math.max(0, ...spans_ms);
}
