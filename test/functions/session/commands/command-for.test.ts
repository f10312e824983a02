import { expect, test } from "vitest";
import { commandFor } from "../../../../functions/session/commands/command-for.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const START = 1_800_000_000_000;

test.each([
  ["by a webhook, and was answered with the document that joins, is not sent another", "swml", null],
  ["by a context, and whose join was decided without a fetch, is put back", "relay", "calling.transfer"],
] as const)("a call that came %s", async (_, ingress, method) => {
  await onStorage(`command-for-${ingress}`, async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => START,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, ingress, join_via: "document" }));
    if (!row) throw new Error("there is a seat");
    const answer = { v: 1, outcome: "document", room: row.room, join: {}, reason: "" } as const;
    ledger.placements.update(row, { asking_step: 2, answer });
    const { call_id, entry, step } = row;
    const errand = {
      id: 1,
      kind: "rejoin",
      call_id,
      entry,
      step,
      node_id: "node-1",
      attempts: 0,
      due_at: START,
    };
    const parts = { ...ledger, queue: { turnAway: () => false } } as unknown as Parameters<
      typeof commandFor
    >[0]; // Of the queue no more is needed.
    expect(commandFor(parts, { ...errand, kind: "rejoin" })?.method ?? null).toBe(method);
  });
});
