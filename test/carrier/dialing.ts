import type { Call } from "./calls.ts";
import { dialEvent } from "./events.ts";
import type { Project } from "./project.ts";
import type { RelaySession } from "./relay-session.ts";

export interface DialDevice {
  readonly type: "phone" | "sip";
  readonly params: Readonly<Record<string, unknown>>;
}

/** How long a called phone rings here until it is answered, on the project's clock. */
const rings_s = 1;

/** Calls the devices group after group, those of one group at once. A device whose own `timeout` is not above 1 s is not answered. */
export function dial(
  project: Project,
  session: RelaySession,
  tag: string,
  groups: readonly (readonly DialDevice[])[],
): void {
  const [group, ...rest] = groups;
  if (group === undefined) return;
  const legs = group.map((device) => ({ device, call: outboundLeg(project, session, tag, device) }));
  let over = false;
  let ringing = legs.length;
  for (const { device, call } of legs) {
    project.emit("calling.call.dial", dialEvent(tag, "dialing", call), [session]);
    call.ring();
    const timeout_s = Number(device.params["timeout"] ?? 30);
    project.clock.after(Math.min(timeout_s, rings_s) * 1000, () => {
      ringing -= 1;
      if (over) return;
      if (timeout_s > rings_s && !call.over) {
        over = true;
        call.answer();
        for (const other of legs) if (other.call !== call) other.call.hangUp("cancel");
        project.emit("calling.call.dial", dialEvent(tag, "answered", call), [session]);
        return;
      }
      call.hangUp("noAnswer");
      if (ringing > 0) return;
      if (rest.length > 0) dial(project, session, tag, rest);
      else project.emit("calling.call.dial", dialEvent(tag, "failed", call), [session]);
    });
  }
}

function outboundLeg(project: Project, session: RelaySession, tag: string, device: DialDevice): Call {
  const { params, type } = device;
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
