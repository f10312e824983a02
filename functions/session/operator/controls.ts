import { RpcTarget } from "cloudflare:workers";
import { namesRoom, plainName } from "../../../shared/api/rooms.ts";
import { isLive } from "../../../shared/placement.ts";
import type { Dispatcher } from "../commands/dispatcher.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";

/** Which call an operator means. */
export interface ControlRequest {
  tenant: string;
  call_id: string;
  /** Patterns of plain names: a call elsewhere is none that the tenant has; absent: any will do. */
  rooms?: readonly string[];
}

/** null: the tenant has no such call. */
export type ControlReply = { changed: boolean } | null;

interface ControlHost {
  placements: Placements;
  pendingCommands: PendingCommands;
  history: History;
  dispatcher: Dispatcher;
}

/** Control — what machines may not decide about a call, and people can. Idempotent; each act is in the call's history. */
export class Control extends RpcTarget {
  readonly #host: ControlHost;

  constructor(host: ControlHost) {
    super();
    this.#host = host;
  }

  /** Ends the call, wherever it is. `changed` is false if nothing is known of the call but that it is over. */
  end(request: ControlRequest): ControlReply {
    const row = this.#newest(request);
    if (!row) return null;
    const { pendingCommands, history, dispatcher } = this.#host;
    history.action(row, { deed: "end", by: "nobody", said: "an operator ends the call" });
    dispatcher.corrections.removed(row);
    pendingCommands.add("end", row, row.node_id);
    dispatcher.start();
    return { changed: isLive(row.state) };
  }

  /** Frees the seat that the call holds; nothing is done to the call. */
  releaseSeat(request: ControlRequest): ControlReply {
    const row = this.#newest(request);
    if (!row) return null;
    // Who waits holds no seat.
    const holdsSeat = isLive(row.state) && row.state !== "waiting" && row.presumed_gone_at === null;
    if (!holdsSeat) return { changed: false };
    const { placements, history } = this.#host;
    history.action(row, { deed: "repair", by: "nobody", said: "seat released by an operator" });
    placements.update(row, { presumed_gone_at: Date.now() });
    placements.touched(row.room);
    return { changed: true };
  }

  #newest({ tenant, call_id, rooms }: ControlRequest): Placement | undefined {
    const [row] = this.#host.placements.currentOf(call_id, tenant);
    return row && (rooms === undefined || namesRoom(rooms, plainName(tenant, row.room))) ? row : undefined;
  }
}
