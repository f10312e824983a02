import * as z from "zod";
import { commandView, controlRefusal } from "./controls.ts";
import { dialShown } from "./dial.ts";
import { doctorReplySchema } from "./doctor.ts";
import type { Operation } from "./endpoints.ts";
import { feedTypes } from "./feed.ts";
import { pinListSchema } from "./pins.ts";
import { recordListSchemas, recordWrittenSchema } from "./records.ts";
import { refusalSchema } from "./refusal.ts";
import { badRulesetSchema, comparisonSchema, problems, versionListSchema, writtenSchema } from "./ruleset.ts";
import { scopes } from "./scopes.ts";

/** By status; null: without a body. */
export type Answers = Readonly<Record<number, z.ZodType | null>>;

const ms = z.int().describe("Milliseconds since the epoch.");
const iso = z.iso.datetime().nullable();

/** A time, as milliseconds and in ISO 8601; null there where nothing has happened yet. */
const time = <Name extends string>(name: Name) => times(name, ms);
const timeOrNull = <Name extends string>(name: Name) => times(name, ms.nullable());
const times = <Name extends string, Ms extends z.ZodType>(name: Name, schema: Ms) =>
  ({ [name]: schema, [`${name}_iso`]: iso }) as { [K in Name]: Ms } & { [K in `${Name}_iso`]: typeof iso }; // As it is made.

const text = z.string();
const maybe = z.string().nullable();
const flag = z.boolean();
const count = z.int().nonnegative();

const page = <Name extends string, Item extends z.ZodType, Next extends z.ZodType>(
  name: Name,
  item: Item,
  next: Next,
) =>
  z.object({ [name]: z.array(item), next: next.nullable() } as {
    // A computed key is any text to TypeScript.
    [K in Name]: z.ZodArray<Item>;
  } & { next: z.ZodNullable<Next> });

/** Refusals of this operation alone; what any may answer is in the text of docs/api.md. */
const refuses = <Status extends number>(...statuses: Status[]) =>
  Object.fromEntries(statuses.map((status) => [status, refusalSchema])) as Record<
    Status,
    typeof refusalSchema
  >; // As it is made.

/** 200: its effect was seen. 202: it was sent, and its effect not seen yet. */
const command = commandView.extend({ ...time("at"), ...timeOrNull("settled_at") });
const controlled = {
  200: command,
  202: command,
  ...refuses(404, 413, 422),
  409: controlRefusal,
  502: controlRefusal,
};

/** Bytes, and no JSON. */
const sound = z.file().describe("Sound, mostly a WAV file.");

const recording = z.object({
  id: text,
  tenant: text,
  room: text,
  conference_id: maybe,
  sid: maybe,
  state: text,
  url: maybe.describe("SignalWire's own, for ADMIN_TOKEN alone; null otherwise."),
  copy: z
    .object({ sha256: text, size_bytes: count, ...time("copied_at") })
    .nullable()
    .describe("Of its sound, in the Worker's bucket."),
  duration_s: z.number().nullable(),
  size_bytes: z.int().nullable(),
  ...time("started_at"),
  ...timeOrNull("ended_at"),
  part: z
    .object({ of: text, number: count, call_id: text })
    .nullable()
    .exactOptional()
    .describe(
      "Of a recording that was started in a live conference: which part of which, and of whose call.",
    ),
});

const finding = z.object({ field: text, holds: flag, why: text });
const look = z.object({
  rule: text,
  matched: flag,
  entered: z.literal(true).exactOptional(),
  findings: z.array(finding),
});

const happening = z.discriminatedUnion("what", [
  z.object({
    ...time("at"),
    what: z.literal("webhook"),
    purpose: text,
    step: count,
    outcome: maybe,
    rule: maybe,
    room: maybe,
    reason: text.exactOptional(),
    ms: z.number().nullable(),
    repeat: z.literal(true).exactOptional(),
  }),
  z.object({
    ...time("at"),
    what: z.literal("decision"),
    step: count,
    action: text,
    rule: maybe,
    ruleset: text,
    ...time("decided_at"),
    rooms: z.array(text),
    role: maybe,
    looked_at: z.array(look),
    more_looked_at: count,
    answers: z.record(
      z.string(),
      z.object({
        tries: count,
        keyed: z.enum(["nothing", "open", "secret"]),
        pin: z.object({}).catchall(z.unknown()).exactOptional(),
      }),
    ),
  }),
  z.object({
    ...time("at"),
    what: z.literal("command"),
    step: count.nullable(),
    command: text,
    by: z.enum(["relay", "rest", "nobody"]),
    said: text,
  }),
  z.object({
    ...time("at"),
    what: z.literal("placement"),
    step: count,
    state: text,
    room: text,
    reason: text,
  }),
  z.object({ ...time("at"), what: z.literal("repair"), said: text }),
  z.object({
    ...time("at"),
    what: z.literal("event"),
    event_type: text,
    status: maybe,
    feed: text,
    conference_id: maybe,
  }),
]);

