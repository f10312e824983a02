import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import {
  announcement,
  changeParticipant,
  changeRecording,
  commandView,
  endRoom,
  lockRoom,
  moveParticipant,
  muteAll,
  plainControl,
  removeParticipant,
} from "../../shared/api/controls.ts";
import { toHex } from "../../shared/hex.ts";
import type { Spoken } from "../../shared/rules/decision.ts";
import { proofsOf } from "../call-flow/callback-urls.ts";
import type { ControlReply, ControlRequest, ControlWish, RefusalCode } from "../session/contract/controls.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { namesOf } from "../tenants/room-naming.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { jsonOf } from "./json-body.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { answerFor } from "./story-tenant.ts";

type ApiContext = Context<{ Bindings: Env }>;

const BODY_BYTES = 16_384;
/** A control waits for its effect, and for a slow SignalWire before that. */
const CONTROL_MS = 18_000;
const KEY_LENGTH = 200;

const statuses: Record<RefusalCode, ContentfulStatusCode> = {
  unknown_conference: 404,
  unknown_participant: 404,
  unknown_recording: 404,
  moved: 409,
  other_conference: 409,
  would_end_room: 409,
  full: 409,
  locked: 409,
  control_unavailable: 409,
  target_on_hold: 409,
  already_held: 409,
  number_withheld: 409,
  already_there: 409,
  idempotency_key_reused: 409,
  until_required: 422,
  signalwire_refused: 502,
};

/** `/api/tenants/:tenant/conferences/:name/…`: what operators do to live conferences. `GET …/commands/:id`: how a command stands. */
export const controlsRoute = new Hono<{ Bindings: Env }>()
  .patch("/:tenant/conferences/:name/participants/:call_id", (c) =>
    control(c, changeParticipant, ({ muted, held, coach }) => ({
      control: "change",
      call_id: c.req.param("call_id"),
      ...(muted === undefined ? {} : { muted }),
      ...(held === undefined ? {} : { held }),
      ...(coach === undefined ? {} : { coach }),
    })),
  )
  .delete("/:tenant/conferences/:name/participants/:call_id", (c) =>
    control(c, removeParticipant, ({ then: next, bar_s }) => ({
      control: "remove",
      call_id: c.req.param("call_id"),
      ...(next === "hang_up" ? {} : { say: spoken(next.say, next.language) }),
      ...(bar_s === undefined ? {} : { bar_s }),
    })),
  )
  .post("/:tenant/conferences/:name/participants/:call_id/move", (c) =>
    control(c, moveParticipant, async ({ to, muted, over_capacity }, tenant) => {
      const rooms = namesOf(tenant, roomOf(tenant.tenant, to));
      const [first, ...others] = rooms;
      if (first === undefined) return null;
      const proofs = rooms.map(async (room) => [room, (await proofsOf(c.env, tenant, room))[0]] as const);
      return {
        control: "move",
        call_id: c.req.param("call_id"),
        to: [first, ...others],
        room_proofs: Object.fromEntries(await Promise.all(proofs)),
        ...(muted === undefined ? {} : { muted }),
        ...(over_capacity === undefined ? {} : { over_capacity }),
      };
    }),
  )
  .post("/:tenant/conferences/:name/announcements", (c) =>
    control(c, announcement, ({ say, play, to, language }) => ({
      control: "announce",
      words: play === undefined ? spoken(say ?? "", language) : { play },
      ...(to === undefined ? {} : { to }),
    })),
  )
  .put("/:tenant/conferences/:name/lock", (c) =>
    control(c, lockRoom, ({ mode, until, say }) => ({
      control: "lock",
      mode,
      ...(until === undefined ? {} : { until }),
      ...(say === undefined ? {} : { say }),
    })),
  )
  .delete("/:tenant/conferences/:name/lock", (c) => control(c, plainControl, () => ({ control: "unlock" })))
  .post("/:tenant/conferences/:name/mute-all", (c) =>
    control(c, muteAll, ({ except }) => ({ control: "mute_all", except })),
  )
  .delete("/:tenant/conferences/:name/mute-all", (c) =>
    control(c, plainControl, () => ({ control: "unmute_all" })),
  )
  .post("/:tenant/conferences/:name/end", (c) =>
    control(c, endRoom, ({ say, language, lock_s }) => ({
      control: "end",
      lock_s,
      ...(say === undefined ? {} : { say: spoken(say, language) }),
    })),
  )
  .patch("/:tenant/recordings/:id", (c) =>
    control(c, changeRecording, ({ state, behavior }) => ({
      control: "record",
      id: c.req.param("id"),
      state,
      ...(behavior === undefined ? {} : { behavior }),
    })),
  )
  .get("/:tenant/commands/:id", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const id = c.req.param("id");
      const command = await askPart(sessionOf(c.env, project).conferenceControl(), (controls) =>
        controls.command(tenant, id),
      );
      return command === null
        ? refusal(
            c,
            404,
            "unknown_command",
            "No command of that id was given for this tenant, or it is long ago.",
          )
        : c.json(commandView.parse(command));
    }),
  );

