import { describe, expect, it } from "vitest";
import { signJson } from "../../shared/signature.ts";
import { diagnoseJson, type Unverified } from "../../shared/signature-diagnosis.ts";

const key = "PSKtest1234567890abcdef";
const raw = bytes('{ "call": { "call_id": "c-1" } }\n');

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const base = {
  raw,
  keys: [key],
  public_url: "https://partyline.example.com",
  received_url: "http://origin.example.com:8787/hooks/acme/swml?x=1",
} satisfies Unverified;

/** What is said of a request whose SHA-256 was made over another URL or body than the configured ones. */
async function diagnosisOf(
  signed: { url: string; body?: Uint8Array; key?: string },
  changes: Partial<Unverified> = {},
) {
  const sha256 = await signJson("SHA-256", signed.key ?? key, signed.url, signed.body ?? raw);
  return await diagnoseJson({ ...base, sha256, ...changes });
}

const right = "https://partyline.example.com/hooks/acme/swml?x=1";

describe("the likely cause of a wrong signature", () => {
  const cases: [cause: string, code: string, url: string, words: string][] = [
    ["another scheme", "scheme", right.replace("https", "http"), "http://partyline.example.com"],
    ["another host", "host", "https://origin.example.com/hooks/acme/swml?x=1", "https://origin.example.com"],
    [
      "the standard port written out",
      "port",
      right.replace(".com/", ".com:443/"),
      "https://partyline.example.com:443",
    ],
    ["no query", "query", right.replace("?x=1", ""), "no query"],
    ["a slash at the path's end", "trailing_slash", right.replace("?", "/?"), "slash"],
    [
      "the request's own origin, port and all",
      "host",
      "http://origin.example.com:8787/hooks/acme/swml?x=1",
      "http://origin.example.com:8787",
    ],
  ];

  for (const [cause, code, url, words] of cases) {
    it(`is found to be ${cause}`, async () => {
      const diagnosis = await diagnosisOf({ url });
      expect(diagnosis.code).toBe(code);
      expect(diagnosis.sentence).toContain(words);
    });
  }

  it("is a port left out where one is configured, even the standard one", async () => {
    const changes = { public_url: "https://partyline.example.com:443" };
    expect(await diagnosisOf({ url: right }, changes)).toMatchObject({ code: "port" });
  });

  it("is found with the fragment in the signed URL", async () => {
    const url = `${right.replace("https", "http")}#rt=8000`;
    expect(await diagnosisOf({ url }, { fragment: "rt=8000" })).toMatchObject({ code: "scheme" });
  });

  it("is a body that was parsed and printed again, or trimmed", async () => {
    const printed = bytes('{"call":{"call_id":"c-1"}}');
    expect(await diagnosisOf({ url: right, body: printed })).toMatchObject({ code: "body" });
    const trimmed = bytes('{ "call": { "call_id": "c-1" } }');
    expect(await diagnosisOf({ url: right, body: trimmed })).toMatchObject({ code: "body" });
  });

  it("is SHA-1 alone, where that is right and SHA-256 wrong", async () => {
    const sha1 = await signJson("SHA-1", key, right, raw);
    expect(await diagnosisOf({ url: right, key: "PSKother" }, { sha1 })).toMatchObject({ code: "sha1_only" });
  });

  it("is another key where nothing fits", async () => {
    expect(await diagnosisOf({ url: right, key: "PSKother" })).toMatchObject({ code: "another_key" });
    expect(await diagnosisOf({ url: right }, { keys: ["PSKother"] })).toMatchObject({ code: "another_key" });
  });

  it("is no signature, a malformed one, or no key to check with", async () => {
    expect(await diagnoseJson(base)).toMatchObject({ code: "unsigned" });
    expect(await diagnoseJson({ ...base, sha1: "nonsense" })).toMatchObject({ code: "malformed" });
    expect(await diagnosisOf({ url: right }, { keys: [] })).toMatchObject({ code: "no_key" });
  });

  it("is not looked for in large bodies", async () => {
    const large = new Uint8Array(65_537);
    expect(await diagnosisOf({ url: "https://example.com" }, { raw: large })).toMatchObject({
      code: "too_large",
    });
  });

  it("survives a body that nests deeper than the stack", async () => {
    const nested = bytes("[".repeat(30_000) + "]".repeat(30_000));
    expect(await diagnosisOf({ url: "https://example.com" }, { raw: nested })).toMatchObject({
      code: "another_key",
    });
  });

  it("says nothing of keys, signatures or the query", async () => {
    const url = "http://partyline.example.com/hooks/acme/swml?token=hush";
    const received_url = "https://partyline.example.com/hooks/acme/swml?token=hush";
    const { code, sentence } = await diagnosisOf({ url }, { received_url });
    expect(code).toBe("scheme");
    expect(sentence).not.toContain("hush");
    expect(sentence).not.toContain(key);
  });
});
