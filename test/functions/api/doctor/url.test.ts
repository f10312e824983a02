import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { examine } from "../../../../functions/api/doctor/examine.ts";
import { openFixture } from "../../fixture.ts";
import { askDoctor, origin, putProject, said, seal } from "../ask.ts";

const rules = [{ id: "all", match: { to: "+1555*" }, place: { room: "lobby" } }];

describe("the doctor, of the URL", () => {
  it("says what about it leads elsewhere", async () => {
    await using fixture = await openFixture({ rules });
    const path = `/hooks/${fixture.tenant}/swml`;
    const cases: [pasted: string, words: string][] = [
      ["partyline.test/hooks", "✗ What was pasted is not an http(s) URL, or holds a blank."],
      [`${origin}${path} `, "✗ What was pasted is not an http(s) URL, or holds a blank."],
      [`wss://partyline.test${path}`, "✗ What was pasted is not an http(s) URL, or holds a blank."],
      [`http://partyline.test${path}`, "✗ The pasted URL is http"],
      [`http://127.example.com${path}`, "✗ The pasted URL is http"],
      [`${origin}${path}/`, "✗ The pasted URL's path ends in a slash, and there is nothing at that path."],
      [`${origin}/hooks/other/swml`, "✗ The pasted URL's path is /hooks/other/swml"],
      [origin, "✗ The pasted URL's path is empty"],
    ];
    for (const [pasted, words] of cases) {
      const reply = await askDoctor(fixture.tenant, pasted);
      expect(reply.ok).toBe(false);
      expect(said(reply, "url")).toEqual([expect.stringContaining(words)]);
      const [finding = ""] = said(reply, "url");
      expect(finding).toMatch(/ → /);
    }
  });

  it("takes http for a Worker on this machine", async () => {
    await using fixture = await openFixture({ rules, tenant: { public_url: "http://127.0.0.1:8787" } });
    const reply = await askDoctor(fixture.tenant, `http://127.0.0.1:8787/hooks/${fixture.tenant}/swml`);
    expect(reply.ok).toBe(true);
  });

  it("takes a query, and a public URL with a path of its own", async () => {
    await using fixture = await openFixture({ rules, tenant: { public_url: "https://example.com/voice/" } });
    const path = `/hooks/${fixture.tenant}/swml`;
    expect((await askDoctor(fixture.tenant, `https://example.com/voice${path}?a=1`)).ok).toBe(true);
    const reply = await askDoctor(fixture.tenant, `https://example.com${path}`);
    expect(said(reply, "url")).toEqual([expect.stringContaining(`→ Paste the path as /voice${path}`)]);
  });

  it("takes a number that is set up with cXML, and signs for it as SignalWire does", async () => {
    await using fixture = await openFixture({ rules });
    const path = `/hooks/${fixture.tenant}/cxml`;
    expect((await askDoctor(fixture.tenant, `${origin}${path}?a=1`)).ok).toBe(true);
    const elsewhere = await askDoctor(fixture.tenant, `https://elsewhere.example.com${path}`);
    expect(said(elsewhere, "signature").join()).toContain(`Paste ${origin}${path} at SignalWire`);
    const wrong = await askDoctor(fixture.tenant, `${origin}${path}/`);
    expect(said(wrong, "url")).toEqual([expect.stringContaining(`→ Paste the path as ${path}`)]);
  });

  it("compares the fragment with the record's", async () => {
    await using fixture = await openFixture({ rules });
    const unknown = await askDoctor(fixture.tenant, `${fixture.webhook_url}#rt=8000`);
    expect(said(unknown, "url")).toEqual([
      "✗ The pasted URL ends in #rt=8000, and the tenant's record has no url_fragment: signatures may be made over " +
        `a URL that is not expected. → Set "url_fragment": "rt=8000" in tenant/${fixture.tenant}.`,
    ]);
    await fixture.putTenant({ url_fragment: "rt=8000" });
    expect((await askDoctor(fixture.tenant, `${fixture.webhook_url}#rt=8000`)).ok).toBe(true);
    const another = await askDoctor(fixture.tenant, `${fixture.webhook_url}#rt=9000`);
    expect(said(another, "url")).toEqual([expect.stringContaining("has the url_fragment rt=8000")]);
    const none = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(none.ok).toBe(true);
    expect(said(none, "url")[1]).toMatch(/^! .*has none.* → Paste the URL with #rt=8000 at its end/);
  });
});

describe("the doctor, of signatures", () => {
  it("says how the pasted URL differs from the one that signatures are checked against", async () => {
    await using fixture = await openFixture({ rules });
    const path = `/hooks/${fixture.tenant}/swml`;
    const cases: [pasted: string, words: string][] = [
      [`https://elsewhere.example.com${path}`, "it begins with https://elsewhere.example.com."],
      [`http://partyline.test${path}`, "it begins with http://partyline.test."],
      [`https://partyline.test:8443${path}`, "it begins with https://partyline.test:8443."],
      [`https://partyline.test:443${path}`, "it begins with https://partyline.test:443."],
      [`https://elsewhere.example.com${path}?a=1`, "it begins with https://elsewhere.example.com."],
    ];
    for (const [pasted, words] of cases) {
      const reply = await askDoctor(fixture.tenant, pasted);
      const wrong = said(reply, "signature").filter((words) => words.startsWith("✗"));
      expect(wrong).toEqual([expect.stringContaining(words)]);
      expect(wrong[0]).toContain(`→ Paste ${origin}${path} at SignalWire, or set PUBLIC_URL to http`);
    }
    await fixture.putTenant({ public_url: "https://own.example.com" });
    const own = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(own, "signature")[1]).toContain(`or set public_url in tenant/${fixture.tenant} to ${origin}`);
  });

  it.each(["swml", "cxml"])("checks a URL of %s as it will be received", async (language) => {
    await using fixture = await openFixture({ rules });
    const pasted = fixture.webhook_url.replace(/swml$/, language);
    const right = await askDoctor(fixture.tenant, `${pasted}?name=O'Zoë&to=sip:bob@example.com`);
    expect(said(right, "signature")[1]).toBe("✓ Signatures made for the pasted URL verify here.");
    const quoted = await askDoctor(fixture.tenant, `${pasted}?name="Bob"`);
    expect(said(quoted, "signature")[1]).toMatch(
      /^✗ The key is right, but the query that was signed has characters/,
    );
  });

  it("says that PUBLIC_URL is none", async () => {
    await using fixture = await openFixture({ rules });
    for (const PUBLIC_URL of [
      "",
      "partyline.test",
      "https://partyline.test/?a=1",
      "https://",
      "wss://partyline.test",
    ]) {
      const reply = await examine({ ...env, PUBLIC_URL }, fixture.tenant, fixture.webhook_url, origin);
      expect(said(reply, "signature")[1]).toMatch(
        /^✗ PUBLIC_URL is not the beginning of a URL, .* → Write it with/,
      );
    }
  });

  it("takes a pasted user and password for what SignalWire does not sign", async () => {
    await using fixture = await openFixture({ rules });
    const pasted = fixture.webhook_url.replace("https://", "https://user:pass@");
    expect((await askDoctor(fixture.tenant, pasted)).ok).toBe(true);
  });

  it("wants attention for a second key, an empty one, report_until, and PUBLIC_URL that is not set", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id, signing_key } = fixture.carrier;
    const keys = await Promise.all([signing_key, "PSKold"].map((key) => seal(project_id, key)));
    await putProject(fixture, { signing_keys: keys });
    const two = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(two.ok).toBe(true);
    expect(said(two, "signature")).toEqual([
      expect.stringMatching(/^! Two signing keys.* → Take the old one out/),
      "✓ Signatures made for the pasted URL verify here.",
    ]);
    await putProject(fixture, { signing_keys: [await seal(project_id, "")] });
    const none = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(none, "signature")).toEqual([expect.stringMatching(/^✗ The project has no signing key/)]);
    await putProject(fixture, {});
    await fixture.putTenant({ report_until: "2999-01-01T00:00:00Z" });
    const reporting = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(reporting, "signature")[2]).toMatch(/^! report_until runs until 2999-01-01T00:00:00.000Z/);
    await fixture.putTenant({ report_until: "2001-01-01T00:00:00Z" });
    const { PUBLIC_URL: _, ...unset } = env;
    const unnamed = await examine(unset, fixture.tenant, fixture.webhook_url, origin);
    expect(said(unnamed, "signature")[2]).toMatch(/^! PUBLIC_URL is not set/);
    expect(unnamed.ok).toBe(true);
  });
});
