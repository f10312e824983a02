/**
 * How a call stands: what its newest webhook was answered with, why it was let into no room, or the state of its placement.
 */
export const callOutcomes = [
  // Answers.
  "accepted",
  "document",
  "unknown",
  "over",
  "reject",
  "hand_over",
  "ask",
  "no_pin",
  "announce",
  "hold",
  "unsettled",
  "not_in",
  "fallback",
  "apology",
  // Let into no room.
  "full",
  "absent",
  "several",
  "waited",
  "declined",
  // States of placements.
  "waiting",
  "planned",
  "sending",
  "joined",
  "left",
  "rejected",
  "by_document",
  "failed",
] as const;

export type CallOutcome = (typeof callOutcomes)[number];
