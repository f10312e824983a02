import type { NoteRequest } from "./history.ts";
import type { PinAttempt, PinQuestion, PinVerdict } from "./pins.ts";
import type {
  LookReply,
  LookRequest,
  PlacementKey,
  PlaceReply,
  PlaceRequest,
  Returning,
  RoomRequest,
} from "./placement.ts";
import type { KeptRecords, RulesetVersion, ServedRecords } from "./tenants.ts";

/** What is asked before a call is placed; what is absent is not asked. */
export interface PrepareRequest {
  v: 1;
  /** Whether the caller is one that dropped. If so, nothing else is asked, and no PIN is counted. */
  returning?: Returning;
  /** Whether a PIN may be asked for, or whether one that was keyed counts. If not, nothing else is asked. */
  pins?: PinQuestion | PinAttempt;
  /** In which room the caller would be. */
  seat?: RoomRequest;
  /** The call whose caller hears a notice if that room is recorded. Absent from a Worker of the version before. */
  hears_notice?: string;
}

export interface PrepareReply {
  v: 1;
  /** How the caller was placed who dropped and whose seat is held: JSON of a `Placing`, for it is deep. */
  returning?: string;
  pins?: PinVerdict;
  /** Which number the caller would be in its room; null where it would find no seat. */
  number?: number | null;
  /** Whether that room is known to be recorded. */
  recorded?: boolean;
}

/**
 * SessionApi — what is asked of a project's session while a call is answered. A Worker asks by RPC (`RpcSession`); the session itself,
 * for calls that came over RELAY, directly. Plain data only. Any of these may reject: the session is out of reach, or broke.
 */
export interface SessionApi {
  /** Puts a call into a room, once. */
  place(request: PlaceRequest): Promise<PlaceReply>;
  /** Where a call is that came back. */
  look(request: LookRequest): Promise<LookReply>;
  /** The call's own document is done with its room. */
  left(key: PlacementKey, lives_on: boolean): Promise<void>;
  /** SignalWire has fetched the recording notice for a conference. */
  noticeFetched(conference: string): Promise<void>;
  /** What is to be known before a call is placed, in one request. */
  prepare(request: PrepareRequest): Promise<PrepareReply>;
  /** Keeps in the call's history how a webhook was answered. */
  note(request: NoteRequest): Promise<void>;
  /** Keeps the version of a tenant's rules that serves. */
  keepRuleset(tenant: string, version: RulesetVersion): Promise<void>;
  /** The version of the tenant's rules that served last; null where none did. */
  lastGoodRuleset(tenant: string): Promise<RulesetVersion | null>;
  /** Keeps the records that serve a tenant. */
  keepRecords(served: ServedRecords): Promise<void>;
  /** The records by which the tenant was served last; "" for those of the project alone. */
  lastGoodRecords(tenant: string): Promise<KeptRecords>;
}
