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
  rest_status_while_waiting: openQuestion(["init", "in-progress"], {
    question: "Which status lists give a conference that is made and not started",
    published: "`Status` is `init`, `in-progress` or `completed`; when `init` ends is not said",
    kind: "harmful",
    partyline: "It asks for both live statuses",
  }),
  rest_lists_relay_joins: openQuestion([true, false], {
    question: "Whether the compatibility API lists participants that a RELAY command joined",
    published:
      "`/api/logs/conferences` tells `cxml_conference` from `relay_conference`; what the compatibility lists hold is not said",
    kind: "harmful",
    partyline:
      "A missing call is no evidence by itself: only a complete list that holds another confirmed call of the same ingress in the same conference proves an absence, which frees a seat for counting (`presumed_gone`) and never ends a call",
  }),
  rest_lists_swml_joins: openQuestion([true, false], {
    question: "Whether the compatibility API lists participants that a SWML document joined",
    published:
      "`/api/logs/conferences` tells `cxml_conference` from `relay_conference`; what the compatibility lists hold is not said",
    kind: "harmful",
    partyline:
      "As for RELAY's joins: only a list that holds another confirmed call of the same ingress proves an absence, and an absence never ends a call",
  }),
  rest_list_lag_ms: openQuestion([0, 1000, 3000, 10_000, 20_000], {
    question: "How late lists of conferences and participants are, in ms",
    published: "nothing",
    kind: "harmful",
    partyline:
      "A list may show the past, so it never ends a call: a doubted call is asked about by its own status first",
  }),
  rest_list_pages: openQuestion(["whole", "empty", "cut", "repeated"], {
    question:
      "Whether a list of conferences may be empty, break off in the middle, or lead to one page again and again",
    published: "Lists page with `next_page_uri`; how a list fails is not said",
    kind: "harmful",
    partyline: "An empty, cut or repeated list is no evidence",
  }),
  participants_of_listed_conference: openQuestion(["all", "404", "empty", "cxml_only"], {
    question: "Which participants are found under a conference that is listed",
    published: '"All active participants"; 404 is a published answer',
    kind: "harmful",
    partyline:
      "404 and an empty list are incomplete and no evidence; a list without another confirmed call of the same ingress proves nothing",
  }),
  completed_participants_listed: openQuestion([false, true], {
    question: "Whether participants who left stay listed, with status `completed`",
    published:
      'A participant has a `status`, `in-progress` or `completed`; the list is of "active participants"',
    kind: "degrading",
    partyline: "A participant whose status is `completed` is not in the conference",
  }),
  call_status_known: openQuestion(["all", "cxml_only"], {
    question: "Which calls the compatibility API's `GET /Calls/{sid}` knows",
    published: "The page names no kind of call",
    kind: "degrading",
    partyline:
      "A doubted call is asked about by its own status first; a 404 may mean gone or not visible, and is no evidence",
  }),
  voice_logs: openQuestion(["present", "present_in_relay_words", "absent"], {
    question:
      "Whether a live call of SWML or RELAY has a voice log under its `segment_id`, and in whose words it tells the call's status",
    published:
      "`GET /api/voice/logs/{id}`: the id is the `segment_id`; `status` has the compatibility API's words and RELAY's (`created`, `answered`, `ending`, `ended`), and which calls get which is not said",
    kind: "degrading",
    partyline:
      "It asks for a doubted call's own status first; only words that mean the end say that it is over, and a 404 says nothing",
  }),
  relay_conference_status_words: openQuestion(["as_callbacks", "created_active_ended"], {
    question: "Which words `/api/logs/conferences` has for the status of a `relay_conference`",
    published: "`status` is a string or null",
    kind: "harmless",
    partyline: "The status of a logged conference decides nothing",
  }),
  segments: openQuestion(["one_per_call", "one_per_document"], {
    question: "Whether a call keeps its `segment_id` when it fetches another document",
    published: "`segment_id` comes with each webhook; how long it lasts is not said",
    kind: "harmful",
    partyline:
      "The newest `segment_id` that was told is asked for; that one segment is completed never ends a call by itself",
  }),
  rest_429: openQuestion(["never", "often"], {
    question: "Whether REST refuses requests that come too fast",
    published: "GET and DELETE are effectively unlimited; POST, PUT and PATCH get 13,800 requests in 10 s",
    kind: "degrading",
    partyline: "429 means later, and nothing else: it neither ends a call nor proves anything about one",
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
