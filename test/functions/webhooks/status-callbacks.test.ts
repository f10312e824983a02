import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { statusHooks } from "../../../functions/webhooks/status-callbacks.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each(["conference-status", "recording-status"])(
  "a %s that comes while KV is silent is answered in time, to come again",
  async (kind) => {
    const silent = { get: () => new Promise<never>(() => {}) };
    const began = Date.now();
    const answered = new Hono()
      .route("/hooks", statusHooks)
      .request(
        `https://partyline.test/hooks/silent-${kind.length}/${kind}?token=${"x".repeat(32)}`,
        { method: "POST", body: "{}" },
        { ...env, DIRECTORY: silent },
        { waitUntil: () => {}, passThroughOnException: () => {}, props: {} },
      );
    await vi.waitUntil(() => vi.getTimerCount() > 0);
    await vi.runAllTimersAsync();
    expect((await answered).status).toBe(503);
    expect(Date.now() - began).toBeLessThan(4_500);
  },
);
