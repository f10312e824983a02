import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openFixture, sent } from "../../fixture.ts";
import { askApi, askDoctor, carrier_host, putProject, said, seal } from "../ask.ts";

const rules = [{ id: "all", match: { to: "+1555*" }, place: { room: "lobby" } }];
/** Nobody listens there. */
const closed_port = "127.0.0.1:9";

describe("the doctor", () => {
  it("finds all right where it is, and places nothing", async () => {
    await using fixture = await openFixture({ rules });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    const { project_id } = fixture.carrier;
    expect(reply).toEqual({
      ok: true,
      findings: [
        { check: "url", ok: true, message: "The pasted URL leads to the tenant's webhook." },
        {
          check: "tenant",
          ok: true,
          message: `${fixture.tenant} is known from tenant/${fixture.tenant} in KV; project ${project_id}.`,
        },
        {
          check: "project",
          ok: true,
          message: `Token and signing key come from project/${project_id} in KV, and open.`,
        },
        {
          check: "signature",
          ok: true,
          message: "One signing key. Whether it is SignalWire's shows when the first call comes.",
        },
        { check: "signature", ok: true, message: "Signatures made for the pasted URL verify here." },
        { check: "ruleset", ok: true, message: "The ruleset is good: 1 rule." },
        {
          check: "relay",
          ok: true,
          message: `RELAY is up: ws://${carrier_host} takes the project id and token.`,
        },
        {
          check: "rest",
          ok: true,
          message: `REST at http://${carrier_host} takes the project id and token.`,
        },
      ],
      observations: expect.any(Array),
    });
    expect(await sent(fixture, "calling.answer")).toEqual([]);
    expect(await sent(fixture, "calling.join_conference")).toEqual([]);
    expect(await fixture.carrier.conferences()).toEqual([]);
  });

  it("tells no secret, whatever is wrong", async () => {
    await using fixture = await openFixture({ rules });
    const { tenant, carrier } = fixture;
    const token = "PT-wrong-token";
    await putProject(fixture, { credentials: await seal(carrier.project_id, token) });
    const texts: string[] = [];
    for (const url of [
      `https://user:hunter2@elsewhere.example.com/hooks/${tenant}/swml?key=s3cret`,
      `https://user:hunter2@partyline.test/hooks/other/swml?key=s3cret`,
    ]) {
      texts.push(JSON.stringify(await askDoctor(tenant, url)));
    }
    await putProject(fixture, { signing_keys: [carrier.signing_key] });
    texts.push(JSON.stringify(await askDoctor(tenant, fixture.webhook_url)));
    for (const text of texts) {
      for (const secret of [
        token,
        carrier.token,
        carrier.signing_key,
        "hunter2",
        "s3cret",
        "test-admin-token",
      ]) {
        expect(text).not.toContain(secret);
      }
      expect(text).not.toContain(env.CREDENTIALS_KEY ?? "?");
    }
  });

  it("wants to be asked with a URL", async () => {
    const bodies = ["", "{", "[]", "{}", '{"url":""}', '{"url":5}', '{"url":"https://a","more":1}'];
    for (const body of [...bodies, JSON.stringify({ url: "x".repeat(2049) })]) {
      const response = await askApi("/tenants/acme/doctor", { method: "POST", body });
      expect([body, response.status]).toEqual([body, 400]);
      expect(await response.json()).toMatchObject({ error: { code: "bad_request" } });
    }
    const long = await askApi("/tenants/acme/doctor", { method: "POST", body: " ".repeat(8193) });
    expect(long.status).toBe(413);
  });
});

describe("the doctor, of RELAY and REST", () => {
  it("says that the project id or token is refused", async () => {
    await using fixture = await openFixture({ rules });
    await putProject(fixture, { credentials: await seal(fixture.carrier.project_id, "PTrevoked") });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "relay")).toEqual([
      expect.stringMatching(
        /^✗ SignalWire refuses the project id or token: the credentials were refused: error -32401 AUTH_REQUIRED\. → See that the token/,
      ),
    ]);
    expect(said(reply, "rest")).toEqual([
      expect.stringContaining(`✗ REST at http://${carrier_host} refuses the project id or token (401).`),
    ]);
  });

  it("says that the connection is refused where nothing names the credentials", async () => {
    const refuse = { kind: "error", code: -32000, message: "auth rejected: no such project" } as const;
    await using fixture = await openFixture({
      rules,
      carrier: { faults: [{ at: "authenticate", do: refuse }] },
    });
    expect(said(await askDoctor(fixture.tenant, fixture.webhook_url), "relay")).toEqual([
      expect.stringMatching(
        /^✗ SignalWire refuses RELAY connections of the project: the connection was refused: error -32000\. → See that the token/,
      ),
    ]);
  });

  it("tries again at once what SignalWire refused before", async () => {
    await using fixture = await openFixture({ rules });
    const { token } = fixture.carrier;
    await fixture.carrier.change({ token: "PTanother" });
    expect((await askDoctor(fixture.tenant, fixture.webhook_url)).ok).toBe(false);
    await fixture.carrier.change({ token });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "relay")).toEqual([expect.stringMatching(/^✓ RELAY is up/)]);
    expect(reply.ok).toBe(true);
  });

  it("says that neither can be reached, within the time that it has", { timeout: 20_000 }, async () => {
    await using fixture = await openFixture({ rules });
    await putProject(fixture, { space: `http://${closed_port}` });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "relay")).toEqual([
      expect.stringContaining(`✗ RELAY at ws://${closed_port} cannot be reached: the socket failed.`),
    ]);
    expect(said(reply, "rest")).toEqual([
      expect.stringContaining(`✗ REST at http://${closed_port} cannot be reached`),
    ]);
  });

  it("says what else REST answers", async () => {
    const faults = [{ at: "rest" as const, do: { kind: "code" as const, code: "503" } }];
    await using fixture = await openFixture({ rules, carrier: { faults } });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reply, "rest")).toEqual([expect.stringMatching(/^✗ REST at .* answered 503\./)]);
    expect(said(reply, "relay")).toEqual([expect.stringMatching(/^✓/)]);
  });
});
