import { randomUUID } from "node:crypto";
import * as z from "zod";
import { type CallRecording, type RecordSettings, relayDefaults } from "./call-recordings.ts";
import type { Call } from "./calls.ts";
import { dial } from "./dialing.ts";
import { startDocument } from "./documents.ts";
import { readJoinSettings } from "./join-settings.ts";
import type { Project } from "./project.ts";
import { RelayAction } from "./relay-action.ts";
import { refusedParameter, resultConferenceId } from "./relay-join.ts";
import { play, playAndCollect, type Tell } from "./relay-playback.ts";
import type { RelaySession } from "./relay-session.ts";

export interface CommandResult {
  readonly code: string;
  readonly message: string;
  readonly extra?: Record<string, unknown>;
  /** What the command does; called when its answer is on its way. */
  readonly effect?: () => void;
  /** What a correct client would not have done. */
  readonly violation?: string;
}

/** Commands that make no sense on a call which nobody has answered. */
const needs_answer = new Set([
  "calling.play",
  "calling.play_and_collect",
  "calling.join_conference",
  "calling.leave_conference",
  "calling.send_digits",
  "calling.record",
  "calling.hold",
  "calling.unhold",
]);

/** A call that is not there, or there no more. */
function gone({ switches }: Project, code: "404" | "410"): CommandResult {
  const message = code === "404" ? "Call not found" : "Call is gone";
  return { code: switches.gone_code === "422" ? "422" : code, message };
}

const takenByAnother: CommandResult = { code: "409", message: "Call is controlled by another client" };

/**
 * One command, its params already judged. `session` is null where it came by REST, which addresses any active call.
 */
export function runCommand(
  project: Project,
  session: RelaySession | null,
  method: string,
  params: Record<string, unknown>,
): CommandResult {
  if (session !== null && project.refusesCommand()) return { code: "429", message: "Too many requests" };
  if (method === "calling.dial" && session !== null) {
    const { tag, devices, max_duration } = dialSchema.parse(params);
    const dialing = { project, session, tag, max_duration };
    return { code: "200", message: "Dialing", effect: () => dial(dialing, devices) };
  }
  const call = project.calls.get(String(params["call_id"]));
  if (call === undefined || (session !== null && params["node_id"] !== call.node_id)) {
    return gone(project, "404");
  }
  const refused = refusalOf(project, session, call);
  if (refused !== null) return refused;
  if (session !== null && call.controller !== null) call.controller = session;
  if (call.over) return gone(project, "410");
  if (needs_answer.has(method) && call.state !== "answered") {
    const message = `Call is not answered: it is ${call.state}`;
    if (call.being_answered) return { code: "409", message };
    return { code: "409", message, violation: `${method} before the call was answered` };
  }
  return onCall(project, session, call, method, params);
}

function refusalOf(project: Project, session: RelaySession | null, call: Call): CommandResult | null {
  // A cXML call has no node_id that anybody was told, so RELAY cannot address it.
  if (call.origin === "cxml" && (session !== null || !project.switches.rest_drives_cxml_calls))
    return gone(project, "404");
  if (session === null) return null;
  const driven = project.switches.relay_drives_webhook_calls;
  if (call.origin === "webhook" && driven !== true) {
    return driven === "404" ? gone(project, "404") : { code: "409", message: "Call is already connected" };
  }
  // Calls outlive the session that had them: once that one has no connection, whoever the project's token let in may.
  const { controller } = call;
  if (controller === null || controller === session) return null;
  const owned =
    project.switches.session_owns_calls_after_reconnect && project.sessions.has(controller.protocol);
  if (controller.link !== null || owned) return takenByAnother;
  return null;
}

