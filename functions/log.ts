export type LogLevel = "info" | "warn" | "error";

/**
 * One JSON object a line. Fields are written as they are: the caller keeps secrets, keyed digits and URLs with
 * tokens out of them.
 */
export function log(level: LogLevel, event: string, fields: Record<string, unknown> = {}): void {
  console[level](onOneLine(JSON.stringify({ level, event, ...fields })));
}

/** Escapes what JSON leaves as it is and many readers of logs take for the end of a line: a caller could make up lines with it. */
function onOneLine(json: string): string {
  return json.replace(
    /[\u0085\u2028\u2029]/g,
    (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** An error as a log line may show it: name and message, no stack (stacks of RPC errors hold other isolates' paths), no URL. */
export function describeError(error: unknown): string {
  return withoutUrls(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

/** The text without its URLs: some errors quote the URL that failed, and a tenant's URLs hold passwords and tokens. */
export function withoutUrls(text: string): string {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*/gi, "(a URL)");
}
