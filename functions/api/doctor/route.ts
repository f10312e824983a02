import { doctorRequestSchema } from "../../../shared/api/doctor.ts";
import { log } from "../../log.ts";
import { readBody } from "../../webhooks/read-body.ts";
import type { Api } from "../context.ts";
import { readJson } from "../json-body.ts";
import { refusal } from "../refusal.ts";
import { route } from "../route.ts";
import { examine } from "./examine.ts";

/** Bytes. */
const BODY_LIMIT = 8_192;

/** `POST /api/tenants/:tenant/doctor`: what is wrong between number and conference. Places nothing. */
export function doctorRoutes(api: Api): void {
  route(api, "examineTenant", async (c, { params: { tenant }, answer }) => {
    const raw = await readBody(c.req.raw, BODY_LIMIT);
    if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${BODY_LIMIT} bytes.`);
    const json = readJson(raw);
    const asked = doctorRequestSchema.safeParse(json.ok ? json.value : undefined);
    if (!asked.success) {
      const message =
        'The body must be { "url": "…" }: the URL as pasted at SignalWire, at most 2048 characters.';
      return refusal(c, 400, "bad_request", message);
    }
    const reply = await examine(c.env, tenant, asked.data.url, new URL(c.req.url).origin);
    const wrong = new Set(reply.findings.filter(({ ok }) => !ok).map(({ check }) => check));
    log("info", "doctor.answered", { tenant: tenant.slice(0, 40), ok: reply.ok, wrong: [...wrong] });
    return answer(200, reply);
  });
}
