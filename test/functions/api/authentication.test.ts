import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { api } from "../../../functions/api/index.ts";
import { askApi } from "./ask.ts";

const path = "/projects/p-1/session";

describe("the API", () => {
  it("is closed where ADMIN_TOKEN is not set or empty, whatever token is sent, and says how to open it", async () => {
    const { ADMIN_TOKEN: _, ...without } = env;
    for (const closed of [without, { ...without, ADMIN_TOKEN: "" }]) {
      for (const authorization of ["Bearer ", "Bearer undefined", "Bearer test-admin-token"]) {
        const response = await api.request(path, { headers: { authorization } }, closed);
        expect(response.status).toBe(403);
        expect(await response.json()).toEqual({
          error: {
            code: "api_closed",
            message: expect.stringContaining("npx wrangler secret put ADMIN_TOKEN"),
          },
        });
      }
    }
  });

  it("asks for a bearer token where none, an empty or another kind of one is sent", async () => {
    for (const authorization of ["", "Bearer", "Bearer ", "Basic dGVzdC1hZG1pbi10b2tlbg=="]) {
      const response = await askApi(path, { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toBe('Bearer realm="partyline"');
      expect(await response.json()).toMatchObject({ error: { code: "unauthorized" } });
    }
  });

  it("refuses a wrong token, be it the right one's beginning or the right one and more, and quotes neither", async () => {
    for (const token of ["test-admin-toke", "test-admin-token2", "Test-admin-token", "x".repeat(5_000)]) {
      const response = await askApi(path, { headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(401);
      const text = await response.text();
      expect(text).not.toContain("est-admin-toke");
    }
  });

  it("takes the right token, the scheme in any case", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const response = await askApi("/nowhere", { headers: { authorization: `${scheme} test-admin-token` } });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        error: { code: "not_found", message: "The API has no such path." },
      });
    }
  });

  it("does not tell paths that exist from those that do not without the token", async () => {
    const response = await askApi("/nowhere", { headers: { authorization: "" } });
    expect(response.status).toBe(401);
  });

  it("answers with what no cache may keep and no page may embed, whatever the answer is", async () => {
    const asked = [
      askApi("/nowhere"),
      askApi("/nowhere", { headers: { authorization: "" } }),
      askApi("/tenants/nobody/calls"),
      askApi("/tenants/nobody/doctor", { method: "POST", body: "{}" }),
      // Something of ours breaks.
      api.request(
        "/projects/p-1/session",
        { headers: { authorization: "Bearer a" } },
        {
          ADMIN_TOKEN: "a",
          get DIRECTORY(): never {
            throw new Error("broken");
          },
        },
      ),
    ];
    for (const { status, headers } of await Promise.all(asked)) {
      expect([status, headers.get("cache-control")]).toEqual([status, "no-store"]);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("strict-transport-security")).not.toBeNull();
    }
  });
});
