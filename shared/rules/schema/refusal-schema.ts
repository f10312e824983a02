import * as z from "zod";
import { webUrl } from "../../conference.ts";
import { exactlyOne, strictObject } from "./strict-object.ts";
import { heard } from "./words-schema.ts";

export const reason = z
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

export const urls = {
  swml: webUrl.exactOptional().describe("The URL of the SWML document that takes the call over."),
  cxml: webUrl
    .exactOptional()
    .describe("The URL of the cXML document that takes over a call that came by cXML."),
};

export const handOver = strictObject(urls).check((context) => {
  if (context.value.swml !== undefined || context.value.cxml !== undefined) return;
  complain(context, 'needs a URL: "swml", "cxml" or both');
});

export const refusal = {
  reject: reject.exactOptional().describe("Turns the caller away, with a line or a reason."),
  hand_over: handOver.exactOptional().describe("Gives the call to a document of your own."),
};

export const otherwise = strictObject(refusal).check((context) =>
  exactlyOne(context, ["reject", "hand_over"]),
);

export type RejectText = z.infer<typeof reject>;
export type HandOverText = z.infer<typeof handOver>;
export type OtherwiseText = z.infer<typeof otherwise>;

interface Context<Value> {
  value: Value;
  issues: {
    push(issue: { code: "custom"; message: string; input: unknown; path?: PropertyKey[] }): unknown;
  };
}

/** Says what is wrong with the value, or with what stands at the path in it. */
export function complain({ value, issues }: Context<unknown>, message: string, ...path: string[]): void {
  issues.push({ code: "custom", message, path, input: value });
}

/** Words and a sound file are one too many; a call that is refused unanswered hears neither. */
export function checkRefusal(context: Context<{ say?: string; play?: string; reason?: string }>): void {
  const { say, play, reason } = context.value;
  if (say !== undefined && play !== undefined) exactlyOne(context, ["say", "play"]);
  const isHeard = say !== undefined || play !== undefined;
  if (isHeard && (reason === "busy" || reason === "decline")) {
    const message = `${reason} refuses the call unanswered, so nothing can be said: leave out the line or the reason`;
    complain(context, message, "reason");
  }
}
