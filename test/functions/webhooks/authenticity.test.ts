import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { signJson } from "../../../shared/signature.ts";
import { type Fixture, openFixture, sent, warmUp } from "../fixture.ts";

const rules = [{ id: "support", match: { to: "+15550100100" }, place: { room: "support" } }];

beforeAll(warmUp);

function webhook(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    call: {
      call_id: crypto.randomUUID(),
      node_id: "node-1@us-east",
      call_state: "created",
      direction: "inbound",
      type: "phone",
      from: "+15550100001",
      to: "+15550100100",
      headers: [],
      ...changes,
    },
    vars: {},
    envs: {},
    params: {},
  });
}

interface Posting {
  body: string | Uint8Array;
  url?: string;
  sha1?: string;
  sha256?: string;
}

async function post(
  home: Fixture,
  { body, url = home.webhook_url, sha1, sha256 }: Posting,
): Promise<Response> {
  return await exports.default.fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(sha1 === undefined ? {} : { "x-signalwire-signature": sha1 }),
      ...(sha256 === undefined ? {} : { "x-signalwire-sha256-signature": sha256 }),
    },
    body,
  });
}

function sign(digest: "SHA-1" | "SHA-256", key: string, url: string, body: string): Promise<string> {
  return signJson(digest, key, url, new TextEncoder().encode(body));
}

describe("who may ask", () => {
  test.each(["swml", "cxml"])(
    "a number's URL of %s may hold what is escaped on its way",
    async (language) => {
      await using home = await openFixture({ rules, carrier: { speed: 10 } });
      const url = `${home.webhook_url.replace(/swml$/, language)}?name=O'Zoë&for=sip:bob@example.com`;
      const asked = language === "swml" ? { url } : { cxml_url: url };
      const { call_id } = await home.carrier.placeCall({
        from: "+15550100001",
        to: "+15550100100",
        ...asked,
      });
      await home.carrier.wait({
        call: { call_id, in_conference: `${home.tenant}:support` },
        timeout_ms: 10_000,
      });
    },
  );

  test("an unknown tenant, a missing signature and a wrong one are refused alike, and nothing is done", async () => {
    await using home = await openFixture({ rules });
    const body = webhook();
    const wrong = await sign("SHA-256", "PSKanother", home.webhook_url, body);
    const refusals = [
      await post(home, { body }),
      await post(home, { body, sha256: wrong }),
      await post(home, { body, sha256: wrong, url: "https://partyline.test/hooks/nobody/swml" }),
      await post(home, { body, url: "https://partyline.test/hooks/NOT%20A%20TENANT/swml" }),
    ];
    const answers = await Promise.all(refusals.map(async (one) => `${one.status} ${await one.text()}`));
    expect(new Set(answers)).toEqual(new Set(["403 Forbidden"]));
    expect(await home.carrier.journal({ kind: "frame_in" })).toEqual([]);
  });

  test("SHA-1 alone is enough; beside a wrong SHA-256 it saves nothing", async () => {
    await using home = await openFixture({ rules: [{ id: "no", match: {}, reject: { reason: "busy" } }] });
    const body = webhook();
    const key = home.carrier.signing_key;
    const sha1 = await sign("SHA-1", key, home.webhook_url, body);
    expect((await post(home, { body, sha1 })).status).toBe(200);
    expect((await post(home, { body, sha1, sha256: "0".repeat(64) })).status).toBe(403);
  });

  test("a URL pasted with a fragment verifies with and without it", async () => {
    await using home = await openFixture({
      rules: [{ id: "no", match: {}, reject: { reason: "busy" } }],
      tenant: { url_fragment: "rt=8000" },
    });
    const body = webhook();
    for (const url of [home.webhook_url, `${home.webhook_url}#rt=8000`]) {
      const sha256 = await sign("SHA-256", home.carrier.signing_key, url, body);
      expect((await post(home, { body, sha256 })).status).toBe(200);
    }
  });

  test("a body over 256 KiB is 413, whatever it says of its length", async () => {
    await using home = await openFixture({ rules });
    const body = new Uint8Array(256 * 1024 + 1);
    expect((await post(home, { body, sha256: "0".repeat(64) })).status).toBe(413);
  });

  test("where the keys can't be opened the answer is 503, so that SignalWire uses its fallback URL", async () => {
    await using home = await openFixture({ rules, project: { credentials: "v1.AAAA.BBBB" } });
    const body = webhook();
    const sha256 = await sign("SHA-256", home.carrier.signing_key, home.webhook_url, body);
    expect((await post(home, { body, sha256 })).status).toBe(503);
  });

  test("while report_until runs, an unsigned call is served by document alone and the log says why it would be refused", async () => {
    await using home = await openFixture({ rules, tenant: { report_until: Date.now() + 3_600_000 } });
    const warn = vi.spyOn(console, "warn");
    const body = webhook();
    const sha256 = await sign(
      "SHA-256",
      home.carrier.signing_key,
      home.webhook_url.replace("https:", "http:"),
      body,
    );
    const response = await post(home, { body, sha256 });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(`"name":"${home.tenant}:support"`);
    expect(warn.mock.calls.flat().join("\n")).toMatch(/"event":"webhook.would_refuse".*"cause":"scheme"/);
    expect(await sent(home, "signalwire.connect")).toEqual([]);
    warn.mockRestore();
  });

  test("while report_until runs, what an unsigned call says was keyed is no answer", async () => {
    const meeting = { say: "Which meeting?", digits: "4", no_input: "Nothing was heard." };
    await using home = await openFixture({
      rules: [
        {
          id: "bridge",
          match: {},
          ask: { meeting },
          rules: [{ id: "in", match: {}, place: { room: "{answer.meeting}" } }],
        },
      ],
      tenant: { report_until: Date.now() + 3_600_000 },
    });
    const first = webhook();
    const asks = await (await post(home, { body: first })).text();
    const [, partyline] = /"partyline":"([^"]+)"/.exec(asks) ?? [];
    expect([asks.includes("Which meeting?"), partyline]).toEqual([true, expect.any(String)]);
    const keyed = {
      ...JSON.parse(first),
      vars: { prompt_result: "match_digits", prompt_value: "4711" },
      params: { partyline },
    };
    const again = await (await post(home, { body: JSON.stringify(keyed) })).text();
    expect(again).toContain("Nothing was heard.");
    expect(again).not.toContain("4711");
  });

  test("a report_until more than a day ahead opens nothing", async () => {
    await using home = await openFixture({ rules, tenant: { report_until: Date.now() + 25 * 3_600_000 } });
    expect((await post(home, { body: webhook() })).status).toBe(403);
  });
});

