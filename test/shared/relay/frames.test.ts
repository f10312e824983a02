import fc from "fast-check";
import { expect, it } from "vitest";
import { readFrame, reply, replyError, request } from "../../../shared/relay/frames.ts";

const LIMIT = 1_048_576;

it("reads back what it writes", () => {
  const params = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(fc.uuid(), fc.string({ minLength: 1 }), params, (id, method, params) => {
      const frame = readFrame(request(id, method, params), LIMIT);
      // What JSON makes of it: -0 is 0 there.
      expect(frame).toEqual({ kind: "request", id, method, params: JSON.parse(JSON.stringify(params)) });
    }),
  );
  expect(readFrame(reply("a"), LIMIT)).toEqual({ kind: "result", id: "a", result: {} });
  expect(readFrame(replyError(7, -32601, "no"), LIMIT)).toEqual({
    kind: "error",
    id: 7,
    code: -32601,
    message: "no",
  });
});

it("never throws, whatever comes", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ id: value, error: value })),
  );
  fc.assert(fc.property(text, (data) => void readFrame(data, LIMIT)));
});

it("takes a frame without a version for JSON-RPC, as the published clients do, and another version for junk", () => {
  expect(readFrame('{"id":"a","method":"m"}', LIMIT)).toMatchObject({ kind: "request" });
  expect(readFrame('{"jsonrpc":"1.0","id":"a","method":"m"}', LIMIT)).toEqual({
    kind: "junk",
    reason: "not JSON-RPC",
  });
});

it("measures the limit in bytes, not in characters", () => {
  const frame = (text: string): string => JSON.stringify({ id: "a", result: text });
  const overhead = frame("").length;
  expect(readFrame(frame("x".repeat(100)), overhead + 100).kind).toBe("result");
  expect(readFrame(frame("x".repeat(101)), overhead + 100)).toEqual({ kind: "junk", reason: "too large" });
  expect(readFrame(frame("é".repeat(50)), overhead + 100).kind).toBe("result");
  expect(readFrame(frame("é".repeat(51)), overhead + 100)).toEqual({ kind: "junk", reason: "too large" });
});

it("reads an error that lacks what an error should have", () => {
  expect(readFrame('{"id":"a","error":{}}', LIMIT)).toEqual({ kind: "error", id: "a", code: 0, message: "" });
  expect(readFrame('{"id":"a","error":"no"}', LIMIT)).toMatchObject({ kind: "error", code: 0 });
  const named =
    '{"id":"a","error":{"code":"-32401","message":"m","data":{"signalwire_error_code":"AUTH_REQUIRED"}}}';
  expect(readFrame(named, LIMIT)).toMatchObject({ code: -32401, signalwire_code: "AUTH_REQUIRED" });
});

it("cuts a server's endless message", () => {
  const frame = readFrame(
    JSON.stringify({ id: "a", error: { code: 1, message: "x".repeat(10_000) } }),
    LIMIT,
  );
  expect(frame.kind === "error" && frame.message.length).toBe(501);
});
