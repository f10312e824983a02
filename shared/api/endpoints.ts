import * as z from "zod";
import { callOutcomes } from "../call-outcome.ts";
import type { RecordKind } from "../records.ts";
import { strictObject } from "../rules/schema/strict-object.ts";
import {
  announcement,
  changeParticipant,
  changeRecording,
  endRoom,
  lockRoom,
  moveParticipant,
  muteAll,
  plainControl,
  removeParticipant,
} from "./controls.ts";
import { dialBody, dialShown } from "./dial.ts";
import { doctorRequestSchema } from "./doctor.ts";
import type { Endpoint } from "./endpoint.ts";
import { newToken } from "./new-token.ts";
import { afterNumber, filter, instant, kvPage, limit } from "./paging.ts";
import { pinsBody } from "./pins.ts";
import { webhookBody } from "./webhook.ts";

const tenant = "/tenants/:tenant";
const calls = `${tenant}/calls`;
const call = `${calls}/:call_id`;
const conferences = `${tenant}/conferences`;
const conference = `${conferences}/:name`;
const participant = `${conference}/participants/:call_id`;
const lobby = `${conference}/lobby/:call_id`;
const dials = `${tenant}/dials`;
const tokens = `${tenant}/tokens`;
const webhooks = `${tenant}/webhooks`;
const webhook = `${webhooks}/:id`;
const pins = `${tenant}/pins/records`;
/** Bytes of a control's body. */
const CONTROL = 16_384;
const session = "/projects/:project/session";

const NEXT = "must be the next of the page before";

/**
 * Every path of the API, once: routes, OpenAPI, the client and the tests are made from it. A name here is the operation's name
 * everywhere.
 */
