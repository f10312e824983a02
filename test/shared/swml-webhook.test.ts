import { describe, expect, test } from "vitest";
import { parseSwmlWebhook } from "../../shared/swml-webhook.ts";

/** Lists in one another, deeper than any stack. */
const deep = `${"[".repeat(50_000)}1${"]".repeat(50_000)}`;

describe("a SWML webhook that nests deeper than the stack", () => {
  test.each([
    ["in what names the call", `{"call":{"call_id":{"length":${deep}}}}`],
    ["in an unknown field", `{"call":{"call_id":"c","new":${deep}}}`],
    ["as a whole", deep],
  ])("%s can't be used", (_, body) => {
    expect(parseSwmlWebhook(body)).toEqual({ ok: false, path: "", message: "the body nests too deep" });
  });

  test("in what the caller brought is a call like any", () => {
    const webhook = parseSwmlWebhook(`{"call":{"call_id":"c"},"vars":{"v":${deep}},"params":{"p":${deep}}}`);
    expect(webhook).toMatchObject({ ok: true, call: { call_id: "c" } });
  });
});
