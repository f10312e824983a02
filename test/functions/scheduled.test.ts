import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { wakeSession, wakeSessions } from "../../functions/scheduled.ts";
import { sealSecret } from "../../shared/credentials.ts";

const EVERY_MS = 300_000;
let seals = 0;

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

async function putProject(id: string, contexts: Record<string, string>): Promise<void> {
  seals += 1;
  const sealed = await sealSecret(env.CREDENTIALS_KEY ?? "", id, "s", new Uint8Array(12).fill(seals % 256));
  const record = {
    space: "example.signalwire.com",
    // Nothing is there: waking is what is looked at here.
    relay_url: "ws://127.0.0.1:1",
    credentials: sealed,
    signing_keys: [sealed],
    contexts,
  };
  await env.DIRECTORY.put(`project/${id}`, JSON.stringify(record));
}

async function listed(): Promise<string[]> {
  const { keys } = await env.DIRECTORY.list({ prefix: "contexts/" });
  return keys.map(({ name }) => name.slice("contexts/".length));
}

/** The projects whose records this run reads one by one, as it does before it wakes a session. */
async function lookedAfter(run: number): Promise<string[]> {
  const get = vi.spyOn(env.DIRECTORY, "get");
  await wakeSessions(env, run * EVERY_MS);
  const asked = get.mock.calls.map(([key]) => key as unknown);
  get.mockRestore();
  // The session that is woken reads the record, too.
  return [
    ...new Set(asked.filter((key) => typeof key === "string" && key.startsWith("project/")).map(String)),
  ];
}

test("a project whose contexts were put into KV by hand is found, whatever its place, and taken off when they go", async () => {
  for (let index = 0; index < 640; index += 1)
    await env.DIRECTORY.put(`project/a-${String(index).padStart(4, "0")}`, '{"contexts":{}}');
  await putProject("z-last", { main: "acme" });
  expect(await lookedAfter(1)).toEqual([]);
  expect(await lookedAfter(2)).toEqual([]);
  expect(await lookedAfter(3)).toEqual(["project/z-last"]);
  expect(await listed()).toEqual(["z-last"]);
  // From now on by every run, though the others' records come first.
  expect(await lookedAfter(4)).toEqual(["project/z-last"]);
  await putProject("z-last", {});
  await lookedAfter(5);
  expect(await listed()).toEqual([]);
});

test("a project that the API puts is listed at once, and one that is deleted is forgotten", async () => {
  await putProject("one", { main: "acme" });
  await wakeSession(env, "one");
  expect(await listed()).toEqual(["one"]);
  await env.DIRECTORY.delete("project/one");
  await lookedAfter(1);
  expect(await listed()).toEqual([]);
});

test("where KV knows the place no more from which a run would go on, the next one begins anew", async () => {
  await putProject("one", { main: "acme" });
  await env.DIRECTORY.put("cron/next", "not a place");
  const list = vi.spyOn(env.DIRECTORY, "list");
  list.mockImplementationOnce(async () => ({ keys: [], list_complete: true, cacheStatus: null }));
  list.mockRejectedValueOnce(new Error("no such cursor"));
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  expect(await lookedAfter(1)).toEqual([]);
  expect(error.mock.calls.flat().join()).toContain("session.projects_not_read");
  list.mockRestore();
  expect(await lookedAfter(2)).toEqual(["project/one"]);
});
