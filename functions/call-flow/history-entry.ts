import type { Call } from "../../shared/call.ts";
import type { WebhookNote } from "../session/contract/history.ts";

/** What the journal is to say of a webhook, before anything is known of what it comes back from, or of what is decided. */
export function historyEntryOf(
  { via, direction, from, to }: Pick<Call, "from" | "to"> & Partial<Pick<Call, "via" | "direction">>,
  received_at: number,
): WebhookNote {
  const overRelay = direction === "outbound" ? "dial" : "receive";
  const purpose = via === "relay" ? overRelay : "fresh";
  return { received_at, purpose, entry: "", step: 0, from, to };
}
