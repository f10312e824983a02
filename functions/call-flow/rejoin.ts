import { canonicalOf, isWithheld } from "../../shared/identity.ts";
import type { Placing } from "../../shared/seal.ts";
import type { PlaceRequest } from "../session/contract/placement.ts";
import { askReturning } from "./ask-session.ts";
import { type CallContext, untilFor } from "./call-context.ts";

/** The session is asked no longer than this: without its word the caller comes in as everybody does. */
const ASK_MS = 1_000;

/** How the caller was placed before it dropped, where a seat is kept for it. */
export async function returningTo(context: CallContext): Promise<Placing | null> {
  const { session, tenant, call, authentic } = context;
  const [from, to] = [canonicalOf(call, "from"), canonicalOf(call, "to")];
  if (!authentic || tenant.rules?.rejoins !== true || isWithheld(from)) return null;
  const request = {
    tenant: tenant.tenant,
    from,
    to,
    call_id: call.call_id,
    before: { from: call.from, to: call.to },
  };
  return await askReturning(session, request, untilFor(context, ASK_MS));
}

/** What keeps the caller's seat, should the call drop; nothing for one who can't be known again. */
export function rejoinOf({ call }: CallContext, placing: Placing): Pick<PlaceRequest, "rejoin"> {
  const { rejoin_s } = placing;
  if (rejoin_s === undefined || isWithheld(canonicalOf(call, "from"))) return {};
  return { rejoin: { s: rejoin_s, to: canonicalOf(call, "to"), placing } };
}
