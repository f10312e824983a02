import * as z from "zod";
import { holdsExpansion } from "../documents/expansion.ts";
import { builtInRoles } from "../rules/schema/action-schema.ts";
import { name } from "../rules/schema/name-schema.ts";
import { moment } from "./paging.ts";

/** What operators ask of live conferences, and what they are answered. The API, its documents and its clients take the shapes from here. */

const WORDS = 1_000;
const id = z.string().min(1).max(200);
const isPlain = (text: string) => !holdsExpansion(text);
const say = z
  .string()
  .trim()
  .min(1)
  .max(WORDS)
  .refine(isPlain, { error: "holds ${ or %{, which SignalWire would run as code" });
const language = z.string().min(2).max(20).exactOptional();
const httpsUrl = z
  .url({ protocol: /^https$/ })
  .max(2_000)
  .refine(isPlain, { error: "holds ${ or %{, which SignalWire would run as code" });
const role = z.union([z.enum(builtInRoles), name("a role's name")]);

/** The conference that is meant, should another live under the name by now. */
const expected = { expect: z.strictObject({ conference_id: id }).exactOptional() };

export const changeParticipant = z
  .strictObject({
    muted: z.boolean().exactOptional(),
    held: z
      .union([z.literal(false), z.strictObject({ music: httpsUrl.exactOptional() })], {
        error: "must be false or { music? }",
      })
      .exactOptional(),
    /** The call that is to be coached; null ends it. */
    coach: id.nullable().exactOptional(),
    ...expected,
  })
  .refine(({ muted, held, coach }) => [muted, held, coach].some((one) => one !== undefined), {
    error: "nothing is asked for: write muted, held or coach",
  });

export const removeParticipant = z.strictObject({
  // biome-ignore lint/suspicious/noThenProperty: a word of the API, and the value is data that is never awaited
  then: z.union([z.literal("hang_up"), z.strictObject({ say, language })]).default("hang_up"),
  bar_s: z.int().min(1).max(86_400).exactOptional(),
  ...expected,
});

export const moveParticipant = z.strictObject({
  to: z.string().trim().min(1).max(64),
  muted: z.boolean().exactOptional(),
  over_capacity: z.boolean().exactOptional(),
  ...expected,
});

export const announcement = z
  .strictObject({
    say: say.exactOptional(),
    play: httpsUrl.exactOptional(),
    /** The one call that hears it; without it all do. */
    to: id.exactOptional(),
    language,
    ...expected,
  })
  .refine(({ say: words, play }) => (words === undefined) !== (play === undefined), {
    error: "write either say or play",
  });

export const lockRoom = z.strictObject({
  mode: z.enum(["refuse", "lobby"]).default("refuse"),
  /** At most 24 h ahead; an empty room needs it. */
  until: moment.exactOptional(),
  say: say.exactOptional(),
  ...expected,
});

export const muteAll = z.strictObject({
  except: z.array(role).max(20).default(["moderator"]),
  ...expected,
});

export const endRoom = z.strictObject({
  say: say.exactOptional(),
  language,
  lock_s: z.int().min(0).max(3_600).default(60),
  ...expected,
});

export const changeRecording = z.strictObject({
  state: z.enum(["paused", "recording", "stopped"]),
  behavior: z.enum(["silence", "skip"]).exactOptional(),
  ...expected,
});

/** A body that may hold nothing but which conference is meant. */
export const plainControl = z.strictObject(expected);

export const sentBy = z.enum(["rest", "relay", "document", "session"]);
/** session: what is the session's own, such as a lock. */
export const verifiedBy = z.enum(["event", "rest", "session"]);

/** One person's part of what was asked for several. */
export const personResult = z.object({
  call_id: z.string(),
  changed: z.boolean(),
  state: z.enum(["done", "requested", "refused"]),
  verified_by: verifiedBy.nullable(),
  /** Why it was refused. */
  code: z.string().optional(),
});

const participant = z.object({
  call_id: z.string(),
  conference_id: z.string().nullable(),
  room: z.string(),
  muted: z.boolean(),
  held: z.boolean(),
  coaching: z.string().nullable(),
});

/**
 * How a command stands. requested: it was sent, and its result not seen yet. failed: it was taken, or may have been, and its result was
 * not seen within a minute. refused: nothing was done.
 */
export const commandView = z.object({
  command_id: z.string(),
  control: z.string(),
  state: z.enum(["requested", "done", "failed", "refused"]),
  changed: z.boolean(),
  sent_by: sentBy.nullable(),
  verified_by: verifiedBy.nullable(),
  room: z.string(),
  conference_id: z.string().nullable(),
  call_id: z.string().nullable(),
  at: z.number(),
  settled_at: z.number().nullable(),
  /** What is to be known beside that, in words. */
  said: z.string(),
  participant: participant.optional(),
  /** The recording that was started or changed. */
  recording_id: z.string().optional(),
  results: z.array(personResult).optional(),
  /** Of an end for all: who is still there. */
  remaining: z.array(z.string()).optional(),
});

/** Why nothing was done; `where`: the room in which the call is by now, as the rules spell it. */
export const controlRefusal = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    where: z.string().exactOptional(),
    command_id: z.string().exactOptional(),
  }),
});

export type CommandView = z.infer<typeof commandView>;
export type PersonResult = z.infer<typeof personResult>;
export type SentBy = z.infer<typeof sentBy>;
export type VerifiedBy = z.infer<typeof verifiedBy>;
