import { expect, test } from "vitest";
import { openFixture } from "../fixture.ts";
import { askApi } from "./ask.ts";

test("a body that is not JSON is refused with the line and the column, and nothing of it is quoted", async () => {
  await using home = await openFixture({ rules: [] });
  const body = '{\n  "to": "+15550100201"\n  "id": "secret-word"\n}';
  const tenant = `/tenants/${home.tenant}`;
  const requests: [string, string][] = [
    ["POST", `${tenant}/conferences/board/participants`],
    ["POST", `${tenant}/tokens`],
    ["POST", "/check/tenant"],
    ["PUT", `${tenant}/ruleset`],
  ];
  for (const [method, path] of requests) {
    const headers = { authorization: "Bearer test-admin-token", "if-match": "*" };
    const response = await askApi(path, { method, body, headers });
    expect([400, 422]).toContain(response.status);
    const text = await response.text();
    expect(text, path).toContain("is not JSON: line 3, column 3");
    expect(text).not.toContain("secret-word");
  }
});

test("a body that is missing, or nests too deep, is said to", async () => {
  await using home = await openFixture({ rules: [] });
  const path = `/tenants/${home.tenant}/tokens`;
  for (const [body, why] of [
    ["", "The body is missing."],
    ["[".repeat(5_000) + "]".repeat(5_000), "The body nests too deep."],
  ]) {
    const response = await askApi(path, { method: "POST", body: body ?? "" });
    expect(await response.json()).toMatchObject({ error: { code: "bad_request", message: why } });
  }
});

test("times stand beside their milliseconds in ISO 8601", async () => {
  await using home = await openFixture({ rules: [] });
  const body = JSON.stringify({ name: "one", scopes: ["lobby"], expires_at: "2036-01-01T00:00:00Z" });
  const made = await (await askApi(`/tenants/${home.tenant}/tokens`, { method: "POST", body })).json<{
    created_at: number;
  }>();
  expect(made).toMatchObject({
    created_at_iso: new Date(made.created_at).toISOString(),
    expires_at: Date.parse("2036-01-01"),
    expires_at_iso: "2036-01-01T00:00:00.000Z",
  });
  const session = await askApi(`/projects/${home.carrier.project_id}/session`);
  expect(await session.json()).toMatchObject({ breaker: { open_until: null, open_until_iso: null } });
});
