import type { Call, Ingress } from "../../shared/call.ts";
import { withoutSecrets } from "../../shared/documents/without-secrets.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import { type Answered, type Visit, wireNames } from "../call-flow/call-context.ts";
import { inlineJoin, lastNext } from "../call-flow/join-steps.ts";
import { uncounted } from "../call-flow/next-step.ts";

/** The tenant's fallback, as it is done without the session; also for a body that names no call. */
export function fallbackOf(
  { tenant }: Pick<Visit, "tenant">,
  call: Call,
): Pick<Answered, "next" | "outcome" | "room"> {
  const action = tenant.rules?.fallback?.(call).action ?? rejectByDefault();
  if (action.action !== "place") {
    return { outcome: action.action, room: null, next: lastNext({ call }, action) };
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

/** The answer to an unsigned request: nothing secret, and the tenant's fallback if nothing else is left. */
export function openAnswer(visit: Visit, call: Call, answered: Answered): Answered {
  const next = withoutSecrets(answered.next, call.via);
  if (next) return { ...answered, next };
  const fallback = fallbackOf(visit, call);
  const openFallback = withoutSecrets(fallback.next, call.via);
  return {
    ...answered,
    ...(openFallback
      ? { ...fallback, next: openFallback }
      : { outcome: "reject", room: null, next: lastNext({ call }, rejectByDefault()) }),
    reason: "not authentic: its document would show a secret",
  };
}
