import { RpcTarget } from "cloudflare:workers";
import type { Line } from "./line.ts";
import type { Placements } from "./placements.ts";

/** Which caller an operator means. */
export interface LobbyRequest {
  tenant: string;
  /** Wire name. */
  room: string;
  call_id: string;
}

/** Where operators let callers in who wait for that, or do not. Twice is as good as once. */
export class Lobby extends RpcTarget {
  readonly #placements: Placements;
  readonly #line: Line;

  constructor(placements: Placements, line: Line) {
    super();
    this.#placements = placements;
    this.#line = line;
  }

  /** False where the caller does not wait there for admission. */
  admit(request: LobbyRequest): boolean {
    const row = this.#find(request);
    return row !== undefined && this.#line.admit(row);
  }

  /** False where the caller does not wait there. */
  reject(request: LobbyRequest): boolean {
    const row = this.#find(request);
    return row !== undefined && this.#line.turnAway(row, "declined", "an operator did not admit the caller");
  }

  #find({ tenant, room, call_id }: LobbyRequest) {
    return this.#placements
      .ofCall(call_id)
      .find((row) => row.tenant === tenant && row.wait?.rooms.includes(room));
  }
}
