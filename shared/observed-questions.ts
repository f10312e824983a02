/**
 * What a running project shows of SignalWire's open questions, by name. The names are those of the table of open questions in
 * `docs/signalwire.md`; what is assumed is what the published documents suggest.
 */
export const observedQuestions = {
  relay_drives_webhook_calls: {
    asks: "Do RELAY commands work on calls that came by webhook?",
    assumed: "true",
  },
  document_takes_call_out_of_conference: {
    asks: "Does a document that starts take a call out of the conference that RELAY put it in?",
    assumed: "false",
  },
  answer_is_async: { asks: "Is a call answered only some time after RELAY says so?", assumed: "false" },
  join_result_at_join: {
    asks: "When does a SWML join give its result: at its end, or as soon as it has joined?",
    assumed: "at_end",
  },
  join_where_you_are: {
    asks: "What does a document's join of the conference do that its call is in already?",
    assumed: "moves",
  },
  result_conference_id: {
    asks: "Does the result of RELAY's join name the conference?",
    assumed: "known_rooms",
  },
  relay_tells_joins: { asks: "Of whose joins does RELAY tell?", assumed: "all" },
  relay_tells_leaves: { asks: "Of whose leaves does RELAY tell?", assumed: "all" },
  session_restored: { asks: "Does a reconnect resume the RELAY session?", assumed: "true" },
  status_callbacks_are_signed: { asks: "Are status callbacks signed?", assumed: "true" },
  conference_sid_is_conference_id: {
    asks: "Is REST's ConferenceSid RELAY's conference_id?",
    assumed: "true",
  },
  call_sid_is_call_id: { asks: "Is REST's CallSid RELAY's call_id?", assumed: "true" },
  rest_status_while_waiting: { asks: "How does REST call a conference that waits?", assumed: "init" },
  rest_lists_relay_joins: { asks: "Does REST list the calls that RELAY joined?", assumed: "true" },
  rest_lists_swml_joins: { asks: "Does REST list the calls that SWML joined?", assumed: "true" },
  rest_lists_cxml_joins: { asks: "Does REST list the calls that cXML joined?", assumed: "true" },
  call_status_known: { asks: "Of which calls does REST know the status?", assumed: "all" },
  voice_logs: { asks: "Are there voice logs of calls?", assumed: "present" },
  cxml_shares_conferences: {
    asks: "Do calls of cXML's and of RELAY's share a conference of one name?",
    assumed: "true",
  },
  two_conferences_under_one_name: { asks: "Do two conferences live under one name?", assumed: "false" },
  size_counts_self: { asks: "Is the size of a leave the one before or after it?", assumed: "after" },
  segments: { asks: "Does a call get a new segment with each document?", assumed: "one_per_call" },
  caller_forms: { asks: "In which forms do callers come?", assumed: "e164" },
  rest_429: { asks: "Does REST ask to come again later?", assumed: "never" },
  relay_429: { asks: "Does RELAY ask to come again later?", assumed: "never" },
} as const;

export type ObservedQuestion = keyof typeof observedQuestions;

/** The form of a caller's address, without the address. */
export function callerForm(from: string): string {
  if (/^\+[1-9]\d{5,14}$/.test(from)) return "e164";
  if (/^\d{7,15}$/.test(from)) return "no_plus";
  if (/^sips?:\+?\d+@/i.test(from)) return "sip_number";
  if (/^sips?:/i.test(from)) return "sip";
  if (from.startsWith("/")) return "fabric";
  return from === "" ? "empty" : "other";
}
