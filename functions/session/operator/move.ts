import { withRoom } from "../../../shared/callbacks.ts";
import { splitWireName } from "../../../shared/conference.ts";
import { mayBeRecorded } from "../../../shared/documents/fixed-words.ts";
import { movedDocument } from "../../../shared/documents/outcomes.ts";
import { render } from "../../../shared/documents/render.ts";
import { isLive } from "../../../shared/placement.ts";
import { describeError, log } from "../../log.ts";
import type { ControlReply, ControlRequest, ControlWish } from "../contract/controls.ts";
import type { PlaceRequest } from "../contract/placement.ts";
import type { DroppedCallers } from "../events/dropped-callers.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { ControlCommand } from "../store/control-log.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { afterwards, asksUsOf, inlineJoinOf } from "../store/resume-url-of.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import { refused } from "./participant-controls.ts";
import type { LegCommand, Reach, Sent } from "./reach.ts";
import { type RunningCommands, SEEN_MS } from "./running-commands.ts";
import type { Sightings, Watch } from "./sightings.ts";

/** A call that is moved holds its seat there so long, and a while more, as one that is placed does. */
const RESERVED_MS = 10_000;
/** How long a second try, and the way back, may take. */
const AGAIN_MS = 5_000;

type MoveWish = Extract<ControlWish, { control: "move" }>;

export interface MoveHost {
  placements: Placements;
  occupancy: Occupancy;
  policies: RoomPolicies;
  recorded: RecordedRooms;
  pendingCommands: PendingCommands;
  dropped: Pick<DroppedCallers, "removed">;
  corrections: Pick<Corrections, "found">;
  reach: Reach;
  sightings: Sightings;
  running: RunningCommands;
  now(): number;
}

/**
 * Move — takes a participant from one room to another, by one document that leaves the one and joins the other. It is done when the join
 * is seen; one that is not seen is tried once more, and then the call is put back. Never ends the call. Used by ConferenceControl.
 */
export class Move {
  readonly #host: MoveHost;

  constructor(host: MoveHost) {
    this.#host = host;
  }

