import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOffer } from "../../shared/relay-call.ts";

const offer = {
  call_id: "c2d3e4f5-a6b7-4901-8def-234567890abc",
  node_id: "a-node@us-east",
  call_state: "created",
  direction: "inbound",
  context: "support",
  project_id: "b2c3d4e5-f6a7-4901-8cde-f12345678901",
};

describe("a call that RELAY offers", () => {
  test("from a phone has its numbers", () => {
    const device = { type: "phone", params: { from_number: "+15550100001", to_number: "+15550100100" } };
    expect(readOffer({ ...offer, device })).toMatchObject({
      context: "support",
      call: {
        via: "relay",
        call_id: offer.call_id,
        node_id: offer.node_id,
        call_state: "created",
        type: "phone",
        from: "+15550100001",
        to: "+15550100100",
        headers: {},
        vars: {},
        params: {},
      },
    });
  });

  test("from a SIP device has its addresses, and its headers by name in any case", () => {
    const headers = [
      { name: "X-Tier", value: "gold" },
      { name: "x-tier", value: "silver" },
      { name: "__proto__", value: "odd" },
    ];
    const params = { from: "sip:amy@desks.example.com", to: "sip:support@acme.example.com", headers };
    const read = readOffer({ ...offer, device: { type: "sip", params } });
    expect(read?.call).toMatchObject({
      type: "sip",
      from: "sip:amy@desks.example.com",
      to: "sip:support@acme.example.com",
    });
    expect(read?.call.headers["x-tier"]).toEqual(["gold", "silver"]);
    expect(Object.keys(read?.call.headers ?? {})).toEqual(["x-tier", "__proto__"]);
  });

  test("has a header that SignalWire names with sip_h_ before it under its own name, too", () => {
    const headers = [{ name: "sip_h_X-Tier", value: "gold" }];
    const params = { from: "sip:amy@desks.example.com", to: "sip:support@acme.example.com", headers };
    const read = readOffer({ ...offer, device: { type: "sip", params } });
    expect({ ...read?.call.headers }).toEqual({ "sip_h_x-tier": ["gold"], "x-tier": ["gold"] });
  });

  test("keeps every header that a rule may look for, of a long one so much that it is still too long to be read", () => {
    const headers = [
      ...Array.from({ length: 300 }, (_, index) => ({ name: `X-${index}`, value: "y" })),
      { name: "x".repeat(257), value: "y" },
      { name: 7, value: "y" },
      { name: "X-Site", value: "y".repeat(9_000) },
    ];
    const read = readOffer({ ...offer, device: { type: "sip", params: { headers } } });
    expect(Object.keys(read?.call.headers ?? {})).toHaveLength(301);
    expect(read?.call.headers["x-site"]).toEqual(["y".repeat(4_097)]);
  });

  test("is a call whatever else is odd about it, so long as it has an id", () => {
    const device = { type: 7, params: { from_number: ["+1"], headers: "none" } };
    expect(readOffer({ call_id: "c", context: null, node_id: 3, device })).toMatchObject({
      context: "",
      call: { call_id: "c", type: "phone", from: "", to: "" },
    });
    expect(readOffer({ call_id: "c" })?.call).not.toHaveProperty("node_id");
    expect(readOffer({ ...offer, call_id: "" })).toBeNull();
    expect(readOffer({ ...offer, call_id: "c".repeat(201) })).toBeNull();
    expect(readOffer(null)).toBeNull();
  });

  test("never throws, whatever comes", () => {
    const odd = fc.record(
      { call_id: fc.anything(), context: fc.anything(), device: fc.anything(), direction: fc.anything() },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(fc.oneof(odd, fc.anything()), (params) => void readOffer(params)));
  });
});
