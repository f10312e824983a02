import type { CallFacts } from "./call-facts.ts";
import type { Switches } from "./switches/index.ts";

type Header = CallFacts["headers"][number];

/** The caller as webhooks and RELAY write it. Only a caller's number has several forms: no SIP URI, and no number of ours. */
export function callerForm({ from, direction }: CallFacts, form: Switches["caller_forms"]): string {
  const [, digits] = /^\+(\d+)$/.exec(from) ?? [];
  if (digits === undefined || direction === "outbound") return from;
  switch (form) {
    case "e164":
      return from;
    case "no_plus":
      return digits;
    case "sip_e164":
      return `sip:${from}@example.signalwire.com`;
    case "fabric":
      return `/private/user-${digits}`;
  }
}

/** SIP headers as webhooks name them. */
export function headerForms(headers: readonly Header[], form: Switches["sip_header_names"]): Header[] {
  return headers.map(({ name, value }) => ({
    name: form === "sip_h_prefixed" ? `sip_h_${name}` : name,
    value,
  }));
}
