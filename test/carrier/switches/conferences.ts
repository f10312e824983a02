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
} as const;
