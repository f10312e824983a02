import { exports } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import { health } from "../../functions/health.ts";

const many = { ADMIN_TOKEN: "a", CREDENTIALS_KEY: "b" };
const one = {
  ...many,
  SIGNALWIRE_SPACE: "example",
  SIGNALWIRE_PROJECT_ID: "p",
  SIGNALWIRE_API_TOKEN: "t",
  SIGNALWIRE_SIGNING_KEY: "k",
};

/** The answer of a Worker with these secrets, whose storage fails if it is touched. */
async function asked(secrets: Record<string, string>): Promise<[number, unknown]> {
  const untouchable = {
    get DIRECTORY(): never {
      throw new Error("KV was touched");
    },
    get RELAY_SESSION(): never {
      throw new Error("a Durable Object was touched");
    },
  };
  const bindings = Object.defineProperties({ ...secrets }, Object.getOwnPropertyDescriptors(untouchable));
  const response = await health.request("/", {}, bindings);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return [response.status, await response.json()];
}

test("/health says ok where the Worker has its secrets, with one tenant or with many", async () => {
  expect(await asked(one)).toEqual([200, { ok: true }]);
  expect(await asked(many)).toEqual([200, { ok: true }]);
});

test("/health names the secrets that are missing, and shows no value", async () => {
  expect(await asked({})).toEqual([503, { ok: false, missing: ["ADMIN_TOKEN", "CREDENTIALS_KEY"] }]);
  expect(await asked({ ...many, ADMIN_TOKEN: "" })).toEqual([503, { ok: false, missing: ["ADMIN_TOKEN"] }]);
  const { SIGNALWIRE_API_TOKEN: _, CREDENTIALS_KEY: __, ...lacking } = one;
  expect(await asked(lacking)).toEqual([
    503,
    { ok: false, missing: ["CREDENTIALS_KEY", "SIGNALWIRE_API_TOKEN"] },
  ]);
});

test("/health of the whole Worker wants no token", async () => {
  const response = await exports.default.fetch("https://partyline.test/health");
  expect([response.status, await response.json()]).toEqual([200, { ok: true }]);
});

test("a Worker that lacks secrets says which in its log, once in each isolate", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  // A module of its own is as good as an isolate.
  vi.resetModules();
  const { default: worker } = await import("../../functions/index.ts");
  const ctx = { waitUntil: () => {}, passThroughOnException: () => {} } as unknown as ExecutionContext; // All that is called.
  for (const path of ["/health", "/nowhere", "/health"]) {
    await worker.fetch(new Request(`https://partyline.test${path}`), { ADMIN_TOKEN: "a" } as Env, ctx);
  }
  expect(error.mock.calls.flat().map((line) => JSON.parse(String(line)))).toEqual([
    { level: "error", event: "worker.secrets_missing", missing: ["CREDENTIALS_KEY"] },
  ]);
  error.mockRestore();
});
