import type { LookReply, LookRequest } from "./contract.ts";
import type { Health } from "./health.ts";
import type { Placement, Placements } from "./placements.ts";

/**
 * Where a call is that came back from a hold or a ring. What is answered for good is kept: the same step asks again, the
 * same answer. `unsettled` is not kept: the Worker asks REST, and looks again with what it heard.
 */
export function look(placements: Placements, health: Health, request: LookRequest, now: number): LookReply {
  const row = placements.find(request);
  if (!row) return { v: 1, outcome: "unsettled", reason: "the session knows no such placement" };
  if (row.asking_step === request.asking_step && row.answer) return row.answer;
  const answer = settle(placements, health, row, request.rest, now);
  if (answer.outcome === "unsettled") return answer;
  placements.update(row, {
    asking_step: request.asking_step,
    answer,
    ...(answer.outcome === "joined" ? { stay_at: now } : {}),
  });
  return answer;
}

function settle(
  placements: Placements,
  health: Health,
  row: Placement,
  rest: LookRequest["rest"],
  now: number,
): LookReply {
  const place = { v: 1 as const, room: row.room, join: row.join };
  switch (row.state) {
    case "joined":
      return { ...place, outcome: "joined", reason: "participant-join was seen" };
    case "left":
    case "failed":
      return { ...place, outcome: "over", reason: row.reason };
    case "planned":
    case "rejected":
    case "by_document":
      // It came back, so it lives: now what was doubtful is known.
      if (row.doubt === "taken out") health.failed("joined, and taken out by a document", now);
      if (row.doubt === "404") health.failed("404, and the call lived", now);
      if (row.doubt !== null) placements.update(row, { doubt: null });
      return { ...place, outcome: "document", reason: row.reason };
    case "sending":
    case "accepted":
    case "unknown":
      break;
    default:
      return row.state satisfies never;
  }
  if (!rest) return { v: 1, outcome: "unsettled", reason: `${row.state}, and no event has come` };
  if (rest.said === "found") {
    placements.move(row, "joined", { joined_by: "relay", conference_id: rest.conference_id });
    return { ...place, outcome: "joined", reason: "REST found the call in its room" };
  }
  const reason =
    rest.said === "absent" ? "REST: the call is not in its room" : "nobody could say where the call is";
  placements.move(row, "by_document", { joined_by: "document", reason });
  return { ...place, outcome: "document", reason };
}
