import { expect, test } from "vitest";
import { isNewEntry } from "../../../../functions/session/placement/placement-service.ts";

const left = {
  tenant: "acme",
  entry: "",
  created_at: 100_000,
  state: "left",
  joined_by: "relay",
  joined_ts: 101,
} as const;
const afresh = { tenant: "acme", entry: "", answered: true };
const inIts = (state: "accepted" | "joined" | "by_document") => ({
  ...left,
  state,
  joined_by: "document" as const,
});

test.each([
  ["an answered call that has left its room is there anew", left, afresh, 102_000, true],
  ["one that is not answered repeats its webhook", left, { ...afresh, answered: false }, 102_000, false],
  [
    "later than SignalWire waits for an answer nothing is a repeat",
    left,
    { ...afresh, answered: false },
    105_001,
    true,
  ],
  ["what was decided before the row was made is the row's own", left, afresh, 99_000, false],
  ["a second arrival may be repeated, too", { ...left, entry: "0000000000000001" }, afresh, 102_000, false],
  ["and has a third after it", { ...left, entry: "0000000000000001" }, afresh, 105_001, true],
  [
    "a caller who was turned away a while ago is there anew",
    { ...left, state: "failed" as const },
    afresh,
    105_001,
    true,
  ],
  ["one who is turned away just now is not", { ...left, state: "failed" as const }, afresh, 104_000, false],
  ["another tenant learns nothing of it", left, { ...afresh, tenant: "other" }, 200_000, false],
  ["a document that was in the room is done with it", inIts("joined"), afresh, 105_001, true],
  [
    "one that was never seen there may be on its way",
    { ...inIts("by_document"), joined_ts: null },
    afresh,
    105_001,
    false,
  ],
  [
    "a call that RELAY has in its room is still there",
    { ...left, state: "joined" as const },
    afresh,
    105_001,
    false,
  ],
] as const)("%s", (_, row, request, arrived_at, isNew) => {
  expect(isNewEntry(row, request, arrived_at)).toBe(isNew);
});
