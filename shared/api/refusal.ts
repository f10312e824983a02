import * as z from "zod";

/** What the API answers wherever it does not do what was asked. `code` is for programs, `message` for people. */
export const refusalSchema = z.object({
  error: z.object({ code: z.string(), message: z.string() }),
});
