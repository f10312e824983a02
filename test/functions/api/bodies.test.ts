import { expect, test } from "vitest";
import { openFixture } from "../fixture.ts";
import { askApi } from "./ask.ts";

test("a body that is not JSON is refused with the line and the column, and nothing of it is quoted", async () => {
  await using home = await openFixture({ rules: [] });
  // The engine tells the place in the first one; the second is too short for that.
  const bodies = ['{\n  "to": "+15550100201"\n  "id": "secret-word"\n}', '{\n"id":\n "a}'];
  const tenant = `/tenants/${home.tenant}`;
  const requests: [string, string][] = [
    ["POST", `${tenant}/conferences/board/participants`],
    ["POST", `${tenant}/tokens`],
    ["POST", "/check/tenant"],
    ["PUT", `${tenant}/ruleset`],
    ["PUT", `${tenant}/conferences/board/lock`],
    ["POST", `${tenant}/ruleset/diff`],
  ];
  for (const [[method, path], body] of requests.flatMap((one) =>
    bodies.map((body) => [one, body] as const),
  )) {
    const headers = { authorization: "Bearer test-admin-token", "if-match": "*" };
    const response = await askApi(path, { method, body, headers });
    expect([400, 422]).toContain(response.status);
    const text = await response.text();
    expect(text, path).toContain(`is not JSON: line 3, column ${body === bodies[0] ? 3 : 2}`);
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

test("what is wrong with a query or a body is said in words, with what was probably meant", async () => {
  await using home = await openFixture({ rules: [] });
  const said = async (path: string, body?: object) => {
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const { error } = await (await askApi(`/tenants/${home.tenant}${path}`, sent)).json<{
      error: { message: string };
    }>();
    return error.message;
  };
  expect(await said("/calls?limit=many")).toBe('limit: must be a number, not "many"');
  expect(await said("/calls?outcom=joined")).toBe(
    'outcom: unknown key; allowed here: after, limit, room, rule, outcome, from (did you mean "outcome"?)',
  );
  expect(await said("/recordings?since=yesterday")).toBe(
    "since: must be milliseconds, or a date and time such as 2026-11-28T10:00:00Z",
  );
  expect(await said("/recordings?after=7")).toBe("after: must be the next of the page before");
  expect(await said("/tokens", { name: "a", scopes: ["room:read"] })).toMatch(
    /^scopes\[0\]: must be one of .*, not "room:read" \(did you mean "rooms:read"\?\)$/,
  );
  expect(await said("/tokens", [])).toBe("the body: must be an object, not a list");
  expect(await said("/webhooks", { url: "https://example.com", urls: [] })).toMatch(
    /^urls: unknown key; allowed here: .* \(did you mean "url"\?\)$/,
  );
  expect(await said("/conferences/board/end", { lock: 60 })).toMatch(
    /^lock: unknown key; allowed here: .*lock_s/,
  );
  expect(await said("/tokens", { scopes: ["lobby"], expires_at: "soon" })).toBe(
    "name: is missing: text; expires_at: must be milliseconds, or a date and time such as 2026-11-28T10:00:00Z",
  );
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