function onCall(
  project: Project,
  session: RelaySession | null,
  call: Call,
  method: string,
  params: Record<string, unknown>,
): CommandResult {
  const extra = { call_id: call.call_id };
  const control_id = String(params["control_id"] ?? randomUUID());
  const tell: Tell = (event_type, facts) => {
    const audience = session === null ? project.audienceOf(call) : [session];
    project.emit(
      event_type,
      { call_id: call.call_id, node_id: call.node_id, control_id, ...facts },
      audience,
    );
  };
  switch (method) {
    case "calling.answer":
      if (session !== null && isContested(project, call)) return takenByAnother;
      if (call.state === "answered" && project.switches.answer_when_answered === "409") {
        return { code: "409", message: "Call is already answered" };
      }
      return {
        code: "200",
        message: "Answered",
        extra,
        effect: () => answer(project, call, params["max_duration"]),
      };
    case "calling.end": {
      const reason = String(params["reason"] ?? "hangup");
      return { code: "200", message: "Disconnecting call", extra, effect: () => call.hangUp(reason) };
    }
    case "calling.pass":
      return pass(project, session, call);
    case "calling.play": {
      const action = begin(call, control_id);
      if (action === null) return inUse(control_id);
      const { play: media, loop } = playSchema.parse(params);
      const run = () =>
        void play(call, { media, loop }, action, tell).then(() => call.actions.delete(control_id));
      return { code: "200", message: "Playing", extra: { ...extra, control_id }, effect: run };
    }
    case "calling.play_and_collect": {
      const action = begin(call, control_id);
      if (action === null) return inUse(control_id);
      const { play: media, collect } = collectSchema.parse(params);
      const run = () =>
        void playAndCollect(call, media, collect, action, tell).then(() => call.actions.delete(control_id));
      return { code: "200", message: "Playing and collecting", extra: { ...extra, control_id }, effect: run };
    }
    case "calling.play.stop":
      return toAction(call, control_id, "Stopping", (action) => action.stop());
    case "calling.play_and_collect.stop":
      return toAction(call, control_id, "Stopping play and collect", (action) => action.stop());
    case "calling.play.pause":
    case "calling.play_and_collect.pause":
      return toAction(call, control_id, "Pausing", (action) => {
        if (action.pause()) tell("calling.call.play", { state: "paused" });
      });
    case "calling.play.resume":
    case "calling.play_and_collect.resume":
      return toAction(call, control_id, "Resuming", (action) => {
        if (action.resume()) tell("calling.call.play", { state: "playing" });
      });
    case "calling.play.volume":
    case "calling.play_and_collect.volume":
      // Callers hear what is played, not how loud.
      return toAction(call, control_id, "Adjusting volume", () => {});
    case "calling.send_digits": {
      const sending_ms = keyingMs(String(params["digits"]));
      const run = () =>
        void project.clock.after(sending_ms, () => tell("calling.call.send_digits", { state: "finished" }));
      return { code: "200", message: "Sending Digits", extra: { ...extra, control_id }, effect: run };
    }
    case "calling.hold":
    case "calling.unhold": {
      const held = method === "calling.hold";
      const hold = () => {
        call.held = held;
        tell("calling.call.hold", { state: held ? "hold" : "unhold" });
      };
      return { code: "200", message: held ? "Call on hold" : "Call off hold", extra, effect: hold };
    }
    case "calling.record":
      return record(call, control_id, params, tell);
    case "calling.record.stop":
      return toRecording(call, control_id, "Stopping", (recording) => recording.stop());
    case "calling.record.pause":
      return toRecording(call, control_id, "Pausing", (recording) => recording.pause());
    case "calling.record.resume":
      return toRecording(call, control_id, "Resuming", (recording) => recording.resume());
    case "calling.join_conference":
      return join(project, session, call, params);
    case "calling.leave_conference": {
      if (call.conference?.conference_id !== params["conference_id"]) {
        return { code: "404", message: "Call is not in that conference" };
      }
      const leave = () => call.conference?.leave(call.call_id);
      return { code: "200", message: "Leaving conference", extra, effect: leave };
    }
    case "calling.transfer":
      return transfer(project, call, params["dest"]);
    default:
      return { code: "501", message: `${method} is not known here` };
  }
}

