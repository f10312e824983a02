import { expect, test } from "vitest";
import { maskNumbers } from "../../../shared/api/mask-numbers.ts";

test.each([
  [{ from: "+15550100001" }, { from: "+*********01" }],
  [{ from: "5550100001" }, { from: "********01" }],
  [{ to: "sip:alice@example.com" }, { to: "sip:*****@example.com" }],
  [{ from: "alice" }, { from: "*****" }],
  [{ from: "anonymous" }, { from: "anonymous" }],
  [{ who: "anonymous 9f1c-2222" }, { who: "anonymous 9f1c-2222" }],
  [{ room: "acme:+15550100001" }, { room: "acme:+*********01" }],
  [{ room: "acme:5550100001" }, { room: "acme:********01" }],
  [{ room: "acme:board-2026" }, { room: "acme:board-2026" }],
  [{ why: '"+15550100002" is not in list "vips"' }, { why: '"+*********02" is not in list "vips"' }],
  [
    { headers: { "x-id": ["<sip:+15550100001@host>"] } },
    { headers: { "x-id": ["<sip:+*********01@host>"] } },
  ],
  [{ canonical: { from: "+15550100001" } }, { canonical: { from: "+*********01" } }],
  [
    { error: { message: "+15550100001 is not allowed" } },
    { error: { message: "+*********01 is not allowed" } },
  ],
])("in %o no caller can be told by number", (answer, masked) => {
  expect(maskNumbers(answer)).toEqual(masked);
});

test.each([
  { call_id: "15550100001" },
  { conference_ids: ["123456789012"] },
  { id: "20261128", next: "1790000000000.1790000000000" },
  { at: 1790000000000, at_iso: "2026-11-28T10:00:00.000Z" },
  { conference_id: "4b1c9b0e-6a51-4f0e-9d2b-123456789012" },
  { outcome: "joined", rule: "vip-1", muted: false, held: null },
])("%o holds no number, and stays as it is", (answer) => {
  expect(maskNumbers(answer)).toEqual(answer);
});
