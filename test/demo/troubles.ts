import type { DemoTenant } from "./call.ts";

const support = { rule: "support", outcome: "document", joined_by: "document" } as const;
const join = { method: "calling.join_conference" };

/** What happens where RELAY does not do what it is asked. */
export const troubled: readonly DemoTenant[] = [
  {
    tenant: "frail",
    acts: [
      [
        {
          shows: "RELAY refuses the join: 409",
          request: { from: "+15550100070", to: "+15550100100" },
          faults: [{ at: "command", match: join, do: { kind: "refuse" } }],
          expected: { ...support, conference: "frail:support", hears: { sound: "music" } },
        },
      ],
      [
        {
          shows: "RELAY does not see the call: 404",
          request: { from: "+15550100071", to: "+15550100100" },
          faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "404" } }],
          expected: { ...support, conference: "frail:support", hears: { sound: "conference" } },
        },
      ],
      [
        {
          shows: "RELAY cut off, the join is lost",
          request: { from: "+15550100072", to: "+15550100100" },
          faults: [{ at: "command", match: join, do: { kind: "drop_socket" } }],
          expected: {
            ...support,
            outcome: "unknown",
            conference: "frail:support",
            hears: { sound: "conference" },
          },
        },
      ],
      [
        {
          shows: "RELAY cut off, the join unseen",
          request: { from: "+15550100073", to: "+15550100100" },
          faults: [
            { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
            { at: "status_callback", times: 3, do: { kind: "refuse" } },
            { at: "command", match: join, do: { kind: "close_after" } },
          ],
          expected: {
            ...support,
            outcome: "unknown",
            conference: "frail:support",
            joined_by: "relay",
            hears: { sound: "conference" },
          },
        },
      ],
    ],
  },
  {
    tenant: "offline",
    faults: [{ at: "connect", do: { kind: "refuse" } }],
    acts: [
      [
        {
          shows: "RELAY out of reach",
          request: { from: "+15550100080", to: "+15550100100" },
          expected: { ...support, conference: "offline:support", hears: { sound: "music" } },
        },
      ],
    ],
  },
];
