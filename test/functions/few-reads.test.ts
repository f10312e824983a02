import { expect, test } from "vitest";
import { fewReads } from "../../functions/few-reads.ts";

test("a session reads one text of KV at a time, and the same one once for all who ask meanwhile", async () => {
  const reads: string[] = [];
  let open = 0;
  let most = 0;
  const directory = fewReads({
    async get(key: string) {
      reads.push(key);
      open += 1;
      most = Math.max(most, open);
      await scheduler.wait(1);
      open -= 1;
      if (key === "pins/bad") throw new Error("KV fails");
      return `text of ${key}`;
    },
  } as unknown as KVNamespace); // Of a namespace this is all that a session asks for.
  const keys = ["tenant/acme", "ruleset/acme", "pins/1", "pins/2", "pins/3"];
  const texts = await Promise.all([...keys, ...keys].map((key) => directory.get(key)));
  expect(texts).toEqual([...keys, ...keys].map((key) => `text of ${key}`));
  expect(reads).toEqual(keys);
  expect(most).toBe(1);
  await expect(directory.get("pins/bad")).rejects.toThrow("KV fails");
  expect(await directory.get("tenant/acme")).toBe("text of tenant/acme");
  expect(reads.filter((key) => key === "tenant/acme")).toHaveLength(2);
});
