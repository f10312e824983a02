import { nestsTooDeep } from "../../shared/depth.ts";

/** What a request's body says; undefined where it is no JSON, or nests too deep to be read. */
export function jsonOf(raw: Uint8Array): unknown {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(raw));
  } catch {
    return undefined;
  }
  return nestsTooDeep(json) ? undefined : json;
}
