/** The one RELAY context of the bench. */
export const CONTEXT = "bench";

/** The document that Partyline sends for a call that RELAY has joined. */
export const accepted = JSON.stringify({
  version: "1.0.0",
  sections: { main: [{ answer: {} }, { sleep: -1 }] },
});
