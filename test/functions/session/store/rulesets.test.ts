import { expect, test } from "vitest";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { Rulesets } from "../../../../functions/session/store/rulesets.ts";
import { onStorage } from "../ledger.ts";

test("of versions that were written and never served the newest 50 are kept, and every one that served", async () => {
  await onStorage("rulesets", async ({ sql }) => {
    let now = 1_800_000_000_000;
    const news = { isFollowed: () => false, rulesServed: () => {} };
    const rulesets = new Rulesets(new Disk(sql, () => now), () => now, news);
    const push = (name: string, text = "{}") => {
      now += 1_000;
      rulesets.pushed("acme", { hash: name, text }, "ops@laptop");
    };
    push("served");
    now += 1_000;
    rulesets.serves("acme", "served");
    rulesets.pushed("globex", { hash: "theirs", text: "{}" }, null);
    push("long", "x".repeat(1_200_000));
    for (let n = 0; n < 60; n += 1) push(`n${n}`);
    const kept = rulesets.versions("acme", 100).map(({ hash }) => hash);
    expect(kept).toEqual([...Array.from({ length: 50 }, (_, n) => `n${59 - n}`), "served"]);
    expect(rulesets.text("acme", "long")).toBeNull();
    expect(rulesets.lastGood("acme")?.hash).toBe("n59");
    expect(rulesets.versions("globex", 9)).toHaveLength(1);
  });
});
