import * as z from "zod";
import { name } from "./name-schema.ts";
import { strictObject } from "./strict-object.ts";

const WORDS = 1_000;
const ROLES = 20;

/** Words about a room, in which nothing stands for a caller's values. */
const words = z
  .string()
  .trim()
  .min(1)
  .max(WORDS)
  .regex(/^[^{}]*$/, "may hold no placeholders: it is said to all");

export const lock = z
  .enum(["refuse", "lobby"])
  .describe(
    "Locks the room once the first caller by this rule is in it. refuse: nobody else comes in. lobby: operators let callers in.",
  );

export const muteAll = z
  .union(
    [
      z.literal(true),
      strictObject({
        except: z
          .array(name("a role's name"))
          .max(ROLES)
          .describe("The roles that are not muted. Unless written, moderators."),
      }),
    ],
    { error: 'must be true or { "except": ["moderator"] }' },
  )
  .describe(
    "Once the first caller by this rule is in the room, everybody else in it is muted, and each who comes in later. true: but for moderators.",
  );

export const whenModeratorLeaves = strictObject({
  after_s: z.int().min(5).max(3_600).describe("How long the last moderator may be gone, 5 to 3600 seconds."),
  // biome-ignore lint/suspicious/noThenProperty: a word of the language, and the value is data that is never awaited
  then: z
    .enum(["end", "mute_all", "lock", "nothing"])
    .describe(
      "What happens then. end: the conference ends for all. mute_all: everybody is muted. lock: nobody else comes in. nothing: the words are all.",
    ),
  say: words.exactOptional().describe("What those in the room hear."),
}).describe("What happens to the room when its last moderator has left and none comes back in time.");

export type MuteAllText = z.infer<typeof muteAll>;
