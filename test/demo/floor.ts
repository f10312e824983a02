import type { DemoTenant } from "./call.ts";

export const SPEAKER = "+15550100090";
export const MOVED = "+15550100091";
/** Calls once the room is locked. */
export const LATE = "+15550100092";
export const NUMBER = "+15550100100";

const support = { rule: "support", outcome: "accepted", joined_by: "relay" } as const;

/** Two callers in one room, for an operator to work with. */
export const floor: DemoTenant = {
  tenant: "floor",
  acts: [
    [
      {
        shows: "in an operator's hands, below",
        request: { from: SPEAKER, to: NUMBER },
        expected: { ...support, conference: "floor:support", hears: { sound: "conference" } },
      },
      {
        shows: "the same",
        request: { from: MOVED, to: NUMBER },
        expected: { ...support, conference: "floor:support", hears: { sound: "conference" } },
      },
    ],
  ],
};
