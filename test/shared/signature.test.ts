import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathAndQuery, type SignedJson, signedUrls, signJson, verifyJson } from "../../shared/signature.ts";

const key = "PSKtest1234567890abcdef";
const url = "https://example.ngrok.io/webhook";
const raw = bytes('{"event":"call.state","params":{"call_id":"abc-123","state":"answered"}}');
/** SignalWire's published vector for the three above. */
const published = "c3c08c1fefaf9ee198a100d5906765a6f394bf0f";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function verdict(changes: Partial<SignedJson>): Promise<string> {
  const result = await verifyJson({ raw, urls: [url], keys: [key], ...changes });
  return result.ok ? "ok" : result.reason;
}

describe("a JSON webhook's signature", () => {
  it("is SignalWire's published one for its published key, URL and body", async () => {
    expect(await signJson("SHA-1", key, url, raw)).toBe(published);
    expect(await verdict({ sha1: published })).toBe("ok");
  });

  it("is right in capitals too", async () => {
    expect(await verdict({ sha1: published.toUpperCase() })).toBe("ok");
  });

  it("is wrong under another key", async () => {
    expect(await verdict({ sha1: published, keys: ["PSKanother"] })).toBe("wrong");
  });

  it("is right under either of two keys", async () => {
    expect(await verdict({ sha1: published, keys: ["PSKnew", key] })).toBe("ok");
    expect(await verdict({ sha1: published, keys: [key, "PSKnew"] })).toBe("ok");
  });

  it("never verifies with an empty key or with none", async () => {
    expect(await verdict({ sha1: published, keys: [] })).toBe("wrong");
    expect(await verdict({ sha1: published, keys: [""] })).toBe("wrong");
  });

  it("counts by SHA-256 alone where that is given", async () => {
    const sha256 = await signJson("SHA-256", key, url, raw);
    expect(await verdict({ sha1: published, sha256 })).toBe("ok");
    expect(await verdict({ sha1: "00", sha256 })).toBe("ok");
    expect(await verdict({ sha1: published, sha256: "0".repeat(64) })).toBe("wrong");
    expect(await verdict({ sha1: published, sha256: "" })).toBe("unsigned");
    expect(await verdict({ sha1: published, sha256: published })).toBe("malformed");
  });

  it("must be there, in hex, at full length", async () => {
    expect(await verdict({})).toBe("unsigned");
    expect(await verdict({ sha1: "" })).toBe("unsigned");
    expect(await verdict({ sha1: published.slice(1) })).toBe("malformed");
    expect(await verdict({ sha1: "z".repeat(40) })).toBe("malformed");
  });

  it("fits any of the URLs, and no other", async () => {
    expect(await verdict({ sha1: published, urls: ["https://example.com/webhook", url] })).toBe("ok");
    expect(await verdict({ sha1: published, urls: [`${url}/`] })).toBe("wrong");
    expect(await verdict({ sha1: published, urls: [] })).toBe("wrong");
  });

  it("covers the bytes as received, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), async (body, at) => {
        const sha256 = await signJson("SHA-256", key, url, body);
        const altered = Uint8Array.from(body);
        altered[at % body.length] = (altered[at % body.length] ?? 0) ^ 1;
        return (
          (await verdict({ raw: body, sha256 })) === "ok" &&
          (await verdict({ raw: altered, sha256 })) === "wrong"
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("the URLs that may have been signed", () => {
  const received = "http://127.0.0.1:8787/hooks/acme/swml?a=%7e&b=1+2";

  it("are the public base with path and query exactly as received", () => {
    expect(signedUrls("https://partyline.example.com", received)).toEqual([
      "https://partyline.example.com/hooks/acme/swml?a=%7e&b=1+2",
    ]);
  });

  it("come with the fragment after the one without", () => {
    expect(signedUrls("https://partyline.example.com/", received, "rt=8000")).toEqual([
      "https://partyline.example.com/hooks/acme/swml?a=%7e&b=1+2",
      "https://partyline.example.com/hooks/acme/swml?a=%7e&b=1+2#rt=8000",
    ]);
  });

  it("keep a base path and a port, and lose credentials", () => {
    expect(signedUrls("https://user:pass@example.com:8443/edge/", "http://inside/hooks/acme/swml")).toEqual([
      "https://example.com:8443/edge/hooks/acme/swml",
    ]);
  });

  it("take a path that holds a URL for a path", () => {
    expect(pathAndQuery("https://example.com/a?next=http://example.com/b#c")).toBe(
      "/a?next=http://example.com/b",
    );
  });
});
