import type { Call } from "../../shared/call.ts";
import type { CallOutcome } from "../../shared/call-outcome.ts";
import { type CallbackUrls, withCallbacks } from "../../shared/callbacks.ts";
import type { JoinParameters } from "../../shared/conference.ts";
import { callerParams } from "../../shared/documents/caller-params.ts";
import { cxmlUrl } from "../../shared/documents/cxml-url.ts";
import type { ResumeUrl, Step } from "../../shared/documents/step.ts";
import { withCanonical } from "../../shared/identity.ts";
import type { Placing } from "../../shared/placing.ts";
import type { ResumedAt } from "../../shared/resume-url.ts";
import type { Spoken } from "../../shared/rules/decision.ts";
import type { SealedState } from "../../shared/seal.ts";
import type { RunRest } from "../rest.ts";
import type { WebhookNote } from "../session/contract/history.ts";
import type { PlacementKey } from "../session/contract/placement.ts";
import type { SessionApi } from "../session/contract/session-api.ts";
import { nameOf } from "../tenants/room-naming.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { callbackUrls, proofsOf } from "./callback-urls.ts";
import { Seals } from "./seals.ts";

/** One webhook: whose it is, and until when it must be answered. */
export interface RequestContext {
  env: Env;
  tenant: Tenant;
  /** The session of the tenant's project. */
  session: SessionApi;
  /** Where SignalWire reaches us, without a slash at the end; "" where a call came over RELAY and nobody said it. */
  base_url: string;
  /** When it came, ms, and until when KV and everything after may take. */
  received_at: number;
  ends_at: number;
  /** What the URL says of a call that comes back without a sealed state. */
  resumed?: ResumedAt & { joined: boolean };
  /** The query of a SWML webhook's URL, without what we wrote into it; in cXML it is the call's `params`. */
  query?: string;
  /** False while a new tenant's signatures fail and `report_until` runs: the document alone serves. */
  authentic: boolean;
  /** A recording notice that the call could not be played on its way: its room is told. */
  untold?: Spoken;
  /** How a session asks REST about a call of its own: its connections are few. Absent in a Worker. */
  rest?: RunRest;
}

/** A visit with the call that it is about. */
export interface CallContext extends RequestContext {
  call: Call;
  seals: Seals;
  /** Where the call's conference reports to. Null for a visit that is not authentic: no token leaves the house for it. */
  callbacks: CallbackUrls | null;
  /** What the journal is to say of this webhook. */
  note: WebhookNote;
  /** It came with a state of ours that can't be opened: it may come from anywhere on its way. */
  unopened?: true;
  /** The answer that came with it was as long as its question takes: a `#` keyed after that is still to be read. */
  filled?: true;
}

/** What the call is to do next, and what the log says of how it came about. */
export interface Resolution {
  next: Step;
  /** Null where no rule matched. */
  rule: string | null;
  /** How it went, e.g. `accepted`, `document`, `announce`, `reject`. */
  outcome: CallOutcome;
  /** The wire name, where a room was meant. */
  room: string | null;
  step: number;
  reason?: string;
  /** The ruleset's hash. */
  ruleset?: string;
  /** The session was told of the webhook on the way. */
  told?: true;
  /** The placement whose room the call's document is done with, as the session has to be told, and whether the call was there and lives on. */
  left?: PlacementKey & { lives_on: boolean };
  /** What it has to be told where it was not. */
  note?: WebhookNote;
}

/** Set to 1 in the query of a poll's URL, so that it is known for one even where its state can't be read. */
export const POLL = "poll";

/** SignalWire lets a call transfer 32 times; one comes back no more when that would leave too few for the rest of its way. */
export const LAST_STEP = 28;

/** What the Worker keeps of its time for itself once the session or REST has answered: rendering and the way back. */
export const RENDER_MS = 400;

/** Until when something may be waited for, at most `ms`: what is asked on the way shares the webhook's one budget. */
export function untilFor({ ends_at }: Pick<RequestContext, "ends_at">, ms: number): number {
  return Math.min(Date.now() + ms, ends_at - RENDER_MS);
}

export async function callContextOf(request: RequestContext, came: Call): Promise<CallContext> {
  const { env, tenant, base_url, authentic } = request;
  const call = withCanonical(came, tenant.record);
  return {
    ...request,
    call,
    seals: await Seals.of(env, tenant, call.call_id),
    callbacks: authentic && base_url !== "" ? await callbackUrls(env, tenant, base_url) : null,
    note: historyEntryOf(call, request.received_at),
  };
}

/** How the call comes back to us with this state; null where the state is too long to be carried. */
export async function resumeUrlFor(
  { tenant, base_url, call, seals, query, resumed }: CallContext,
  state: SealedState,
): Promise<ResumeUrl | null> {
  const sealed = await seals.seal(state);
  if (sealed === null) return null;
  const { url_fragment } = tenant.record;
  const fragment = url_fragment === undefined ? "" : `#${url_fragment}`;
  // The query that it came with is part of its entry: without a readable state that tells a repeat from a call that came anew.
  const query_parts = [resumed || !query ? "" : query, state.purpose === "poll" ? `${POLL}=1` : ""].filter(
    Boolean,
  );
  const back = {
    dest: `${base_url}/hooks/${tenant.tenant}/${call.via}${query_parts.length > 0 ? `?${query_parts.join("&")}` : ""}${fragment}`,
    params: callerParams(call.params).params,
    sealed,
  };
  return call.via === "cxml" && cxmlUrl(back) === null ? null : back;
}

/** The join as it goes on the wire: our own callbacks in it, where there may be any. */
export function wireJoin(
  { callbacks }: CallContext,
  { join, speaking }: Pick<Placing, "join" | "speaking">,
): JoinParameters {
  return callbacks ? withCallbacks(join, callbacks, speaking === true) : join;
}

/** By room, on the wire: what its recording callback carries beside the name. None where the call's callbacks go to nobody. */
export async function roomProofsFor(
  { env, tenant, callbacks }: CallContext,
  rooms: readonly string[],
): Promise<Record<string, string>> {
  if (!callbacks) return {};
  const proofs = rooms.map(async (room) => [room, (await proofsOf(env, tenant, room))[0]] as const);
  return Object.fromEntries(await Promise.all(proofs));
}

/** Rooms' names as SignalWire knows them. */
export function wireNames(
  tenant: Tenant,
  [first, ...rest]: readonly [string, ...string[]],
): [string, ...string[]] {
  // decide() gives legal names only; one that is not would put the caller who knows where.
  return [nameOf(tenant, first), ...rest.map((room) => nameOf(tenant, room))];
}

/** The same of the rooms by the addresses as they came, where these make other names. */
export function roomsBefore(
  { tenant }: RequestContext,
  { rooms_before }: Pick<Placing, "rooms_before">,
): { rooms_before?: [string, ...string[]] } {
  return rooms_before === undefined ? {} : { rooms_before: wireNames(tenant, rooms_before) };
}

/** What the journal is to say of a webhook, before anything is known of what it comes back from, or of what is decided. */
export function historyEntryOf(
  { via, direction, from, to }: Pick<Call, "from" | "to"> & Partial<Pick<Call, "via" | "direction">>,
  received_at: number,
): WebhookNote {
  const overRelay = direction === "outbound" ? "dial" : "receive";
  const purpose = via === "relay" ? overRelay : "fresh";
  return { received_at, purpose, entry: "", step: 0, from, to };
}
