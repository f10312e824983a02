import type { Call } from "../shared/call.ts";
import { wireName } from "../shared/conference.ts";
import { callerParams } from "../shared/documents/caller-params.ts";
import { inlineJoinDocument } from "../shared/documents/outcomes.ts";
import { promptDocument } from "../shared/documents/prompt.ts";
import { announceDocument, handOverDocument, rejectDocument } from "../shared/documents/rule-documents.ts";
import type { SwmlDocument } from "../shared/documents/swml.ts";
import type { Decision, Question } from "../shared/rules/decision.ts";

/** What stands where only the Worker could write: its own URL, and the call's sealed state. */
const OWN_URL = "https://partyline.example.com/hooks";
const SEALED = "<sealed state>";

/**
 * The document that answers the call, as where RELAY is down: the join stands in it. Null where there is none to show:
 * where only cXML answers.
 */
export function documentFor(
  decision: Decision | Question,
  call: Call,
  { tenant, plain }: { tenant: string; plain: boolean },
): SwmlDocument | null {
  const back = {
    dest: `${OWN_URL}/${tenant}/swml`,
    params: callerParams(call.params).params,
    sealed: SEALED,
  };
  switch (decision.action) {
    case "ask":
      return promptDocument(decision.ask[0], back);
    case "reject":
      return rejectDocument(decision.say, decision.reason);
    case "hand_over":
      return decision.swml === undefined
        ? null
        : handOverDocument(decision.swml, callerParams(call.params).params);
    case "place": {
      const { announce, rooms, join } = decision;
      if (announce !== undefined) return announceDocument(announce, back);
      const name = wireName(tenant, rooms[0], { plain });
      return typeof name === "string" ? inlineJoinDocument(name, join) : null;
    }
  }
}
