import { RULESET_LENGTH } from "../../shared/rules/limits.ts";
import { problemsOf } from "../../shared/rules/schema/problems.ts";
import { type ListValues, listInKv } from "../../shared/rules/schema/ruleset.ts";
import { describeError, log } from "../log.ts";

/** A list of KV's. */
export interface KvList {
  values: ListValues;
  /** What it was read from; null: KV never had one that could be read. */
  text: string | null;
  /** What KV had when it was read last: not `text` where that is bad. */
  seen: string | null;
}

export type KvLists = ReadonlyMap<string, KvList>;

/** Where KV has the list. */
export function listKey(name: string): string {
  return `list/${name}`;
}

/** Where KV keeps the last good one: there is no session that all tenants of a list have. */
function goodKey(name: string): string {
  return `served-list/${name}`;
}

/**
 * The lists of these names. A bad one, or one that was there and is gone, leaves the last good one serving, and says so loudly.
 * @param previous as they were read last in this isolate.
 */
export async function readLists(
  env: Env,
  names: readonly string[],
  previous: KvLists = new Map(),
): Promise<KvLists> {
  const read = await Promise.all(
    names.map(async (name) => [name, await readList(env, name, previous.get(name))] as const),
  );
  return new Map(read);
}

async function readList(env: Env, name: string, previous: KvList | undefined): Promise<KvList> {
  const text = await env.DIRECTORY.get(listKey(name));
  if (previous !== undefined && previous.seen === text) return previous;
  const read = readListText(text);
  if (read.ok) {
    if (text !== null) await keep(env, name, text);
    return { values: read.values, text, seen: text };
  }
  const kept = previous ?? (await keptList(env, name));
  log("error", "list.bad", {
    list: listKey(name),
    why: read.why,
    serving: kept ? "the last good one" : "none",
  });
  return { values: kept?.values ?? [], text: kept?.text ?? null, seen: text };
}

/** What is wrong with a list's text, or its values. */
export function readListText(
  text: string | null,
): { ok: true; values: ListValues } | { ok: false; why: string } {
  if (text === null) return { ok: false, why: "KV has no such key" };
  if (text.length > RULESET_LENGTH)
    return { ok: false, why: `is larger than ${RULESET_LENGTH / 1024 / 1024} MiB` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, why: "is not JSON" };
  }
  const parsed = listInKv.safeParse(json);
  if (parsed.success) return { ok: true, values: parsed.data };
  const [first] = problemsOf(parsed.error.issues, json);
  return { ok: false, why: first === undefined ? "is not a list" : `${first.path} ${first.message}`.trim() };
}

async function keptList(env: Env, name: string): Promise<Omit<KvList, "seen"> | null> {
  const text = await env.DIRECTORY.get(goodKey(name));
  const read = readListText(text);
  return read.ok ? { values: read.values, text } : null;
}

/** KV takes few writes, and a list seldom changes. That it could not be kept stops no call. */
async function keep(env: Env, name: string, text: string): Promise<void> {
  try {
    if ((await env.DIRECTORY.get(goodKey(name))) !== text) await env.DIRECTORY.put(goodKey(name), text);
  } catch (error) {
    log("warn", "list.not_kept", { list: listKey(name), error: describeError(error) });
  }
}
