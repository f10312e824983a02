import { expect, test } from "vitest";
import { prepare, readAnswer } from "../../../shared/api/client.ts";

test("a request has its parameters escaped, what was not given left out, and its body as JSON", () => {
  expect(prepare("getConference", { params: { tenant: "acme", name: "a/b c" } })).toEqual({
    method: "GET",
    path: "/tenants/acme/conferences/a%2Fb%20c",
  });
  const query = { limit: 5, from: "+15550100001", room: undefined };
  expect(prepare("listCalls", { params: { tenant: "acme" }, query })).toEqual({
    method: "GET",
    path: "/tenants/acme/calls?limit=5&from=%2B15550100001",
  });
  const made = { params: { tenant: "acme", name: "board" }, body: { to: "+15550100201" } };
  expect(prepare("dialParticipant", made)).toMatchObject({ method: "POST", body: '{"to":"+15550100201"}' });
  const written = { params: { tenant: "acme" }, body: '{ "rules": [ ] }' };
  expect(prepare("putRuleset", written)).toMatchObject({ method: "PUT", body: '{ "rules": [ ] }' });
});

test("an answer is read as its status says, with fields of a newer version left out; another is none", () => {
  const changed = { call_id: "c-1", changed: true, since_then: 1 };
  expect(readAnswer("endCall", 202, changed)).toEqual({
    status: 202,
    data: { call_id: "c-1", changed: true },
  });
  const refused = { error: { code: "unknown_call", message: "No such call." } };
  expect(readAnswer("endCall", 404, refused)).toEqual({ status: 404, data: refused });
  expect(readAnswer("deleteRecording", 204, undefined)).toEqual({ status: 204, data: null });
  expect(readAnswer("endCall", 200, changed)).toBeNull();
  expect(readAnswer("endCall", 202, { ok: true })).toBeNull();
});
