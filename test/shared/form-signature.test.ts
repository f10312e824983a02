import { expect, test } from "vitest";
import { toBase64Url, toHex } from "../../shared/encoding.ts";
import { diagnoseForm } from "../../shared/form-diagnosis.ts";
import { isDigestOf, signForm, verifyForm } from "../../shared/form-signature.ts";

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
  expect(await signForm("PSKone", url, body)).toBe(signature);
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

test("a body that is no form is covered by its digest in the URL, to the byte", async () => {
  const raw = new TextEncoder().encode('{"CallSid":"c-1"}');
  const digest = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", raw)));
  expect(await isDigestOf(raw, digest)).toBe(true);
  expect(await isDigestOf(raw, digest.toUpperCase())).toBe(true);
  for (const wrong of ["", "00", digest.slice(2), `${digest.slice(0, -1)}${digest.endsWith("0") ? 1 : 0}`])
    expect(await isDigestOf(raw, wrong)).toBe(false);
  expect(await isDigestOf(raw.slice(1), digest)).toBe(false);
});

test("why a form's signature failed is found: another origin, none, another key", async () => {
  const unverified = {
    body,
    keys: ["PSKone"],
    covers: true,
    public_url: "https://partyline.example.com",
    received_url: "http://worker.example.com/hooks/acme/conference-status?token=t",
  };
  const ours = await sign(
    "PSKone",
    `http://worker.example.com/hooks/acme/conference-status?token=t${fields}`,
  );
  expect(await diagnoseForm({ ...unverified, signature: ours })).toMatchObject({ code: "host" });
  expect(await diagnoseForm({ ...unverified, signature: "" })).toMatchObject({ code: "unsigned" });
  expect(await diagnoseForm({ ...unverified, signature: ours, covers: false })).toMatchObject({
    code: "body",
  });
  const another = await diagnoseForm({ ...unverified, signature: await sign("PSKtwo", url + fields) });
  expect(another.code).toBe("another_key");
  expect(another.sentence).not.toContain("token=t");
});

test("SignalWire's published vector of a JSON body under a signed URL verifies", async () => {
  const digest = "69f3cbfc18e386ef8236cb7008cd5a54b7fed637a8cb3373b5a1591d7f0fd5f4";
  const signed = `https://example.ngrok.io/webhook?bodySHA256=${digest}`;
  const signature = "dfO9ek8mxyFtn2nMz24plPmPfIY=";
  const keys = ["PSKtest1234567890abcdef"];
  expect(await verifyForm({ body: "", urls: [signed], signature, keys })).toBe(true);
  expect(await isDigestOf(new TextEncoder().encode('{"event":"call.state"}'), digest)).toBe(true);
});
