import { expect, test } from "vitest";
import { StaleCache } from "../../../functions/tenants/stale-cache.ts";

interface Kept {
  name: string;
  bytes: number;
}

/** A cache of a thousand bytes, and a store behind it that counts what is read of it. */
function cacheOf(sizes: Record<string, number>) {
  let now = 1_000_000;
  const reads: string[] = [];
  const failures: unknown[] = [];
  const cache = new StaleCache<Kept>({ bytesOf: ({ bytes }) => bytes, max_bytes: 1_000 }, () => now);
  const store = { sizes, fails: false };
  return {
    reads,
    failures,
    store,
    pass: (ms: number) => {
      now += ms;
    },
    get: (name: string) =>
      cache.get(
        name,
        async () => {
          reads.push(name);
          if (store.fails) throw new Error("the store is down");
          const bytes = store.sizes[name];
          return bytes === undefined ? null : { name, bytes };
        },
        () => {},
        (error) => failures.push(error),
      ),
  };
}

test("names that are not there push out nothing that is", async () => {
  const { get, reads, store } = cacheOf({ acme: 900 });
  await get("acme");
  for (let made_up = 0; made_up < 2_100; made_up += 1) expect(await get(`m${made_up}`)).toBeNull();
  store.fails = true;
  expect(await get("acme")).toEqual({ name: "acme", bytes: 900 });
  expect(reads.filter((name) => name === "acme")).toHaveLength(1);
});

test("a name that is not there is not read again for 5 s, and then it is", async () => {
  const { get, reads, store, pass } = cacheOf({});
  await get("new");
  store.sizes["new"] = 1;
  pass(4_999);
  expect(await get("new")).toBeNull();
  pass(1);
  expect(await get("new")).not.toBeNull();
  expect(reads).toHaveLength(2);
});

test("those used least recently go first, as many as have no room, and the newest stays however large it is", async () => {
  const { get, reads } = cacheOf({ a: 400, b: 400, c: 300, huge: 5_000 });
  const isRead = async (name: string): Promise<boolean> => {
    const before = reads.length;
    await get(name);
    return reads.length > before;
  };
  await get("a");
  await get("b");
  await get("a");
  await get("c");
  expect(await isRead("a")).toBe(false);
  expect(await isRead("c")).toBe(false);
  expect(await isRead("b")).toBe(true);
  await get("huge");
  expect(await isRead("huge")).toBe(false);
  expect(await isRead("b")).toBe(true);
});

test("a value that grows when it is read again makes others go", async () => {
  const { get, reads, store, pass } = cacheOf({ a: 400, b: 400 });
  await get("a");
  pass(1_000);
  await get("b");
  store.sizes["a"] = 900;
  pass(29_000);
  expect(await get("a")).toEqual({ name: "a", bytes: 900 });
  const before = reads.length;
  await get("b");
  expect(reads.length).toBe(before + 1);
});

test("what can't be read again is served as it was, and asked for every two seconds", async () => {
  const { get, reads, store, pass, failures } = cacheOf({ acme: 10 });
  await get("acme");
  store.fails = true;
  pass(3_600_000);
  for (let second = 0; second < 10; second += 1) {
    expect(await get("acme")).toEqual({ name: "acme", bytes: 10 });
    pass(1_000);
  }
  expect(reads).toHaveLength(6);
  expect(failures).toHaveLength(5);
});

test("what is gone is gone, and comes again when it is there again", async () => {
  const { get, store, pass } = cacheOf({ acme: 10 });
  await get("acme");
  delete store.sizes["acme"];
  pass(30_000);
  expect(await get("acme")).toBeNull();
  store.sizes["acme"] = 20;
  pass(5_000);
  expect(await get("acme")).toEqual({ name: "acme", bytes: 20 });
});
