import { nestsTooDeep } from "../../shared/depth.ts";
import { jsonFault } from "../../shared/json-fault.ts";

/** What a request's body says, or why that cannot be told. */
export type JsonBody = { ok: true; value: unknown } | { ok: false; why: string };

export function readJson(raw: Uint8Array): JsonBody {
  const text = new TextDecoder().decode(raw);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: text.trim() === "" ? "is missing" : `is not JSON${jsonFault(text)}` };
  }
  return nestsTooDeep(value) ? { ok: false, why: "nests too deep" } : { ok: true, value };
}
