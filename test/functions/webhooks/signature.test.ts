import { describe, expect, it, vi } from "vitest";
import { authenticateForm } from "../../../functions/webhooks/form-signature.ts";
import { authenticate, type Signer } from "../../../functions/webhooks/signature.ts";
import { signForm } from "../../../shared/form-signature.ts";
import { signJson } from "../../../shared/signature.ts";

const key = "PSKtest1234567890abcdef";
const raw = new TextEncoder().encode('{"call":{"call_id":"c-1"}}');
const signer: Signer = { public_url: "https://partyline.example.com", signing_keys: ["PSKnew", key] };
const signedUrl = "https://partyline.example.com/hooks/acme/swml?x=1";

function request(headers: Record<string, string>): Request {
  return new Request("http://worker.example.com/hooks/acme/swml?x=1", { method: "POST", headers });
}

/** What is pasted, and what comes of it where the runtime, and then a gateway, escape characters. */
const escapedOnTheWay: [what: string, pasted: string, received: string][] = [
  ["an apostrophe", "?name=O'Brien", "?name=O'Brien"],
  ["a letter that is not ASCII", "?name=Zoë", "?name=Zoë"],
  ["a SIP URI that a gateway escapes", "?to=sip:bob@example.com", "?to=sip%3Abob%40example.com"],
  ["all of it", "?name=O'Zoë&to=sip:bob@example.com", "?name=O'Zoë&to=sip%3Abob%40example.com"],
  ["an apostrophe that is escaped already beside a letter that is not", "?name=O%27Zoë", "?name=O%27Zoë"],
  ["a letter that is escaped already beside an apostrophe that is not", "?n=O'Zo%C3%AB", "?n=O'Zo%C3%AB"],
  ["an apostrophe that is escaped already", "?name=O%27Brien&b=1+2%20%26", "?name=O%27Brien&b=1+2%20%26"],
];

describe.each([
  ["SWML", "application/json", raw],
  [
    "cXML",
    "application/x-www-form-urlencoded",
    new TextEncoder().encode("CallSid=c-1&From=sip:o'x@example.com"),
  ],
])("a %s webhook whose URL is escaped on its way", (language, type, body) => {
  const path = `/hooks/acme/${language.toLowerCase()}`;
  const isForm = language === "cXML";

  async function answered(signed: string, received: string) {
    const url = `https://partyline.example.com${path}${signed}`;
    const signature = isForm
      ? await signForm(key, url, new TextDecoder().decode(body))
      : await signJson("SHA-1", key, url, body);
    const headers = { "content-type": type, "x-signalwire-signature": signature };
    const came = new Request(`http://worker.example.com${path}${received}`, { method: "POST", headers });
    return await (isForm ? authenticateForm : authenticate)(body, came, signer);
  }

  it.each(escapedOnTheWay)("is authentic with %s in it", async (_, pasted, received) => {
    expect(await answered(pasted, received)).toEqual({ authentic: true });
  });

  it.each(escapedOnTheWay)(
    "is hashed once from the second on, with %s in its URL",
    async (_, pasted, received) => {
      await answered(pasted, received);
      const verify = vi.spyOn(crypto.subtle, "verify");
      expect(await answered(pasted, received)).toEqual({ authentic: true });
      expect(verify).toHaveBeenCalledTimes(1);
      verify.mockRestore();
    },
  );

  it.each([
    ["&", "?a=1&b=2", "?a=1%26b=2"],
    ["=", "?a=1", "?a%3D1"],
    ["+", "?a=+", "?a=%2B"],
    ["%", "?a=%27", "?a=%2527"],
    ["/", "?a=/", "?a=%2F"],
    ["?", "?a=?", "?a=%3F"],
    ["another value", "?name=O'Brien", "?name=O'Bryan"],
  ])("is not authentic where %s came in another spelling", async (_, signed, received) => {
    expect((await answered(signed, received)).authentic).toBe(false);
  });

  it.each([
    ["quotes", '?name="Zoë"'],
    ["an escaped apostrophe beside a letter that is not, and a colon", "?name=O%27Zoë&to=sip%3Abob"],
    ["brackets", "?name=<x>"],
  ])("names the cause where %s cannot be told from what came", async (_, pasted) => {
    const answer = await answered(pasted, pasted);
    expect(answer.authentic).toBe(false);
    if (!answer.authentic) expect(await answer.diagnose()).toMatchObject({ code: "escapes" });
  });
});

it("of an ordinary URL a body is hashed once", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const headers = { "x-signalwire-signature": "0".repeat(40) };
  await authenticate(raw, request(headers), { ...signer, signing_keys: [key] });
  expect(verify).toHaveBeenCalledTimes(1);
  verify.mockRestore();
});

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
