import * as z from "zod";
import type { Call, Webhook } from "./call.ts";
import { nestsTooDeep } from "./depth.ts";
import { headersOf } from "./sip.ts";

/**
 * The JSON body that SignalWire posts to fetch a SWML document, as its SWML reference has it.
 * Only what routing stands on is required; every other field may be missing, and unknown ones are kept.
 */
const webhookSchema = z.looseObject({
  call: z.looseObject({
    call_id: z.string().min(1).max(200),
    node_id: z.string().min(1).max(200).optional(),
    segment_id: z.string().min(1).max(200).optional().catch(undefined),
    project_id: z.string().max(200).optional(),
    call_state: z.string().max(40).optional(),
    direction: z.string().max(40).default("inbound"),
    type: z.string().max(40).default("phone"),
    from: z.string().max(1024).nullish(),
    to: z.string().max(1024).nullish(),
    from_number: z.string().max(1024).nullish(),
    to_number: z.string().max(1024).nullish(),
    headers: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
  }),
  vars: z.record(z.string(), z.unknown()).nullish(),
  params: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Reads a SWML webhook's body. `partyline` is what `params.partyline` held: our own sealed state, not yet opened,
 * and kept out of the call's `params`.
 */
export function parseSwmlWebhook(body: string): Webhook {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { ok: false, path: "", message: "the body is not JSON" };
  }
  // `vars` and `params` may: those are the caller's, and what is too deep in them is left behind.
  const { vars: _, params: __, ...rest } = Object(json) as { vars?: unknown; params?: unknown };
  if (nestsTooDeep(rest)) return { ok: false, path: "", message: "the body nests too deep" };
  const parsed = webhookSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const call_id = callIdOf(json);
    return {
      ok: false,
      path: issue?.path.join(".") ?? "",
      message: issue?.message ?? "not a SWML webhook",
      ...(call_id === undefined ? {} : { call_id }),
    };
  }
  const { call, vars, params } = parsed.data;
  const { partyline, ...callersParams } = params ?? {};
  const { keyed, others } = withoutKeyed(vars ?? {});
  return {
    ok: true,
    partyline,
    call: {
      via: "swml",
      call_id: call.call_id,
      ...(call.node_id === undefined ? {} : { node_id: call.node_id }),
      ...(call.segment_id === undefined ? {} : { segment_id: call.segment_id }),
      ...(call.project_id === undefined ? {} : { project_id: call.project_id }),
      ...(call.call_state === undefined ? {} : { call_state: call.call_state }),
      direction: call.direction,
      type: call.type,
      from: call.from_number || call.from || "",
      to: call.to_number || call.to || "",
      headers: headersOf(call.headers ?? []),
      vars: others,
      params: callersParams,
      ...(keyed ? { keyed } : {}),
      details: call,
    },
  };
}

/** Keyed digits are taken out here: the question gets them, and nothing else sees them. */
function withoutKeyed(vars: Record<string, unknown>): {
  keyed?: Call["keyed"];
  others: Record<string, unknown>;
} {
  const { prompt_result, prompt_value, prompt_value_raw: _, prompt_digit_terminator: __, ...others } = vars;
  if (typeof prompt_result !== "string") return { others };
  return {
    keyed: { result: prompt_result, digits: typeof prompt_value === "string" ? prompt_value : "" },
    others,
  };
}

/** A call id for the log of a body that is otherwise no use. */
function callIdOf(json: unknown): string | undefined {
  const found = z.object({ call: z.object({ call_id: z.string().max(200) }) }).safeParse(json);
  return found.success ? found.data.call.call_id : undefined;
}
