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
} as const;
