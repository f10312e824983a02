export type CallState = "created" | "ringing" | "answered" | "ending" | "ended";

/** How the carrier came to have the call. RELAY may drive a SWML webhook's call or not: there is a switch; a cXML call it never sees. */
export type CallOrigin = "webhook" | "cxml" | "context" | "dial";

export interface CallFacts {
  readonly call_id?: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly type: "phone" | "sip" | "webrtc";
  readonly direction: "inbound" | "outbound";
  readonly headers: readonly { name: string; value: string }[];
  readonly origin: CallOrigin;
  readonly fallback_url?: string | undefined;
  readonly cxml_method?: "GET" | "POST" | undefined;
  readonly cxml_fallback_url?: string | undefined;
  readonly tag?: string | undefined;
  readonly vars?: Record<string, unknown>;
}
