import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { callbackUrls } from "../../../functions/call-flow/callback-urls.ts";
import { findOwner } from "../../../functions/tenants/directory.ts";
import { toHex } from "../../../shared/encoding.ts";
import { signForm } from "../../../shared/form-signature.ts";
import { atEdge } from "../edge.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

const rules = [{ id: "known", match: { from: "+15550100001" }, reject: { say: "Welcome back." } }];
const fields: [string, string][] = [
  ["CallSid", "c-1"],
  ["From", "+15550100001"],
  ["To", "+15550100100"],
  ["Name", "Zoë & O'Brien"],
  ["Name", "again"],
];
const form = new URLSearchParams(fields).toString();

/** A form in parts, and its content type. */
function inParts(parts: [string, string | File][]): Promise<{ body: ArrayBuffer; type: string }> {
  const data = new FormData();
  for (const [name, value] of parts) data.append(name, value);
  const packed = new Response(data);
  const type = packed.headers.get("content-type") ?? "";
  return packed.arrayBuffer().then((body) => ({ body, type }));
}

function post(url: string, body: BodyInit, type: string, signature?: string): Promise<Response> {
  const headers = { "content-type": type, ...(signature ? { "x-signalwire-signature": signature } : {}) };
  return atEdge(new Request(url, { method: "POST", headers, body }));
}

describe("a cXML webhook", () => {
  const cxml = (home: Fixture) => home.webhook_url.replace(/swml$/, "cxml");

  test.each(["Application/X-WWW-Form-URLencoded; Charset=UTF-8", "APPLICATION/X-WWW-FORM-URLENCODED"])(
    "is read as a form where its type is %s",
    async (type) => {
      await using home = await openFixture({ rules });
      const signature = await signForm(home.carrier.signing_key, cxml(home), form);
      expect(await (await post(cxml(home), form, type, signature)).text()).toContain("Welcome back.");
    },
  );

  test("is read as JSON where its type says so in capitals, and as no JSON where it only begins so", async () => {
    await using home = await openFixture({ rules });
    const json = JSON.stringify(Object.fromEntries(fields));
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(json));
    const url = `${cxml(home)}?bodySHA256=${toHex(new Uint8Array(digest))}`;
    const signature = await signForm(home.carrier.signing_key, url, "");
    for (const type of ["Application/JSON", "application/json ;charset=utf-8"])
      expect(await (await post(url, json, type, signature)).text()).toContain("Welcome back.");
    expect((await post(url, json, "application/json-seq", signature)).status).toBe(403);
  });

  test("in parts is verified by the fields that are used", async () => {
    await using home = await openFixture({ rules });
    const { body, type } = await inParts(fields);
    const signature = await signForm(home.carrier.signing_key, cxml(home), form);
    const answer = await post(
      cxml(home),
      body,
      type.replace("multipart/form-data", "Multipart/Form-Data"),
      signature,
    );
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("Welcome back.")]);
    const other = await inParts([...fields, ["From", "+15550100002"]]);
    expect((await post(cxml(home), other.body, other.type, signature)).status).toBe(403);
    // Signed as the text that the parts are, which are no fields then.
    const asText = await signForm(home.carrier.signing_key, cxml(home), new TextDecoder().decode(body));
    expect((await post(cxml(home), body, type, asText)).status).toBe(403);
  });

  test("in parts that are no fields is answered with 415", async () => {
    await using home = await openFixture({ rules });
    const file = await inParts([...fields, ["Recording", new File(["x"], "a.wav")]]);
    const signature = await signForm(home.carrier.signing_key, cxml(home), form);
    for (const [body, type] of [
      [file.body, file.type],
      [form, "multipart/form-data"],
      [form, "multipart/form-data; boundary=x"],
      [form, "multipart/mixed; boundary=x"],
    ] as const)
      expect((await post(cxml(home), body, type, signature)).status).toBe(415);
  });
});

describe("a status callback", () => {
  const event = (home: Fixture): [string, string][] => [
    ["FriendlyName", `${home.tenant}:board`],
    ["ConferenceSid", "conf-1"],
    ["CallSid", "c-1"],
    ["StatusCallbackEvent", "participant-leave"],
  ];

  async function statusUrl(home: Fixture): Promise<string> {
    const owner = await findOwner(env, home.tenant, () => {});
    if (!owner) throw new Error("the tenant is set up");
    return (await callbackUrls(env, owner, "https://partyline.test")).conference;
  }

  async function recorded(home: Fixture): Promise<number> {
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
    return await runInDurableObject(
      session,
      (_, { storage }) =>
        storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM events").one().count,
    );
  }

  test("is read as a form where its type says so in capitals", async () => {
    await using home = await openFixture({ rules });
    const url = await statusUrl(home);
    const text = new URLSearchParams(event(home)).toString();
    const signature = await signForm(home.carrier.signing_key, url, text);
    const answer = await post(url, text, "Application/X-WWW-Form-URLencoded; charset=UTF-8", signature);
    expect([answer.status, await recorded(home)]).toEqual([204, 1]);
  });

  test("in parts is verified by the fields that are used, or answered with 415", async () => {
    await using home = await openFixture({ rules });
    const url = await statusUrl(home);
    const signature = await signForm(
      home.carrier.signing_key,
      url,
      new URLSearchParams(event(home)).toString(),
    );
    const { body, type } = await inParts(event(home));
    const forged = await inParts([...event(home), ["CallSid", "c-2"]]);
    expect((await post(url, forged.body, forged.type, signature)).status).toBe(403);
    expect([(await post(url, body, type, signature)).status, await recorded(home)]).toEqual([204, 1]);
    expect((await post(url, "FriendlyName=x", "multipart/form-data; boundary=x")).status).toBe(415);
  });
});
