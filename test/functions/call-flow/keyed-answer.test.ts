import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { keyedAnswer, PinsUnreadable } from "../../../functions/call-flow/keyed-answer.ts";
import type { Tenant } from "../../../functions/tenants/tenant.ts";
import { answerHmac } from "../../../shared/secret-answer.ts";

const question = { name: "pin", min_digits: 4, max_digits: 8, secret: true, try: 2 };
// All that is looked at of a tenant.
const tenant = { tenant: "keyed", rules: { pins: true } } as unknown as Tenant;
const without = { tenant: "keyed", rules: { pins: false } } as unknown as Tenant;
const NO_PIN = "0".repeat(64);

function hmacOf(digits: string): Promise<string> {
  return answerHmac(env.CREDENTIALS_KEY ?? "", "keyed", digits);
}

describe("what was keyed", () => {
  test("for a secret is kept as its HMAC alone, and for an open question as it is", async () => {
    expect(await keyedAnswer(env, without, question, "4711")).toEqual({
      tries: 2,
      hmac: await hmacOf("4711"),
    });
    expect(await keyedAnswer(env, without, { ...question, secret: false }, "4711")).toEqual({
      tries: 2,
      value: "4711",
    });
    expect(await keyedAnswer(env, without, question, "")).toEqual({ tries: 2 });
  });

  test("is no PIN where it is too short, too long, holds another key, or nothing can be compared", async () => {
    for (const digits of ["471", "471147114", "47*1"])
      expect(await keyedAnswer(env, tenant, question, digits)).toEqual({ tries: 2, hmac: NO_PIN });
    const { CREDENTIALS_KEY: _, ...keyless } = env;
    expect(await keyedAnswer(keyless, tenant, question, "4711")).toEqual({ tries: 2, hmac: NO_PIN });
  });

  test("is looked up in KV only for rules that compare PINs of KV", async () => {
    await env.DIRECTORY.put(
      `pins/keyed/${await hmacOf("4711")}`,
      '{"room":"a","role":"chair","note":"whose"}',
    );
    expect((await keyedAnswer(env, tenant, question, "4711")).pin).toEqual({ room: "a", role: "chair" });
    expect((await keyedAnswer(env, without, question, "4711")).pin).toBeUndefined();
    expect((await keyedAnswer(env, tenant, question, "4712")).pin).toBeUndefined();
  });

  test("is no PIN where its record is not as it should be, and the log says which without telling it", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const hmac = await hmacOf("4713");
    for (const record of ["{", '{"rooms":"a"}', '{"room":""}']) {
      await env.DIRECTORY.put(`pins/keyed/${hmac}`, record);
      expect((await keyedAnswer(env, tenant, question, "4713")).pin).toBeUndefined();
    }
    const lines = error.mock.calls.flat().join("\n");
    error.mockRestore();
    expect(lines.match(/"event":"pins.bad_record"/g)).toHaveLength(3);
    expect(lines).toContain(`"key":"pins/keyed/${hmac.slice(0, 8)}…"`);
    expect(lines).not.toContain(hmac);
  });

  test("is neither right nor wrong where KV fails", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    // KV as it is where it is down; nothing else of it is asked for.
    const DIRECTORY = {
      get: () => Promise.reject(new Error("KV GET failed: 503")),
    } as unknown as KVNamespace;
    await expect(keyedAnswer({ ...env, DIRECTORY }, tenant, question, "4711")).rejects.toThrow(
      PinsUnreadable,
    );
    const lines = error.mock.calls.flat().join("\n");
    error.mockRestore();
    expect(lines).toContain('"event":"pins.unreadable"');
    expect(lines).not.toContain("4711");
  });
});
