import { openQuestion } from "./open-question.ts";

/** Conferences, and what RELAY and status callbacks tell of them. */
export const conferenceQuestions = {
  conference_events_without_callback: openQuestion([true, false], {
    question: "Whether RELAY tells of conferences whose first participant named no `status_callback`",
    published: "nothing",
    kind: "harmless",
    partyline: "Each join names our own callback, which is a second feed",
  }),
  replay_events_on_resume: openQuestion([false, true], {
    question: "Whether events missed while disconnected, or not acknowledged, come again after a resume",
    published: "nothing",
    kind: "harmless",
    partyline: "A repeat is ignored; nothing waits for a replay",
  }),
  alone_hears_music: openQuestion([true, false], {
    question: "Whether someone alone hears music and starts nothing, even with `start_on_enter`",
    published:
      "cXML's page: two people are needed, and someone alone hears music; SWML's page says otherwise",
    kind: "harmless",
    partyline: "Both count as being in the room",
  }),
  status_callbacks_are_signed: openQuestion([true, false], {
    question: "Whether status callbacks are signed as other webhooks are",
    published: "They are not listed among the signed requests",
    kind: "degrading",
    partyline:
      "The callback URL holds a token; an unsigned leave frees the seat, and ends the call only with a second source",
  }),
  recording_form_has_conference_sid: openQuestion([true, false], {
    question: "Whether the form of a recording callback names the conference",
    published: "The callback's page lists no `ConferenceSid`",
    kind: "harmless",
    partyline: "The callback's URL says which conference it is about",
  }),
  recording_form_call_sid: openQuestion(["missing", "empty", "of_no_call"], {
    question: "What `CallSid` is in the form of a recording callback of a conference",
    published: "The callback's page lists it; REST's schema says that a conference's recording has no call",
    kind: "harmless",
    partyline: "The callback's URL says which conference it is about",
  }),
  max_participants_relay: openQuestion([100_000, 250], {
    question: "Up to which `max_participants` RELAY and SWML take a join",
    published: "RELAY's guide: 1 to 250; SWML's: 2 to 100,000",
    kind: "degrading",
    partyline: "A larger value than 250 is warned of when the ruleset is checked; such joins may fail",
  }),
  relay_region_ch: openQuestion(["taken", "refused"], {
    question: "Whether RELAY's join takes the region `ch`",
    published: "SWML's guide names it, RELAY's does not",
    kind: "degrading",
    partyline: "After a refusal the document joins",
  }),
  relay_callback_type_laml: openQuestion(["taken", "refused"], {
    question: "Whether RELAY's join takes callbacks of the type `laml`",
    published: "The types are `relay`, `cxml` and `laml`; whether RELAY takes each is not said",
    kind: "degrading",
    partyline: "After a refusal the document joins",
  }),
  join_when_full: openQuestion(["calling.error", "code", "silence", "hang_up"], {
    question:
      "How RELAY's join of a full conference fails: an event after its 200, a code, nothing at all, or the end of the call",
    published: "nothing",
    kind: "degrading",
    partyline:
      "Seats are counted before a join is sent; a join that is not seen by the come-back is settled there",
  }),
  result_conference_id: openQuestion(["known_rooms", "always", "never", "another_id"], {
    question:
      "Which joins have a `conference_id` in their result: of conferences that are there, all, none, or all, with an id that is not the events'",
    published: "The result may carry it",
    kind: "degrading",
    partyline:
      "Joins are matched by conference name and call; the id of an event takes the place of the result's",
  }),
  call_after_relay_conference: openQuestion(["lives", "hung_up"], {
    question: "Whether a call that RELAY joined lives on when its conference has ended",
    published: "Of SWML's join: without `result` the call ends",
    kind: "degrading",
    partyline: "A call that is hung up then is over; what its rule says comes after is not reached",
  }),
  size_counts_self: openQuestion(["after", "before"], {
    question: "Whether the `size` of a participant-leave is the one after it, or still counts who leaves",
    published: "nothing",
    kind: "degrading",
    partyline:
      "A size that differs from the roster has time to settle, then REST is asked: a look more for each leave",
  }),
  events_at_end: openQuestion(["leaves_and_end", "end_only", "leaves_only"], {
    question:
      "What RELAY and callbacks tell if a conference ends for all who are in it: each one's leave and its end, or one of both",
    published: "Both are listed; that a leave comes for each who is dropped is not said",
    kind: "degrading",
    partyline: "The leaves alone or the end alone take everyone out of the roster",
  }),
  leave_after_join_ms: openQuestion([0, 200], {
    question:
      "How long after its new join, in ms by the wall's clock, the old one's leave is told of a call that moves; at once is before it",
    published: "Events may come late and out of order",
    kind: "degrading",
    partyline:
      "A leave of another conference, or in the same act as a document's join, is of the join before",
  }),
  wait_url_is: openQuestion(["sound", "swml_by_post", "cxml"], {
    question:
      "Whether `wait_url` is played as it is, or fetched for a SWML or a cXML document, without which who waits hears nothing",
    published:
      "The sources disagree; SWML's: a URL that returns a SWML document; RELAY's: audio, or cXML; cXML's: a document of `<Play>`, `<Pause>` and `<Redirect>`",
    kind: "degrading",
    partyline:
      "The URL is the operator's own: one that is not what SignalWire expects is silence until a room starts",
  }),
  coach_means: openQuestion(["speaks_to_one", "hears_only"], {
    question: "Whether a coach is heard by the one call that `coach` names, or by nobody",
    published: "SWML and cXML: the call to be coached; RELAY: one who can hear and not be heard",
    kind: "degrading",
    partyline:
      "A coach is told apart by role, not by who hears them; under the second reading coaching is listening",
  }),
} as const;
