import { canonicalOf, isWithheld } from "../../shared/identity.ts";
import type { Placing } from "../../shared/placing.ts";
import type { PlaceRequest, Returning } from "../session/contract/placement.ts";
import type { CallContext } from "./call-context.ts";

/** What is asked to know whether the caller dropped and has a seat held; null where no seat is held, or the caller can't be known again. */
export function returningAsked({ tenant, call }: CallContext): Returning | null {
  const [from, to] = [canonicalOf(call, "from"), canonicalOf(call, "to")];
  if (tenant.rules?.rejoins !== true || isWithheld(from)) return null;
  const { call_id } = call;
  return { tenant: tenant.tenant, from, to, call_id, before: { from: call.from, to: call.to } };
}

/** What keeps the caller's seat, should the call drop; nothing for one who can't be known again. */
export function rejoinOf({ call }: CallContext, placing: Placing): Pick<PlaceRequest, "rejoin"> {
  const { rejoin_s } = placing;
  if (rejoin_s === undefined || isWithheld(canonicalOf(call, "from"))) return {};
  return { rejoin: { s: rejoin_s, to: canonicalOf(call, "to"), placing } };
}
