import * as z from "zod";
import { callQuestions } from "./calls.ts";
import { conferenceQuestions } from "./conferences.ts";
import { joinQuestions } from "./joins.ts";
import type { OpenQuestion } from "./open-question.ts";
import { requestQuestions } from "./requests.ts";
import { restQuestions } from "./rest.ts";
import { sessionQuestions } from "./sessions.ts";

/** Everything that nobody could try on the live platform, by the name of its switch. */
export const openQuestions = {
  ...callQuestions,
  ...conferenceQuestions,
  ...joinQuestions,
  ...restQuestions,
  ...requestQuestions,
  ...sessionQuestions,
} as const;

export type SwitchName = keyof typeof openQuestions;

/** One reading for each open question. */
export type Switches = { -readonly [Name in SwitchName]: (typeof openQuestions)[Name]["readings"][number] };

type SwitchShape = { [Name in SwitchName]: z.ZodDefault<z.ZodType<Switches[Name]>> };

/** Settings of the switches: for each question one of its readings, the first unless given. */
export const switchesSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(openQuestions as Record<string, OpenQuestion>).map(([name, { readings }]) => [
      name,
      z.literal([...readings]).default(readings[0]),
    ]),
  ) as unknown as SwitchShape, // One schema for each name, as the table has it: fromEntries cannot say so.
);
