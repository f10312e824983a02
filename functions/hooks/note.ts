import type { Call } from "../../shared/call.ts";
import type { WebhookNote } from "../session/journal-contract.ts";

/** What the journal is to say of a webhook, before anything is known of what it comes back from, or of what is decided. */
export function noteOf({ from, to }: Pick<Call, "from" | "to">, received_at: number): WebhookNote {
  return { received_at, purpose: "fresh", entry: "", step: 0, from, to };
}
