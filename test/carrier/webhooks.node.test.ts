import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { VirtualClock } from "./swml/fake-leg.ts";
import {
  createWebhookSender,
  limitsOf,
  type Phases,
  signBody,
  signForm,
  type WebhookRequest,
  type WebhookResponse,
} from "./webhooks.ts";

const key = "PSKtest1234567890abcdef";
const ok: WebhookResponse = { status: 200, headers: {}, body: "{}" };

function senderWith(
  send: (request: WebhookRequest, phases: Phases, clock: VirtualClock) => Promise<WebhookResponse>,
  fragment_is_signed = false,
  callbacks_are_signed = true,
  standard_port_is_signed = false,
) {
  const clock = new VirtualClock();
  const sent: WebhookRequest[] = [];
  const notes: object[] = [];
  const sender = createWebhookSender({
    signing_key: () => key,
    fragment_is_signed: () => fragment_is_signed,
    standard_port_is_signed: () => standard_port_is_signed,
    callbacks_are_signed: () => callbacks_are_signed,
    send: (request, phases) => {
      sent.push(request);
      return send(request, phases, clock);
    },
    clock,
    note: (entry) => notes.push(entry),
  });
  return { sender, sent, notes, clock };
}

test("scheme A signs the documented vector as documented", () => {
  const body = '{"event":"call.state","params":{"call_id":"abc-123","state":"answered"}}';
  expect(signBody(key, "https://example.ngrok.io/webhook", body, "sha1")).toBe(
    "c3c08c1fefaf9ee198a100d5906765a6f394bf0f",
  );
});

test("scheme B sorts keys by ASCII and leaves repeated ones in the order sent", () => {
  const url = "https://example.com/cxml?x=1";
  const expected = createHmac("sha1", key).update(`${url}A1Z9a2a1b3`).digest("base64");
  expect(
    signForm(key, url, [
      ["b", "3"],
      ["a", "2"],
      ["Z", "9"],
      ["a", "1"],
      ["A", "1"],
    ]),
  ).toBe(expected);
});

test("a call's document request is JSON with both signatures over the URL as configured and the body as sent", async () => {
  const { sender, sent } = senderWith(async () => ok);
  const url = "https://Example.com:443/hooks/acme/swml?b=2&a=%7e";
  await sender.send({ kind: "document", url, body: { call: { call_id: "c1" } } });
  const body = '{"call":{"call_id":"c1"}}';
  expect(sent).toEqual([
    {
      method: "POST",
      url,
      body,
      headers: {
        "user-agent": "SignalWire",
        "content-type": "application/json",
        "x-signalwire-signature": signBody(key, url, body, "sha1"),
        "x-signalwire-sha256-signature": signBody(key, url, body, "sha256"),
      },
    },
  ]);
});

test("a status callback in JSON carries the SHA-1 signature alone", async () => {
  const { sender, sent } = senderWith(async () => ok);
  await sender.send({ kind: "json", url: "https://example.com/s", body: {} });
  expect(Object.keys(sent[0]?.headers ?? {})).toContain("x-signalwire-signature");
  expect(Object.keys(sent[0]?.headers ?? {})).not.toContain("x-signalwire-sha256-signature");
});

test("credentials in the URL become an Authorization header and are neither signed nor noted", async () => {
  const { sender, sent, notes } = senderWith(async () => ok);
  await sender.send({ kind: "json", url: "https://user:p%40ss@example.com/s", body: {} });
  expect(sent[0]?.url).toBe("https://example.com/s");
  expect(sent[0]?.headers).toMatchObject({
    authorization: `Basic ${btoa("user:p@ss")}`,
    "x-signalwire-signature": signBody(key, "https://example.com/s", "{}", "sha1"),
  });
  expect(JSON.stringify(notes)).not.toContain("p%40ss");
});

test.each([
  { signed: false, url: "https://example.com/s" },
  { signed: true, url: "https://example.com/s#rt=9000" },
])("a fragment is never sent, and signed only if so told ($signed)", async ({ signed, url }) => {
  const { sender, sent } = senderWith(async () => ok, signed);
  await sender.send({ kind: "json", url: "https://example.com/s#rt=9000", body: {} });
  expect(sent[0]?.url).toBe("https://example.com/s");
  expect(sent[0]?.headers).toMatchObject({ "x-signalwire-signature": signBody(key, url, "{}", "sha1") });
});

test("where callbacks are not signed, documents' requests still are", async () => {
  const { sender, sent } = senderWith(async () => ok, false, false);
  await sender.send({ kind: "json", url: "https://example.com/s", body: {} });
  await sender.send({ kind: "document", url: "https://example.com/d", body: {} });
  expect(sent.map(({ headers }) => "x-signalwire-signature" in headers)).toEqual([false, true]);
});

