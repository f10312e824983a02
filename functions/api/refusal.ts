import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type * as z from "zod";
import type { refusalSchema } from "../../shared/api/refusal.ts";
import { problemsOf } from "../../shared/rules/schema/problems.ts";

export function refusal(c: Context, status: ContentfulStatusCode, code: string, message: string): Response {
  return c.json({ error: { code, message } } satisfies z.infer<typeof refusalSchema>, status);
}

/** What is wrong with what was sent, each fault with its path. @param whole what a fault without a path is one of. */
export function faultsOf({ issues }: z.ZodError, raw: unknown, whole: string): string {
  return problemsOf(issues, raw)
    .map(({ path, message, suggestion }) => {
      const meant = suggestion === undefined ? "" : ` (did you mean ${JSON.stringify(suggestion)}?)`;
      return `${path || whole}: ${message}${meant}`;
    })
    .join("; ");
}
