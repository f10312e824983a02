import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { examine } from "../../../../functions/api/doctor/examine.ts";
import { openFixture } from "../../fixture.ts";
import { askDoctor, carrier_host, origin, putProject, said, seal } from "../ask.ts";

const rules = [{ id: "all", match: { to: "+1555*" }, place: { room: "lobby" } }];

/** Whatever a developer's own `.dev.vars` says of the one-tenant start. */
function withoutSecrets(): Env {
  const { SIGNALWIRE_SPACE, SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN, SIGNALWIRE_SIGNING_KEY, ...rest } =
    env;
  return rest;
}

describe("the doctor, of the tenant and its project", () => {
  it("says that there is no such tenant, and looks no further", async () => {
    const reply = await askDoctor("nobody", `${origin}/hooks/nobody/swml`);
    expect(reply.findings.map(({ check, ok }) => [check, ok])).toEqual([
      ["url", true],
      ["tenant", false],
    ]);
    expect(said(reply, "tenant")).toEqual([
      expect.stringMatching(
        /^✗ There is no tenant nobody: .* → Write tenant.json, .* npx partyline tenant put nobody tenant.json --url https:\/\/partyline\.test\. It /,
      ),
    ]);
    const impossible = await askDoctor("No_Body", `${origin}/hooks/No_Body/swml`);
    expect(said(impossible, "tenant")).toEqual([
      "✗ The URL names no tenant: an id is 1 to 24 of a-z, 0-9 and -.",
    ]);
  });

  it("names the one-tenant start's secrets where the tenant is default", async () => {
    const reply = await examine(withoutSecrets(), "default", `${origin}/hooks/default/swml`, origin);
    expect(said(reply, "tenant")).toEqual([
      expect.stringContaining("SIGNALWIRE_SPACE, _PROJECT_ID, _API_TOKEN"),
    ]);
  });

  it("knows the one-tenant start", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id, token, signing_key } = fixture.carrier;
    const secrets = {
      SIGNALWIRE_SPACE: `http://${carrier_host}`,
      SIGNALWIRE_PROJECT_ID: project_id,
      SIGNALWIRE_API_TOKEN: token,
    };
    await env.DIRECTORY.delete(`project/${project_id}`);
    const url = `${origin}/hooks/default/swml`;
    const half = await examine({ ...withoutSecrets(), ...secrets }, "default", url, origin);
    expect(said(half, "project")).toEqual([
      expect.stringMatching(
        /^✗ there is no record project\/.* SIGNALWIRE_API_TOKEN and SIGNALWIRE_SIGNING_KEY do not/,
      ),
    ]);
    const whole = await examine(
      { ...withoutSecrets(), ...secrets, SIGNALWIRE_SIGNING_KEY: signing_key },
      "default",
      url,
      origin,
    );
    expect(said(whole, "tenant")).toEqual([expect.stringContaining("from the one-tenant start")]);
    expect(said(whole, "project")).toEqual([expect.stringContaining("come from the Worker's secrets")]);
    expect(said(whole, "rest")).toEqual([expect.stringMatching(/^✓/)]);
  });

  it("names the field of a tenant's record that is wrong", async () => {
    await using fixture = await openFixture({ rules });
    const key = `tenant/${fixture.tenant}`;
    await fixture.putTenant({ join_via: "carrier pigeon" });
    const wrong = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(wrong, "tenant")).toEqual([
      expect.stringMatching(
        new RegExp(`^✗ ${key} in KV is not as it should be: join_via: .* → Fix the record`),
      ),
    ]);
    await env.DIRECTORY.put(key, "{");
    const broken = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(broken, "tenant")).toEqual([expect.stringContaining(`✗ ${key} in KV is not JSON`)]);
  });

  it("says what the rules' checks find in a tenant's fallback, with the ruleset's roles in view", async () => {
    await using fixture = await openFixture({ rules });
    const place = (role: string) => ({ fallback: { place: { room: "lobby", role } } });
    await fixture.putTenant(place("agent"));
    const wrong = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(wrong, "tenant").slice(1)).toEqual([
      expect.stringMatching(
        /^✗ tenant\/t\S*, fallback\.place\.role: there is no role "agent"; .* → Fix the record/,
      ),
    ]);
    expect(said(wrong, "ruleset")).toEqual(["✓ The ruleset is good: 1 rule."]);
    await fixture.putRuleset({ roles: { agent: { muted: true } }, rules });
    const right = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(right, "tenant")).toHaveLength(1);
    await fixture.putTenant({ fallback: { hand_over: { swml: "http://example.com/night" } } });
    const plain = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(plain, "tenant").slice(1)).toEqual([
      expect.stringMatching(/^! Warning: tenant\/t\S*, fallback\.hand_over\.swml: is not https/),
    ]);
  });

  it("names the field of a project's record that is wrong, or that there is none", async () => {
    await using fixture = await openFixture({ rules });
    const key = `project/${fixture.carrier.project_id}`;
    await putProject(fixture, { signing_keys: [] });
    const wrong = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(wrong, "tenant")).toEqual([`✓ ${fixture.tenant} is known.`]);
    expect(said(wrong, "project")).toEqual([
      expect.stringMatching(
        new RegExp(`^✗ ${key} in KV is not as it should be: signing_keys: .* → Seal token`),
      ),
    ]);
    await env.DIRECTORY.delete(key);
    const none = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(none, "project")).toEqual([expect.stringContaining(`✗ there is no record ${key} in KV`)]);
  });

  it("says that a secret is not sealed, was sealed with another key, or that CREDENTIALS_KEY is not right", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id, token } = fixture.carrier;
    await putProject(fixture, { credentials: token });
    const bare = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(bare, "project")).toEqual([
      expect.stringMatching(/^✗ not a sealed secret .* npx partyline seal --project/),
    ]);
    const other = btoa("another key of thirty-two bytes.");
    await putProject(fixture, { credentials: await seal(project_id, token, other) });
    const foreign = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(foreign, "project")).toEqual([
      expect.stringMatching(/^✗ a sealed secret does not open: it was sealed with another CREDENTIALS_KEY/),
    ]);
    const { CREDENTIALS_KEY: _, ...unset } = env;
    const without = await examine(unset, fixture.tenant, fixture.webhook_url, origin);
    expect(said(without, "project")).toEqual([
      expect.stringContaining("CREDENTIALS_KEY is not set: set it with wrangler secret put CREDENTIALS_KEY"),
    ]);
    const short = await examine(
      { ...env, CREDENTIALS_KEY: "c2hvcnQ=" },
      fixture.tenant,
      fixture.webhook_url,
      origin,
    );
    expect(said(short, "project")).toEqual([expect.stringContaining("is not 32 bytes in base64")]);
  });
});

