import * as z from "zod";
import { webUrl } from "../../conference.ts";
import { SAY_LENGTH } from "../limits.ts";
import { type Special, templateProblem } from "../template.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";

/** Text with placeholders. */
export const template = (length: number, special?: Special) =>
  z
    .string()
    .min(1)
    .max(length)
    .check(({ value, issues }) => {
      const problem = templateProblem(value, special);
      if (problem === null) return;
      const { message, suggestion } = problem;
      issues.push({
        code: "custom",
        message,
        params: suggestion === undefined ? {} : { suggestion },
        input: value,
      });
    });

/** How words are spoken. */
export const speech = {
  language: z
    .string()
    .regex(/^[A-Za-z0-9-]{2,35}$/, "must be a language tag such as en-US")
    .exactOptional()
    .describe("The language in which it is said, e.g. en-US."),
  voice: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,128}$/, "must be the name of a voice such as gcloud.en-US-Neural2-A")
    .exactOptional()
    .describe("The voice that says it."),
};

export const sayLine = template(SAY_LENGTH).describe(
  "Words to speak. May hold the placeholders that a room's name may.",
);
export const playFile = webUrl
  .regex(/^https:/, "must start with https://: SignalWire plays nothing else")
  .describe("The https URL of a sound file to play in place of words.");

/** What may be heard: exactly one of the two, and how words are spoken. */
export const heard = { say: sayLine.exactOptional(), play: playFile.exactOptional(), ...speech };

/** Words, or more about them, or a sound file. */
const announcementWith = (line: z.ZodString) =>
  z.union([line, spokenWith(line)], { error: 'must be text to say, { "say": … } or { "play": … }' });

const spokenWith = (line: z.ZodString) =>
  strictObject({ ...heard, say: line.exactOptional() }).check((context) =>
    exactlyOne(context, ["say", "play"]),
  );

export const announcement = announcementWith(sayLine);

/** Likewise, heard on the way into a room: may say which number the caller is there. */
export const announcementOfPlace = announcementWith(
  template(SAY_LENGTH, "number").describe(
    "Words to speak. May hold the placeholders that a room's name may, and {number}: the caller's number in the room.",
  ),
);

const placeLine = template(SAY_LENGTH, "position").describe(
  "Words to speak. May hold the placeholders that a room's name may, and {position}: the caller's place in the line.",
);

/** What callers hear of their place in a line. */
export const placeWords = z.union([z.boolean(), placeLine, strictObject({ say: placeLine, ...speech })], {
  error: 'must be true, false, text to say or { "say": … }',
});

/** What is heard before a room that is recorded. */
export const recordingNotice = z.union([z.literal(false), sayLine, spokenWith(sayLine)], {
  error: 'must be false, text to say, { "say": … } or { "play": … }',
});

export type Announcement = z.infer<typeof announcement>;