export const endpoints = {
  listCalls: {
    method: "GET",
    path: calls,
    scope: "calls:read",
    rooms: "listed",
    summary: "Calls, newest first",
    request: {
      query: strictObject({
        after: afterNumber,
        limit: limit(50),
        room: filter,
        rule: filter,
        outcome: z.enum(callOutcomes).optional(),
        from: filter,
      }),
    },
  },
  getCall: {
    method: "GET",
    path: call,
    scope: "calls:read",
    rooms: "listed",
    summary: "Why a caller is where they are",
    request: {
      query: strictObject({
        trace: z.literal("full").optional(),
        after: z
          .string()
          .regex(/^\d{0,16}\.\d{0,16}$/, NEXT)
          .optional(),
      }),
    },
  },
  endCall: {
    method: "POST",
    path: `${call}/end`,
    scope: "rooms:remove",
    rooms: "listed",
    summary: "Ends a call",
    request: {},
    action: "call.end",
  },
  releaseSeat: {
    method: "POST",
    path: `${call}/release-seat`,
    scope: "rooms:remove",
    rooms: "listed",
    summary: "Frees the seat that a call holds, and does nothing to the call",
    request: {},
    action: "seat.release",
  },
  listConferences: {
    method: "GET",
    path: conferences,
    scope: "rooms:read",
    rooms: "listed",
    summary: "Where the tenant's calls are, by name",
    request: { query: strictObject({ after: filter, limit: limit(200) }) },
  },
  getConference: {
    method: "GET",
    path: conference,
    scope: "rooms:read",
    rooms: "named",
    summary: "Who is in a conference, and who waits for it",
    request: {},
  },
  admitWaiter: {
    method: "POST",
    path: `${lobby}/admit`,
    scope: "lobby",
    rooms: "named",
    summary: "Admits a caller who waits for admission",
    request: {},
    action: "lobby.admit",
  },
  rejectWaiter: {
    method: "POST",
    path: `${lobby}/reject`,
    scope: "lobby",
    rooms: "named",
    summary: "Rejects a caller who waits for admission",
    request: {},
    action: "lobby.reject",
  },
  changeParticipant: {
    method: "PATCH",
    path: participant,
    scope: "rooms:control",
    rooms: "named",
    summary: "Mutes, holds or coaches, or ends that",
    request: { body: changeParticipant },
    body_limit: CONTROL,
    action: "participant.change",
  },
  removeParticipant: {
    method: "DELETE",
    path: participant,
    scope: "rooms:remove",
    rooms: "named",
    summary: "Takes a participant out and ends the call",
    request: { body: removeParticipant.prefault({}) },
    body_limit: CONTROL,
    action: "participant.remove",
  },
  moveParticipant: {
    method: "POST",
    path: `${participant}/move`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Moves a participant to another room",
    request: { body: moveParticipant },
    body_limit: CONTROL,
    action: "participant.move",
  },
  announce: {
    method: "POST",
    path: `${conference}/announcements`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Says or plays something to all, or to one",
    request: { body: announcement },
    body_limit: CONTROL,
    action: "room.announce",
  },
  lockConference: {
    method: "PUT",
    path: `${conference}/lock`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Lets no more callers in, or only those whom an operator admits",
    request: { body: lockRoom.prefault({}) },
    body_limit: CONTROL,
    action: "room.lock",
  },
  unlockConference: {
    method: "DELETE",
    path: `${conference}/lock`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Lets callers in again",
    request: { body: plainControl.prefault({}) },
    body_limit: CONTROL,
    action: "room.unlock",
  },
  muteAll: {
    method: "POST",
    path: `${conference}/mute-all`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Mutes all but some roles, and who comes later",
    request: { body: muteAll.prefault({}) },
    body_limit: CONTROL,
    action: "room.mute_all",
  },
  unmuteAll: {
    method: "DELETE",
    path: `${conference}/mute-all`,
    scope: "rooms:control",
    rooms: "named",
    summary: "Mutes nobody any more who comes in",
    request: { body: plainControl.prefault({}) },
    body_limit: CONTROL,
    action: "room.end_mute_all",
  },
  endConference: {
    method: "POST",
    path: `${conference}/end`,
    scope: "rooms:remove",
    rooms: "named",
    summary: "Ends the conference for all",
    request: { body: endRoom.prefault({}) },
    body_limit: CONTROL,
    action: "room.end",
  },
  getCommand: {
    method: "GET",
    path: `${tenant}/commands/:id`,
    scope: "rooms:read",
    rooms: "listed",
    summary: "How a command to a conference stands",
    request: {},
  },
  changeRecording: {
    method: "PATCH",
    path: `${tenant}/recordings/:id`,
    scope: "recordings:control",
    rooms: "listed",
    summary: "Pauses, resumes or stops a recording",
    request: { body: changeRecording },
    body_limit: CONTROL,
    action: "recording.change",
  },
  dialParticipant: {
    method: "POST",
    path: `${conference}/participants`,
    scope: "dial",
    rooms: "named",
    summary: "Calls somebody into a conference",
    request: { body: dialBody },
    body_limit: 65_536,
    action: "dial.request",
  },
  listDials: {
    method: "GET",
    path: dials,
    scope: "dial",
    rooms: "listed",
    summary: "How outbound calls stand, newest first",
    request: {
      query: strictObject({ state: dialShown.optional(), after: afterNumber, limit: limit(200) }),
    },
  },
  getDial: {
    method: "GET",
    path: `${dials}/:id`,
    scope: "dial",
    rooms: "listed",
    summary: "How an outbound call stands",
    request: {},
  },
  cancelDial: {
    method: "DELETE",
    path: `${dials}/:id`,
    scope: "dial",
    rooms: "listed",
    summary: "Cancels an outbound call before somebody answers",
    request: {},
    action: "dial.cancel",
  },
  listRecordings: {
    method: "GET",
    path: `${tenant}/recordings`,
    scope: "recordings:read",
    rooms: "listed",
    summary: "Recordings, newest first",
    request: {
      query: strictObject({
        after: z
          .string()
          .regex(/^\d{1,16}\.\d{1,16}$/, NEXT)
          .optional(),
        limit: limit(50),
        conference: filter,
        conference_id: z.string().min(1).max(256).optional(),
        since: instant.optional(),
        until: instant.optional(),
      }),
    },
  },
  deleteRecording: {
    method: "DELETE",
    path: `${tenant}/recordings/:id`,
    scope: "recordings:control",
    rooms: "listed",
    summary: "Removes what is kept of a recording, and SignalWire's own if asked",
    request: { query: strictObject({ at: z.literal("signalwire").optional() }) },
    action: "recording.delete",
  },
  listBlockedPins: {
    method: "GET",
    path: `${tenant}/pins`,
    scope: "calls:read",
    rooms: "none",
    summary: "Who is blocked for wrong PINs, and until when",
    request: {},
  },
  unblockCaller: {
    method: "DELETE",
    path: `${tenant}/pins/blocks/:from`,
    scope: "lobby",
    rooms: "none",
    summary: "Lets a caller who was blocked for wrong PINs try again",
    request: {},
    action: "pins.unblock",
  },
  getRuleset: {
    method: "GET",
    path: `${tenant}/ruleset`,
    scope: "rules:read",
    rooms: "none",
    summary: "The ruleset, its secrets as ***",
    request: {},
  },
  putRuleset: {
    method: "PUT",
    path: `${tenant}/ruleset`,
    scope: "rules:write",
    rooms: "none",
    summary: "Checks a ruleset and writes it over the version that If-Match names",
    request: { body: z.record(z.string(), z.unknown()) },
    action: "rules.put",
  },
  listRulesetVersions: {
    method: "GET",
    path: `${tenant}/ruleset/versions`,
    scope: "rules:read",
    rooms: "none",
    summary: "Versions of the ruleset that are kept, newest first",
    request: {},
  },
  getRulesetVersion: {
    method: "GET",
    path: `${tenant}/ruleset/versions/:hash`,
    scope: "rules:read",
    rooms: "none",
    summary: "A version of the ruleset that is kept, its secrets as ***",
    request: {},
  },
  restoreRulesetVersion: {
    method: "POST",
    path: `${tenant}/ruleset/versions/:hash/restore`,
    scope: "rules:write",
    rooms: "none",
    summary: "Writes a version of the ruleset that is kept again, over the one that If-Match names",
    request: {},
    action: "rules.restore",
  },
  compareRuleset: {
    method: "POST",
    path: `${tenant}/ruleset/diff`,
    // A draft can bring out what a rule may read of calls that are kept, as a rule that is written can of those to come.
    scope: "rules:write",
    rooms: "none",
    summary: "Which of the last calls a draft of the ruleset would treat otherwise, and why",
    request: {
      query: z.strictObject({ after: afterNumber }),
      body: z.record(z.string(), z.unknown()),
    },
  },
  listPins: {
    method: "GET",
    path: pins,
    scope: "rules:read",
    rooms: "none",
    summary: "The PINs that KV holds, without their digits and HMACs",
    request: { query: kvPage },
  },
  putPins: {
    method: "PUT",
    path: pins,
    scope: "rules:write",
    rooms: "none",
    summary: "Adds PINs, or writes over their records",
    request: { body: pinsBody },
    action: "pins.put",
  },
  revokePin: {
    method: "DELETE",
    path: `${pins}/:id`,
    scope: "rules:write",
    rooms: "none",
    summary: "Revokes a PIN",
    request: {},
    action: "pins.revoke",
  },
  listTenants: {
    method: "GET",
    path: "/tenants",
    scope: "admin",
    rooms: "none",
    summary: "Tenants that have a record in KV",
    request: { query: kvPage },
  },
  getTenantRecord: {
    method: "GET",
    path: `${tenant}/record`,
    scope: "admin",
    rooms: "none",
    summary: "The tenant's record, its secrets as ***",
    request: {},
  },
  putTenantRecord: {
    method: "PUT",
    path: `${tenant}/record`,
    scope: "admin",
    rooms: "none",
    summary: "Checks a tenant's record and writes it over the version that If-Match names",
    request: { body: z.record(z.string(), z.unknown()) },
    action: "record.put",
  },
  listProjects: {
    method: "GET",
    path: "/projects",
    scope: "admin",
    rooms: "none",
    summary: "Projects that have a record in KV",
    request: { query: kvPage },
  },
  getProjectRecord: {
    method: "GET",
    path: "/projects/:project/record",
    scope: "admin",
    rooms: "none",
    summary: "A project's record, its secrets as ***",
    request: {},
  },
  putProjectRecord: {
    method: "PUT",
    path: "/projects/:project/record",
    scope: "admin",
    rooms: "none",
    summary: "Checks a project's record and writes it over the version that If-Match names",
    request: { body: z.record(z.string(), z.unknown()) },
  },
  examineTenant: {
    method: "POST",
    path: `${tenant}/doctor`,
    scope: "rules:read",
    rooms: "none",
    summary: "What is wrong between number and conference",
    request: { body: doctorRequestSchema },
  },
  listTokens: {
    method: "GET",
    path: tokens,
    scope: "tokens",
    rooms: "none",
    summary: "The tenant's tokens, without their secrets",
    request: {},
  },
  createToken: {
    method: "POST",
    path: tokens,
    scope: "tokens",
    rooms: "none",
    summary: "Makes a token; its secret is shown this once",
    request: { body: newToken },
    body_limit: 65_536,
    action: "token.create",
  },
  revokeToken: {
    method: "DELETE",
    path: `${tokens}/:id`,
    scope: "tokens",
    rooms: "none",
    summary: "Revokes a token, at once",
    request: {},
    action: "token.revoke",
  },
  listAudit: {
    method: "GET",
    path: `${tenant}/audit`,
    scope: "audit:read",
    rooms: "none",
    summary: "What was done by the API, newest first",
    request: { query: strictObject({ after: afterNumber, limit: limit(50) }) },
  },
  createFeedTicket: {
    method: "POST",
    path: `${tenant}/feed/tickets`,
    scope: "rooms:read",
    rooms: "listed",
    summary: "A ticket that opens the live feed once, within a minute",
    request: {},
  },
  listWebhooks: {
    method: "GET",
    path: webhooks,
    scope: "webhooks",
    rooms: "none",
    summary: "The servers to which the tenant's events are sent",
    request: {},
  },
  createWebhook: {
    method: "POST",
    path: webhooks,
    scope: "webhooks",
    rooms: "none",
    summary: "Has the tenant's events sent to a server; its secret is shown this once",
    request: { body: webhookBody },
    body_limit: 16_384,
    action: "webhook.create",
  },
  deleteWebhook: {
    method: "DELETE",
    path: webhook,
    scope: "webhooks",
    rooms: "none",
    summary: "Sends nothing more there, and forgets what waits for it",
    request: {},
    action: "webhook.delete",
  },
  rotateWebhookSecret: {
    method: "POST",
    path: `${webhook}/secret`,
    scope: "webhooks",
    rooms: "none",
    summary: "Makes a new secret; the one before signs beside it for a day",
    request: {},
    action: "webhook.rotate",
  },
  listDeliveries: {
    method: "GET",
    path: `${webhook}/deliveries`,
    scope: "webhooks",
    rooms: "none",
    summary: "What came of each event that was sent there, newest first",
    request: { query: z.strictObject({ after: afterNumber, limit: limit(50) }) },
  },
  resendDelivery: {
    method: "POST",
    path: `${webhook}/deliveries/:delivery/resend`,
    scope: "webhooks",
    rooms: "none",
    summary: "Sends an event there once more",
    request: {},
    action: "webhook.resend",
  },
  checkProjectRecord: checkOf("project"),
  checkTenantRecord: checkOf("tenant"),
  getSession: {
    method: "GET",
    path: session,
    scope: "admin",
    rooms: "none",
    summary: "How a project's RELAY session is",
    request: {},
  },
  reconnectSession: {
    method: "POST",
    path: `${session}/reconnect`,
    scope: "admin",
    rooms: "none",
    summary: "Makes a fresh RELAY connection, at once",
    request: {},
  },
} as const satisfies Record<string, Endpoint>;

export type Endpoints = typeof endpoints;
export type Operation = keyof Endpoints;

function checkOf<Kind extends RecordKind>(kind: Kind) {
  return {
    method: "POST",
    path: `/check/${kind}`,
    scope: "admin",
    rooms: "none",
    summary: `What is wrong with a ${kind}'s record that is to be written to KV`,
    request: { body: z.record(z.string(), z.unknown()) },
  } as const;
}
