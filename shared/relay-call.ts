import * as z from "zod";
import type { Call } from "./call.ts";
import { READ_TEXT } from "./rules/limits.ts";
import { headersOf } from "./sip.ts";

const address = z.string().max(1024).optional().catch(undefined);

/** What is longer than rules may read is kept as just that: left out, it would get a call past a rule that looks for it. */
const value = z.string().transform((text) => text.slice(0, READ_TEXT + 1));
/** One that is no use takes none of the others with it. */
const header = z
  .looseObject({ name: z.string().max(256), value })
  .nullable()
  .catch(null);

/** Of the addresses each kind of device has its own; an odd one is as good as none. */
const addresses = z
  .looseObject({
    from_number: address,
    to_number: address,
    from: address,
    to: address,
    headers: z.array(header).optional().catch(undefined),
  })
  .catch({});

/**
 * The params of `calling.call.receive`: a call that is offered on a context. Only what names the call must be there; of the
 * rest what is no use is left out.
 */
const offer = z.looseObject({
  call_id: z.string().min(1).max(200),
  node_id: z.string().min(1).max(200).optional().catch(undefined),
  segment_id: z.string().min(1).max(200).optional().catch(undefined),
  project_id: z.string().max(200).optional().catch(undefined),
  context: z.string().max(200).catch(""),
  call_state: z.string().max(40).optional().catch(undefined),
  direction: z.string().max(40).catch("inbound"),
  device: z.looseObject({ type: z.string().max(40).catch("phone"), params: addresses }).catch({
    type: "phone",
    params: {},
  }),
});

/** A call that RELAY offers. */
export interface OfferedCall {
  /** "" where none was named. */
  context: string;
  call: Call;
}

/** Reads the params of a `calling.call.receive`; null where they name no call. */
export function readOffer(params: unknown): OfferedCall | null {
  const read = offer.safeParse(params);
  if (!read.success) return null;
  const { call_id, node_id, segment_id, project_id, context, call_state, direction, device } = read.data;
  const { from_number, to_number, from, to, headers = [] } = device.params;
  return {
    context,
    call: {
      via: "relay",
      call_id,
      ...(node_id === undefined ? {} : { node_id }),
      ...(segment_id === undefined ? {} : { segment_id }),
      ...(project_id === undefined ? {} : { project_id }),
      ...(call_state === undefined ? {} : { call_state }),
      direction,
      type: device.type,
      from: from_number || from || "",
      to: to_number || to || "",
      headers: headersOf(headers.filter((one) => one !== null)),
      vars: {},
      params: {},
      details: read.data,
    },
  };
}
