import { type DialBody, WHOLE_ADDRESS } from "../../shared/api/dial.ts";
import { outboundCall } from "../../shared/call.ts";
import { wireName } from "../../shared/conference.ts";
import { permits } from "../../shared/dial-permission.ts";
import { readSpoken } from "../../shared/rules/compile/interpolation.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import type { Finding } from "../../shared/rules/decision.ts";
import { isSip } from "../../shared/sip.ts";
import type { DialRequest } from "../session/contract/dial.ts";
import { hasPlainNames, namingSaid } from "../tenants/room-naming.ts";
import type { Tenant } from "../tenants/tenant.ts";

/** For a tenant whose ruleset cannot be read. */
const NO_RULESET = "0".repeat(64);

/** What is wrong with a call that an operator asks for. */
export interface DialRefusal {
  status: 403 | 422;
  code:
    | "dial_not_set_up"
    | "destination_denied"
    | "digits_denied"
    | "caller_id_denied"
    | "no_caller_id"
    | "bad_conference"
    | "unknown_role"
    | "bad_announcement";
  message: string;
}

/**
 * What the session is to be asked; or why nobody is called. Destinations are denied unless the tenant's record allows them.
 * @param id the operator's, or one made up.
 */
export function dialRequest(
  { tenant, record, project, rules }: Tenant,
  named: string,
  body: DialBody,
  id: string,
): DialRequest | DialRefusal {
  const { dial } = record;
  if (!dial) {
    const message = `Nobody may be called: write "dial": { "allow": ["+1555*"], "from": ["+15550100100"] } into tenant/${tenant}.`;
    return { status: 403, code: "dial_not_set_up", message };
  }
  const { to, send_digits } = body;
  const permission = permits(dial.allow, { to, ...(send_digits === undefined ? {} : { send_digits }) });
  if (permission === "digits_denied") {
    const entry = JSON.stringify({ to, send_digits: true });
    const message = `No entry of dial.allow in tenant/${tenant} lets keys be sent to ${to}: write it as ${entry}.`;
    return { status: 403, code: "digits_denied", message };
  }
  if (permission === "denied") {
    const message = `${body.to} is not among the destinations that dial.allow in tenant/${tenant} names.`;
    return { status: 403, code: "destination_denied", message };
  }
  const from = body.from ?? dial.from.find((pattern) => WHOLE_ADDRESS.test(pattern));
  if (from === undefined) {
    const message = `dial.from in tenant/${tenant} names no whole number, only patterns: say "from" in the request.`;
    return { status: 422, code: "no_caller_id", message };
  }
  if (permits(dial.from, { to: from }) !== "permitted") {
    const message = `${from} is not among the caller IDs that dial.from in tenant/${tenant} names.`;
    return { status: 403, code: "caller_id_denied", message };
  }
  const room = named.trim();
  const wire = wireName(tenant, room, { plain: hasPlainNames({ tenant, project }) });
  if (typeof wire !== "string") {
    return { status: 422, code: "bad_conference", message: `The conference's name ${wire.problem}.` };
  }
  const byRole = rules ? rules.joinAs(body.role, room) : {};
  if (byRole === null) {
    const message = `There is no role ${JSON.stringify(body.role)}: moderator, participant, listener, or one of the ruleset's.`;
    return { status: 422, code: "unknown_role", message };
  }
  const join = { ...byRole, ...body.join };
  const findings: Finding[] = [];
  const call = outboundCall({ call_id: "", from, to: body.to });
  // Callees are told of a recording, as callers are.
  const isRecorded = join.record === "record-from-start" || rules?.recorded.mayBe([room], call) === true;
  const heard = {
    announce: body.announce,
    recording_notice: isRecorded ? rules?.notice : undefined,
  };
  const words = Object.entries(heard).flatMap(([field, announcement]) =>
    announcement === undefined ? [] : [readSpoken(announcement, rules?.speech ?? {})(call, field, findings)],
  );
  if (words.includes(null)) {
    const message = findings.map(({ field, why }) => `${field}: ${why}`).join("; ");
    return { status: 422, code: "bad_announcement", message };
  }
  const [first, ...others] = words.filter((said) => said !== null);
  // Of a room that no rule records the session may know, or hear later, that it is recorded.
  const told =
    isRecorded || rules?.notice === undefined
      ? null
      : readSpoken(rules.notice, rules.speech)(call, "recording_notice", []);
  return {
    v: 1,
    project_id: project.project_id,
    tenant,
    id,
    to: body.to,
    from,
    ...(send_digits === undefined ? {} : { send_digits }),
    device: isSip(body.to) ? "sip" : "phone",
    timeout_s: body.timeout_s,
    ...(dial.max_price_per_minute === undefined ? {} : { max_price_per_minute: dial.max_price_per_minute }),
    max_concurrent: dial.max_concurrent,
    per_s: project.session.dials_per_s,
    room: wire,
    ...namingSaid({ tenant, project }),
    decision: {
      action: "place",
      rooms: [room],
      strategy: "first",
      role: body.role,
      join,
      ...(body.capacity === undefined ? {} : { capacity: body.capacity, when_full: rejectByDefault() }),
      ...(dial.max_duration_s === undefined ? {} : { max_duration_s: dial.max_duration_s }),
      rule: null,
      ruleset: rules?.hash ?? NO_RULESET,
      decided_at: Date.now(),
      looked_at: [],
      ...(first === undefined ? {} : { announce: [first, ...others] }),
      ...(heard.recording_notice === undefined ? {} : { announces_recording: true as const }),
      ...(told === null ? {} : { recording_notice: told }),
    },
  };
}
