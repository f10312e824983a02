import { nestsTooDeep } from "../../shared/depth.ts";
import { jsonFault } from "../../shared/json-fault.ts";

/** What a request's body says, or why that cannot be told. */
export type JsonBody = { ok: true; value: unknown } | { ok: false; why: string };

export function readJson(raw: Uint8Array): JsonBody {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(raw));
  } catch (error) {
    return { ok: false, why: raw.length === 0 ? "is missing" : `is not JSON${jsonFault(error)}` };
  }
  return nestsTooDeep(value) ? { ok: false, why: "nests too deep" } : { ok: true, value };
}
