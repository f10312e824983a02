import type { Call } from "./calls.ts";
import { type Conference, joinedBy } from "./conferences.ts";

export type CallView = ReturnType<typeof callView>;
export type ConferenceView = ReturnType<typeof conferenceView>;

/** Everything about a call that a test may ask. Times are ms since the epoch on the project's clock. */
export function callView(call: Call) {
  const { from, to, type } = call.facts;
  return {
    call_id: call.call_id,
    node_id: call.node_id,
    from,
    to,
    type,
    began_at: call.began_at,
    state: call.state,
    end_reason: call.end_reason,
    /** Under the name that its join gave, whatever events and lists make of it. */
    conference: call.conference === null ? null : (call.joins.at(-1)?.conference ?? null),
    /** How it last joined a conference. */
    joined_by: call.joins.at(-1)?.by ?? null,
    joins: call.joins.map((join) => ({ ...join })),
    ...call.ear.report(),
    stranded: call.stranded,
    documents: call.documents,
    webhooks: call.webhooks,
    vars: call.vars,
    held: call.held,
    recordings: call.recordings.map(({ sid, control_id, direction, since, state, ended_at }) => ({
      sid,
      control_id,
      direction,
      since,
      state,
      ended_at,
    })),
  };
}

export function conferenceView(conference: Conference) {
  return {
    /** As its first join gave it. Two conferences may share it. */
    name: conference.settings.name,
    conference_id: conference.conference_id,
    sid: conference.sid,
    state: conference.state,
    participants: [...conference.participants.values()].map((one) => ({
      call_id: one.leg.call_id,
      by: joinedBy(one.via),
      muted: one.muted,
      hold: one.hold,
      coaching: one.coaching,
      /** `everyone`, `nobody`, or the `call_id` of the one that is coached. */
      heard_by: conference.heardBy(one),
      start_on_enter: one.start_on_enter,
      end_on_exit: one.end_on_exit,
    })),
  };
}
