import type { DemoCall, DemoTenant, Via } from "./call.ts";

const bridge = "+15550100190";
const adviser = "+15550100180";

/** PINs that a tenant's KV holds, as `npx partyline secret` would put them there. */
export const pins = {
  "4711": { room: "team-a", role: "chair" },
  "1234": { room: "team-a" },
};

function entersPin(via: Via, from: string, shows: string, keyed: readonly string[], rule: string): DemoCall {
  return {
    shows,
    via,
    request: { from, to: bridge },
    keys: keyed.map((digits, nth) => ({
      hears: nth === 0 ? "Enter your PIN" : "That PIN is not known.",
      press: `${digits}#`,
    })),
    expected: {
      rule,
      outcome: via === "cxml" ? "document" : "accepted",
      conference: "desk:team-a",
      joined_by: via === "cxml" ? "document" : "relay",
      hears: { sound: "conference", contains: "desk:team-a" },
    },
  };
}

/** Numbers set up in each of the three ways meet in the same rooms; callers are asked for a PIN, or wait. */
export const desk: DemoTenant = {
  tenant: "desk",
  acts: [
    [
      {
        shows: "support, from a number with SWML",
        request: { from: "+15550100101", to: "+15550100100" },
        expected: {
          rule: "support",
          outcome: "accepted",
          conference: "desk:support",
          joined_by: "relay",
          hears: { sound: "conference" },
        },
      },
      {
        shows: "support, from one with cXML",
        via: "cxml",
        request: { from: "+15550100102", to: "+15550100100" },
        expected: {
          rule: "support",
          outcome: "document",
          conference: "desk:support",
          joined_by: "document",
          hears: { sound: "conference" },
        },
      },
      {
        shows: "support, from a RELAY context",
        via: "relay",
        request: { from: "+15550100103", to: "+15550100100" },
        expected: {
          rule: "support",
          outcome: "accepted",
          conference: "desk:support",
          joined_by: "relay",
          hears: { sound: "conference" },
        },
      },
      {
        shows: "RELAY: words, then the room",
        via: "relay",
        request: { from: "+15550100106", to: "+15550100170" },
        expected: {
          rule: "team",
          outcome: "accepted",
          conference: "desk:team-standup",
          joined_by: "relay",
          hears: { sound: "say", contains: "Joining the team conference." },
        },
      },
      {
        shows: "cXML: a line, then goodbye",
        via: "cxml",
        request: { from: "+15550100104", to: "+15550100140" },
        expected: {
          rule: "closed",
          outcome: "reject",
          conference: null,
          joined_by: null,
          hears: { sound: "say", contains: "We are closed." },
        },
      },
      {
        shows: "cXML: words, then the room",
        via: "cxml",
        request: { from: "+15550100105", to: "+15550100120" },
        expected: {
          rule: "town-hall",
          outcome: "document",
          conference: "desk:town-hall",
          joined_by: "document",
          hears: { sound: "say", contains: "Welcome to the town hall." },
        },
      },
      entersPin("swml", "+15550100110", "a member's PIN", ["1234"], "member"),
      entersPin("cxml", "+15550100111", "cXML: wrong PIN, then the chair's", ["9999", "4711"], "chair"),
      entersPin("relay", "+15550100112", "RELAY: a member's PIN", ["1234"], "member"),
      {
        shows: "three wrong PINs: goodbye",
        request: { from: "+15550100113", to: bridge },
        keys: [
          { hears: "Enter your PIN", press: "9999#" },
          { hears: "That PIN is not known.", press: "8888#" },
          { hears: "That PIN is not known.", press: "7777#" },
        ],
        expected: {
          rule: "bridge",
          outcome: "reject",
          conference: null,
          joined_by: null,
          hears: { sound: "say", contains: "Please ask for your PIN." },
        },
      },
      {
        shows: "takes the adviser's one seat",
        request: { from: "+15550100120", to: adviser },
        leaves: true,
        expected: {
          rule: "adviser",
          outcome: "accepted",
          conference: "desk:adviser",
          joined_by: "relay",
          hears: { sound: "music" },
        },
      },
    ],
    [
      {
        shows: "in line until the seat is free",
        request: { from: "+15550100121", to: adviser },
        waits: { hears: "You are number 1", until: { hangs_up: "+15550100120" } },
        expected: {
          rule: "adviser",
          outcome: "waiting",
          conference: "desk:adviser",
          joined_by: "document",
          hears: { sound: "say", contains: "Somebody will be with you soon." },
        },
      },
      {
        shows: "in the lobby until admitted",
        request: { from: "+15550100122", to: "+15550100185" },
        waits: { hears: "Please wait to be let in.", until: "admitted" },
        expected: {
          rule: "board",
          outcome: "waiting",
          conference: "desk:board",
          joined_by: "document",
          hears: { sound: "ring" },
        },
      },
    ],
  ],
};
