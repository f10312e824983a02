import { openQuestion } from "./open-question.ts";

/** Calls, RELAY's commands on them, and the documents that they run. */
export const callQuestions = {
  relay_drives_webhook_calls: openQuestion([true, "404", "409"], {
    question: "Whether RELAY commands work on calls that came by webhook, or which code they get",
    published: "REST's commands work on any active call by its id alone; of RELAY's a 409 is known",
    kind: "degrading",
    partyline:
      "After a 404 or 409 the document joins; after three in a row the project goes by document for an hour",
  }),
  document_takes_call_out_of_conference: openQuestion([false, true], {
    question: "Whether a document that starts takes a call out of the conference that RELAY put it in",
    published: "nothing",
    kind: "degrading",
    partyline:
      "A leave within 3 s of a document's start is answered by a transfer to an inline join, and counts for the breaker",
  }),
  call_state_events_of_webhook_calls: openQuestion([false, true], {
    question: "Whether RELAY tells the states of calls that came by webhook",
    published: "nothing",
    kind: "harmless",
    partyline: "Such an event is used if it comes, and never needed",
  }),
  rest_drives_cxml_calls: openQuestion([true, false], {
    question: "Whether REST's commands and updates reach a call that a cXML document runs, or get 404",
    published: '"Update a call" is documented for calls of cXML; the command API names no kind of call',
    kind: "degrading",
    partyline: "A waiting caller whom REST cannot move comes in at their own next poll",
  }),
} as const;