describe("an authentic request gets a valid document, whatever is in it", () => {
  const oddities: [string, string][] = [
    ["no JSON", "{"],
    ["no call", "{}"],
    ["a call without an id", '{"call":{"from":"+15550100001"}}'],
    ["null", "null"],
    ["an array", "[]"],
    ["an empty body", ""],
    ["headers that are no list", '{"call":{"call_id":"x","headers":"none"}}'],
  ];
  test.each(oddities)("%s: the tenant's fallback", async (_, body) => {
    await using home = await openFixture({
      rules,
      tenant: { fallback: { reject: { say: "Nobody home." } } },
    });
    const sha256 = await sign("SHA-256", home.carrier.signing_key, home.webhook_url, body);
    const response = await post(home, { body, sha256 });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("say:Nobody home.");
  });

  test("fields that we do not know are kept out of the way", async () => {
    await using home = await openFixture({
      rules: [{ id: "sip", match: { type: "sip" }, reject: { say: "SIP." } }],
    });
    const body = webhook({
      type: "sip",
      sip_data: { sip_from_uri: "sip:a@example.com" },
      brand_new: { deep: [1] },
    });
    const sha256 = await sign("SHA-256", home.carrier.signing_key, home.webhook_url, body);
    expect(await (await post(home, { body, sha256 })).text()).toContain("say:SIP.");
  });

  test("a fallback that is a room with a capacity: the document holds that", async () => {
    const fallback = { place: { room: "lobby", capacity: 4 } };
    await using home = await openFixture({ rules, tenant: { fallback } });
    const sha256 = await sign("SHA-256", home.carrier.signing_key, home.webhook_url, "{");
    expect(await (await post(home, { body: "{", sha256 })).json()).toMatchObject({
      sections: { main: [{ answer: {} }, { join_conference: { max_participants: 4 } }] },
    });
  });

  test("a ruleset that is broken leaves the tenant its fallback, and the log says what is wrong", async () => {
    await using home = await openFixture({ rules: [{ id: "bad", match: {}, plaice: {} }] });
    const error = vi.spyOn(console, "error");
    const body = webhook();
    const sha256 = await sign("SHA-256", home.carrier.signing_key, home.webhook_url, body);
    expect((await post(home, { body, sha256 })).status).toBe(200);
    expect(error.mock.calls.flat().join("\n")).toMatch(/"event":"ruleset.bad".*rules\[0\]/);
    error.mockRestore();
  });
});

describe("nothing that a caller sends becomes code", () => {
  test("a header with an expansion in it fills no room name and reaches no document", async () => {
    await using home = await openFixture({
      rules: [{ id: "named", match: {}, place: { room: "r-{header.x-room}" } }],
      carrier: { speed: 10 },
    });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what SignalWire would run as code is what this is about.
    for (const value of ["${1+1}", "%{call.from}", "a${", "$%{x}"]) {
      const { call_id } = await home.carrier.placeCall({
        from: "+15550100001",
        to: "+15550100100",
        url: home.webhook_url,
        headers: [{ name: "X-Room", value }],
        params: { note: `\u0024{${value}}`, harmless: "kept" },
      });
      await home.carrier.wait({ call: { call_id, state: "ended" } });
      expect((await home.carrier.call(call_id)).joins).toEqual([]);
    }
    const documents = await home.carrier.journal({ kind: "document" });
    expect(documents.filter((entry) => "expanded" in entry)).toEqual([]);
  });
});

test("no secret is in any line that was logged", async () => {
  const lines: string[] = [];
  const spies = (["info", "warn", "error"] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...said: unknown[]) => {
      lines.push(said.join(" "));
    }),
  );
  await using home = await openFixture({
    rules: [
      {
        id: "streamed",
        match: {},
        place: {
          room: "support",
          join: {
            stream: { url: "wss://media.example.com/", authorization_bearer_token: "bearer-secret-1" },
          },
        },
      },
    ],
    carrier: {
      speed: 10,
      faults: [
        {
          at: "command",
          match: { method: "calling.join_conference" },
          do: { kind: "error", code: -32602, message: "bearer-secret-1 is bad" },
        },
      ],
    },
  });
  const { call_id } = await home.carrier.placeCall({
    from: "+15550100001",
    to: "+15550100100",
    url: home.webhook_url,
  });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:support` }, timeout_ms: 10_000 });
  for (const spy of spies) spy.mockRestore();
  const log = lines.join("\n");
  expect(log).toContain("webhook.answered");
  for (const secret of [
    home.carrier.token,
    home.carrier.signing_key,
    "bearer-secret-1",
    env.CREDENTIALS_KEY ?? "-",
    env.ADMIN_TOKEN ?? "-",
  ]) {
    expect(log).not.toContain(secret);
  }
});
