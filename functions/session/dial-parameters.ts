import type { Dial } from "./dials.ts";

/** What calling.dial takes: one phone, or one SIP address. */
export function parametersOf({ tag, request }: Dial): Record<string, unknown> {
  const { device, to, from, timeout_s, max_price_per_minute, decision } = request;
  const params =
    device === "phone"
      ? { to_number: to, from_number: from, timeout: timeout_s }
      : { to, from, timeout: timeout_s };
  return {
    tag,
    devices: [[{ type: device, params }]],
    // RELAY counts in minutes: what is over the seconds wanted is cut by our own errand.
    ...(decision.max_duration_s === undefined
      ? {}
      : { max_duration: Math.ceil(decision.max_duration_s / 60) }),
    ...(max_price_per_minute === undefined ? {} : { max_price_per_minute }),
  };
}
