import { KEY_CHECK, type PinList, pinsBody, type StoredPin } from "../../shared/api/pins.ts";
import { isTenantId } from "../../shared/conference.ts";
import { pinId } from "../../shared/pin-id.ts";
import { jsonOf } from "../../shared/records.ts";
import { pinRecord } from "../../shared/rules/schema/pin-record.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { describeError, log } from "../log.ts";
import { withTimeout } from "../timeout.ts";
import { readBody } from "../webhooks/read-body.ts";
import type { Api, ApiContext } from "./context.ts";
import { readJson } from "./json-body.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { route } from "./route.ts";

/** Bytes: a hundred records with notes. */
const BODY_LIMIT = 262_144;
const KV_MS = 14_000;

/** Keys of one list that are looked through for a PIN. */
const LISTED = 1_000;

/**
 * `GET /api/tenants/:tenant/pins/records`: the PINs that KV holds. `PUT`: adds some, by their HMACs, or writes over them. `DELETE
 * …/pins/records/:id`: revokes one. No digits of a PIN come to them, and no HMAC from them.
 */
export function pinRecordsRoutes(api: Api): void {
  route(api, "listPins", (c, { params, query: { after, limit }, answer }) =>
    orFailed(c, params.tenant, async (tenant) => {
      const prefix = `pins/${tenant}/`;
      const cursor = after === undefined ? {} : { cursor: after };
      const found = await c.env.DIRECTORY.list({ prefix, limit, ...cursor });
      const keys = found.keys.map(({ name }) => name);
      const texts = keys.length === 0 ? new Map<string, string | null>() : await c.env.DIRECTORY.get(keys);
      const pins = await Promise.all(
        keys.map(async (key) => storedPin(await pinId(key.slice(prefix.length)), texts.get(key) ?? null)),
      );
      const next = found.list_complete ? null : found.cursor;
      return answer(200, { pins, next } satisfies PinList);
    }),
  );
  route(api, "putPins", async (c, { params, answer }) => {
    const raw = await readBody(c.req.raw, BODY_LIMIT);
    if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${BODY_LIMIT} bytes.`);
    const json = readJson(raw);
    if (!json.ok) return refusal(c, 422, "bad_request", `The body ${json.why}.`);
    const body = pinsBody.safeParse(json.value);
    if (!body.success) return refusal(c, 422, "bad_request", faultsOf(body.error, json.value, "the body"));
    return await orFailed(c, params.tenant, async (tenant) => {
      const { check, pins } = body.data;
      if (!c.env.CREDENTIALS_KEY) {
        const message =
          "The Worker has no CREDENTIALS_KEY, so no PIN can be right. Set one: npx wrangler secret put CREDENTIALS_KEY";
        return refusal(c, 409, "no_key", message);
      }
      if (check !== (await answerHmac(c.env.CREDENTIALS_KEY, tenant, KEY_CHECK))) {
        const message =
          "The CREDENTIALS_KEY that these PINs were made with is not the Worker's, so none of them would ever be right. Nothing was written.";
        return refusal(c, 409, "other_key", message);
      }
      await Promise.all(
        pins.map((pin) => {
          const { hmac: name, ...record } = pin;
          return c.env.DIRECTORY.put(`pins/${tenant}/${name}`, JSON.stringify(record));
        }),
      );
      log("info", "pins.written", { tenant, count: pins.length });
      return answer(200, { written: pins.length });
    });
  });
  route(api, "revokePin", (c, { params }) =>
    orFailed(c, params.tenant, async (tenant) => {
      const key = await keyOf(c.env, tenant, params.id);
      if (key === null) return refusal(c, 404, "unknown_pin", "KV has no such PIN of this tenant's.");
      await c.env.DIRECTORY.delete(key);
      log("info", "pins.revoked", { tenant });
      return c.body(null, 204);
    }),
  );
}

/** KV's key of the PIN with this id; null where there is none. */
async function keyOf({ DIRECTORY }: Env, tenant: string, id: string): Promise<string | null> {
  const prefix = `pins/${tenant}/`;
  let cursor: string | null = null;
  do {
    const page: KVNamespaceListResult<unknown> = await DIRECTORY.list({ prefix, limit: LISTED, cursor });
    const names = page.keys.map(({ name }) => name);
    const ids = await Promise.all(names.map((name) => pinId(name.slice(prefix.length))));
    const found = names[ids.indexOf(id)];
    if (found !== undefined) return found;
    cursor = page.list_complete ? null : page.cursor;
  } while (cursor !== null);
  return null;
}

/** Refuses where there is no such tenant, or KV does not answer. */
async function orFailed(
  c: ApiContext,
  tenant: string,
  ask: (tenant: string) => Promise<Response>,
): Promise<Response> {
  try {
    return await withTimeout(
      KV_MS,
      (async () => {
        const isKnown =
          isTenantId(tenant) &&
          (tenant === "default" || (await c.env.DIRECTORY.get(`tenant/${tenant}`)) !== null);
        if (!isKnown)
          return refusal(c, 404, "unknown_tenant", "There is no such tenant: KV has no record of it.");
        return await ask(tenant);
      })(),
    );
  } catch (error) {
    log("error", "pins.not_written", { tenant: tenant.slice(0, 40), error: describeError(error) });
    const message = `KV failed (${describeError(error)}). What was to be written may be written in part: do it again.`;
    return refusal(c, 503, "kv_failed", message);
  }
}

/** A record that cannot be read counts for no PIN; it is shown as bad. */
function storedPin(id: string, text: string | null): StoredPin {
  const read = pinRecord.safeParse(text === null ? undefined : jsonOf(text));
  return read.success ? { id, ...read.data } : { id, bad: true };
}
