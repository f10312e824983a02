import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { askApi } from "../api/ask.ts";
import { openFixture } from "../fixture.ts";

test("whoever has asked a part of the session holds on to it no longer", async () => {
  await using fixture = await openFixture({ rules: [] });
  const session = env.RELAY_SESSION.getByName(fixture.carrier.project_id);
  let given_up = 0;
  await runInDurableObject(session, (own) => {
    // What the runtime calls when nobody has a stub of the object any more.
    Object.assign(own.archive(), { [Symbol.dispose]: () => (given_up += 1) });
  });
  const paths = ["conferences", "calls", "calls/nobody"];
  for (const path of paths) await askApi(`/tenants/${fixture.tenant}/${path}`);
  await expect.poll(() => given_up).toBeGreaterThanOrEqual(paths.length);
});