test("a form is posted with scheme B, and with GET goes into the signed query", async () => {
  const { sender, sent } = senderWith(async () => ok);
  const fields = [["Muted", "false"] as const, ["CallSid", "c 1"] as const];
  const url = "https://example.com/s?t=1";
  await sender.send({ kind: "form", method: "POST", url, fields });
  await sender.send({ kind: "form", method: "GET", url, fields });
  expect(sent[0]).toMatchObject({
    body: "Muted=false&CallSid=c+1",
    headers: { "x-signalwire-signature": signForm(key, url, fields) },
  });
  const query = `${url}&Muted=false&CallSid=c+1`;
  expect(sent[1]).toMatchObject({
    method: "GET",
    url: query,
    body: "",
    headers: { "x-signalwire-signature": signForm(key, query, []) },
  });
});

test("a fragment tunes the limits, read to 15 s at most, and nonsense is left out", () => {
  expect(limitsOf("https://example.com/")).toEqual({ connect_ms: 2000, read_ms: 5000, total_ms: 15_000 });
  expect(limitsOf("https://example.com/#ot=500&rt=99999&tt=20000")).toEqual({
    connect_ms: 500,
    read_ms: 15_000,
    total_ms: 20_000,
  });
  expect(limitsOf("https://example.com/#ot=-1&rt=soon&tt=")).toEqual(limitsOf("https://example.com/"));
});

test("no answer within the read limit is a failure at that time, and the transport is told to stop", async () => {
  let signal: AbortSignal | undefined;
  const { sender, notes, clock } = senderWith((_, phases) => {
    signal = phases.signal;
    return new Promise(() => {});
  });
  const sending = sender.send({ kind: "json", url: "https://example.com/s", body: {} });
  await clock.run();
  expect(await sending).toEqual({ ok: false, ms: 5000, reason: "read: no answer within 5000 ms" });
  expect(signal?.aborted).toBe(true);
  expect(notes).toEqual([
    {
      url: "https://example.com/s",
      kind: "json",
      at: 0,
      ms: 5000,
      failed: "read: no answer within 5000 ms",
    },
  ]);
});

test("a connection that is not made in 2 s fails, and one that is leaves the whole read limit", async () => {
  const slow = senderWith((_, phases) => {
    phases.connecting();
    return new Promise(() => {});
  });
  const failing = slow.sender.send({ kind: "json", url: "https://example.com/s", body: {} });
  await slow.clock.run();
  expect(await failing).toMatchObject({ ok: false, ms: 2000 });

  const late = senderWith(async (_, phases, clock) => {
    phases.connecting();
    await clock.sleep(1900, phases.signal);
    phases.connected();
    await clock.sleep(4900, phases.signal);
    return ok;
  });
  const answered = late.sender.send({ kind: "json", url: "https://example.com/s", body: {} });
  await late.clock.run();
  expect(await answered).toEqual({ ok: true, ms: 6800, response: ok });
});

test("the total limit holds where connect and read alone would allow more", async () => {
  const { sender, clock } = senderWith(() => new Promise(() => {}));
  const sending = sender.send({ kind: "json", url: "https://example.com/s#rt=15000&tt=800", body: {} });
  await clock.run();
  expect(await sending).toMatchObject({ ok: false, ms: 800, reason: "total: no answer within 800 ms" });
});

test("a refused connection and a call that ended are failures with a reason, never rejections", async () => {
  const refused = senderWith(() => Promise.reject(new Error("connection refused")));
  expect(await refused.sender.send({ kind: "json", url: "https://example.com/s", body: {} })).toMatchObject({
    ok: false,
    reason: "connection refused",
  });
  const ended = senderWith(() => new Promise(() => {}));
  const outcome = ended.sender.send(
    { kind: "json", url: "https://example.com/s", body: {} },
    AbortSignal.abort(),
  );
  expect(await outcome).toMatchObject({ ok: false, ms: 0, reason: "the call is over" });
});

test.each([
  ["https://example.com/cxml?a=1", "https://example.com:443/cxml?a=1"],
  ["http://example.com", "http://example.com:80"],
  ["https://example.com:8443/cxml", "https://example.com:8443/cxml"],
])("by the switch scheme B signs %s as %s", async (url, signed) => {
  const { sender, sent } = senderWith(async () => ok, false, false, true);
  const fields = [["CallSid", "c1"] as const];
  await sender.send({ kind: "cxml", method: "POST", url, fields });
  expect(sent[0]).toMatchObject({
    url,
    headers: { "x-signalwire-signature": signForm(key, signed, fields) },
  });
});
