import { env, exports } from "cloudflare:workers";
import { Hono } from "hono";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { cxmlHook } from "../../../functions/webhooks/cxml.ts";
import { toHex } from "../../../shared/encoding.ts";
import { signForm } from "../../../shared/form-signature.ts";
import { askApi } from "../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

/** What is pasted at SignalWire for a number that is set up with cXML. */
function cxmlUrl(home: Fixture): string {
  return home.webhook_url.replace(/swml$/, "cxml");
}

interface Asking {
  url?: string;
  /** A form unless its type says otherwise; absent: a GET. */
  body?: string;
  type?: string;
  signature: string;
  header?: string;
}

/** Asks the Worker as SignalWire would. */
function ask(home: Fixture, { url = cxmlUrl(home), body, type, signature, header }: Asking): Request {
  return new Request(url, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      [header ?? "x-signalwire-signature"]: signature,
      ...(body === undefined ? {} : { "content-type": type ?? "application/x-www-form-urlencoded" }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

describe("who may ask for cXML", () => {
  const rules = [{ id: "no", match: { from: "+15550100001" }, reject: { reason: "busy" } }];
  const body = `${new URLSearchParams({ CallSid: "c-1", From: "+15550100001", To: "+15550100100" })}`;
  const busy = '<Response><Reject reason="busy"/></Response>';

  test("a form, a query and a JSON body whose digest is in the URL, each signed", async () => {
    await using home = await openFixture({ rules, tenant: { url_fragment: "rt=8000" } });
    const key = home.carrier.signing_key;
    const url = cxmlUrl(home);
    const json = JSON.stringify({ CallSid: "c-1", From: "+15550100001", To: "+15550100100", nested: {} });
    const digest = toHex(
      new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(json))),
    );
    const withDigest = `${url}?bodySHA256=${digest}`;
    const withPort = url.replace("partyline.test", "partyline.test:443");
    const query = `${url}?tier=gold&${body}`;
    const type = "application/json; charset=utf-8";
    const asked: Asking[] = [
      { body, signature: await signForm(key, url, body) },
      { body, signature: await signForm(key, `${url}#rt=8000`, body) },
      { body, signature: await signForm(key, withPort, body), header: "x-twilio-signature" },
      { url: query, signature: await signForm(key, query, "") },
      { url: withDigest, body: json, type, signature: await signForm(key, withDigest, "") },
    ];
    for (const one of asked) {
      const response = await exports.default.fetch(ask(home, one));
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/xml; charset=utf-8");
      expect(await response.text()).toContain(busy);
    }
    const refused: Asking[] = [
      { body, signature: "" },
      { body, signature: await signForm("PSKanother", url, body) },
      { body: `${body}&To=+1`, signature: await signForm(key, url, body) },
      // The digest of another body, or none: the signature is right, and covers nothing that was sent.
      { url: withDigest, body: `${json} `, type, signature: await signForm(key, withDigest, "") },
      { body: json, type, signature: await signForm(key, url, "") },
      { url: url.replace(home.tenant, "nobody"), body, signature: await signForm(key, url, body) },
    ];
    for (const one of refused) {
      const response = await exports.default.fetch(ask(home, one));
      expect([response.status, await response.text()]).toEqual([403, "Forbidden"]);
    }
  });

  test("while report_until runs, a call that is wrongly signed is served without a word to the session, and the log says why", async () => {
    await using home = await openFixture({
      rules: [{ id: "any", match: {}, place: { room: "any" } }],
      tenant: { report_until: Date.now() + 3_600_000 },
    });
    const warn = vi.spyOn(console, "warn");
    const signature = await signForm(
      home.carrier.signing_key,
      cxmlUrl(home).replace("https:", "http:"),
      body,
    );
    const response = await exports.default.fetch(ask(home, { body, signature }));
    const document = await response.text();
    expect(document).toContain(`>${home.tenant}:any</Conference>`);
    expect(document).not.toContain("statusCallback");
    expect(warn.mock.calls.flat().join("\n")).toMatch(/"event":"webhook.would_refuse".*"cause":"scheme"/);
    expect((await askApi(`/tenants/${home.tenant}/conferences/any`)).status).toBe(404);
    warn.mockRestore();
  });

  test("an authentic request gets a document, whatever is in it", async () => {
    await using home = await openFixture({ rules });
    const key = home.carrier.signing_key;
    const bodies = [
      "",
      "CallSid=",
      "CallSid=c-1&CallSid=c-2&__proto__=1",
      `From=${"x".repeat(9_000)}&CallSid=c`,
      "%zz=%ff&=&&",
    ];
    for (const odd of bodies) {
      const signature = await signForm(key, cxmlUrl(home), odd);
      const response = await exports.default.fetch(ask(home, { body: odd, signature }));
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("<Response>");
    }
  });

  const chair = "+15550100010";
  const chairs = [
    { id: "chair", match: { from: chair }, reject: { say: "Welcome, chair." } },
    { id: "other", match: {}, reject: { say: "Welcome, caller." } },
  ];

  test("a redirect's query does not change who calls: of a POST the body counts", async () => {
    await using home = await openFixture({ rules: chairs });
    const url = `${cxmlUrl(home)}?${new URLSearchParams({ From: chair, CallSid: "another" })}`;
    const signature = await signForm(home.carrier.signing_key, url, body);
    const document = await (await exports.default.fetch(ask(home, { url, body, signature }))).text();
    expect(document).toContain("Welcome, caller.");
  });

  test.each(["From", "CallSid", "To"])("a GET with two of %s hears the apology", async (name) => {
    await using home = await openFixture({ rules: chairs });
    const url = `${cxmlUrl(home)}?${name}=${encodeURIComponent(chair)}&${body}`;
    const signature = await signForm(home.carrier.signing_key, url, "");
    const response = await exports.default.fetch(ask(home, { url, signature }));
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining("Your call cannot be connected right now."),
    ]);
    // And neither call's story tells of it.
    for (const call_id of [chair, "c-1"])
      expect((await askApi(`/tenants/${home.tenant}/calls/${encodeURIComponent(call_id)}`)).status).toBe(404);
  });

  test.each([
    ["64 KiB", `${body}&x=${"x".repeat(65_536)}`],
    ["300 fields", body + "&x=".repeat(298)],
  ])(
    "an authentic form of over %s hears the tenant's fallback, and one that is not is refused",
    async (_, huge) => {
      await using home = await openFixture({
        rules,
        tenant: { fallback: { reject: { say: "Nobody home." } } },
      });
      const signature = await signForm(home.carrier.signing_key, cxmlUrl(home), huge);
      const response = await exports.default.fetch(ask(home, { body: huge, signature }));
      expect([response.status, await response.text()]).toEqual([
        200,
        expect.stringContaining("Nobody home."),
      ]);
      const forged = await signForm("PSKanother", cxmlUrl(home), huge);
      expect((await exports.default.fetch(ask(home, { body: huge, signature: forged }))).status).toBe(403);
    },
  );

  test("state that is forged, or another call's, opens nothing: the call is taken for a fresh one", async () => {
    const announce = "Welcome.";
    await using home = await openFixture({
      rules: [{ id: "any", match: {}, place: { room: "any", announce } }],
      tenant: { join_via: "document" },
    });
    const key = home.carrier.signing_key;
    const fetched = async (url: string, form: string): Promise<string> => {
      const response = await exports.default.fetch(
        ask(home, { url, body: form, signature: await signForm(key, url, form) }),
      );
      return await response.text();
    };
    const first = await fetched(cxmlUrl(home), body);
    expect(first).toContain(announce);
    const back = /<Redirect method="POST">([^<]+)</.exec(first)?.[1] ?? "";
    const [joins, again] = [await fetched(back, body), await fetched(back, body)];
    expect(joins).toContain(`>${home.tenant}:any</Conference>`);
    // Whoever asks twice gets the same, but for the seal's salt.
    const withoutSeal = (text: string): string => text.replace(/partyline=[\w-]+/g, "");
    expect(withoutSeal(again)).toBe(withoutSeal(joins));
    expect(await fetched(back, body.replace("c-1", "c-2"))).toContain(announce);
    expect(
      await fetched(cxmlUrl(home), `${body}&partyline=${new URL(back).searchParams.get("partyline")}`),
    ).toContain(announce);
  });
});

test("the session out of reach, the call's document joins and the conference itself counts the seats", async () => {
  await using home = await openFixture({
    rules: [{ id: "pair", match: {}, place: { room: "pair", capacity: 3 } }],
  });
  const body = "CallSid=c-1&From=%2B15550100001&To=%2B15550100100&CallStatus=ringing";
  const signature = await signForm(home.carrier.signing_key, cxmlUrl(home), body);
  const gone = () => {
    throw new Error("the object is out of reach");
  };
  const response = await new Hono()
    .route("/hooks", cxmlHook)
    .request(
      ask(home, { body, signature }),
      {},
      { ...env, PUBLIC_URL: "https://partyline.test", RELAY_SESSION: { idFromName: gone } },
      { waitUntil: () => {}, passThroughOnException: () => {}, props: {} },
    );
  expect(response.status).toBe(200);
  expect(await response.text()).toMatch(/<Conference [^>]*maxParticipants="3"[^>]*>[^<]*:pair<\/Conference>/);
});
