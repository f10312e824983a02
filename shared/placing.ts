import * as z from "zod";
import { joinParameters } from "./conference.ts";
import type { Decision, Place } from "./rules/decision.ts";

/**
 * The placing decision – what the rules decided for a call that goes into a room, with what the log and a repeat need to know of how.
 * One value from `decide()` on: sealed between a call's documents, asked of the session, kept in the placement's row and in a held seat.
 * A session's names are those of the wire: there `rooms`, `rooms_before` and `join` are.
 */
export type Placing = Place &
  Pick<Decision, "rule" | "ruleset" | "decided_at"> & {
    /** A secret was asked for on the way: a caller who comes back to a held seat must call from the same port, too. */
    secret?: true;
  };

const roomName = z.string().min(1).max(64);
const words = z.looseObject({});
const refusal = z.looseObject({ action: z.enum(["reject", "hand_over"]) });

/** Every part of it. What the way of a call stands on is checked, and of the rest no more than its kind: another version may have made it. */
const parts = {
  action: z.literal("place"),
  rule: z.string().max(200).nullable(),
  /** SHA-256 of the ruleset, hex. */
  ruleset: z.string().regex(/^[0-9a-f]{64}$/),
  /** Milliseconds since the epoch. */
  decided_at: z.int().nonnegative(),
  rooms: z.tuple([roomName], roomName),
  rooms_before: z.tuple([roomName], roomName).optional(),
  strategy: z.enum(["first", "emptiest"]),
  role: z.string().max(64),
  join: joinParameters,
  announce: z.array(words).optional(),
  announces_recording: z.literal(true).optional(),
  recording_notice: words.optional(),
  wait: z
    .looseObject({ for: z.array(z.string()).min(1), max_s: z.number().positive(), otherwise: refusal })
    .optional(),
  rejoin_s: z.number().positive().optional(),
  capacity: z.int().positive().optional(),
  when_full: refusal.optional(),
  sticky_key: z.string().optional(),
  coach: z.looseObject({}).optional(),
  after: z.looseObject({ action: z.literal("hand_over") }).optional(),
  max_duration_s: z.number().positive().optional(),
  policies: z.looseObject({}).optional(),
  speaking: z.literal(true).optional(),
  secret: z.literal(true).optional(),
} satisfies Record<keyof Placing, z.ZodType>;

/** What was sealed or kept, and so is what `decide()` made, though maybe another version's. */
export const placing = z.looseObject(parts).transform((decided) => decided as unknown as Placing);

const names = Object.keys(parts) as (keyof Placing)[];

/** The decision, whole, out of what carries it among other things. */
export function placingIn(carrier: Omit<Placing, "action">): Placing {
  const found: Record<string, unknown> = { action: "place" };
  for (const name of names) {
    const value = (carrier as Placing)[name];
    if (value !== undefined) found[name] = value;
  }
  return found as unknown as Placing; // By its own names.
}
