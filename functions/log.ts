export type LogLevel = "info" | "warn" | "error";

/**
 * One JSON object a line. Fields are written as they are: whoever calls this keeps secrets, keyed digits and URLs with
 * tokens out of them.
 */
export function log(level: LogLevel, event: string, fields: Record<string, unknown> = {}): void {
  console[level](JSON.stringify({ level, event, ...fields }));
}

/** An error as a log line may show it: name and message, no stack (stacks of RPC errors hold other isolates' paths), no URL. */
export function describeError(error: unknown): string {
  return withoutUrls(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

/** The text without its URLs: some errors quote the URL that failed, and a tenant's URLs hold passwords and tokens. */
export function withoutUrls(text: string): string {
  return text.replace(/\b[a-z][a-z0-9+.-]*:\/\/\S*/gi, "(a URL)");
}
