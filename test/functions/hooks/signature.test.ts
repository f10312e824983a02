import { describe, expect, it } from "vitest";
import { authenticate, type Signer } from "../../../functions/hooks/signature.ts";
import { signJson } from "../../../shared/signature.ts";

const key = "PSKtest1234567890abcdef";
const raw = new TextEncoder().encode('{"call":{"call_id":"c-1"}}');
const signer: Signer = { public_url: "https://partyline.example.com", signing_keys: ["PSKnew", key] };
const signedUrl = "https://partyline.example.com/hooks/acme/swml?x=1";

function request(headers: Record<string, string>): Request {
  return new Request("http://worker.example.com/hooks/acme/swml?x=1", { method: "POST", headers });
}

describe("a webhook at the door", () => {
  it("is authentic when signed over the configured public URL, whatever the request's own host is", async () => {
    const sha1 = await signJson("SHA-1", key, signedUrl, raw);
    const sha256 = await signJson("SHA-256", key, signedUrl, raw);
    const headers = { "X-SignalWire-Signature": sha1, "X-SignalWire-SHA256-Signature": sha256 };
    expect(await authenticate(raw, request(headers), signer)).toEqual({ authentic: true });
    const old = request({ "X-SignalWire-Signature": sha1 });
    expect(await authenticate(raw, old, signer)).toEqual({ authentic: true });
  });

  it("is authentic with or without the tenant's fragment in the signed URL", async () => {
    const withFragment: Signer = { ...signer, url_fragment: "rt=8000" };
    for (const url of [signedUrl, `${signedUrl}#rt=8000`]) {
      const headers = { "X-SignalWire-SHA256-Signature": await signJson("SHA-256", key, url, raw) };
      expect(await authenticate(raw, request(headers), withFragment)).toEqual({ authentic: true });
    }
  });

  it("is not authentic with SHA-1 right and SHA-256 wrong, and can say so", async () => {
    const sha1 = await signJson("SHA-1", key, signedUrl, raw);
    const headers = { "X-SignalWire-Signature": sha1, "X-SignalWire-SHA256-Signature": "0".repeat(64) };
    const answer = await authenticate(raw, request(headers), signer);
    expect(answer.authentic).toBe(false);
    if (!answer.authentic) expect(await answer.diagnose()).toMatchObject({ code: "sha1_only" });
  });

  it("is not authentic when signed over the request's own URL, and can name the host", async () => {
    const url = "http://worker.example.com/hooks/acme/swml?x=1";
    const headers = { "X-SignalWire-SHA256-Signature": await signJson("SHA-256", key, url, raw) };
    const answer = await authenticate(raw, request(headers), signer);
    expect(answer.authentic).toBe(false);
    if (!answer.authentic) {
      const { code, sentence } = await answer.diagnose();
      expect(code).toBe("host");
      expect(sentence).toContain("http://worker.example.com");
    }
  });

  it("is not authentic without a signature", async () => {
    const answer = await authenticate(raw, request({}), signer);
    expect(answer.authentic).toBe(false);
    if (!answer.authentic) expect(await answer.diagnose()).toMatchObject({ code: "unsigned" });
  });
});
