import { expect, test } from "vitest";
import { toBase64Url } from "../../shared/base64.ts";
import { verifyForm } from "../../shared/form-signature.ts";

const url = "https://partyline.example.com/hooks/acme/conference-status?token=t";
const body = "StatusCallbackEvent=participant-join&CallSid=c-1&Zebra=2&CallSid=c-0";

async function sign(key: string, text: string): Promise<string> {
  const imported = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(key),
    { name: "HMAC", hash: "SHA-1" },
    false,
    ["sign"],
  );
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)));
  return `${toBase64Url(mac).replace(/-/g, "+").replace(/_/g, "/")}=`;
}

const fields = "CallSidc-1CallSidc-0StatusCallbackEventparticipant-joinZebra2";

test("a form signed over the URL and its sorted fields verifies, repeated keys in the order sent", async () => {
  const signature = await sign("PSKone", url + fields);
  expect(await verifyForm({ body, urls: [url], signature, keys: ["PSKtwo", "PSKone"] })).toBe(true);
});

test("the standard port may have been signed, or left out", async () => {
  const withPort = url.replace(".com/", ".com:443/");
  const signed = await sign("PSKone", withPort + fields);
  expect(await verifyForm({ body, urls: [url], signature: signed, keys: ["PSKone"] })).toBe(true);
  const without = await sign("PSKone", url + fields);
  expect(await verifyForm({ body, urls: [withPort], signature: without, keys: ["PSKone"] })).toBe(true);
});

test.each([
  ["another key", "PSKtwo", url + fields],
  ["another URL", "PSKone", `${url}2${fields}`],
  ["other fields", "PSKone", `${url}${fields}x`],
])("%s does not verify", async (_, key, text) => {
  const signature = await sign(key, text);
  expect(await verifyForm({ body, urls: [url], signature, keys: ["PSKone", ""] })).toBe(false);
});

test("what is no signature at all does not verify", async () => {
  for (const signature of ["", "AAAA", "not base64!", "0".repeat(40)]) {
    expect(await verifyForm({ body, urls: [url], signature, keys: ["PSKone"] })).toBe(false);
  }
});