/** A call on offer that is said to be taken, though no client took it. */
function isContested(project: Project, call: Call): boolean {
  return project.switches.conflict_on_offer === "409" && call.offered !== null && call.state !== "answered";
}

/** `max_duration` is in seconds; no default is published. */
function answer(project: Project, call: Call, max_duration: unknown): void {
  const { answer_is_async } = project.switches;
  const now = () => {
    call.being_answered = false;
    call.answer(typeof max_duration === "number" ? { max_ms: max_duration * 1000 } : {});
  };
  if (answer_is_async === 0) {
    now();
    return;
  }
  call.being_answered = true;
  setTimeout(now, answer_is_async);
}

function pass(project: Project, session: RelaySession | null, call: Call): CommandResult {
  const { offered } = call;
  if (offered === null || session === null || call.state === "answered") {
    return { code: "409", message: "Call is not on offer" };
  }
  return {
    code: "200",
    message: "Passing call",
    effect: () => {
      call.controller = null;
      project.offer(call, offered.context, offered.passed.add(session));
    },
  };
}

function begin(call: Call, control_id: string): RelayAction | null {
  if (call.actions.has(control_id)) return null;
  const action = new RelayAction();
  call.actions.set(control_id, action);
  return action;
}

function inUse(control_id: string): CommandResult {
  const message = `control_id ${control_id} is in use on this call`;
  return { code: "409", message, violation: message };
}

function toAction(
  call: Call,
  control_id: string,
  message: string,
  act: (action: RelayAction) => void,
): CommandResult {
  const action = call.actions.get(control_id);
  if (action === undefined) return { code: "404", message: `nothing with control_id ${control_id} goes on` };
  return { code: "200", message, extra: { control_id }, effect: () => act(action) };
}

/** Its events tell its url, length and size, which it has from its end on. */
function record(call: Call, control_id: string, params: Record<string, unknown>, tell: Tell): CommandResult {
  const open = call.recordings.find((one) => one.control_id === control_id && one.isOpen);
  if (open !== undefined) return inUse(control_id);
  const { record: asked } = recordSchema.parse(params);
  const run = () => {
    if (call.over) return;
    call.record({ ...relayDefaults, ...definedOnly(asked.audio), control_id }, (recording) => {
      const facts = recording.isOpen
        ? {}
        : { url: recording.url, duration: recording.duration_s, size: recording.size };
      tell("calling.call.record", { state: recording.state, ...facts, record: asked });
    });
  };
  return { code: "200", message: "Recording", extra: { call_id: call.call_id, control_id }, effect: run };
}

function definedOnly(audio: z.output<typeof recordSchema>["record"]["audio"]): Partial<RecordSettings> {
  return Object.fromEntries(Object.entries(audio).filter(([, value]) => value !== undefined));
}

function toRecording(
  call: Call,
  control_id: string,
  message: string,
  act: (recording: CallRecording) => void,
): CommandResult {
  const recording = call.recordings.find((one) => one.control_id === control_id && one.isOpen);
  if (recording === undefined)
    return { code: "404", message: `no recording with control_id ${control_id} goes on` };
  return { code: "200", message, extra: { control_id }, effect: () => act(recording) };
}

