import type { FeedType } from "../../../shared/api/feed.ts";
import type { Scope } from "../../../shared/api/scopes.ts";

/** What a ticket for the feed allows, as the token says with which it was asked for. */
export interface FeedGrant {
  /** The token's id; null: the Worker's own, or none. */
  token: string | null;
  /** What else it may read than rooms; null: everything. */
  scopes: readonly Scope[] | null;
  /** Patterns of the rooms that it may see; null: all. */
  rooms: readonly string[] | null;
  mask_numbers: boolean;
  /** When the token expires, ms; null: never. */
  expires_at: number | null;
}

/** Opens the feed once. */
export interface FeedTicket {
  ticket: string;
  /** ms */
  expires_at: number;
}

/** Which endpoint is to be made, and for which events. */
export interface WebhookRequest {
  tenant: string;
  project_id: string;
  url: string;
  /** null: all of them. */
  types: FeedType[] | null;
}

/** An endpoint as the API shows it. */
export interface WebhookView {
  id: string;
  url: string;
  types: FeedType[] | null;
  /** disabled: the receiver answered 410, and nothing is sent any more. */
  state: "active" | "disabled";
  /** Deliveries that were given up because too many waited. */
  dropped: number;
  /** ms */
  created_at: number;
}

/** The endpoint with its secret, which is shown this once; or why there is none. */
export type WebhookReply =
  | { outcome: "made"; webhook: WebhookView; secret: string }
  /** many: the tenant has too many endpoints. unsealed: there is no key to keep its secret by. unknown: it has no such endpoint. */
  | { outcome: "many" | "unsealed" | "unknown" };

/** One event for one endpoint, as the API shows it. */
export interface DeliveryView {
  id: string;
  type: string;
  /** The event's. */
  seq: number;
  state: "pending" | "delivered" | "failed";
  attempts: number;
  /** What came of the last attempt; "" before the first. */
  reason: string;
  /** When the next is made, ms; null: none is. */
  due_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface DeliveriesPage {
  deliveries: DeliveryView[];
  /** What brings the next page; null if there is none. */
  next: number | null;
}
