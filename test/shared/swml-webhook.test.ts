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

describe("a SIP header that SignalWire names with sip_h_ before it", () => {
  const headersOf = (headers: object[]) => {
    const webhook = parseSwmlWebhook(JSON.stringify({ call: { call_id: "c", headers } }));
    return webhook.ok ? { ...webhook.call.headers } : webhook;
  };

  test("is there under its own name, too, with all its values in their order", () => {
    const [gold, silver] = [
      { name: "sip_h_X-Tier", value: "gold" },
      { name: "sip_h_x-tier", value: "silver" },
    ];
    expect(headersOf([gold, silver])).toEqual({
      "sip_h_x-tier": ["gold", "silver"],
      "x-tier": ["gold", "silver"],
    });
  });

  test("does not stand for a header that came under that very name", () => {
    const headers = [
      { name: "sip_h_X-Tier", value: "gold" },
      { name: "X-Tier", value: "silver" },
    ];
    expect(headersOf(headers)).toEqual({ "sip_h_x-tier": ["gold"], "x-tier": ["silver"] });
  });

  test("is nothing more where no name follows", () => {
    expect(headersOf([{ name: "sip_h_", value: "gold" }])).toEqual({ sip_h_: ["gold"] });
  });
});
