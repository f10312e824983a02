import { sign } from "hono/jwt";
import { afterEach, expect, test, vi } from "vitest";
import { type Fixture, openFixture } from "../fixture.ts";
import { askApi, putProject } from "./ask.ts";

afterEach(() => vi.unstubAllGlobals());

const aud = "ab".repeat(32);
const issuer = "https://example-team.cloudflareaccess.com";

/** An application of Access, whose keys are served where Access serves them. */
async function application() {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  // Of an RSA key there are always two.
  const pair = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const kid = "key-1";
  const exported = async (key: CryptoKey) => ({
    ...((await crypto.subtle.exportKey("jwk", key)) as JsonWebKey),
    kid,
    alg: "RS256",
  });
  const [publicKey, privateKey] = [await exported(pair.publicKey), await exported(pair.privateKey)];
  const real = fetch;
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) =>
    String(input) === `${issuer}/cdn-cgi/access/certs`
      ? Response.json({ keys: [publicKey] })
      : await real(input, init),
  );
  const now = Math.floor(Date.now() / 1_000);
  return async (changes: Record<string, unknown> = {}): Promise<string> =>
    await sign(
      { iss: issuer, aud: [aud], email: "Ann@example.com", iat: now, exp: now + 600, ...changes },
      privateKey,
      "RS256",
    );
}

async function openGuarded(access: Record<string, unknown>): Promise<Fixture> {
  const home = await openFixture({ rules: [], tenant: { access } });
  await putProject(home, { access: { team: "example-team", aud } });
  return home;
}

async function ask({ tenant }: Fixture, assertion: string, path: string, init: RequestInit = {}) {
  const headers = { authorization: "", "cf-access-jwt-assertion": assertion, ...init.headers };
  const response = await askApi(`/tenants/${tenant}${path}`, { ...init, headers });
  const { error } = await response.clone().json<{ error?: { code: string } }>();
  return error === undefined ? [response.status] : [response.status, error.code];
}

test("people who come by Cloudflare Access may do what the tenant's record says of their mail address", async () => {
  const assertion = await application();
  await using home = await openGuarded({
    "ann@example.com": ["rooms:read", "audit:read", "lobby"],
    "*@example.com": ["calls:read"],
  });
  const ann = await assertion();
  expect(await ask(home, ann, "/conferences")).toEqual([200]);
  expect(await ask(home, ann, "/calls")).toEqual([403, "scope"]);
  const bob = await assertion({ email: "bob@example.com" });
  expect(await ask(home, bob, "/calls")).toEqual([200]);
  expect(await ask(home, bob, "/conferences")).toEqual([403, "scope"]);
  const eve = await assertion({ email: "eve@example.net" });
  expect(await ask(home, eve, "/calls")).toEqual([403, "scope"]);
  const admit = "/conferences/board/lobby/c-1/admit";
  expect(await ask(home, ann, admit, { method: "POST" })).toEqual([404, "unknown_waiter"]);
  const elsewhere = { method: "POST", headers: { origin: "https://evil.example" } };
  expect(await ask(home, ann, admit, elsewhere)).toEqual([403, "cross_site"]);
  const audit = await askApi(`/tenants/${home.tenant}/audit`);
  expect(await audit.json()).toMatchObject({
    entries: [{ token: "access", name: "ann@example.com", action: "lobby.admit", outcome: "unknown_waiter" }],
  });
});

test("an assertion of another application, team, key or time is none, and of a project without Access too", async () => {
  const assertion = await application();
  await using home = await openGuarded({ "ann@example.com": ["rooms:read"] });
  await using other = await openFixture({
    rules: [],
    tenant: { access: { "ann@example.com": ["rooms:read"] } },
  });
  const ann = await assertion();
  expect(await ask(other, ann, "/conferences")).toEqual([401, "unauthorized"]);
  const wrong = [
    await assertion({ aud: ["cd".repeat(32)] }),
    await assertion({ iss: "https://other-team.cloudflareaccess.com" }),
    await assertion({ exp: 1_000 }),
    await assertion({ exp: undefined }),
    await assertion({ email: undefined }),
    `${ann.slice(0, -4)}AAAA`,
    "not.a.token",
    await (await application())(),
  ];
  const keys = await application();
  expect(await ask(home, await keys(), "/conferences")).toEqual([200]);
  for (const one of wrong) expect(await ask(home, one, "/conferences")).toEqual([401, "unauthorized"]);
});
