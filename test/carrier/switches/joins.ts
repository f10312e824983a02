import { openQuestion } from "./open-question.ts";

/** Joins by RELAY and by document that meet on one call. */
export const joinQuestions = {
  join_where_you_are: openQuestion(["moves", "fails", "does_nothing"], {
    question:
      "What a document's join does if the call is in that conference already: it leaves and joins again, the join fails and the call stays in, or the step waits until the call leaves",
    published: "nothing",
    kind: "harmful",
    partyline:
      "While RELAY's join may stand, `failed` and `completed` of an inline join go back to the Worker before any words or hang-up",
  }),
  late_relay_join: openQuestion(["409", "moves"], {
    question:
      "Whether RELAY's join of a call that a document has joined meanwhile gets 409, or moves the call",
    published: 'The guide to RELAY has a 409, "already connected"',
    kind: "harmful",
    partyline:
      "While RELAY's join may stand, `failed` and `completed` of an inline join go back to the Worker before any words or hang-up",
  }),
  join_result_at_join: openQuestion(["at_end", "answered_at_once"], {
    question:
      "When `join_conference` has its result: at the end of the stay, or `answered` as soon as it joined",
    published: '`answered`: "successfully joined", and the result comes "typically when it has ended"',
    kind: "harmful",
    partyline: "`answered` is not taken for the end of a stay",
  }),
  end_on_exit_on_rejoin: openQuestion(["ends", "does_not"], {
    question:
      "Whether a participant with `end_on_exit` ends the conference by leaving it only to join it again in one act",
    published: "nothing",
    kind: "harmful",
    partyline: "While RELAY's join may stand, an inline join leaves `end_on_exit` out, or looks twice first",
  }),
  dial_max_duration_unit: openQuestion(["minutes", "seconds"], {
    question: "What the unit of `max_duration` is at the top level of `calling.dial`",
    published:
      "The reference says seconds, the SDKs' sources minutes, and the guide has none; a device's own is in seconds",
    kind: "harmful",
    partyline: "Only the device's limit is sent",
  }),
} as const;