function join(
  project: Project,
  session: RelaySession | null,
  call: Call,
  params: Record<string, unknown>,
): CommandResult {
  const { switches } = project;
  const refused = refusedParameter(switches, params);
  if (refused !== null) return { code: "422", message: refused };
  // A document may join it before this command's turn comes, or has already.
  const mayJoin = () =>
    call.conference === null || (switches.late_relay_join === "moves" && call.joined_by === "document");
  if (!mayJoin()) {
    return { code: "409", message: `Call is already connected: it is in ${call.conference?.name}` };
  }
  const found = project.conferenceToJoin(String(params["name"]), "relay");
  const there = found?.goesOnWithout(call.call_id) ? found : undefined;
  const settings = readJoinSettings(params);
  const is_full = settings !== null && there !== call.conference && there?.isFull(settings) === true;
  if (is_full && switches.join_when_full === "code") {
    return { code: "422", message: `Conference ${settings.name} is full` };
  }
  const { told, made } = resultConferenceId(switches, there?.conference_id);
  const conference_id = told === undefined ? {} : { conference_id: told };
  return {
    code: "200",
    message: "Joining conference",
    extra: { call_id: call.call_id, ...conference_id },
    effect: () => {
      if (call.over || !mayJoin()) return;
      call.conference?.leave(call.call_id);
      const asked = made === undefined ? params : { ...params, conference_id: made };
      const left = () => {
        const is_over = result.joined && result.conference.ending;
        if (is_over && switches.call_after_relay_conference === "hung_up") call.hangUp("hangup");
      };
      const result = project.join(call, asked, "relay", left, session);
      if (result.joined) return;
      project.journal.note("call", { call_id: call.call_id, join_failed: result.reason });
      if (is_full && switches.join_when_full === "hang_up") call.hangUp("error");
      if (is_full && switches.join_when_full !== "calling.error") return;
      const audience = session === null ? [] : [session];
      const { call_id, node_id } = call;
      project.emit("calling.error", { node_id, call_id, code: "400", message: result.reason }, audience);
    },
  };
}

/** A URL, an inline document as JSON text (by REST as an object, too), or a context, spelt `context:<name>` or bare. */
function transfer(project: Project, call: Call, dest: unknown): CommandResult {
  const taken = { code: "200", message: "Transferring", extra: { call_id: call.call_id } };
  if (typeof dest !== "string")
    return { ...taken, effect: () => startDocument(project, call, { start: { document: dest } }) };
  if (/^https?:\/\//.test(dest)) {
    return { ...taken, effect: () => startDocument(project, call, { start: { url: dest } }) };
  }
  if (dest.trimStart().startsWith("{")) {
    const document = parsed(dest);
    if (document === null) return { code: "400", message: "dest is not JSON", violation: "dest is not JSON" };
    return { ...taken, effect: () => startDocument(project, call, { start: { document } }) };
  }
  const context = dest.startsWith("context:") ? dest.slice("context:".length) : dest;
  return {
    ...taken,
    effect: () => {
      call.document?.abort(new Error("transferred to a context"));
      call.document = null;
      call.conference?.leave(call.call_id);
      call.controller = null;
      project.offer(call, context);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const mediaSchema = z.array(z.object({ type: z.string(), params: z.record(z.string(), z.unknown()) }));
const playSchema = z.object({ play: mediaSchema, loop: z.number().default(1) });
const collectSchema = z.object({
  play: mediaSchema,
  collect: z.object({
    initial_timeout: z.number().optional(),
    digits: z
      .object({
        max: z.number(),
        terminators: z.string().optional(),
        digit_timeout: z.number().optional(),
      })
      .optional(),
  }),
});
const recordSchema = z.object({
  record: z.object({
    audio: z.object({
      direction: z.enum(["speak", "listen", "both"]).optional(),
      initial_timeout: z.number().optional(),
      end_silence_timeout: z.number().optional(),
      terminators: z.string().optional(),
    }),
  }),
});
const dialSchema = z.object({
  tag: z.string(),
  max_duration: z.number().optional(),
  devices: z.array(
    z.array(
      z.object({ type: z.enum(["phone", "sip", "webrtc"]), params: z.record(z.string(), z.unknown()) }),
    ),
  ),
});

/** `w` waits half a second and `W` one; a key with the pause after it takes a quarter. */
function keyingMs(digits: string): number {
  return [...digits].reduce((ms, key) => ms + (key === "W" ? 1_000 : key === "w" ? 500 : 250), 0);
}
