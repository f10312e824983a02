import type { Dial } from "../store/dials.ts";

/** What calling.dial takes: one phone, or one SIP address. */
export function parametersOf({ tag, request }: Dial): Record<string, unknown> {
  const { device, to, from, timeout_s, max_price_per_minute, decision } = request;
  const { max_duration_s } = decision;
  // The device's limit is in seconds wherever it is published. The dial's own is in seconds or in minutes, and so never sent.
  const limit = max_duration_s === undefined ? {} : { max_duration: max_duration_s };
  const address = device === "phone" ? { to_number: to, from_number: from } : { to, from };
  return {
    tag,
    devices: [[{ type: device, params: { ...address, timeout: timeout_s, ...limit } }]],
    ...(max_price_per_minute === undefined ? {} : { max_price_per_minute }),
  };
}
