import { isSip } from "./sip.ts";

/** How a call reached us. */
export type Ingress = "swml" | "cxml" | "relay";

/**
 * The one shape that every ingress is normalised to; rules see nothing else.
 * Wire names stay as SignalWire spells them.
 */
export interface Call {
  via: Ingress;
  call_id: string;
  /** Absent for cXML calls: RELAY cannot address them. */
  node_id?: string;
  /** Of the call as it is now, by which its voice log is found; a call may go through several. Absent for cXML calls. */
  segment_id?: string;
  project_id?: string;
  /** `created`, `ringing`, `answered`, `ending` or `ended`; other words are kept as they came. */
  call_state?: string;
  /** `inbound` or `outbound`. */
  direction: string;
  /** `phone`, `sip` or `webrtc`. */
  type: string;
  /** E.164, a SIP URI, `anonymous`, or whatever came. Empty where nothing did. */
  from: string;
  to: string;
  /** Both in canonical form, as their tenant has them read; absent: as they are read without a country or gateways. */
  canonical?: { from: string; to: string };
  /** SIP headers by lower-case name, each with its values in the order received. */
  headers: Record<string, string[]>;
  /** What earlier steps of the call's documents set. */
  vars: Record<string, unknown>;
  /** What the `transfer` or `execute` that led here passed, without our own `partyline`. */
  params: Record<string, unknown>;
  /** What a `prompt` before this brought; kept apart from `vars`, for it may be a secret. */
  keyed?: { result: string; digits: string };
  /** The call object as received, fields that we do not know included. */
  details: Record<string, unknown>;
}

/**
 * What a webhook's body was read as. `partyline` is our own sealed state, not yet opened, and kept out of the call's `params`.
 */
export type Webhook =
  | { ok: true; call: Call; partyline: unknown }
  /** `ambiguous`: it may speak of one call or of another, so nothing is decided on either. */
  | { ok: false; path: string; message: string; call_id?: string; ambiguous?: true };

/** A call that we make ourselves, over RELAY. */
export function outboundCall(facts: Pick<Call, "call_id" | "from" | "to"> & Partial<Call>): Call {
  return {
    via: "relay",
    direction: "outbound",
    type: isSip(facts.to) ? "sip" : "phone",
    headers: {},
    vars: {},
    params: {},
    details: {},
    ...facts,
  };
}
