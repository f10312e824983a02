import { type Context, Hono } from "hono";
import { isToken } from "../../shared/callback-token.ts";
import { type CallbackKind, ROOM, ROOM_PROOF, readCallback } from "../../shared/callbacks.ts";
import { splitWireName } from "../../shared/conference.ts";
import { FIELDS } from "../../shared/cxml-webhook.ts";
import { fromUtf8 } from "../../shared/encoding.ts";
import { verifyForm } from "../../shared/form-signature.ts";
import { inTime, type RelayEvent } from "../../shared/relay/events.ts";
import { signedUrls } from "../../shared/signature.ts";
import { proofsOf, tokensOf } from "../call-flow/callback-urls.ts";
import { forward, type Told } from "../forward.ts";
import { describeError, log } from "../log.ts";
import { refuse } from "../refusals.ts";
import type { ConferenceEventReply } from "../session/contract/placement.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { hasPlainNames } from "../tenants/room-naming.ts";
import { type Owner, publicUrl } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import { callbackOwner } from "./callback-owner.ts";
import { bodyLimit, formLimit, mediaType, readBody, unpackForm } from "./read-body.ts";
import { authenticate, isSigned } from "./signature.ts";

/** The session may take so long to say whose a conference is; SignalWire waits 5 s in all. */
const OWNER_MS = 3_000;
const FORMS = ["application/x-www-form-urlencoded", "multipart/form-data"];

/** SignalWire tells what happens in conferences: the second feed beside RELAY's. */
export const statusHooks = new Hono<{ Bindings: Env }>()
  .post("/:tenant/conference-status", (c) => receive(c, c.req.param("tenant"), "conference"))
  .post("/:tenant/recording-status", (c) => receive(c, c.req.param("tenant"), "recording"));

async function receive(c: Context<{ Bindings: Env }>, id: string, kind: CallbackKind): Promise<Response> {
  const tenant = await callbackOwner(c, id);
  if (tenant instanceof Response) return tenant;
  const given = c.req.query("token") ?? "";
  const random = crypto.getRandomValues(new Uint8Array(32));
  if (!tenant || !(await isToken(given, await tokensOf(c.env, tenant), random)))
    return await refuse(c, "callback.refused", id, "no such tenant, or not its token");
  const room = kind === "recording" ? c.req.query(ROOM) : undefined;
  if (room !== undefined) {
    const proof = c.req.query(ROOM_PROOF) ?? "";
    if (!(await isToken(proof, await proofsOf(c.env, tenant, room), random)))
      return await refuse(c, "callback.refused", id, "nothing proves the room that its URL names");
  }
  const received = await readBody(c.req.raw, bodyLimit);
  if (received === "too large") return c.text("The body is over 256 KiB.", 413);
  const raw = await unpackForm(received, c.req.raw);
  if (raw === null) return c.text("The body's parts are no fields of a form.", 415);
  const isForm = FORMS.includes(mediaType(c.req.raw));
  if (isForm && isHuge(raw)) return c.text(`The form is over 64 KiB or ${FIELDS} fields.`, 413);
  const signature = await checkSignature(c, raw, tenant, isForm);
  if (signature === "wrong") return await refuse(c, "callback.refused", id, "the signature is wrong");
  const read = readCallback(fromUtf8(raw), isForm);
  if (!read) {
    log("warn", "callback.unusable", { tenant: id, kind });
    return c.body(null, 204);
  }
  const told = inTime(read.event, Date.now());
  // The URL says what the body may not.
  const event: RelayEvent =
    room === undefined ? told : ({ ...told, params: { ...told.params, name: room } } as RelayEvent); // Of the same kind.
  let foreign = whyForeign(tenant, event, room !== undefined);
  if (foreign === "unknown") {
    try {
      foreign = await whyForeignPlain(c.env, tenant, event);
    } catch (error) {
      log("error", "callback.not_taken", { tenant: id, kind, error: describeError(error) });
      return c.text("Try again.", 503);
    }
  }
  if (foreign !== null) {
    log("warn", "callback.dropped", { tenant: id, kind, why: foreign });
    return c.body(null, 204);
  }
  try {
    const reply = await sessionOf(c.env, tenant.project).conferenceEvent({
      v: 1,
      project_id: tenant.project.project_id,
      tenant: id,
      kind,
      event,
      trusted: signature === "right",
      ids_known: !isForm,
      confirms: true,
    });
    const account = tenant.project.project_id;
    c.executionCtx.waitUntil(tell(c.env, tenant, reply, { kind, body: read.body, account }));
    if (reply.unrecorded) {
      log("error", "callback.not_taken", { tenant: id, kind, error: "the session's storage is full" });
      return c.text("Try again.", 503);
    }
  } catch (error) {
    // SignalWire tries again up to three times.
    log("error", "callback.not_taken", { tenant: id, kind, error: describeError(error) });
    return c.text("Try again.", 503);
  }
  return c.body(null, 204);
}

