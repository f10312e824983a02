import type { Via } from "./call.ts";
import type { Played } from "./playing.ts";

/** What `--json` prints of a call, in this order. */
export interface Row {
  call_id: string;
  via: Via;
  from: string;
  to: string;
  rule: string | null;
  outcome: string | null;
  /** The name on the wire; null where the call never was in one. */
  conference: string | null;
  joined_by: "relay" | "document" | null;
  /** From the first webhook, or from a RELAY call's beginning, to the place in the conference; without one, to the webhook's answer. */
  ms: number | null;
}

/** No caller is left without a sound for longer. */
const SILENCE_MS = 3_000;

export function rowOf({ call, view, answers }: Played): Row {
  // Questions and announcements come before the decision is carried out; what comes back later only confirms it.
  const decisive = answers.find(({ outcome }) => outcome !== "ask" && outcome !== "announce");
  const [webhook] = view.webhooks.toSorted((a, b) => a.at - b.at);
  const joined_at = view.joins.at(-1)?.at;
  const took = joined_at === undefined ? webhook?.ms : joined_at - (webhook?.at ?? view.began_at);
  return {
    call_id: call.call_id,
    via: call.via ?? "swml",
    from: view.from,
    to: view.to,
    rule: decisive?.rule ?? null,
    outcome: decisive?.outcome ?? null,
    conference: view.joins.at(-1)?.conference ?? null,
    joined_by: view.joined_by,
    ms: took === undefined ? null : Math.round(took),
  };
}

/** What is not as the call's rule says, in sentences; empty where all is well. */
export function complaintsOf(played: Played): string[] {
  const { call, view, joins_asked, missed } = played;
  const row = rowOf(played);
  const { expected } = call;
  const complaints = (["rule", "outcome", "conference", "joined_by"] as const)
    .filter((field) => row[field] !== expected[field])
    .map((field) => `${field} is ${JSON.stringify(row[field])}, expected ${JSON.stringify(expected[field])}`);
  if (!call.leaves && view.conference !== row.conference) complaints.push("it is in that conference no more");
  const joins = expected.conference === null ? 0 : 1;
  if (view.joins.length !== joins) complaints.push(`joined ${view.joins.length} times, expected ${joins}`);
  if (joins_asked > 1)
    complaints.push(`RELAY was asked to join it ${joins_asked} times, expected once at most`);
  if (view.stranded) complaints.push("the caller was stranded");
  // A ring bridges the time in which nobody knows; a join that was made unseen sounds under it.
  if (view.two_sounds && row.outcome !== "unknown") complaints.push("the caller heard two sounds at once");
  if (view.longest_silence_ms > SILENCE_MS) {
    complaints.push(`the caller heard nothing for ${Math.round(view.longest_silence_ms / 1000)} s`);
  }
  if (missed !== null) complaints.push(missed);
  return complaints.map((complaint) => `${row.from} → ${row.to} (${call.shows}): ${complaint}`);
}
