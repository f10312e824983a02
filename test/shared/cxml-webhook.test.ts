import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCxmlWebhook } from "../../shared/cxml-webhook.ts";

const form = {
  CallSid: "c2d3e4f5-a6b7-4901-8def-234567890abc",
  AccountSid: "b2c3d4e5-f6a7-4901-8cde-f12345678901",
  From: "+15550100001",
  To: "+15550100100",
  CallStatus: "ringing",
  Direction: "inbound",
  CallerName: "EXAMPLE",
};

function parse(more: Record<string, string> = {}, query = "") {
  const webhook = parseCxmlWebhook({
    form: new URLSearchParams({ ...form, ...more }),
    query: new URLSearchParams(query),
  });
  if (!webhook.ok) throw new Error(webhook.message);
  return webhook;
}

describe("a cXML webhook", () => {
  it("is a call like any other, without a node, all of its fields kept", () => {
    expect(parse().call).toEqual({
      via: "cxml",
      call_id: form.CallSid,
      project_id: form.AccountSid,
      call_state: "ringing",
      direction: "inbound",
      type: "phone",
      from: "+15550100001",
      to: "+15550100100",
      headers: {},
      vars: {},
      params: {},
      details: form,
    });
  });

  it("says in SWML's words how the call is and where it goes", () => {
    expect(parse({ CallStatus: "in-progress" }).call.call_state).toBe("answered");
    expect(parse({ CallStatus: "toString" }).call.call_state).toBe("toString");
    expect(parse({ Direction: "outbound-dial" }).call.direction).toBe("outbound");
    expect(parse({ From: "sip:amy@example.com" }).call.type).toBe("sip");
  });

  it("has SIP headers by lower-case name, repeated ones in their order", () => {
    const webhook = parseCxmlWebhook({
      form: new URLSearchParams(
        "CallSid=c&SipHeader_X-Tier=gold&SipHeader_x-tier=silver&SipHeader___proto__=1",
      ),
      query: [],
    });
    expect(webhook).toMatchObject({ ok: true });
    if (!webhook.ok) return;
    expect(webhook.call.headers["x-tier"]).toEqual(["gold", "silver"]);
    expect(Object.keys(webhook.call.headers)).toContain("__proto__");
  });

  it("has a header that SignalWire names with sip_h_ before it under its own name, too", () => {
    expect(parse({ "SipHeader_sip_h_X-Tier": "gold" }).call.headers).toEqual({
      "sip_h_x-tier": ["gold"],
      "x-tier": ["gold"],
    });
  });

  it("has the pasted URL's query for params, and our own state from there alone", () => {
    const { call, partyline } = parse(
      { partyline: "forged" },
      "team=a&team=b&tier=gold&partyline=sealed&bodySHA256=00",
    );
    expect(partyline).toBe("sealed");
    expect(call.params).toEqual({ team: ["a", "b"], tier: "gold" });
    expect(parse({ partyline: "forged" }).partyline).toBeUndefined();
  });

  it("of a GET is read from the query, where SignalWire's fields begin with a capital", () => {
    const query = `tier=gold&${new URLSearchParams(form)}&partyline=sealed`;
    const webhook = parseCxmlWebhook({ form: null, query: new URLSearchParams(query) });
    expect(webhook).toMatchObject({
      ok: true,
      partyline: "sealed",
      call: { params: { tier: "gold" }, details: form },
    });
  });

  it("of a POST is read from the body alone, and a query that shadows SignalWire's fields is ignored", () => {
    const shadows = new URLSearchParams({
      ...form,
      From: "+15550100099",
      Digits: "1",
      SipHeader_X: "1",
      tier: "gold",
    });
    expect(parse({}, `${shadows}`).call).toEqual({ ...parse().call, params: { tier: "gold" } });
    expect(parseCxmlWebhook({ form: [], query: shadows })).toMatchObject({ ok: false, path: "CallSid" });
  });

  it.each(["CallSid", "From", "To", "Direction", "CallStatus", "AccountSid", "Digits", "DialCallStatus"])(
    "of a GET that brings %s twice may speak of another call, and is no use",
    (name) => {
      const once = new URLSearchParams({ ...form, Digits: "1", DialCallStatus: "completed" });
      expect(parseCxmlWebhook({ form: null, query: once })).toMatchObject({ ok: true });
      const twice = parseCxmlWebhook({ form: null, query: [[name, "x"], ...once] });
      expect(twice).toMatchObject({ ok: false, ambiguous: true, path: name });
      expect(twice).not.toHaveProperty("call_id");
    },
  );

  it.each(["form", "query"])("of over 300 fields in its %s is no use", (where) => {
    const fields: [string, string][] = Array.from({ length: 300 }, (_, nth) => [`SipHeader_${nth}`, ""]);
    const asked = (pairs: [string, string][]) =>
      where === "form" ? { form: pairs, query: [] } : { form: null, query: pairs };
    expect(parseCxmlWebhook(asked([["CallSid", "c-1"], ...fields.slice(1)]))).toMatchObject({ ok: true });
    const over = parseCxmlWebhook(asked([["CallSid", "c-1"], ...fields]));
    expect(over).toMatchObject({ ok: false, call_id: "c-1" });
    expect(over).not.toHaveProperty("ambiguous");
  });

  it("brings what was keyed for whoever asked, and keeps it nowhere else", () => {
    const { call } = parse({ Digits: "4711" });
    expect(call.keyed).toEqual({ result: "match_digits", digits: "4711" });
    expect(JSON.stringify({ ...call, keyed: null })).not.toContain("4711");
    expect(parse({ Digits: "" }).call.keyed).toEqual({ result: "no_input", digits: "" });
    expect(parse({ Digits: "1".repeat(65) }).call.keyed).toEqual({ result: "no_match", digits: "" });
    expect(parse({ Digits: "DROP" }).call.keyed).toEqual({ result: "no_match", digits: "" });
  });

  it("without a CallSid is no use, and one that is says what is wrong with it", () => {
    expect(parseCxmlWebhook({ form: [], query: [] })).toMatchObject({ ok: false, path: "CallSid" });
    const huge = parseCxmlWebhook({
      form: [
        ["CallSid", "c-1"],
        ["From", "x".repeat(2_000)],
      ],
      query: [],
    });
    expect(huge).toMatchObject({ ok: false, path: "From", call_id: "c-1" });
  });

  it("never breaks, whatever comes", () => {
    const pairs = fc.array(
      fc.tuple(
        fc.oneof(fc.constantFrom(...Object.keys(form), "Digits", "partyline", "__proto__"), fc.string()),
        fc.string(),
      ),
    );
    fc.assert(
      fc.property(fc.option(pairs), pairs, (fields, query) => {
        const webhook = parseCxmlWebhook({ form: fields, query });
        if (webhook.ok) expect(webhook.call.details).not.toHaveProperty("Digits");
      }),
    );
  });
});
