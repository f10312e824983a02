import type { DemoTenant } from "./call.ts";

/** Everything by SWML, and RELAY is well: what the rules can say of who goes where. */
export const acme: DemoTenant = {
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
        shows: "west desk, by the caller's prefix",
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
        shows: "waits for the moderator",
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
        shows: "waits for the moderator as well",
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
          rule: "audience",
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
          // Its leave ends the conference, and others are in it.
          outcome: "document",
          conference: "acme:standup",
          joined_by: "document",
          hears: { sound: "conference", contains: "acme:standup" },
        },
      },
    ],
  ],
};
