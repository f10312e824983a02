import { openQuestion } from "./open-question.ts";

/** Calls, RELAY's commands on them, and the documents that they run. */
export const callQuestions = {
  record_timeout_of_zero: openQuestion(["disables", "ends_at_once"], {
    question:
      "Whether `calling.record` with an `initial_timeout` and an `end_silence_timeout` of 0 records until it is stopped",
    published:
      "SWML's `record_call` has 0 as the default of both and records in the background; RELAY's page has no word on 0",
    kind: "harmful",
    partyline:
      "A recording that an operator started counts as one when it still runs after 2 s; one that ended by then is made by the compatibility API, which has no such limits",
  }),
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
      "A leave within 3 s of a document's start is answered by a transfer to an inline join, and counts for the breaker; a webhook call whose leave ends the conference joins by document where others are in it, or where this was ever seen",
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
  answer_is_async: openQuestion([0, 400], {
    question:
      "How long after the 200 to `calling.answer` a call is answered, in ms by the wall's clock; a join meanwhile gets 409",
    published: 'The 200 says "Answered"; that the call is answered by then is not said',
    kind: "degrading",
    partyline:
      "After the 409 the document joins; after three in a row the project goes by document for an hour",
  }),
  answer_when_answered: openQuestion(["200", "409"], {
    question: "Which code `calling.answer` gets on an answered call",
    published: "409 stands for a call that is connected already; of `calling.answer` nothing is said",
    kind: "degrading",
    partyline: "A call that is known to be answered is not answered again; after a 409 the document joins",
  }),
  max_duration_of_answer_when_answered: openQuestion(["counts", "ignored", "resets"], {
    question:
      "Whether an answer on an answered call sets a new limit where it names one, none, or always one, if only its default",
    published: "`answer` does nothing on an answered call; its `max_duration` is not named there",
    kind: "degrading",
    partyline:
      "A stay by RELAY is ended by command; one by document lasts longer than asked where the limit is ignored",
  }),
  relay_429: openQuestion(["never", "often"], {
    question: "Whether RELAY answers commands with 429, often being every third of a project's commands",
    published: "Limits are named for REST alone",
    kind: "degrading",
    partyline:
      "The command is sent again a little later; a join for which that is too late goes by document, and a dial is made later",
  }),
  webhook_call_state: openQuestion(["current", "as_created"], {
    question: "Whether `call.call_state` in a call's later webhooks is the current one, or still `created`",
    published: "The reference's example is a first webhook, with `created`",
    kind: "degrading",
    partyline: "An answered call is then answered once more, which a 409 may make a join by document",
  }),
  caller_forms: openQuestion(["e164", "no_plus", "sip_e164", "fabric"], {
    question:
      "How webhooks and RELAY write a caller's number: with a plus, without, as a SIP URI, or as a Fabric address",
    published: "E.164 in the examples; the Fabric's own callers have addresses such as `/private/user-1`",
    kind: "degrading",
    partyline: "A rule on numbers matches those with a plus; a caller in another form needs one of that form",
  }),
  sip_header_names: openQuestion(["as_sent", "sip_h_prefixed"], {
    question: "Whether webhooks and RELAY name SIP headers as they were sent, or with `sip_h_` before",
    published: "`headers` holds names and values; how the names are written is not said",
    kind: "harmless",
    partyline: "`sip_h_x-tier` is also `x-tier`: a rule on either matches",
  }),
  taken_out_at: openQuestion(["any_document", "transfer_only"], {
    question:
      "Which documents take a call out of RELAY's conference, if they do: any that starts, or what the call is transferred to, by a command or a step",
    published: "nothing",
    kind: "degrading",
    partyline:
      "A leave within 3 s of a document's start is answered by a transfer to an inline join, and counts for the breaker",
  }),
  commands_wait_for_webhook: openQuestion([false, true], {
    question:
      "Whether RELAY's commands on a call are held, unanswered, until its webhook in flight is answered",
    published: "nothing",
    kind: "degrading",
    partyline: "At its deadline the webhook is answered with a document, and the call joins as late as that",
  }),
  type_ahead: openQuestion(["kept", "dropped", "cleared_per_prompt"], {
    question:
      "Whether digits keyed before a prompt count for it, are dropped as they are keyed, or all go when a prompt begins",
    published: "nothing",
    kind: "degrading",
    partyline: "Digits that are lost are asked for once more, as often as the rule says",
  }),
} as const;
