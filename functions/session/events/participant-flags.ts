import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Placements } from "../store/placements.ts";

const SAID: Record<string, { muted?: number; held?: number }> = {
  "participant-mute": { muted: 1 },
  "participant-unmute": { muted: 0 },
  "participant-hold": { held: 1 },
  "participant-unhold": { held: 0 },
};

/**
 * Keeps whether a participant is muted and held, as the newest event says. Written only if that changes.
 * @param tenant whose callback told it, and whose call it must be.
 */
export function noteFlags(placements: Placements, event: RelayEvent, tenant?: string): void {
  if (event.kind !== "conference") return;
  const { call_id, name, status, muted, hold, coaching } = event.params;
  const [row] = call_id === undefined ? [] : placements.currentOf(call_id, tenant);
  if (!row || row.room !== name) return;
  const isJoin = status === "participant-join" || status === "participant-modify";
  const said = isJoin ? { muted: flag(muted), held: flag(hold) } : SAID[status];
  if (!said) return;
  // No event tells which call it coaches.
  if (isJoin && coaching === false && row.coaching !== null) placements.update(row, { coaching: null });
  const ts = event.timestamp ?? null;
  if (ts !== null && row.flags_ts !== null && ts < row.flags_ts) return;
  const changed = { muted: said.muted ?? row.muted, held: said.held ?? row.held };
  if (changed.muted !== row.muted || changed.held !== row.held) {
    placements.update(row, { ...changed, flags_ts: ts ?? row.flags_ts });
  } else if (ts !== null) {
    // In memory only: both flags on disk are the same.
    row.flags_ts = ts;
  }
}

function flag(said: boolean | undefined): number | undefined {
  return said === undefined ? undefined : Number(said);
}
