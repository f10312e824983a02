import * as z from "zod";

/** The most entries that a page is to have. @param usual unless the request says. */
export const limit = (usual: number) => z.coerce.number().int().min(1).max(200).default(usual);

/** The `next` of the page before, where that is a number. */
export const afterNumber = z.coerce.number().int().positive().optional();

/** A text that a list is filtered by. */
export const filter = z.string().min(1).max(200).optional();

export const TIME = "must be milliseconds, or a date and time such as 2026-11-28T10:00:00Z";

const isoTime = z.iso.datetime({ offset: true, error: TIME }).transform((text) => Date.parse(text));

/** Milliseconds since the epoch, or an ISO 8601 date and time, in a JSON body. */
export const moment = z.union([z.int().nonnegative(), isoTime], TIME);

/** The same in a query. */
export const instant = z.union(
  [
    z
      .string()
      .regex(/^\d{1,16}$/, TIME)
      .transform(Number),
    isoTime,
  ],
  TIME,
);

/** A page of what KV lists, which reads at most 100 keys at once; `after` is KV's own. */
export const kvPage = z.strictObject({
  after: z.string().min(1).max(2_000).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});