/** Tells the rule's own server, and the session that it was told: what nobody confirms is told again. Never rejects. */
async function tell(
  env: Env,
  { tenant, project }: Owner,
  { forward: whom, confirm }: ConferenceEventReply,
  told: Told,
): Promise<void> {
  const said = { tenant, kind: told.kind };
  const taken = await Promise.all(whom.map((to) => forward(to, told, said)));
  if (confirm === undefined || taken.includes(false)) return;
  try {
    await sessionOf(env, project).recordingTold(tenant, confirm);
  } catch (error) {
    log("warn", "callback.not_confirmed", { ...said, error: describeError(error) });
  }
}

/** Status callbacks are not among the requests that SignalWire says it signs: none is fine, a wrong one is not. */
async function checkSignature(
  c: Context<{ Bindings: Env }>,
  raw: Uint8Array,
  { record, project }: Owner,
  isForm: boolean,
): Promise<"none" | "right" | "wrong"> {
  if (!isSigned(c.req.raw.headers)) return "none";
  const signature = c.req.header("x-signalwire-signature") ?? c.req.header("x-twilio-signature");
  const public_url = publicUrl(c.env, record, c.req.url);
  const { signing_keys } = project;
  const isRight = isForm
    ? await verifyForm({
        body: fromUtf8(raw),
        urls: signedUrls(public_url, c.req.url),
        signature: signature ?? "",
        keys: signing_keys,
      })
    : (await authenticate(raw, c.req.raw, { public_url, signing_keys })).authentic;
  return isRight ? "right" : "wrong";
}

const ANOTHERS = "the conference is another tenant's";

/**
 * Why the event cannot be about one of the tenant's conferences; null if it can. A conference's events name it. A recording's
 * events may not (its form carries no name): without a name only a recording's status is taken. `unknown`: it has a plain
 * name, which the tenant's rooms may have had before.
 * @param isProved Whether the callback's URL proves that the conference is the tenant's.
 */
function whyForeign({ tenant, project }: Owner, event: RelayEvent, isProved: boolean): string | null {
  if (event.kind !== "conference" && event.kind !== "other") return "it is no event of a conference";
  if (isProved) return null;
  const { name, status } = event.params as { name?: unknown; status?: unknown };
  if (name === undefined || name === null) {
    const isOfRecording = status === undefined || (typeof status === "string" && status.startsWith("record"));
    return isOfRecording ? null : "it names no conference";
  }
  if (typeof name !== "string") return "the conference's name is no text";
  const owner = splitWireName(name).tenant;
  if (owner === tenant || (owner === null && hasPlainNames({ tenant, project }))) return null;
  return owner === null ? "unknown" : ANOTHERS;
}

/** Rooms keep plain names for as long as calls are in them, whatever the record says by now: their session knows. */
async function whyForeignPlain(
  env: Env,
  { tenant, project }: Owner,
  event: RelayEvent,
): Promise<string | null> {
  const { name } = event.params as { name?: unknown };
  const isOwn = await withTimeout(
    OWNER_MS,
    askPart(sessionOf(env, project).tenants(), (tenants) => tenants.isOwnPlain(tenant, String(name))),
  );
  return isOwn ? null : ANOTHERS;
}

function isHuge(raw: Uint8Array): boolean {
  return raw.length > formLimit || new URLSearchParams(fromUtf8(raw)).size > FIELDS;
}
