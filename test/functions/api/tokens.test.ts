import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../../functions/routes.ts";
import type { Scope } from "../../../shared/api/scopes.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { askApi } from "./ask.ts";

beforeAll(warmUp);

const rules = [
  { id: "board", match: { to: "+15550100101" }, place: { room: "board" } },
  { id: "any", match: {}, place: { room: "support" } },
];

interface Holder {
  id: string;
  token: string;
  ask(path: string, init?: RequestInit): Promise<Response>;
}

async function holder(
  { tenant }: Fixture,
  scopes: Scope[],
  more: Record<string, unknown> = {},
  by?: string,
): Promise<Holder> {
  const response = await askApi(`/tenants/${tenant}/tokens`, {
    method: "POST",
    body: JSON.stringify({ name: "a wallboard", scopes, ...more }),
    ...(by === undefined ? {} : { headers: { authorization: `Bearer ${by}` } }),
  });
  expect(response.status, await response.clone().text()).toBe(201);
  const { id, token } = await response.json<{ id: string; token: string }>();
  return {
    id,
    token,
    ask: (path, init) =>
      askApi(`/tenants/${tenant}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } }),
  };
}

async function refused(response: Response | Promise<Response>): Promise<[number, string]> {
  const answer = await response;
  const { error } = await answer.json<{ error: { code: string } }>();
  return [answer.status, error.code];
}

async function inRoom(home: Fixture, from: string, to: string, room: string): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ from, to, url: home.webhook_url });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
  return call_id;
}

describe("a tenant's token", () => {
  it("is shown once, opens what its scopes say, and nothing from the moment it is revoked", async () => {
    await using home = await openFixture({ rules });
    const { id, token, ask } = await holder(home, ["rooms:read"]);
    expect((await ask("/conferences")).status).toBe(200);
    expect(await (await ask("/calls")).json()).toEqual({
      error: { code: "scope", message: "This token lacks the scope calls:read." },
    });
    expect(await refused(ask("/ruleset", { method: "PUT", body: "{}" }))).toEqual([403, "scope"]);
    const listed = await (await askApi(`/tenants/${home.tenant}/tokens`)).text();
    expect(listed).toContain(id);
    expect(listed).not.toContain(token.slice(-40));
    const revoke = () => askApi(`/tenants/${home.tenant}/tokens/${id}`, { method: "DELETE" });
    expect((await revoke()).status).toBe(204);
    expect(await refused(ask("/conferences"))).toEqual([401, "unauthorized"]);
    expect(await refused(revoke())).toEqual([404, "unknown_token"]);
  });

  it("is refused after its time, with another secret, and if only its id is right", async () => {
    await using home = await openFixture({ rules });
    const soon = await holder(home, ["rooms:read"], { expires_at: Date.now() + 1_500 });
    const other = await holder(home, ["rooms:read"]);
    const mixed = `${soon.token.slice(0, -40)}${other.token.slice(-40)}`;
    for (const wrong of [mixed, soon.token.slice(0, -1), `ply_${soon.id}_${"a".repeat(40)}`]) {
      const headers = { authorization: `Bearer ${wrong}` };
      expect(await refused(askApi(`/tenants/${home.tenant}/conferences`, { headers }))).toEqual([
        401,
        "unauthorized",
      ]);
    }
    expect((await soon.ask("/conferences")).status).toBe(200);
    await expect.poll(async () => (await soon.ask("/conferences")).status, { timeout: 5_000 }).toBe(401);
    const past = { name: "late", scopes: ["lobby"], expires_at: "2020-01-01T00:00:00Z" };
    const created = askApi(`/tenants/${home.tenant}/tokens`, { method: "POST", body: JSON.stringify(past) });
    expect(await refused(created)).toEqual([422, "bad_request"]);
  });

  it("makes no token that may do more than itself", async () => {
    await using home = await openFixture({ rules });
    const expires_at = Date.now() + 600_000;
    const maker = await holder(home, ["tokens", "lobby", "calls:read"], { mask_numbers: true, expires_at });
    const make = (body: Record<string, unknown>) =>
      refused(maker.ask("/tokens", { method: "POST", body: JSON.stringify({ name: "more", ...body }) }));
    const as = { mask_numbers: true, expires_at };
    expect(await make({ scopes: ["lobby", "dial"], ...as })).toEqual([403, "scope"]);
    expect(await make({ scopes: ["lobby"], ...as, mask_numbers: false })).toEqual([403, "scope"]);
    expect(await make({ scopes: ["lobby"], mask_numbers: true })).toEqual([403, "scope"]);
    expect(await make({ scopes: ["lobby"], ...as, expires_at: expires_at + 1 })).toMatchObject([
      403,
      "scope",
    ]);
    expect(await make({ scopes: ["tokens"], ...as, rooms: ["a*"] })).toEqual([422, "bad_request"]);
    expect(await make({ scopes: ["rules:read"], ...as })).toEqual([422, "bad_request"]);
    const lesser = await holder(home, ["lobby"], as, maker.token);
    expect(lesser.id).toMatch(new RegExp(`^${home.tenant}-`));
  });

  it("for some rooms sees and ends nothing in the others, and with masked numbers no caller's number", async () => {
    await using home = await openFixture({ rules });
    const inBoard = await inRoom(home, "+15550100011", "+15550100101", "board");
    const inSupport = await inRoom(home, "+15550100012", "+15550100100", "support");
    const scopes: Scope[] = ["rooms:read", "calls:read", "rooms:remove", "recordings:read"];
    const { ask } = await holder(home, scopes, { rooms: ["sup*"], mask_numbers: true });
    const list = async (path: string) => await (await ask(path)).text();
    expect(await list("/conferences")).not.toContain("board");
    expect(await list("/conferences/support")).toContain("+*********12");
    expect(await refused(ask("/conferences/board"))).toEqual([403, "scope"]);
    expect(await refused(ask(`/conferences/${encodeURIComponent(`${home.tenant}:board`)}`))).toEqual([
      403,
      "scope",
    ]);
    await expect.poll(() => list("/calls")).toContain(inSupport);
    expect(await list("/calls")).not.toMatch(/\+1555|board/);
    expect(await refused(ask("/calls?from=%2B15550100012"))).toEqual([403, "scope"]);
    expect((await ask(`/calls/${inSupport}`)).status).toBe(200);
    expect(await list(`/calls/${inSupport}`)).not.toContain("+1555");
    for (const path of [`/calls/${inBoard}/end`, `/calls/${inBoard}/release-seat`])
      expect(await refused(ask(path, { method: "POST" }))).toEqual([404, "unknown_call"]);
    expect(await refused(ask(`/calls/${inBoard}`))).toEqual([404, "unknown_call"]);
    expect(await refused(ask("/pins"))).toEqual([403, "scope"]);
    expect((await ask(`/calls/${inSupport}/end`, { method: "POST" })).status).toBe(202);
  });

  it("gets 503 and never access while the session does not answer, and ADMIN_TOKEN what needs no session", async () => {
    await using home = await openFixture({ rules });
    const { token } = await holder(home, ["rules:read", "rooms:read"]);
    const down = {
      ...env,
      // What the API needs of the namespace.
      RELAY_SESSION: {
        idFromName: () => "",
        get: () => ({
          apiAccess: () => {
            throw new Error("the session is gone");
          },
        }),
      } as unknown as Env["RELAY_SESSION"],
    };
    const ask = async (path: string, bearer: string): Promise<number> => {
      const ctx = createExecutionContext();
      const headers = { authorization: `Bearer ${bearer}` };
      const response = await routes.request(`/api/tenants/${home.tenant}${path}`, { headers }, down, ctx);
      await waitOnExecutionContext(ctx);
      return response.status;
    };
    expect(await ask("/ruleset", token)).toBe(503);
    expect(await ask("/conferences", token)).toBe(503);
    expect(await ask("/ruleset", "test-admin-token")).toBe(200);
  });
});

describe("the audit", () => {
  it("has who did what to whom, refusals included, in pages, newest first, and no secret", async () => {
    await using home = await openFixture({
      rules,
      tenant: { dial: { allow: ["+1555*"], from: ["+15550100100"] } },
    });
    const { id, token, ask } = await holder(home, ["rooms:remove", "audit:read"]);
    const call_id = await inRoom(home, "+15550100011", "+15550100101", "board");
    await ask(`/calls/${call_id}/end`, { method: "POST" });
    await ask("/calls/unknown/end", { method: "POST" });
    const dialled = { to: "+15550100201", send_digits: "9876#", announce: "Secret words." };
    await ask("/conferences/board/participants", { method: "POST", body: JSON.stringify(dialled) });
    await askApi(`/tenants/${home.tenant}/ruleset`, {
      method: "PUT",
      headers: { authorization: "Bearer test-admin-token", "if-match": "*" },
      body: JSON.stringify({ rules }),
    });
    const path = "/audit?limit=3";
    const first = await (await ask(path)).json<{ entries: Record<string, unknown>[]; next: number }>();
    expect(first.entries).toMatchObject([
      { token: "admin", name: "ADMIN_TOKEN", action: "rules.put", outcome: "ok", status: 200 },
      { token: id, name: "a wallboard", action: "dial.request", target: { room: "board" }, outcome: "scope" },
      { token: id, action: "call.end", target: { call_id: "unknown" }, outcome: "unknown_call", status: 404 },
    ]);
    const rest = await (await ask(`${path}&after=${first.next}`)).json<typeof first>();
    expect(rest).toMatchObject({
      entries: [
        { token: id, action: "call.end", target: { call_id }, outcome: "ok", status: 202 },
        { token: "admin", action: "token.create", target: { id }, status: 201 },
      ],
      next: null,
    });
    expect(JSON.stringify([first, rest])).not.toMatch(
      new RegExp(`\\b9876\\b|Secret words|${token.slice(-40)}`),
    );
  });
});
