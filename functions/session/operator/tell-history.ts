import type { Look } from "../../../shared/rules/decision.ts";
import type { KeptAnswer, KeptDecision, Purpose } from "../contract/history.ts";
import type { HistoryEntry } from "../store/history.ts";
import { type Mark, type Placement, readTransitions } from "../store/placement-row.ts";

/** One thing that happened to a call, at a time in ms. */
export type Happening = { at: number } & (
  | {
      what: "webhook";
      purpose: Purpose;
      step: number;
      /** null where it is not known how it was answered: the session was lost meanwhile. */
      outcome: string | null;
      rule: string | null;
      room: string | null;
      reason?: string;
      ms: number | null;
      /** The same webhook had come before, and got the same answer. */
      repeat?: true;
    }
  | {
      what: "decision";
      step: number;
      action: string;
      rule: string | null;
      ruleset: string;
      decided_at: number;
      rooms: string[];
      role: string | null;
      looked_at: Look[];
      more_looked_at: number;
      answers: Record<string, Omit<KeptAnswer, "matched" | "value">>;
    }
  | { what: "command"; step: number | null; command: string; by: "relay" | "rest" | "nobody"; said: string }
  | { what: "placement"; step: number; state: string; room: string; reason: string }
  | { what: "repair"; said: string }
  | { what: "event"; event_type: string; status: string | null; feed: string; conference_id: string | null }
);

/** An event's row, as far as a story needs it. */
export interface KeptEvent {
  at: number;
  feed: string;
  event_type: string;
  status: string | null;
  conference_id: string | null;
}

/** How the answer to a placing webhook reads from what its placement went through next. */
const OUTCOMES: Record<string, string> = {
  accepted: "accepted",
  joined: "accepted",
  unknown: "unknown",
  waiting: "waiting",
  by_document: "document",
  returning: "document",
  left: "over",
  failed: "over",
};

/**
 * Everything that happened, in order. What happened at one instant stays in the order in which it is caused.
 * @param isFirst Whether these are the oldest entries and events: with them the placements are told.
 */
export function tell(
  entries: readonly HistoryEntry[],
  placements: readonly Placement[],
  events: readonly KeptEvent[],
  isFirst: boolean,
): Happening[] {
  const happenings = [
    ...entries.flatMap((entry) => ofEntry(entry, placements)),
    ...(isFirst ? placements.flatMap(ofPlacement) : []),
    ...events.map(
      ({ at, feed, event_type, status, conference_id }): Happening => ({
        at,
        what: "event",
        event_type,
        status,
        feed,
        conference_id,
      }),
    ),
  ];
  return happenings.sort((a, b) => a.at - b.at);
}

/** How the webhook that placed was answered, and when; null while that is not known. */
export function answerOf(row: Placement): { outcome: string; at: number } | null {
  const marks = readTransitions(row.trail);
  const mark = marks.find(({ what }) => what in OUTCOMES);
  if (!mark) return null;
  // What became of the wait was answered to another webhook.
  if (mark.what === "waiting") return { outcome: "waiting", at: mark.at };
  return { outcome: row.turned_away ?? OUTCOMES[mark.what] ?? mark.what, at: mark.at };
}

function ofEntry(entry: HistoryEntry, placements: readonly Placement[]): Happening[] {
  if (entry.kind === "deed") {
    const { deed, by, said } = entry.data;
    if (deed === "repair") return [{ at: entry.at, what: "repair", said }];
    return [{ at: entry.at, what: "command", step: null, command: deed, by, said }];
  }
  const { data } = entry;
  const { step, received_at, purpose, decision } = data;
  const placed = placements.find((row) => row.entry === data.entry && row.step === step);
  const answer = data.outcome === undefined && placed ? answerOf(placed) : null;
  const webhook: Happening = {
    at: received_at,
    what: "webhook",
    purpose,
    step,
    outcome: data.outcome ?? answer?.outcome ?? null,
    rule: data.rule ?? placed?.rule ?? decision?.rule ?? null,
    room: data.room ?? (placed && placed.turned_away === null ? placed.room : null),
    ...(data.reason === undefined ? {} : { reason: data.reason }),
    ms: data.ms ?? (answer ? Math.max(0, answer.at - received_at) : null),
    ...(data.repeat ? { repeat: true } : {}),
  };
  return decision ? [webhook, ofDecision(received_at, step, decision)] : [webhook];
}

function ofDecision(at: number, step: number, { answers, ...decision }: KeptDecision): Happening {
  const shown = Object.entries(answers).map(
    ([name, { matched: _, value: __, ...answer }]) => [name, answer] as const,
  );
  return { at, what: "decision", step, ...decision, answers: Object.fromEntries(shown) };
}

function ofPlacement(row: Placement): Happening[] {
  const { step, room } = row;
  return readTransitions(row.trail).map(({ at, what, why }: Mark): Happening => {
    return what.startsWith("calling.")
      ? { at, what: "command", step, command: what, by: "relay", said: why }
      : { at, what: "placement", step, state: what, room, reason: why };
  });
}
