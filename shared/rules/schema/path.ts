import { shown } from "./zod-words.ts";

export type Path = readonly PropertyKey[];

/** `rules[3].match.from`; a key that is no plain word is quoted: `headers["x-tier"]`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_]\w*$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${shown(String(step))}]`;
  }
  return text;
}

export function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    // What was read is JSON or YAML: any key of an object may be asked for, and the answer is unknown.
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
