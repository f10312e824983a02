import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { askDoctor } from "../../cli/ask-doctor.ts";
import { json, serve } from "./canned-server.ts";

const token = "test-admin-token";
const refused = (code: string, message: string) => ({ error: { code, message } });

describe("asking the doctor", () => {
  const cases: [what: string, answer: (response: ServerResponse) => void, code: string, words: string][] = [
    [
      "the token is wrong",
      json(refused("unauthorized", "The token is not the Worker's ADMIN_TOKEN."), 401),
      "unauthorized",
      "does not take ADMIN_TOKEN",
    ],
    [
      "the Worker has no token",
      json(refused("api_closed", "This Worker has no ADMIN_TOKEN."), 403),
      "api_closed",
      "This Worker has no ADMIN_TOKEN.",
    ],
    ["a wall stands before the Worker", json({}, 403), "forbidden", "let /hooks and /api through"],
    ["another site answers", json({ hello: "world" }), "not_a_partyline", "is not a Partyline"],
    [
      "a page answers",
      (response) => response.end("<!doctype html>"),
      "not_a_partyline",
      "is not a Partyline",
    ],
    ["there is no such path", json({}, 404), "not_a_partyline", "it is not a Partyline, or an older one"],
    [
      "it is sent elsewhere",
      (response) => response.writeHead(308, { location: "https://www.example.com/x" }).end(),
      "redirected",
      "sends us on to https://www.example.com",
    ],
    [
      "the Worker is broken",
      json(refused("internal", "The API failed."), 500),
      "failed",
      "answered 500: The API failed.",
    ],
    ["the connection breaks off", (response) => response.destroy(), "unreachable", "cannot be reached"],
  ];

  for (const [what, answer, code, words] of cases) {
    it(`says so where ${what}`, async () => {
      await using server = await serve(answer);
      const asked = await askDoctor(`${server.origin}/hooks/acme/swml`, token);
      expect(asked).toEqual({ ok: false, error: { code, message: expect.stringContaining(words) } });
      expect(server.asked).toHaveLength(1);
      expect(JSON.stringify(asked)).not.toContain(token);
    });
  }

  it("says so where nobody is there", async () => {
    const server = await serve(json({}));
    await server[Symbol.asyncDispose]();
    const asked = await askDoctor(`${server.origin}/hooks/acme/swml`, token);
    expect(asked).toEqual({
      ok: false,
      error: {
        code: "unreachable",
        message: expect.stringMatching(
          /^http:\/\/127\.0\.0\.1:\d+ cannot be reached \(.*ECONNREFUSED.*\)\. Is the host right/,
        ),
      },
    });
  });

  it("finds the API beside the hooks where both are served under a path", async () => {
    await using server = await serve(json({ ok: true, findings: [] }));
    await askDoctor(`${server.origin}/voice/hooks/acme/swml`, token);
    expect(server.asked[0]?.url).toBe("/voice/api/tenants/acme/doctor");
  });

  it("never shows a token that no header can carry", async () => {
    const asked = await askDoctor("https://example.com/hooks/acme/swml", "tok\u00e9n \u2713");
    expect(asked).toMatchObject({ ok: false, error: { code: "no_token" } });
    expect(JSON.stringify(asked)).not.toContain("tok\u00e9n");
  });

  it("wants a URL with a tenant in it", async () => {
    const odd = [
      "acme",
      "https://example.com",
      "https://example.com/hooks/",
      "ftp://example.com/hooks/acme/swml",
    ];
    for (const pasted of odd) {
      expect(await askDoctor(pasted, token)).toMatchObject({
        ok: false,
        error: { code: "not_a_webhook_url" },
      });
    }
  });

  it("sends the token over TLS alone where it leaves this machine, even where http was pasted", async () => {
    await using server = await serve(json({ ok: true, findings: [] }));
    // 0.0.0.0 leads to this machine too, and is not one of the names that say so.
    const pasted = `${server.origin.replace("127.0.0.1", "0.0.0.0")}/hooks/acme/swml`;
    expect(await askDoctor(pasted, token)).toMatchObject({
      ok: false,
      error: { code: "unreachable", message: expect.stringMatching(/^https:\/\/0\.0\.0\.0:\d+ cannot/) },
    });
    expect(server.asked).toEqual([]);
  });
});