const trace = z.union([
  z.object({
    step: count,
    computed: z.literal(true),
    action: text,
    rule: maybe,
    ruleset: text,
    ...time("decided_at"),
    looked_at: z.array(look),
    same: flag,
    left_out: z.array(text),
  }),
  z.object({ step: count, computed: z.literal(false), why: text }),
]);

const story = z.object({
  call_id: text,
  from: text,
  to: text,
  via: z.enum(["swml", "cxml", "relay"]).nullable(),
  outcome: text,
  rule: maybe,
  room: maybe,
  happened: z.array(happening),
  recordings: z.array(recording),
  next: maybe,
  kept: z.array(
    z.object({
      step: count,
      call: z.object({}).catchall(z.unknown()).nullable(),
      left_out: z.array(text),
    }),
  ),
  trace: z.array(trace).exactOptional(),
});

const head = {
  name: text.describe("On the wire."),
  plain_name: text.describe("As the rules spell it."),
  conference_id: maybe,
  conferences: z.array(z.object({ conference_id: text, participants: count })),
  ...time("since"),
  strangers: count,
  moderator_present: flag,
  locked: z
    .object({ mode: z.enum(["refuse", "lobby"]), ...time("since"), ...timeOrNull("until") })
    .nullable(),
  muted_all: z.object({ except: z.array(text) }).nullable(),
};

const participant = z.object({
  call_id: text,
  from: text,
  role: text,
  rule: maybe,
  muted: flag,
  held: flag,
  coaching: maybe,
  speaking: flag.nullable().describe("null: SignalWire was not asked to tell."),
  via: z.enum(["swml", "cxml", "relay"]).nullable(),
  after_lock: flag,
  confirmed: flag,
  joined_by: z.enum(["relay", "document"]).nullable(),
  conference_id: maybe,
  presumed_gone: flag,
  doubted: flag,
  over_capacity: flag,
  ...time("since"),
});

const waiter = z.object({
  call_id: text,
  from: text,
  role: text,
  for: z.enum(["admission", "moderator", "seat"]),
  ...time("since"),
  position: count,
});

const conference = z.object({
  ...head,
  recording: z.object({ id: text, state: text, ...time("since") }).nullable(),
  participants: z.array(participant),
  waiting: z.array(waiter),
});

const conferenceSummary = z.object({
  ...head,
  waiting: count,
  confirmed: count,
  expected: count,
  presumed_gone: count,
  doubted: count,
});

const dial = z.object({
  id: text,
  to: text,
  from: text,
  room: text,
  role: text,
  state: dialShown,
  reason: text,
  call_id: maybe,
  ...time("created_at"),
  ...time("updated_at"),
});

const blocked = z.object({ who: text, ...time("until"), closings: count });

const breaker = z.object({ failures: count, ...timeOrNull("open_until"), ...timeOrNull("trial_at") });
/** A session of the version before names no tenants. */
const projectBreaker = breaker.extend({ tenants: z.array(text).exactOptional() });

const sessionStatus = z.object({
  state: text,
  ...time("since"),
  queued: count,
  in_flight: count,
  last_reason: text,
  protocol: z.enum(["resumed", "new"]).nullable(),
  last_errors: z.array(z.object({ ...time("at"), what: text })),
  contexts: z.array(text),
  counters: z.record(z.string(), z.number()),
  breaker: projectBreaker,
  leaving: projectBreaker,
  of_tenants: z
    .object({ breaker: z.record(z.string(), breaker), leaving: z.record(z.string(), breaker) })
    .exactOptional(),
  observations: z.array(
    z.object({ question: text, reading: text, ...time("first_at"), ...time("last_at"), times: count }),
  ),
  split_rooms: z.array(z.object({ room: text, conference_ids: z.array(text), ...time("at") })),
  presumed_gone: count,
  live_placements: count,
});

const tokenView = {
  id: text,
  name: text,
  scopes: z.array(z.enum(scopes)),
  rooms: z.array(text).nullable(),
  mask_numbers: flag,
  ...time("created_at"),
  created_by: text,
  ...timeOrNull("expires_at"),
};

const auditEntry = z.object({
  id: z.int(),
  ...time("at"),
  token: text,
  name: text,
  action: text,
  target: z.record(z.string(), text),
  sent_by: z.enum(["relay", "rest", "document"]).nullable(),
  outcome: text,
  status: z.int(),
  verified_by: z.enum(["event", "rest"]).nullable(),
  ms: z.number(),
});

const webhookView = {
  id: text,
  url: text,
  types: z.array(z.enum(feedTypes)).nullable(),
  state: z.enum(["active", "disabled"]),
  dropped: count,
  ...time("created_at"),
};
const webhookSecret = z.object({ ...webhookView, secret: text.describe("Shown this once.") });

const delivery = z.object({
  id: text,
  type: text,
  seq: z.int(),
  state: z.enum(["pending", "delivered", "failed"]),
  attempts: count,
  reason: text,
  ...timeOrNull("due_at"),
  ...time("created_at"),
  ...time("updated_at"),
});

const changed = z.object({ call_id: text, changed: flag });
const decided = <Verdict extends "admit" | "reject">(verdict: Verdict) =>
  z.object({ call_id: text, verdict: z.literal(verdict) });
