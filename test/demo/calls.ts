import type { CallRequest, ProjectSettings } from "../carrier/settings.ts";

type Fault = NonNullable<ProjectSettings["faults"]>[number];

/** Where a call must end up by its rule, and what its caller must have heard on the way. */
export interface Expected {
  /** Null: no rule matches, and the fallback speaks. */
  rule: string | null;
  /** How the webhook that decided it was answered. */
  outcome: "accepted" | "document" | "unknown" | "reject" | "hand_over";
  /** The name on the wire; null where there is none. */
  conference: string | null;
  joined_by: "relay" | "document" | null;
  hears: { sound: "say" | "music" | "conference" | "ring"; contains?: string };
}

export interface DemoCall {
  /** What it shows, for the table. */
  shows: string;
  request: Omit<CallRequest, "call_id" | "url">;
  expected: Expected;
  /** What goes wrong at the carrier for this call alone; once, unless it says how often. */
  faults?: readonly Fault[];
}

/** A tenant on a project of its own, so that one's bad luck with RELAY is not another's. */
export interface DemoTenant {
  tenant: string;
  /** What goes wrong at the carrier for the whole project. */
  faults?: readonly Fault[];
  /** The calls of one act come at once; the next act begins when all of them are in their places. */
  acts: readonly (readonly DemoCall[])[];
}

const support = { rule: "support", outcome: "document", joined_by: "document" } as const;
const join = { method: "calling.join_conference" };

/** Every tenant has the same rules: `rules.json`. */
export const tenants: readonly DemoTenant[] = [
  {
    tenant: "acme",
    acts: [
      [
        {
          shows: "VIP, by a list",
          request: { from: "+15550100001", to: "+15550100100" },
          expected: {
            rule: "vip",
            outcome: "accepted",
            conference: "acme:vip-+15550100001",
            joined_by: "relay",
            hears: { sound: "music" },
          },
        },
        {
          shows: "support; its webhook comes twice",
          request: { from: "+15550100002", to: "+15550100100", duplicate_webhooks: 2 },
          expected: {
            rule: "support",
            outcome: "accepted",
            conference: "acme:support",
            joined_by: "relay",
            hears: { sound: "conference" },
          },
        },
        {
          shows: "support, in the same room",
          request: { from: "+15550100003", to: "+15550100100" },
          expected: {
            rule: "support",
            outcome: "accepted",
            conference: "acme:support",
            joined_by: "relay",
            hears: { sound: "conference" },
          },
        },
        {
          shows: "another desk, by the caller's prefix",
          request: { from: "+15550200004", to: "+15550100100" },
          expected: {
            rule: "west",
            outcome: "accepted",
            conference: "acme:support-west",
            joined_by: "relay",
            hears: { sound: "music" },
          },
        },
        {
          shows: "participant, waits for the moderator",
          request: { from: "+15550100011", to: "+15550100110" },
          expected: {
            rule: "standup",
            outcome: "accepted",
            conference: "acme:standup",
            joined_by: "relay",
            hears: { sound: "music", contains: "acme:standup" },
          },
        },
        {
          shows: "participant, waits as well",
          request: { from: "+15550100012", to: "+15550100110" },
          expected: {
            rule: "standup",
            outcome: "accepted",
            conference: "acme:standup",
            joined_by: "relay",
            hears: { sound: "music", contains: "acme:standup" },
          },
        },
        {
          shows: "an announcement, then the room",
          request: { from: "+15550100020", to: "+15550100120" },
          expected: {
            rule: "town-hall",
            outcome: "accepted",
            conference: "acme:town-hall",
            joined_by: "relay",
            hears: { sound: "say", contains: "Welcome to the town hall." },
          },
        },
        {
          shows: "listener, muted",
          request: { from: "+15550100021", to: "+15550100121" },
          expected: {
            rule: "town-hall-audience",
            outcome: "accepted",
            conference: "acme:town-hall",
            joined_by: "relay",
            hears: { sound: "conference", contains: "acme:town-hall" },
          },
        },
        {
          shows: "SIP, room named by a header",
          request: {
            type: "sip",
            from: "sip:alice@branch.example.com",
            to: "sip:reception@desks.example.com",
            headers: [{ name: "X-Room", value: "lobby" }],
          },
          expected: {
            rule: "desk-phones",
            outcome: "accepted",
            conference: "acme:desk-lobby",
            joined_by: "relay",
            hears: { sound: "music" },
          },
        },
        {
          shows: "room named by a parameter",
          request: { from: "+15550100030", to: "+15550100130", params: { team: "blue" } },
          expected: {
            rule: "teams",
            outcome: "accepted",
            conference: "acme:team-blue",
            joined_by: "relay",
            hears: { sound: "music" },
          },
        },
        {
          shows: "closed: a line, then goodbye",
          request: { from: "+15550100040", to: "+15550100140" },
          expected: {
            rule: "closed",
            outcome: "reject",
            conference: null,
            joined_by: null,
            hears: { sound: "say", contains: "We are closed." },
          },
        },
        {
          shows: "busy, never answered",
          request: { from: "+15550100041", to: "+15550100141" },
          expected: {
            rule: "busy",
            outcome: "reject",
            conference: null,
            joined_by: null,
            hears: { sound: "ring" },
          },
        },
        {
          shows: "handed over to voicemail",
          request: { from: "+15550100050", to: "+15550100150" },
          expected: {
            rule: "night",
            outcome: "hand_over",
            conference: null,
            joined_by: null,
            hears: { sound: "say", contains: "Leave a message" },
          },
        },
        {
          shows: "a number no rule knows",
          request: { from: "+15550100060", to: "+15550100199" },
          expected: {
            rule: null,
            outcome: "reject",
            conference: null,
            joined_by: null,
            hears: { sound: "say", contains: "This number is not in use." },
          },
        },
      ],
      [
        {
          shows: "the moderator: the room starts",
          request: { from: "+15550100010", to: "+15550100110" },
          expected: {
            rule: "standup-chair",
            outcome: "accepted",
            conference: "acme:standup",
            joined_by: "relay",
            hears: { sound: "conference", contains: "acme:standup" },
          },
        },
      ],
    ],
  },
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
          shows: "RELAY cut off, the join lost with it",
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
          shows: "RELAY cut off, the join made unseen",
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
