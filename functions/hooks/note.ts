import type { Call } from "../../shared/call.ts";
import type { WebhookNote } from "../session/journal-contract.ts";

/** What the journal is to say of a webhook, before anything is known of what it comes back from, or of what is decided. */
export function noteOf(
  { via, from, to }: Pick<Call, "from" | "to"> & Partial<Pick<Call, "via">>,
  received_at: number,
): WebhookNote {
  const purpose = via === "relay" ? "receive" : "fresh";
  return { received_at, purpose, entry: "", step: 0, from, to };
}
