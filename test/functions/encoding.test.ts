import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64Url, fromHex, toBase64, toBase64Url, toHex } from "../../shared/encoding.ts";

test("workerd's own hex and base64 write what ours do, and are read back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      expect(toHex(bytes)).toBe(hex);
      expect(toBase64(bytes)).toBe(btoa(String.fromCharCode(...bytes)));
      expect([...(fromHex(toHex(bytes), bytes.length) ?? [])]).toEqual([...bytes]);
      expect([...(fromBase64Url(toBase64Url(bytes)) ?? [])]).toEqual([...bytes]);
    }),
  );
});
