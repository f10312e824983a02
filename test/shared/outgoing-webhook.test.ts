import { Webhook } from "standardwebhooks";
import { describe, expect, test, vi } from "vitest";
import {
  afterAttempt,
  faultOfTarget,
  RETRY_MS,
  retryAfterOf,
  secretText,
  signedHeaders,
} from "../../shared/outgoing-webhook.ts";

const NOW = 1_790_000_000_000;
const HOUR = 3_600_000;

function failed(status: number | null, retry_after_ms: number | null = null) {
  return { status, retry_after_ms, why: "no answer within 15 s" };
}

describe("a webhook's signature", () => {
  const [one, other] = [1, 2].map((n) => secretText(new Uint8Array(32).fill(n))) as [string, string];
  const body = JSON.stringify({ v: 1, data: { from: "+15550100001", name: "Zoë" } });

  test("verifies as Standard Webhooks has it, by each secret while one is rotated, and by no other", async () => {
    vi.setSystemTime(NOW);
    const headers = await signedHeaders("msg_1", NOW, body, [one, other]);
    expect(headers["webhook-timestamp"]).toBe("1790000000");
    for (const secret of [one, other])
      expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    const third = secretText(new Uint8Array(32).fill(3));
    expect(() => new Webhook(third).verify(body, headers)).toThrow("No matching signature");
    expect(() => new Webhook(one).verify(`${body} `, headers)).toThrow("No matching signature");
    expect(() => new Webhook(one).verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow("No matching");
    vi.useRealTimers();
  });
});

describe("a delivery that failed", () => {
  test("comes again after 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 and 24 h, or up to a fifth later, and then no more", () => {
    const waits = [5_000, 300_000, HOUR / 2, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    expect(RETRY_MS).toEqual(waits);
    for (const [index, wait] of waits.entries()) {
      expect(afterAttempt(failed(500), index + 1, NOW, 0)).toMatchObject({
        outcome: "retry",
        due_at: NOW + wait,
      });
      const late = afterAttempt(failed(null), index + 1, NOW, 1);
      expect(late).toMatchObject({
        outcome: "retry",
        due_at: NOW + wait * 1.2,
        reason: "no answer within 15 s",
      });
    }
    expect(afterAttempt(failed(302), 10, NOW, 0)).toEqual({
      outcome: "failed",
      reason: "the receiver answered 302",
    });
  });

  test("comes no sooner than Retry-After says, up to a day", () => {
    expect(afterAttempt(failed(429, 60_000), 1, NOW, 0)).toMatchObject({ due_at: NOW + 60_000 });
    expect(afterAttempt(failed(503, 1_000), 1, NOW, 0)).toMatchObject({ due_at: NOW + 5_000 });
    expect(afterAttempt(failed(503, 99 * HOUR), 1, NOW, 0)).toMatchObject({ due_at: NOW + 24 * HOUR });
  });

  test("ends at 410, and at any 2xx", () => {
    expect(afterAttempt(failed(410), 1, NOW, 0)).toMatchObject({ outcome: "disable" });
    for (const status of [200, 202, 204, 299])
      expect(afterAttempt(failed(status), 1, NOW, 0)).toMatchObject({ outcome: "delivered" });
  });
});

test.each([
  ["120", 120_000],
  [new Date(NOW + 30_000).toUTCString(), 30_000],
  [new Date(NOW - 30_000).toUTCString(), 0],
  ["soon", null],
  ["", null],
  ["-1", null],
  [null, null],
])("Retry-After: %s is read as %s ms", (header, ms) => {
  expect(retryAfterOf(header, NOW)).toBe(ms);
});

test.each([
  "https://hooks.example.com/a?b=c",
  "https://hooks.example.com:8443",
  "https://8.8.8.8/",
  "https://[2606:4700::1111]/",
  "https://bücher.example/",
])("webhooks may go to %s", (url) => {
  expect(faultOfTarget(url)).toBeNull();
});

test.each([
  ["hooks.example.com", "a whole URL"],
  ["http://hooks.example.com/", "https://"],
  ["ftp://hooks.example.com/", "https://"],
  ["https://user:secret@hooks.example.com/", "user name"],
  ["https://localhost/", "public"],
  ["https://LOCALHOST./", "public"],
  ["https://a.localhost/", "public"],
  ["https://printer.local/", "public"],
  ["https://metadata.google.internal/", "public"],
  ["https://intranet/", "public"],
  ["https://127.0.0.1/", "public"],
  ["https://127.1/", "public"],
  ["https://2130706433/", "public"],
  ["https://0x7f.0.0.1/", "public"],
  ["https://0177.0.0.1/", "public"],
  ["https://10.1.2.3/", "public"],
  ["https://172.31.255.255/", "public"],
  ["https://192.168.0.1/", "public"],
  ["https://169.254.169.254/", "public"],
  ["https://100.100.100.200/", "public"],
  ["https://0.0.0.0/", "public"],
  ["https://255.255.255.255/", "public"],
  ["https://[::1]/", "public"],
  ["https://[::]/", "public"],
  ["https://[::ffff:10.0.0.1]/", "public"],
  ["https://[64:ff9b::a00:1]/", "public"],
  ["https://[fd00::1]/", "public"],
  ["https://[fe80::1]/", "public"],
  ["https://[2002:a00:1::]/", "public"],
  ["https://[2001:db8::1]/", "public"],
])("webhooks may not go to %s", (url, why) => {
  expect(faultOfTarget(url)).toContain(why);
});
