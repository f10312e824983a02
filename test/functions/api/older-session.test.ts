import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, RpcStub, RpcTarget } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { routes } from "../../../functions/routes.ts";
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
