import * as z from "zod";
import { ROOMS } from "../limits.ts";
import { checkRefusal, complain, otherwise, reason, urls } from "./refusal-schema.ts";
import { strictObject } from "./strict-object.ts";
import { announcement, heard, placeWords, playFile } from "./words-schema.ts";

export const overflow = strictObject({
  // biome-ignore lint/suspicious/noThenProperty: a word of the language, and the value is data that is never awaited
  then: z
    .enum(["next", "spread", "wait", "reject", "hand_over"])
    .describe(
      "What happens when the room is full. next: the first of the numbered rooms with a seat. spread: the emptiest of them. wait: waits in line for a seat. reject, hand_over: no other room. A line or URL beside next and spread is for when these are full too; beside wait, for when the longest wait is over.",
    ),
  rooms: z
    .int()
    .min(2)
    .max(ROOMS)
    .exactOptional()
    .describe(
      `How many rooms there are, 2 to ${ROOMS}, for next and spread, and for wait if it has several: room, room-2, room-3 and so on, in this order.`,
    ),
  ...heard,
  reason,
  ...urls,
}).check((context) => {
  const { then, rooms, say, play, reason, swml, cxml } = context.value;
  const isMany = then === "next" || then === "spread";
  if (isMany && rooms === undefined) complain(context, `${then} needs "rooms": how many rooms there are`);
  if (!isMany && then !== "wait" && rooms !== undefined)
    complain(context, `${then} has one room: leave "rooms" out`, "rooms");
  const refuses = say !== undefined || play !== undefined || reason !== undefined;
  const handsOver = swml !== undefined || cxml !== undefined;
  if (then === "hand_over" && !handsOver) complain(context, 'hand_over needs a URL: "swml", "cxml" or both');
  if (refuses && (handsOver || then === "hand_over"))
    complain(context, "a caller who is handed over is told nothing: leave out the line and the reason");
  if (then === "reject" && handsOver) complain(context, "reject hands nothing over: leave out the URL");
  checkRefusal(context);
  if (then === "wait") checkAnswered(context, reason, "reason");
});

export const wait = strictObject({
  for: z
    .enum(["moderator", "admission"])
    .exactOptional()
    .describe(
      "What is waited for. moderator: one in the room. admission: the room is a lobby's, and an operator lets callers in. May be left out where overflow waits for a seat.",
    ),
  max_s: z
    .int()
    .min(10)
    .max(7_200)
    .exactOptional()
    .describe("The longest wait, 10 to 7200 seconds. Unless written, 1800: half an hour."),
  music: playFile
    .exactOptional()
    .describe("The https URL of a sound file that is played again and again. Unless written, ringing."),
  position: placeWords
    .exactOptional()
    .describe(
      "true: callers are told their place in the line, in English; or the words that tell it, with {position} in them. Unless written, they are not.",
    ),
  announce: announcement.exactOptional().describe("What is heard on arrival in the line."),
  otherwise: otherwise
    .exactOptional()
    .describe(
      "What happens when the longest wait is over, or an operator lets the caller not in. Unless written, what overflow says; else a line, and the call ends.",
    ),
}).check((context) =>
  checkAnswered(context, context.value.otherwise?.reject?.reason, "otherwise", "reject", "reason"),
);

export type OverflowText = z.infer<typeof overflow>;
export type WaitText = z.infer<typeof wait>;

/** Who has waited was answered for it. */
function checkAnswered(
  context: Parameters<typeof complain>[0],
  reason: string | undefined,
  ...path: string[]
): void {
  if (reason !== "busy" && reason !== "decline") return;
  const message = `${reason} refuses the call unanswered, and a call that waited is answered: write a line, or "hangup"`;
  complain(context, message, ...path);
}
