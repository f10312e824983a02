import { expect, test, vi } from "vitest";
import { log } from "../../functions/log.ts";

test("a caller's text makes no second line in the log, whatever its reader takes for the end of one", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const text = 'a\nb\r\u0085c\u2028{"event":"pins.attack"}\u2029d';
  log("warn", "webhook.refused", { tenant: text });
  const line = String(warn.mock.calls[0]?.[0]);
  warn.mockRestore();
  expect(line).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(line)).toEqual({ level: "warn", event: "webhook.refused", tenant: text });
});