describe("the doctor, of the ruleset", () => {
  it("says that there is none, or what is wrong in it and where", async () => {
    await using fixture = await openFixture({ rules });
    await env.DIRECTORY.delete(`ruleset/${fixture.tenant}`);
    const none = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(none, "ruleset")).toEqual([
      `✗ There is no ruleset: every call is rejected. → npx partyline push rules.json --url ${origin} --tenant ${fixture.tenant}`,
    ]);
    await fixture.putRuleset("{ rules }");
    const text = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(text, "ruleset")).toEqual([expect.stringMatching(/^✗ The ruleset is not JSON/)]);
    await fixture.putRuleset({ rules: [{ id: "vip", mach: { to: "+15550100100" }, place: { room: "a" } }] });
    const typo = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(typo, "ruleset")).toContainEqual(
      expect.stringMatching(/^✗ rules\[0\]\.mach: unknown key.* → Did you mean "match"\?$/),
    );
    await fixture.putRuleset({ rules: [] });
    const empty = await askDoctor(fixture.tenant, fixture.webhook_url);
    expect(said(empty, "ruleset")).toEqual([
      expect.stringMatching(/^! The ruleset is good, and has no rules/),
    ]);
  });

  it("shows ten errors and counts the others", async () => {
    await using fixture = await openFixture({ rules });
    await fixture.putRuleset({ rules: Array.from({ length: 25 }, () => ({ id: 7 })) });
    const reply = await askDoctor(fixture.tenant, fixture.webhook_url);
    const wrong = said(reply, "ruleset").filter((words) => words.startsWith("✗"));
    expect(wrong).toHaveLength(11);
    expect(wrong[10]).toMatch(/^✗ And \d+ more\. → npx partyline check rules\.json --tenant t/);
  });
});
