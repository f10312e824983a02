import { openQuestion } from "./open-question.ts";

/** What the REST API lists, and under which names. */
export const restQuestions = {
  conference_sid_is_conference_id: openQuestion([true, false], {
    question: "Whether `ConferenceSid` is RELAY's `conference_id`",
    published: "nothing",
    kind: "harmless",
    partyline: "Forms and lists are matched by the conference's name and the call",
  }),
  call_sid_is_call_id: openQuestion([true, false], {
    question: "Whether `CallSid` is RELAY's `call_id`",
    published: "nothing",
    kind: "degrading",
    partyline: "A list that knows no call by our ids is no evidence about any of them",
  }),
  cxml_shares_conferences: openQuestion([true, false], {
    question:
      "Whether a cXML `<Conference>` and a join by RELAY or SWML under one name share a conference, or make two",
    published: "SWML's `join_conference` page says that RELAY and cXML calls share a conference",
    kind: "degrading",
    partyline:
      "Both conferences are counted under the name and logged as `room.split`; their callers do not hear each other",
  }),
  names_normalised: openQuestion(["as_sent", "trimmed_lower_case"], {
    question: "How a conference's name comes back in events, callbacks and lists",
    published: "nothing",
    kind: "degrading",
    partyline:
      "A conference is known by its id once a join's answer, event or callback has told it; a list that lacks the name is no evidence",
  }),
} as const;
