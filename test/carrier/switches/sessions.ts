import { openQuestion } from "./open-question.ts";

/** Whose a call is, what RELAY's answers and events say beside the facts, and which never come. */
export const sessionQuestions = {
  session_owns_calls_after_reconnect: openQuestion([false, true], {
    question: "Whether a call stays its session's while that one has no connection",
    published: "Calls outlive a reconnect; whose they are meanwhile is not said",
    kind: "harmless",
    partyline: "A command that RELAY refuses is given by REST, which addresses any call",
  }),
  timestamps_in_whole_seconds: openQuestion([false, true], {
    question: "Whether the timestamps of events and callbacks are whole seconds",
    published: "nothing",
    kind: "harmless",
    partyline:
      "A join and a leave are compared by their timestamps with a tolerance; the same event of one call in the same second counts once",
  }),
  server_clock_skew_ms: openQuestion([0, 5000, -5000], {
    question: "How far SignalWire's clock is from ours, in ms",
    published: "nothing",
    kind: "harmless",
    partyline:
      "Timestamps are compared with each other; against a document's start the time of arrival counts as well",
  }),
  gone_code: openQuestion(["404_410", "422"], {
    question: "Whether a command on a call that is not there gets 404 or 410, or 422",
    published: "404: no such call; 410: it was there and is gone",
    kind: "harmless",
    partyline:
      "Any code but 2xx is a refusal: REST repeats the command, the call's own status is asked, and the document joins",
  }),
  conference_end_told: openQuestion([true, false], {
    question: "Whether `conference-end` is told, by RELAY or by callback",
    published: "It is one of the documented events",
    kind: "harmless",
    partyline: "The leaves end the stays, and reconciliation finds what no event told",
  }),
} as const;
