import type { CommandView } from "../../../shared/api/controls.ts";
import type { Feed } from "../feed/feed.ts";

/** Tells those who follow the tenant what came of an operator's command, and of whom it moved or removed. */
export function tellCommand(feed: Pick<Feed, "tell">, tenant: string, command: CommandView): void {
  const { command_id, control, state, room, call_id, verified_by, said, participant } = command;
  if (state === "done" && call_id !== null) {
    if (control === "remove")
      feed.tell(tenant, "participant.removed", { room, call_id, reason: "an operator removed it" });
    if (control === "move" && participant !== undefined)
      feed.tell(tenant, "participant.moved", { room, call_id, to: participant.room });
  }
  const data = { command_id, action: control, room, call_id, verified_by, reason: said };
  feed.tell(tenant, state === "done" ? "command.done" : "command.failed", data);
}
