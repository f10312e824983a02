import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, RpcStub, RpcTarget } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { routes } from "../../../functions/routes.ts";
import { callbackTokens } from "../../../shared/callback-token.ts";
import { signJson } from "../../../shared/signature.ts";
import { openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

/** What a session of the version before answers lists with: it knows no pages. */
class Older extends RpcTarget {
  conferences(tenant: string) {
    return [{ name: `${tenant}:team` }];
  }

  ofTenant(tenant: string) {
    return [{ id: "asked-before", room: `${tenant}:team` }];
  }
}

test("lists are answered while a session of the version before still runs", async () => {
  await using home = await openFixture({ rules: [] });
  const older = { archive: () => new RpcStub(new Older()), dialer: () => new RpcStub(new Older()) };
  const mixed = {
    ...env,
    // What the API needs of the namespace.
    RELAY_SESSION: { idFromName: () => "", get: () => older } as unknown as Env["RELAY_SESSION"],
  };
  const list = async (path: string): Promise<unknown> => {
    const ctx = createExecutionContext();
    const headers = { authorization: "Bearer test-admin-token" };
    const response = await routes.request(`/api/tenants/${home.tenant}/${path}`, { headers }, mixed, ctx);
    await waitOnExecutionContext(ctx);
    expect(response.status).toBe(200);
    return await response.json();
  };
  const room = `${home.tenant}:team`;
  expect(await list("conferences")).toEqual({ conferences: [{ name: room }], next: null });
  expect(await list("dials")).toEqual({ dials: [{ id: "asked-before", room }], next: null });
});

/** A session of another version, which has nothing of what it is asked for. */
const lacking = new Proxy(
  {},
  {
    get: (_, method) => async () => {
      throw new TypeError(`The RPC receiver does not implement the method "${String(method)}".`);
    },
  },
);

test("whatever a session of another version lacks, calls are answered, callbacks come again, and the API says so", async () => {
  await using home = await openFixture({
    rules: [
      {
        id: "pin",
        match: { to: "+15550100101" },
        ask: { pin: { say: "PIN?", digits: "4", secret: true } },
        rules: [],
      },
      {
        id: "room",
        match: {},
        place: { room: "room", announce: "You are {number}.", capacity: 2, rejoin_s: 60 },
      },
    ],
  });
  const namespace = { idFromName: () => "", get: () => lacking };
  const mixed = { ...env, RELAY_SESSION: namespace as unknown as Env["RELAY_SESSION"] };
  const ask = async (path: string, init: RequestInit): Promise<Response> => {
    const ctx = createExecutionContext();
    const response = await routes.request(path, init, mixed, ctx);
    await waitOnExecutionContext(ctx);
    return response;
  };
  const url = `https://partyline.test/hooks/${home.tenant}`;
  for (const to of ["+15550100100", "+15550100101"]) {
    const call = { call_id: `c-${to}`, node_id: "n-1", from: "+15550100001", to };
    const body = new TextEncoder().encode(JSON.stringify({ call, vars: {}, params: {} }));
    const signature = await signJson("SHA-256", home.carrier.signing_key, `${url}/swml`, body);
    const headers = { "x-signalwire-sha256-signature": signature };
    const response = await ask(`${url}/swml`, { method: "POST", body, headers });
    expect([to, response.status]).toEqual([to, 200]);
  }
  const keys = { credentials_key: env.CREDENTIALS_KEY ?? "", signing_keys: [] };
  const [token] = await callbackTokens(keys, home.tenant);
  const event = {
    event_type: "calling.conference",
    params: {
      status: "participant-join",
      name: `${home.tenant}:room`,
      call_id: "c-1",
      conference_id: "conf-1",
    },
  };
  for (const kind of ["conference-status", "recording-status"]) {
    const told = { method: "POST", body: JSON.stringify(event) };
    expect((await ask(`${url}/${kind}?token=${token}`, told)).status).toBe(503);
  }
  const answers: string[] = [];
  let silent = 0;
  for (const { method, path } of routes.routes) {
    if (!path.startsWith("/api/") || path.includes("*") || !/^(GET|POST|DELETE)$/.test(method)) continue;
    const filled = path
      .replace(":tenant", home.tenant)
      .replace(":project", home.carrier.project_id)
      .replace(
        /:(\w+)(\{[^}]*\})?/g,
        (_, name, words: string | undefined) => words?.slice(1).split(/[|}]/)[0] ?? name,
      );
    const headers = { authorization: "Bearer test-admin-token", "content-type": "application/json" };
    const body =
      method === "POST" ? { body: JSON.stringify({ to: "+15550100201", from: "+15550100100" }) } : {};
    const response = await ask(filled, { method, headers, ...body });
    if (response.status === 503) silent += 1;
    else if (response.status >= 500) answers.push(`${method} ${path}: ${response.status}`);
  }
  expect(answers).toEqual([]);
  // Those that ask the session.
  expect(silent).toBeGreaterThan(10);
});
