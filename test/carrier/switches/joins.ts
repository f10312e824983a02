import { openQuestion } from "./open-question.ts";

/** Joins by RELAY and by document that meet on one call, and the documents that lead there. */
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
    partyline:
      "At `answered` the document asks us, and stays; the session then ends the call when a leave is told",
  }),
  end_on_exit_on_rejoin: openQuestion(["ends", "does_not"], {
    question:
      "Whether a participant with `end_on_exit` ends the conference by leaving it only to join it again in one act",
    published: "nothing",
    kind: "harmful",
    partyline:
      "A call with `end_on_exit` joins by its own document alone, and is not joined a second time; while RELAY's join may stand, an inline join leaves it out",
  }),
  dial_max_duration_unit: openQuestion(["minutes", "seconds"], {
    question: "What the unit of `max_duration` is at the top level of `calling.dial`",
    published:
      "The reference says seconds, the SDKs' sources minutes, and the guide has none; a device's own is in seconds",
    kind: "harmful",
    partyline: "Only the device's limit is sent",
  }),
  execute_counts_as_transfer: openQuestion([false, true], {
    question: "Whether `execute` counts among the 32 transfers and gotos that a call may make",
    published: '"transfer and goto … 32 per call"; `execute` is not named',
    kind: "harmful",
    partyline:
      "A waiting document asks once a round, and a round is so long that what is left of the 32 lasts for the longest wait",
  }),
  failed_fetch_of_transfer: openQuestion(["ends", "next_step", "retried"], {
    question:
      "Whether a `transfer` or `execute` whose fetch brings no document ends the call, is passed over, or is fetched twice more",
    published: "The fallback URL is for when the primary one fails; actions are not retried",
    kind: "harmful",
    partyline:
      "After an accepted join the call's document stays and fetches nothing: the session watches for the join, and sends the call back where it does not come",
  }),
  fallback_covers: openQuestion(["all_fetches", "first_fetch"], {
    question:
      "Whether a number's fallback URL is asked after every failed fetch, or only after a call's first",
    published: 'The fallback URL is used "when the primary fails"',
    kind: "harmful",
    partyline:
      "After an accepted join nothing is fetched, so no fallback speaks to a call that is in its room",
  }),
  relay_feed_without_contexts: openQuestion(["all_sessions", "only_with_contexts", "only_commander"], {
    question:
      "Which sessions RELAY tells of conferences: all of the project, those with contexts, or those that commanded a join of it",
    published: 'The overview: "a client only receives events for its subscribed contexts"',
    kind: "harmful",
    partyline: "Nothing is concluded from a feed that was never seen to tell of calls of this kind",
  }),
  recording_starts_by: openQuestion(["first_participant", "any_participant"], {
    question: "Whose `record` counts: the first participant's alone, or that of each who joins",
    published: "The first participant's settings hold for all, but that is written of status callbacks only",
    kind: "harmful",
    partyline:
      "Callers of a room that a rule records hear the notice before it; callers who are inside when a recording begins hear it then",
  }),
  conflict_on_offer: openQuestion(["none", "409"], {
    question:
      "Whether `calling.answer` of a call on offer can get 409 although no other client took the call",
    published: 'The guide to RELAY has a 409, "controlled by another client"',
    kind: "harmful",
    partyline: "The call rings for a bounded time, then REST transfers it to a document",
  }),
} as const;
