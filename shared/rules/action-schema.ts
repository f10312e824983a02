import * as z from "zod";
import { joinParameters, webUrl } from "../conference.ts";
import { ROOMS, TEMPLATE_LENGTH } from "./limits.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";
import { announcementOfPlace, heard, name, template } from "./words-schema.ts";

/** The roles that there always are. */
export const builtInRoles = ["moderator", "participant", "listener", "coach"] as const;

const reason = z
  .enum(["busy", "decline", "hangup"])
  .exactOptional()
  .describe("How the call is refused. busy and decline leave it unanswered, so nothing can be said.");

const reject = strictObject({ ...heard, reason }).check((context) => {
  checkRefusal(context);
  const { say, play, reason } = context.value;
  if (say === undefined && play === undefined && reason === undefined) {
    complain(context, "needs something to say or play, or a reason");
  }
});

const urls = {
  swml: webUrl.exactOptional().describe("The URL of the SWML document that takes the call over."),
  cxml: webUrl
    .exactOptional()
    .describe("The URL of the cXML document that takes over a call that came by cXML."),
};

const handOver = strictObject(urls).check((context) => {
  if (context.value.swml !== undefined || context.value.cxml !== undefined) return;
  complain(context, 'needs a URL: "swml", "cxml" or both');
});

const lastWord = {
  reject: reject.exactOptional().describe("Turns the caller away, with a line or a reason."),
  hand_over: handOver.exactOptional().describe("Gives the call to a document of your own."),
};

const otherwise = strictObject(lastWord).check((context) => exactlyOne(context, ["reject", "hand_over"]));

const overflow = strictObject({
  // biome-ignore lint/suspicious/noThenProperty: a word of the language, and the value is data that is never awaited
  then: z
    .enum(["next", "spread", "reject", "hand_over"])
    .describe(
      "What happens when the room is full. next: the first of the numbered rooms with a seat. spread: the emptiest of them. reject, hand_over: no other room.",
    ),
  rooms: z
    .int()
    .min(2)
    .max(ROOMS)
    .exactOptional()
    .describe(
      `How many rooms there are, 2 to ${ROOMS}, for next and spread: room, room-2, room-3 and so on, in this order.`,
    ),
  ...heard,
  reason,
  ...urls,
}).check((context) => {
  const { then, rooms, say, play, reason, swml, cxml } = context.value;
  const isMany = then === "next" || then === "spread";
  if (isMany && rooms === undefined) complain(context, `${then} needs "rooms": how many rooms there are`);
  if (!isMany && rooms !== undefined) complain(context, `${then} has one room: leave "rooms" out`, "rooms");
  const refuses = say !== undefined || play !== undefined || reason !== undefined;
  const handsOver = swml !== undefined || cxml !== undefined;
  if (then === "hand_over" && !handsOver) complain(context, 'hand_over needs a URL: "swml", "cxml" or both');
  if (refuses && (handsOver || then === "hand_over"))
    complain(context, "a caller who is handed over is told nothing: leave out the line and the reason");
  if (then === "reject" && handsOver) complain(context, "reject hands nothing over: leave out the URL");
  checkRefusal(context);
});

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
  room: template(TEMPLATE_LENGTH, "pin.room").describe(
    "The room's name. May hold {to}, {from}, {call_id}, {header.x-room}, {param.room}, {answer.meeting}, and {pin.room} where the match takes a PIN of KV, each with |digits, |user, |lower or |last4. With the tenant's prefix at most 64 characters.",
  ),
  role: z
    .union([z.enum(builtInRoles), name("a role's name")])
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
  join: joinParameters
    .exactOptional()
    .describe("join_conference's parameters; they override the role's and the defaults."),
}).check((context) => {
  const { capacity, overflow: full, coach: whom, role } = context.value;
  if (full !== undefined && capacity === undefined)
    complain(context, "nothing overflows without a capacity: write one", "overflow");
  if (role === "coach" && whom === undefined)
    complain(context, 'a coach needs to know whom: write "coach": { "call_from": … } or { "role": … }');
  if (role !== "coach" && whom !== undefined)
    complain(context, 'only the role of a coach coaches: write "role": "coach"', "coach");
});

/** The things that can be done with a call. */
export const actions = {
  place: place.exactOptional().describe("Puts the caller into a room."),
  ...lastWord,
};

export const actionNames = ["place", "reject", "hand_over"] as const;

/** What is done with a call: exactly one of the three. Also a tenant record's `fallback`. */
export const actionSchema = strictObject(actions).check((context) => exactlyOne(context, actionNames));

export type ActionText = z.infer<typeof actionSchema>;
export type PlaceText = z.infer<typeof place>;
export type RejectText = z.infer<typeof reject>;
export type HandOverText = z.infer<typeof handOver>;
export type OtherwiseText = z.infer<typeof otherwise>;

interface Context<Value> {
  value: Value;
  issues: {
    push(issue: { code: "custom"; message: string; input: unknown; path?: PropertyKey[] }): unknown;
  };
}

function complain({ value, issues }: Context<unknown>, message: string, ...path: string[]): void {
  issues.push({ code: "custom", message, path, input: value });
}

/** Words and a sound file are one too many; a call that is refused unanswered hears neither. */
function checkRefusal(context: Context<{ say?: string; play?: string; reason?: string }>): void {
  const { say, play, reason } = context.value;
  if (say !== undefined && play !== undefined) exactlyOne(context, ["say", "play"]);
  const isHeard = say !== undefined || play !== undefined;
  if (isHeard && (reason === "busy" || reason === "decline")) {
    const message = `${reason} refuses the call unanswered, so nothing can be said: leave out the line or the reason`;
    complain(context, message, "reason");
  }
}
