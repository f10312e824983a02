import { expect, it } from "vitest";
import { dialRequest } from "../../../functions/api/dial-request.ts";
import type { Tenant } from "../../../functions/tenants/tenant.ts";
import { dialBody } from "../../../shared/api/dial.ts";
import { compileRuleset } from "../../../shared/rules/compile/compile.ts";
import { acme, mustParse } from "../../shared/rules/sample.ts";

function decisionFor(body: object) {
  const defaults = {
    language: "de-DE",
    voice: "Vicki",
    recording_notice: "Dieses Gespräch wird aufgezeichnet.",
  };
  const tenant = {
    ...acme,
    record: { dial: { allow: ["+1555*"], from: ["+1555*", "+15550100100"], max_concurrent: 10 } },
    project: { project_id: "p-1", session: { dials_per_s: 1 } },
    rules: compileRuleset(mustParse({ defaults, rules: [] }), { ...acme, hash: "0".repeat(64) }),
  } as unknown as Tenant; // All of it that is looked at here.
  const request = dialRequest(tenant, "team", dialBody.parse({ to: "+15550100201", ...body }), "d-1");
  return "code" in request ? request : { from: request.from, announce: request.decision.announce };
}

it("whoever is called hears the tenant's language and voice, and of a recording, too", () => {
  const spoken = { language: "de-DE", voice: "Vicki" };
  const notice = { say: "Dieses Gespräch wird aufgezeichnet.", ...spoken };
  expect(decisionFor({ announce: "Hallo." })).toEqual({
    from: "+15550100100",
    announce: [{ say: "Hallo.", ...spoken }],
  });
  expect(decisionFor({ announce: "Hallo.", join: { record: "record-from-start" } })).toMatchObject({
    announce: [{ say: "Hallo." }, notice],
  });
  expect(decisionFor({ join: { record: "record-from-start" } })).toMatchObject({ announce: [notice] });
});
