import { problemsOf } from "../shared/rules/schema/problems.ts";
import { type ListValues, listInKv } from "../shared/rules/schema/ruleset.ts";
import { readRulesetFile } from "./ruleset-file.ts";

export type ReadLists =
  | { ok: true; values: ReadonlyMap<string, ListValues>; notes: string[] }
  | { ok: false; message: string };

/** Lists of KV's, from files. @param names under which the rules name lists in KV. */
export async function readKvLists(
  files: readonly [name: string, file: string][],
  names: readonly string[],
): Promise<ReadLists> {
  const values = new Map<string, ListValues>();
  for (const [name, file] of files) {
    if (!names.includes(name)) {
      const there =
        names.length === 0 ? "the rules name no list in KV" : `the rules name ${names.join(", ")}`;
      return { ok: false, message: `--list ${name}: ${there}` };
    }
    const read = await readRulesetFile(file);
    if (!read.ok) {
      const why =
        read.kind === "unreadable" ? read.message : `${file}: ${read.errors[0]?.message ?? "cannot be read"}`;
      return { ok: false, message: why };
    }
    const list = listInKv.safeParse(read.value);
    if (!list.success) {
      const [first] = problemsOf(list.error.issues, read.value, read.written);
      return { ok: false, message: `${file}: ${first?.path ?? ""} ${first?.message ?? "is no list"}` };
    }
    values.set(name, list.data);
  }
  const missing = names.filter((name) => !values.has(name));
  const notes = missing.map(
    (name) => `the list ${name} is in KV, and taken for empty here: --list ${name}=<file> says what is in it`,
  );
  return { ok: true, values, notes };
}
