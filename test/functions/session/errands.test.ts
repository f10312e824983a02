import { expect, test } from "vitest";
import { Errands } from "../../../functions/session/errands.ts";
import { onStorage } from "./ledger.ts";

test("what is dropped while it is being done takes nothing with it that was added since", async () => {
  await onStorage("errands", async ({ sql }) => {
    const errands = new Errands(sql, () => 1_000);
    const caller = (call_id: string) => ({ call_id, entry: "", step: 0 });
    errands.add("fetch", caller("hung-up"), "node-1");
    const [fetching] = errands.takeDue(10);
    errands.drop("fetch", caller("hung-up"));
    errands.add("fetch", caller("next-in-line"), "node-1");
    if (fetching) errands.done(fetching);
    expect(errands.takeDue(10)).toMatchObject([{ kind: "fetch", call_id: "next-in-line", attempts: 0 }]);
    expect(errands.isUnderWay("fetch", caller("next-in-line"))).toBe(true);
  });
});