/** Reads the body, has the session do what it wishes for, and answers how that went. */
async function control<Body extends { expect?: { conference_id: string } | undefined }>(
  c: ApiContext,
  schema: z.ZodType<Body>,
  wishOf: (body: Body, tenant: Tenant) => ControlWish | null | Promise<ControlWish | null>,
): Promise<Response> {
  const raw = new Uint8Array(await c.req.arrayBuffer());
  if (raw.length > BODY_BYTES) return refusal(c, 413, "too_large", "The body is over 16 KiB.");
  const json = raw.length === 0 ? {} : jsonOf(raw);
  const body = schema.safeParse(json);
  if (!body.success) return refusal(c, 422, "bad_request", faultsOf(body.error, "the body"));
  const key = c.req.header("idempotency-key");
  if (key !== undefined && (key === "" || key.length > KEY_LENGTH))
    return refusal(c, 422, "bad_request", `Idempotency-Key: 1 to ${KEY_LENGTH} characters`);
  const fingerprint = key === undefined ? null : await fingerprintOf(c, raw);
  return await answerFor(
    c,
    c.req.param("tenant") ?? "",
    async (tenant) => {
      const wish = await wishOf(body.data, tenant);
      if (wish === null) return refusal(c, 422, "bad_conference", "No conference can have that name.");
      const name = c.req.param("name");
      const request: ControlRequest = {
        project_id: tenant.project.project_id,
        tenant: tenant.tenant,
        rooms: name === undefined ? [] : namesOf(tenant, roomOf(tenant.tenant, name)),
        ...(body.data.expect === undefined ? {} : { conference_id: body.data.expect.conference_id }),
        ...(key === undefined || fingerprint === null ? {} : { idempotency: { key, fingerprint } }),
        wish,
      };
      const reply: ControlReply = await askPart(
        sessionOf(c.env, tenant.project).conferenceControl(),
        (controls) => controls.carryOut(request),
      );
      return answerOf(c, reply);
    },
    CONTROL_MS,
  );
}

/** 200: its effect was seen, or it was so already. 202: it was sent, and its effect not seen yet. */
function answerOf(c: ApiContext, reply: ControlReply): Response {
  if (reply.outcome === "command")
    return c.json(commandView.parse(reply.command), reply.command.state === "done" ? 200 : 202);
  const { outcome: _, code, message, ...more } = reply;
  return c.json({ error: { code, message, ...more } }, statuses[code]);
}

/** Tells one request under an Idempotency-Key from another. */
async function fingerprintOf(c: ApiContext, raw: Uint8Array<ArrayBuffer>): Promise<string> {
  const head = new TextEncoder().encode(`${c.req.method} ${c.req.path}\n`);
  const whole = new Uint8Array(head.length + raw.length);
  whole.set(head);
  whole.set(raw, head.length);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", whole)));
}

function spoken(say: string, language: string | undefined): Spoken {
  return { say, ...(language === undefined ? {} : { language }) };
}
