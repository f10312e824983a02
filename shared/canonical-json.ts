type Pending = { text: string } | { value: unknown };

/**
 * JSON with sorted keys and no spaces: equal values give equal text, whatever order their keys came in.
 * For values that came from JSON. Written without recursion: 256 KiB of hostile brackets nest deeper than the stack.
 */
export function canonicalJson(value: unknown): string {
  const pieces: string[] = [];
  const pending: Pending[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ("text" in next) pieces.push(next.text);
    else if (typeof next.value !== "object" || next.value === null) pieces.push(JSON.stringify(next.value));
    else pushParts(pending, next.value);
  }
  return pieces.join("");
}

/** Puts a list's or an object's parts on the stack, the first on top. */
function pushParts(pending: Pending[], value: object): void {
  const isList = Array.isArray(value);
  const parts: Pending[] = [{ text: isList ? "[" : "{" }];
  const entries = Object.entries(value);
  if (!isList) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  entries.forEach(([key, item], index) => {
    const comma = index === 0 ? "" : ",";
    parts.push({ text: isList ? comma : `${comma}${JSON.stringify(key)}:` }, { value: item });
  });
  parts.push({ text: isList ? "]" : "}" });
  for (const part of parts.reverse()) pending.push(part);
}