  async move(request: ControlRequest, wish: MoveWish, from: Placement): Promise<ControlReply> {
    const { occupancy, policies, running } = this.#host;
    const room = wish.to.find((name) => occupancy.tenantIn(name) === from.tenant) ?? wish.to[0];
    if (room === from.room) return refused("already_there", "The call is in that room.");
    if (from.join.end_on_exit === true)
      return refused("would_end_room", "The call's leave would end the conference for all.");
    if (policies.lockOf(room) !== null) return refused("locked", "The room is locked.");
    const capacity = this.#capacityOf(room);
    const isFull = capacity !== null && occupancy.taken(room) >= capacity;
    if (isFull && wish.over_capacity !== true) return refused("full", "Every seat of the room is taken.");
    const { room: left, conference_id } = from;
    const command = running.begin(request, { name: "move", room: left, conference_id, row: from });
    const proof = wish.room_proofs[room];
    const to = this.#plan(from, {
      room,
      proof,
      capacity,
      ...(wish.muted === undefined ? {} : { muted: wish.muted }),
    });
    const watch = this.#watch(to);
    const sent = await this.#send(to);
    command.sent_by = sent.by;
    if (sent.kind === "refused" && (await watch.seen(0)) === null) {
      watch.stop();
      this.#takeBack(from, to);
      return running.refused(command, from, sent.by, sent.code);
    }
    const by = await watch.seen(this.#host.now() + SEEN_MS);
    if (by !== null) {
      watch.stop();
      return this.#done(command, to, by);
    }
    const reply = running.requested(
      command,
      to,
      sent.by,
      "sent, and the join of the other room not seen yet",
    );
    void this.#goOn(command, from, to, watch).catch((error: unknown) =>
      log("error", "move.broke", { command: command.command_id, error: describeError(error) }),
    );
    return reply;
  }

  #done(command: ControlCommand, to: Placement, by: "event" | "rest"): ControlReply {
    // Where only REST tells of it.
    if (to.state !== "joined") this.#host.corrections.found(to);
    return this.#host.running.done(command, to, { changed: true, verified_by: by, said: whereOf(to) });
  }

  /** Once more, and then back to where it was. */
  async #goOn(command: ControlCommand, from: Placement, to: Placement, watch: Watch): Promise<void> {
    const { running, placements, now } = this.#host;
    await this.#send(to);
    const again = await watch.seen(now() + AGAIN_MS);
    watch.stop();
    if (again !== null) {
      this.#done(command, to, again);
      return;
    }
    if (!isLive(to.state)) {
      running.settle(command, to, failed("the call is over"));
      return;
    }
    const back = this.#plan(to, {
      room: from.room,
      capacity: null,
      join: from.join,
      muted: from.muted === 1,
    });
    const backWatch = this.#watch(back);
    await this.#send(back);
    const by = await backWatch.seen(now() + AGAIN_MS);
    backWatch.stop();
    if (by !== null && back.state !== "joined") this.#host.corrections.found(back);
    placements.touched(to.room);
    running.settle(
      command,
      back,
      failed(by === null ? "nothing tells where the call is" : `not moved: ${whereOf(back)}`),
    );
  }

  /** The placement in the other room, under an entry of its own; the one before is closed, and its leave is nobody's doing. */
  #plan(
    from: Placement,
    {
      room,
      proof,
      capacity,
      muted,
      join = from.join,
    }: {
      room: string;
      proof?: string | undefined;
      capacity: number | null;
      muted?: boolean;
      join?: Placement["join"];
    },
  ): Placement {
    const { placements, dropped, pendingCommands, policies, recorded, now } = this.#host;
    const ends_at = pendingCommands.dueOf("expire", from);
    // A move must not start a recording.
    const { record: _, coach: __, ...kept } = join;
    const isMuted = muted ?? (from.muted === 1 || this.#isMutedIn(policies, room, from.role));
    const wasTold = from.untold === null && recorded.has(from.room);
    const untold = from.untold ?? (wasTold ? null : JSON.stringify({ say: mayBeRecorded }));
    // All else was decided for the room before.
    const { rule, role, ruleset, decided_at, after } = from.placing;
    const request: PlaceRequest = {
      v: 1,
      project_id: "",
      project_version: "",
      tenant: from.tenant,
      call_id: from.call_id,
      entry: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
      step: 0,
      answered: true,
      from: from.from,
      rule,
      role,
      ruleset,
      decided_at,
      ...(after === undefined ? {} : { after }),
      rooms: [room],
      strategy: "first",
      join: withRoom({ ...kept, muted: isMuted }, room, proof),
      forwarding: from.forwarding,
      join_via: "document",
      deadline_at: now() + RESERVED_MS,
      join_deadline_ms: RESERVED_MS,
      ...(from.node_id === null ? {} : { node_id: from.node_id }),
      ...(from.ingress === null ? {} : { ingress: from.ingress }),
      ...(from.segment_id === null ? {} : { segment_id: from.segment_id }),
      ...(capacity === null ? {} : { capacity }),
      ...(untold === null ? {} : { recording_notice: JSON.parse(untold) }), // A `Spoken`, as the row has it.
    };
    const to = placements.plan(request, room, "moved by an operator", "by_document");
    dropped.removed(from);
    placements.move(from, "left", { reason: "moved", left_ts: now() / 1_000 });
    if (ends_at !== null) {
      pendingCommands.drop("expire", from);
      pendingCommands.add("expire", to, to.node_id, ends_at);
    }
    return to;
  }

  #isMutedIn(policies: RoomPolicies, room: string, role: string): boolean {
    const policy = policies.muteAllOf(room);
    return policy !== null && !policy.data.except.includes(role);
  }

  /** Nothing was sent: the call is where it was. */
  #takeBack(from: Placement, to: Placement): void {
    const { placements, pendingCommands } = this.#host;
    const ends_at = pendingCommands.dueOf("expire", to);
    if (ends_at !== null) {
      pendingCommands.drop("expire", to);
      pendingCommands.add("expire", from, from.node_id, ends_at);
    }
    placements.withdraw(to);
    placements.move(from, "joined", { reason: "the move was refused", left_ts: null });
  }

  /** How many seats the room has, by the newest call in it that says so. */
  #capacityOf(room: string): number | null {
    const { occupancy, placements } = this.#host;
    return (
      occupancy
        .around(room)
        .reverse()
        .map((row) => placements.find(row)?.placing.capacity)
        .find((capacity) => capacity !== undefined) ?? null
    );
  }

  async #send(to: Placement): Promise<Sent> {
    const { reach } = this.#host;
    const asks = asksUsOf(to, false);
    const document = movedDocument(to.room, inlineJoinOf(to), afterwards(to), asks);
    const url = to.ingress === "cxml" ? await reach.moveUrl(to) : null;
    if (to.ingress === "cxml" && url === null) return { kind: "refused", by: "rest", code: "no URL of ours" };
    const command: LegCommand = {
      method: "calling.transfer",
      params: { dest: render(document).body },
      cxml: url === null ? null : { url },
    };
    return await reach.command(to, command);
  }

  #watch(to: Placement): Watch {
    const { reach, sightings } = this.#host;
    return sightings.watch({
      event: (event) =>
        event.kind === "conference" &&
        event.params.status === "participant-join" &&
        event.params.call_id === to.call_id &&
        event.params.name === to.room,
      rest: async () => await reach.isListedIn(to.room, to.call_id),
    });
  }
}

function failed(said: string) {
  return { state: "failed" as const, changed: false, verified_by: null, said };
}

function whereOf({ tenant, room }: Placement): string {
  const { tenant: owner, name } = splitWireName(room);
  return `the call is in ${owner === tenant ? name : room}`;
}
