import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import type { refusalSchema } from "../../shared/api/refusal.ts";

export function refusal(c: Context, status: ContentfulStatusCode, code: string, message: string): Response {
  return c.json({ error: { code, message } } satisfies z.infer<typeof refusalSchema>, status);
}

/** What is wrong with what was sent, each fault with its path. @param whole what a fault without a path is one of. */
export function faultsOf({ issues }: z.ZodError, whole: string): string {
  return issues.map(({ path, message }) => `${path.join(".") || whole}: ${message}`).join("; ");
}
