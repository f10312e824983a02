import * as z from "zod";

/** One switch for each thing that nobody could try on the live platform; the default is what its documents suggest. */
export const switchesSchema = z.strictObject({
  /** Whether RELAY commands work on calls that came by webhook; else the code that they get. */
  relay_drives_webhook_calls: z.union([z.literal(true), z.literal("404"), z.literal("409")]).default(true),
  /** Whether starting a document, or transferring to one, takes a call out of the conference that RELAY put it in. */
  document_takes_call_out_of_conference: z.boolean().default(false),
  /** Whether conference events come over RELAY where the first participant named no `status_callback`. */
  conference_events_without_callback: z.boolean().default(true),
  conference_sid_is_conference_id: z.boolean().default(true),
  call_sid_is_call_id: z.boolean().default(true),
  /** Whether events missed while disconnected, or not acknowledged, come again after a resume. */
  replay_events_on_resume: z.boolean().default(false),
  call_state_events_of_webhook_calls: z.boolean().default(false),
  /** Whether someone alone in a conference hears music and starts nothing, even with `start_on_enter`. */
  alone_hears_music: z.boolean().default(true),
  /** Whether a webhook's URL is signed with its fragment. */
  fragment_is_signed: z.boolean().default(false),
  /** Whether scheme B signs a URL without a port as if it had its scheme's standard one (`:443`, `:80`). */
  cxml_signs_port: z.boolean().default(false),
  /** Whether REST's call commands and updates reach a call that a cXML document runs; else they get 404, as RELAY's do. */
  rest_drives_cxml_calls: z.boolean().default(true),
  /** Whether status callbacks are signed as other webhooks are. */
  status_callbacks_are_signed: z.boolean().default(true),
  /** Whether the last `authorization_state` opens a later connection; else every one is stale. */
  authorization_state_survives: z.boolean().default(true),
});

export type Switches = z.infer<typeof switchesSchema>;
