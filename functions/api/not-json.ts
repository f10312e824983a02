/** What a text in KV that is no JSON seems to be, for the person who put it there. */
export function notJson(text: string): string {
  return isYaml(text) ? "is YAML, and KV holds JSON" : "is not JSON";
}

/** Whether the first line that says something begins as YAML does: a document's mark, or a key at the margin. */
export function isYaml(text: string): boolean {
  const line = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/, 100)
    .find((one) => one.trim() !== "" && !one.trimStart().startsWith("#"));
  return line !== undefined && /^(---(\s|$)|%YAML|["']?[A-Za-z_][\w -]*["']?:(\s|$)|- )/.test(line);
}
