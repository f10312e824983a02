import type { Call } from "./calls.ts";
import { dialEvent } from "./events.ts";
import type { Project } from "./project.ts";
import type { RelaySession } from "./relay-session.ts";
import type { PhoneBehaviour } from "./settings.ts";

export interface DialDevice {
  readonly type: "phone" | "sip" | "webrtc";
  readonly params: Readonly<Record<string, unknown>>;
}

export interface Dialing {
  readonly project: Project;
  readonly session: RelaySession;
  readonly tag: string;
  /** As on the wire: in minutes or seconds, by the switch. */
  readonly max_duration?: number | undefined;
}

/** Seconds that a device rings unless it says otherwise. */
const default_timeout_s = 30;
const default_behaviour: PhoneBehaviour = { does: "answers", after_ms: 1000 };

/** Calls the devices group after group, those of one group at once; whoever answers first wins, and the others are cancelled. */
export function dial(dialing: Dialing, groups: readonly (readonly DialDevice[])[]): void {
  const [group, ...rest] = groups;
  if (group === undefined) return;
  const { project, session, tag } = dialing;
  const legs = group.map((device) => ({ device, call: outboundLeg(dialing, device) }));
  const tell = (dial_state: "dialing" | "answered" | "failed", call: Call) =>
    project.emit("calling.call.dial", dialEvent(tag, dial_state, call), [session]);
  let won = false;
  let ringing = legs.length;
  for (const { call } of legs) {
    call.ended.addEventListener("abort", () => {
      ringing -= 1;
      if (won || ringing > 0) return;
      // The last leg's own `ended` goes out first: it is told of right after this.
      queueMicrotask(() => (rest.length > 0 ? dial(dialing, rest) : tell("failed", call)));
    });
  }
  for (const { device, call } of legs) {
    tell("dialing", call);
    behave(project, device, call, () => {
      won = true;
      call.answer();
      limit(dialing, device, call);
      for (const other of legs) if (other.call !== call) other.call.hangUp("cancel");
      tell("answered", call);
    });
  }
}

/** Ends the call at the shorter limit of the two. The journal has both, for a judge of calls that end too early. */
function limit({ project, max_duration }: Dialing, { params }: DialDevice, call: Call): void {
  const unit_ms = project.switches.dial_max_duration_unit === "minutes" ? 60_000 : 1000;
  const limits = {
    ...(typeof params["max_duration"] === "number"
      ? { device_max_duration_ms: params["max_duration"] * 1000 }
      : {}),
    ...(max_duration === undefined ? {} : { dial_max_duration_ms: max_duration * unit_ms }),
  };
  const shortest_ms = Math.min(...Object.values(limits));
  if (shortest_ms === Number.POSITIVE_INFINITY) return;
  project.journal.note("call", { call_id: call.call_id, ...limits });
  call.endAfter(shortest_ms);
}

/** Rings, answers or refuses as the called phone does; what comes first, that or the device's timeout. */
function behave(project: Project, { params }: DialDevice, call: Call, answered: () => void): void {
  const behaviour = project.phones.get(call.facts.to) ?? default_behaviour;
  const later = (ms: number, act: () => void) => {
    const callOff = project.clock.after(ms, act);
    call.ended.addEventListener("abort", callOff, { once: true });
  };
  const timeout_ms = Number(params["timeout"] ?? default_timeout_s) * 1000;
  switch (behaviour.does) {
    case "failed":
      call.hangUp("error");
      return;
    case "busy":
      call.ring();
      later(0, () => call.hangUp("busy"));
      return;
    case "no_answer":
      call.ring();
      later(timeout_ms, () => call.hangUp("noAnswer"));
      return;
    case "answers":
      call.ring();
      if (behaviour.after_ms < timeout_ms) later(behaviour.after_ms, answered);
      else later(timeout_ms, () => call.hangUp("noAnswer"));
  }
}

function outboundLeg({ project, session, tag }: Dialing, { params, type }: DialDevice): Call {
  const call = project.addCall({
    from: String(params["from_number"] ?? params["from"] ?? ""),
    to: String(params["to_number"] ?? params["to"] ?? ""),
    type,
    direction: "outbound",
    headers: [],
    origin: "dial",
    tag,
  });
  call.controller = session;
  project.callStateChanged(call);
  return call;
}
