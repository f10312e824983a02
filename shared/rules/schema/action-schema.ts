import * as z from "zod";
import { joinParameters } from "../../conference.ts";
import { TEMPLATE_LENGTH } from "../limits.ts";
import { name } from "./name-schema.ts";
import { lock, muteAll, whenModeratorLeaves } from "./policy-schema.ts";
import { complain, handOver, otherwise, refusal } from "./refusal-schema.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";
import { type OverflowText, overflow, wait } from "./wait-schema.ts";
import { announcementOfPlace, recordingNotice, template } from "./words-schema.ts";

/** The roles that there always are. */
export const builtInRoles = ["moderator", "participant", "listener", "coach"] as const;

const coach = strictObject({
  call_from: template(TEMPLATE_LENGTH)
    .exactOptional()
    .describe("The number of the participant to coach. May hold the placeholders that a room's name may."),
  role: name("a role's name").exactOptional().describe("The role of the participant to coach."),
  if_absent: z
    .union([z.literal("listen"), otherwise], {
      error: 'must be "listen", { "reject": … } or { "hand_over": … }',
    })
    .exactOptional()
    .describe("What happens where nobody in the room fits. listen: joins muted. Unless written, rejects."),
  if_several: z
    .union([z.enum(["oldest", "newest", "listen"]), otherwise], {
      error: 'must be "oldest", "newest", "listen", { "reject": … } or { "hand_over": … }',
    })
    .exactOptional()
    .describe(
      "What happens where several fit. oldest, newest: coaches the one who has been in the room longest, or shortest. listen: joins muted. Unless written, rejects.",
    ),
}).check((context) => exactlyOne(context, ["call_from", "role"]));

const place = strictObject({
  room: template(TEMPLATE_LENGTH, "pin.room")
    .trim()
    .describe(
      "The room's name, without the blanks around it. May hold {to}, {from}, {call_id}, {header.x-room}, {param.room}, {answer.meeting}, and {pin.room} where the match takes a PIN of KV, each with |digits, |user, |lower or |last4. With the tenant's prefix at most 64 characters.",
    ),
  role: z
    .union([z.enum(builtInRoles), name("a role's name")], { error: "must be a role's name, as text" })
    .exactOptional()
    .describe(
      "moderator: the room starts with them. participant (unless written): waits where a rule places a moderator in the room. listener: muted. coach: heard by one participant alone. Or a role of your own, from `roles`.",
    ),
  coach: coach.exactOptional().describe("Whom the coach coaches."),
  announce: announcementOfPlace
    .exactOptional()
    .describe(
      "What the caller hears before the room: words, or { play }. {number} in the words says which number the caller is in the room.",
    ),
  recording_notice: recordingNotice
    .exactOptional()
    .describe(
      "What the caller hears before the room, also if another rule records it: words, or { play }, in place of the defaults'. false: nothing.",
    ),
  wait: wait
    .exactOptional()
    .describe("What the caller waits for before the room, and how: music, for how long, what then."),
  rejoin_s: z
    .int()
    .min(1)
    .max(3_600)
    .exactOptional()
    .describe(
      "How long a caller who drops finds their seat again, 1 to 3600 seconds: they go straight back to it, without announcement, question or wait.",
    ),
  capacity: z
    .int()
    .min(1)
    .max(100_000)
    .exactOptional()
    .describe("How many seats the room has. Partyline counts them, however callers join."),
  overflow: overflow.exactOptional().describe("What happens when the room is full. Unless written, rejects."),
  sticky: z
    .literal("from")
    .exactOptional()
    .describe("from: a caller who drops back comes to the room they were in while it lives."),
  after: z
    .union(
      [
        z.literal("hang_up"),
        strictObject({ hand_over: handOver.describe("Gives the call to a document of your own.") }),
      ],
      { error: 'must be "hang_up" or { "hand_over": … }' },
    )
    .exactOptional()
    .describe("What becomes of a caller whose conference is over. Unless written, the call is hung up."),
  max_duration_s: z
    .int()
    .min(10)
    .max(86_400)
    .exactOptional()
    .describe("How long the call may last, 10 to 86400 seconds."),
  lock: lock.exactOptional(),
  mute_all: muteAll.exactOptional(),
  when_moderator_leaves: whenModeratorLeaves.exactOptional(),
  speaking: z
    .boolean()
    .exactOptional()
    .describe(
      "true: operators are told who speaks. Counts where the first caller of a conference comes by this rule.",
    ),
  join: joinParameters
    .exactOptional()
    .describe("join_conference's parameters; they override the role's and the defaults."),
}).check((context) => {
  const { capacity, overflow: full, coach: whom, role, wait: line } = context.value;
  const waitsForSeat = full?.then === "wait";
  if (line !== undefined && line.for === undefined && !waitsForSeat)
    complain(
      context,
      'waits for nothing: write "for": "moderator" or "admission", or "overflow": { "then": "wait" }',
      "wait",
    );
  if (line?.for === "moderator" && role === "moderator")
    complain(context, "a moderator would wait for a moderator: leave it to the other roles", "wait", "for");
  if (line?.otherwise !== undefined && waitsForSeat && saysMore(full))
    complain(
      context,
      "what happens when the wait is over is said by overflow too: write it in one of the two",
      "wait",
      "otherwise",
    );
  if (full !== undefined && capacity === undefined)
    complain(context, "nothing overflows without a capacity: write one", "overflow");
  if (context.value.when_moderator_leaves !== undefined && role !== "moderator")
    complain(
      context,
      "only a moderator's leave counts: write it where the moderator is placed",
      "when_moderator_leaves",
    );
  if (role === "coach" && whom === undefined)
    complain(context, 'a coach needs to know whom: write "coach": { "call_from": … } or { "role": … }');
  if (role !== "coach" && whom !== undefined)
    complain(context, 'only the role of a coach coaches: write "role": "coach"', "coach");
});

/** The things that can be done with a call. */
export const actions = {
  place: place.exactOptional().describe("Puts the caller into a room."),
  ...refusal,
};

export const actionNames = ["place", "reject", "hand_over"] as const;

/** What is done with a call: exactly one of the three. Also a tenant record's `fallback`. */
export const actionSchema = strictObject(actions).check((context) => exactlyOne(context, actionNames));

export type ActionText = z.infer<typeof actionSchema>;
export type PlaceText = z.infer<typeof place>;

/** Whether an overflow says what becomes of those who find no seat. */
function saysMore({ say, play, reason, swml, cxml }: OverflowText): boolean {
  return [say, play, reason, swml, cxml].some((word) => word !== undefined);
}

/** The parts of an action that may hold placeholders. */
export function templatesOf({ place, reject }: ActionText): object {
  const { join: _, ...words } = place ?? {};
  return { ...(place === undefined ? {} : { place: words }), ...(reject === undefined ? {} : { reject }) };
}
