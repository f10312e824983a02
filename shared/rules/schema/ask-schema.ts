import * as z from "zod";
import { DIGITS } from "../limits.ts";
import { word } from "./name-schema.ts";
import { strictObject } from "./strict-object.ts";
import { announcement, speech } from "./words-schema.ts";

const digits = z
  .string()
  .regex(/^(?:[1-9][0-9]?|(?:0|[1-9][0-9]?)-[1-9][0-9]?)$/, {
    message:
      'must be how many digits, at least 1, such as "4" or "4-8", or "0-8" where nothing is an answer, too',
    abort: true,
  })
  .refine((text) => {
    const { min, max } = digitsOf(text);
    return min <= max && max <= DIGITS;
  }, `must be from fewer to more digits, at most ${DIGITS}`);

/** A question that the caller answers on the keypad. */
const question = strictObject({
  say: announcement.describe("What is asked: words, or { play }."),
  digits: digits.describe(
    'How many digits are keyed: "4", or "4-8". "0-8" takes nothing, too, for { none }.',
  ),
  terminator: z
    .enum(["#", "*", "none"])
    .exactOptional()
    .describe("The key that ends the answer. none: the last digit does, or a pause. Unless written, #."),
  tries: z.int().min(1).max(10).exactOptional().describe("How often it is asked. Unless written, 3."),
  secret: z
    .boolean()
    .exactOptional()
    .describe("true: what is keyed is kept nowhere, and only compared with { hmac }."),
  no_input: announcement
    .exactOptional()
    .describe("What is heard where nothing was keyed, before it is asked again."),
  wrong: announcement
    .exactOptional()
    .describe("What is heard where none of the group's rules takes the answer, before it is asked again."),
  goodbye: announcement.exactOptional().describe("What is heard after the last try, before the call ends."),
  ...speech,
});

/** Questions by the name of the answer, asked in the order written. */
export const ask = z
  .record(
    word("an answer's name", /^[a-z][a-z0-9_]{0,31}$/, "1 to 32 of a-z, 0-9 and _, the first a letter"),
    question,
  )
  .refine((questions) => Object.keys(questions).length > 0, "asks nothing: leave it out");

export type AskText = z.infer<typeof ask>;
export type QuestionText = z.infer<typeof question>;

/** The least and most digits of `4-8`. */
export function digitsOf(text: string): { min: number; max: number } {
  const [min = 0, max = min] = text.split("-").map(Number);
  return { min, max };
}
