import type { Call, Ingress } from "../../shared/call.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import { type RequestContext, type Resolution, wireNames } from "./call-context.ts";
import { inlineJoin, lastStep } from "./join-steps.ts";
import { uncounted } from "./next-step.ts";

/** The tenant's fallback, without the session; also for a body that names no call. */
export function fallbackOf(
  { tenant }: Pick<RequestContext, "tenant">,
  call: Call,
): Pick<Resolution, "next" | "outcome" | "room"> {
  const action = tenant.rules?.fallback?.(call).action ?? rejectByDefault();
  if (action.action !== "place") {
    return { outcome: action.action, room: null, next: lastStep({ call }, action) };
  }
  const [room] = wireNames(tenant, action.rooms);
  return {
    outcome: "document",
    room,
    next: inlineJoin({ call }, action, room, uncounted(action.join, action)),
  };
}

/** A call whose webhook names none, so that the tenant's fallback can be asked what it does. */
export function noCall(via: Ingress): Call {
  return {
    via,
    call_id: "",
    direction: "",
    type: "",
    from: "",
    to: "",
    headers: {},
    vars: {},
    params: {},
    details: {},
  };
}
