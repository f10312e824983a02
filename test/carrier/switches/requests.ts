import { openQuestion } from "./open-question.ts";

/** How requests are signed, and sessions resumed. */
export const requestQuestions = {
  fragment_is_signed: openQuestion([false, true], {
    question: "Whether a webhook's URL is signed with its fragment",
    published: "nothing",
    kind: "harmless",
    partyline: "The signature is verified without the fragment, then with it",
  }),
  cxml_signs_port: openQuestion([false, true], {
    question: "Whether a URL without a port is signed with its scheme's standard one",
    published: "SignalWire's validators try both",
    kind: "harmless",
    partyline: "Both are tried",
  }),
  authorization_state_survives: openQuestion([true, false], {
    question: "Whether the last `authorization_state` opens a later connection",
    published: "The server ignores a stale one and falls back to the credentials",
    kind: "harmless",
    partyline: "The credentials are always sent too",
  }),
} as const;
