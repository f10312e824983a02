import { describe, expect, it } from "vitest";
import { openFixture } from "../fixture.ts";
import { askApi, askDoctor } from "./ask.ts";

describe("a project's session, as the API tells of it", () => {
  it("is idle until something connects it, and asking does not", async () => {
    await using fixture = await openFixture({ rules: [] });
    const path = `/projects/${fixture.carrier.project_id}/session`;
    const before = await askApi(path);
    expect(before.status).toBe(200);
    expect(await before.json()).toMatchObject({
      state: "idle",
      since: 0,
      queued: 0,
      in_flight: 0,
      last_reason: "",
    });
    expect(await fixture.carrier.journal({ kind: "session" })).toEqual([]);
    await askDoctor(fixture.tenant, fixture.webhook_url);
    const after = await (await askApi(path)).json();
    expect(after).toMatchObject({ state: "ready", last_reason: "a new session" });
  });

  it("cannot be asked of a project that is not there", async () => {
    const response = await askApi("/projects/p-nobody/session");
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: {
        code: "project_unreadable",
        message: expect.stringContaining("there is no record project/p-nobody in KV"),
      },
    });
  });
});