const recordChecked = {
  200: z.object({ ok: z.literal(true) }),
  ...refuses(400, 413),
  422: refusalSchema.extend({ errors: problems }),
};

const recordRead = { 200: z.record(z.string(), z.unknown()), ...refuses(400, 404, 409) };
const recordPut = {
  200: recordWrittenSchema,
  ...refuses(400, 412, 413, 428, 503),
  422: badRulesetSchema,
};

/** What each operation answers, by status. The Worker knows it by its types alone. */
export const answers = {
  listCalls: {
    200: page(
      "calls",
      z.object({
        call_id: text,
        ...time("at"),
        from: text,
        to: text,
        outcome: text,
        rule: maybe,
        room: maybe,
      }),
      z.int(),
    ),
    ...refuses(400),
  },
  getCall: { 200: story, ...refuses(400, 404) },
  endCall: { 202: changed, ...refuses(404) },
  releaseSeat: { 200: changed, ...refuses(404) },
  listConferences: { 200: page("conferences", conferenceSummary, text), ...refuses(400) },
  getConference: { 200: conference, ...refuses(404) },
  admitWaiter: { 200: decided("admit"), ...refuses(404) },
  rejectWaiter: { 200: decided("reject"), ...refuses(404) },
  dialParticipant: { 200: dial, 202: dial, ...refuses(403, 409, 413, 422, 429) },
  listDials: { 200: page("dials", dial, z.int()), ...refuses(400) },
  getDial: { 200: dial, ...refuses(404) },
  changeParticipant: { ...controlled },
  removeParticipant: { ...controlled },
  moveParticipant: { ...controlled },
  announce: { ...controlled },
  lockConference: { ...controlled },
  unlockConference: { ...controlled },
  muteAll: { ...controlled },
  unmuteAll: { ...controlled },
  endConference: { ...controlled },
  startRecording: { ...controlled },
  changeRecording: { ...controlled },
  getCommand: { 200: command, ...refuses(404) },
  cancelDial: { 200: dial, ...refuses(404, 409) },
  listRecordings: { 200: page("recordings", recording, text), ...refuses(400) },
  getRecordingMedia: { 200: sound, 206: sound, ...refuses(404, 409, 416, 502) },
  deleteRecording: { 204: null, ...refuses(400, 404, 409, 502) },
  listBlockedPins: { 200: z.object({ callers: z.array(blocked), numbers: z.array(blocked) }) },
  unblockCaller: { 204: null, ...refuses(404) },
  getRuleset: { 200: z.record(z.string(), z.unknown()), ...refuses(404, 409) },
  putRuleset: {
    200: writtenSchema,
    ...refuses(400, 404, 412, 413, 428, 503),
    422: badRulesetSchema,
  },
  listRulesetVersions: { 200: versionListSchema },
  getRulesetVersion: { 200: z.record(z.string(), z.unknown()), ...refuses(404, 409) },
  restoreRulesetVersion: {
    200: writtenSchema,
    ...refuses(400, 404, 412, 428, 503),
    422: badRulesetSchema,
  },
  compareRuleset: { 200: comparisonSchema, ...refuses(400, 413), 422: badRulesetSchema },
  listPins: { 200: pinListSchema, ...refuses(400, 503) },
  putPins: { 200: z.object({ written: count }), ...refuses(409, 413, 422, 503) },
  revokePin: { 204: null, ...refuses(404, 503) },
  listTenants: { 200: recordListSchemas.tenant, ...refuses(400) },
  getTenantRecord: recordRead,
  putTenantRecord: recordPut,
  listProjects: { 200: recordListSchemas.project, ...refuses(400) },
  getProjectRecord: recordRead,
  putProjectRecord: recordPut,
  examineTenant: { 200: doctorReplySchema, ...refuses(400, 413) },
  listTokens: { 200: z.object({ tokens: z.array(z.object(tokenView)) }) },
  createToken: {
    201: z.object({ token: text.describe("Shown this once."), ...tokenView }),
    ...refuses(403, 409, 413, 422),
  },
  revokeToken: { 204: null, ...refuses(404) },
  listAudit: { 200: page("entries", auditEntry, z.int()), ...refuses(400) },
  createFeedTicket: {
    201: z.object({ ticket: text.describe("Good for one connection."), ...time("expires_at") }),
  },
  listWebhooks: { 200: z.object({ webhooks: z.array(z.object(webhookView)) }) },
  createWebhook: { 201: webhookSecret, ...refuses(409, 413, 422) },
  deleteWebhook: { 204: null, ...refuses(404) },
  rotateWebhookSecret: { 200: webhookSecret, ...refuses(404, 422) },
  listDeliveries: { 200: page("deliveries", delivery, z.int()), ...refuses(400, 404) },
  resendDelivery: { 202: delivery, ...refuses(404, 409) },
  checkProjectRecord: recordChecked,
  checkTenantRecord: recordChecked,
  getSession: { 200: sessionStatus, ...refuses(404, 503) },
  reconnectSession: { 200: sessionStatus, ...refuses(404, 503) },
} as const satisfies Record<Operation, Answers>;

export type AnswersOf = typeof answers;
