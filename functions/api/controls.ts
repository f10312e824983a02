import type { ContentfulStatusCode } from "hono/utils/http-status";
import { type CommandView, commandView } from "../../shared/api/controls.ts";
import { namesRoom } from "../../shared/api/rooms.ts";
import { withIso } from "../../shared/api/times.ts";
import { toHex } from "../../shared/encoding.ts";
import type { Spoken } from "../../shared/rules/decision.ts";
import { proofsOf } from "../call-flow/callback-urls.ts";
import type { ControlReply, ControlRequest, ControlWish, RefusalCode } from "../session/contract/controls.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { namesOf } from "../tenants/room-naming.ts";
import type { Tenant } from "../tenants/tenant.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

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
  too_many_policies: 409,
  signalwire_refused: 502,
};

/** `/api/tenants/:tenant/conferences/:name/…`: what operators do to live conferences. `GET …/commands/:id`: how a command stands. */
export function controlsRoutes(api: Api): void {
  route(api, "changeParticipant", (c, { params, body }) =>
    control(c, params, body, ({ muted, held, coach }) => ({
      control: "change",
      call_id: params.call_id,
      ...(muted === undefined ? {} : { muted }),
      ...(held === undefined ? {} : { held }),
      ...(coach === undefined ? {} : { coach }),
    })),
  );
  route(api, "removeParticipant", (c, { params, body }) =>
    control(c, params, body, ({ then: next, bar_s }) => ({
      control: "remove",
      call_id: params.call_id,
      ...(next === "hang_up" ? {} : { say: spoken(next.say, next.language) }),
      ...(bar_s === undefined ? {} : { bar_s }),
    })),
  );
  route(api, "moveParticipant", (c, { params, body }) =>
    control(c, params, body, async ({ to, muted, over_capacity }, tenant) => {
      const room = roomOf(tenant.tenant, to);
      const caller = c.get("caller");
      if (caller.kind !== "admin" && caller.rooms !== null && !namesRoom(caller.rooms, room))
        return refusal(c, 403, "scope", `This token is not for the room ${JSON.stringify(room)}.`);
      const rooms = namesOf(tenant, room);
      const [first, ...others] = rooms;
      if (first === undefined) return refusal(c, 422, "bad_conference", "No conference can have that name.");
      const proofs = rooms.map(async (name) => [name, (await proofsOf(c.env, tenant, name))[0]] as const);
      return {
        control: "move",
        call_id: params.call_id,
        to: [first, ...others],
        room_proofs: Object.fromEntries(await Promise.all(proofs)),
        ...(muted === undefined ? {} : { muted }),
        ...(over_capacity === undefined ? {} : { over_capacity }),
      };
    }),
  );
  route(api, "announce", (c, { params, body }) =>
    control(c, params, body, ({ say, play, to, language }) => ({
      control: "announce",
      words: play === undefined ? spoken(say ?? "", language) : { play },
      ...(to === undefined ? {} : { to }),
    })),
  );
  route(api, "lockConference", (c, { params, body }) =>
    control(c, params, body, ({ mode, until, say }) => ({
      control: "lock",
      mode,
      ...(until === undefined ? {} : { until }),
      ...(say === undefined ? {} : { say }),
    })),
  );
  route(api, "unlockConference", (c, { params, body }) =>
    control(c, params, body, () => ({ control: "unlock" })),
  );
  route(api, "muteAll", (c, { params, body }) =>
    control(c, params, body, ({ except }) => ({ control: "mute_all", except })),
  );
  route(api, "unmuteAll", (c, { params, body }) =>
    control(c, params, body, () => ({ control: "unmute_all" })),
  );
  route(api, "endConference", (c, { params, body }) =>
    control(c, params, body, ({ say, language, lock_s }) => ({
      control: "end",
      lock_s,
      ...(say === undefined ? {} : { say: spoken(say, language) }),
    })),
  );
  route(api, "startRecording", (c, { params, body }) =>
    control(c, params, body, () => ({ control: "start_recording" })),
  );
  route(api, "changeRecording", (c, { params, body, sees }) =>
    control(c, params, body, async ({ state, behavior }, { tenant, project }) => {
      const { id } = params;
      const found = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.recording(tenant, id),
      );
      if (!found || !sees(found.room))
        return refusal(c, 404, "unknown_recording", "Nothing is kept of such a recording.");
      return { control: "record", id, state, ...(behavior === undefined ? {} : { behavior }) };
    }),
  );
  route(api, "getCommand", (c, { params: { tenant: whose, id }, sees }) =>
    answerFor(c, whose, async ({ tenant, project }) => {
      const command: CommandView | null = await askPart(
        sessionOf(c.env, project).conferenceControl(),
        (controls) => controls.command(tenant, id),
      );
      return command && sees(command.room)
        ? c.json(told(command))
        : refusal(c, 404, "unknown_command", "No command of that id was given, or it is long ago.");
    }),
  );
}

/** Has the session do what the body wishes for, and answers how that went. */
async function control<Body extends { expect?: { conference_id: string } }>(
  c: ApiContext,
  { tenant: whose, name }: { tenant: string; name?: string },
  body: Body,
  wishOf: (body: Body, tenant: Tenant) => ControlWish | Response | Promise<ControlWish | Response>,
): Promise<Response> {
  const key = c.req.header("idempotency-key");
  if (key !== undefined && (key === "" || key.length > KEY_LENGTH))
    return refusal(c, 422, "bad_request", `Idempotency-Key: 1 to ${KEY_LENGTH} characters`);
  const idempotency =
    key === undefined ? {} : { idempotency: { key, fingerprint: await fingerprintOf(c, body) } };
  const asked = async (tenant: Tenant): Promise<Response> => {
    const wish = await wishOf(body, tenant);
    if (wish instanceof Response) return wish;
    const request: ControlRequest = {
      project_id: tenant.project.project_id,
      tenant: tenant.tenant,
      rooms: name === undefined ? [] : namesOf(tenant, roomOf(tenant.tenant, name)),
      ...(body.expect === undefined ? {} : { conference_id: body.expect.conference_id }),
      ...idempotency,
      wish,
    };
    const reply: ControlReply = await askPart(
      sessionOf(c.env, tenant.project).conferenceControl(),
      (controls) => controls.carryOut(request),
    );
    return answerOf(c, reply);
  };
  return await answerFor(c, whose, asked, CONTROL_MS);
}

/** 200: its effect was seen, or it was so already. 202: it was sent, and its effect not seen yet. */
function answerOf(c: ApiContext, reply: ControlReply): Response {
  if (reply.outcome === "refused") {
    const { outcome: _, code, message, ...more } = reply;
    return c.json({ error: { code, message, ...more } }, statuses[code]);
  }
  const { command } = reply;
  const { sent_by, verified_by, command_id } = command;
  c.set("noted", {
    target: { command_id },
    // What is the session's own was sent to nobody.
    sent_by: sent_by === "session" ? null : sent_by,
    verified_by: verified_by === "session" ? null : verified_by,
  });
  return c.json(told(command), command.state === "done" ? 200 : 202);
}

/** Without what is the session's own. */
function told(command: CommandView): object {
  return withIso(commandView.parse(command)) as object; // An object, as it was.
}

/** Tells one request under an Idempotency-Key from another. */
async function fingerprintOf(c: ApiContext, body: object): Promise<string> {
  const text = new TextEncoder().encode(`${c.req.method} ${c.req.path}\n${JSON.stringify(body)}`);
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", text)));
}

function spoken(say: string, language: string | undefined): Spoken {
  return { say, ...(language === undefined ? {} : { language }) };
}
