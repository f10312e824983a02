import type { Call } from "../../shared/call.ts";
import type { JoinParameters } from "../../shared/conference.ts";
import { callerParams } from "../../shared/documents/caller-params.ts";
import { apologyDocument } from "../../shared/documents/fixed-words.ts";
import { inlineJoinDocument } from "../../shared/documents/outcomes.ts";
import { handOverDocument, rejectDocument } from "../../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../../shared/documents/swml.ts";
import type { LastWord } from "../../shared/rules/decision.ts";
import type { Placing } from "../../shared/seal.ts";

/** The call's own document joins the room, and goes where the rule says when it is over. */
export function inlineJoin(
  { call }: { call: Call },
  { after, max_duration_s }: Pick<Placing, "after" | "max_duration_s">,
  room: string,
  join: JoinParameters,
): SwmlDocument {
  return inlineJoinDocument(room, join, {
    ...(after?.swml === undefined
      ? {}
      : { after: { dest: after.swml, params: callerParams(call.params).params } }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
  });
}

/** A rejection or a hand-over, as a document. */
export function lastWordDocument({ call }: { call: Call }, word: LastWord): SwmlDocument {
  if (word.action === "reject") return rejectDocument(word.say, word.reason);
  return word.swml === undefined
    ? apologyDocument()
    : handOverDocument(word.swml, callerParams(call.params).params);
}
