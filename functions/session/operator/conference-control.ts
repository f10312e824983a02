import { RpcTarget } from "cloudflare:workers";
import type { CommandView, PersonResult } from "../../../shared/api/controls.ts";
import { splitWireName } from "../../../shared/conference.ts";
import { isLive } from "../../../shared/placement.ts";
import { describeError, log } from "../../log.ts";
import type { ControlReply, ControlRequest } from "../contract/controls.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { ControlCommand, ControlLog } from "../store/control-log.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { LegRecordings } from "./leg-recordings.ts";
import type { Move } from "./move.ts";
import { type ParticipantControls, refused } from "./participant-controls.ts";
import type { RoomControls } from "./room-controls.ts";
import { FAILED_MS, type RunningCommands, viewOf } from "./running-commands.ts";

/** A command is settled so long after its minute, or its session was lost meanwhile. */
const LOST_MS = 30_000;

interface ConferenceControlHost {
  placements: Placements;
  occupancy: Occupancy;
  policies: RoomPolicies;
  controls: ControlLog;
  running: RunningCommands;
  participants: ParticipantControls;
  rooms: RoomControls;
  moves: Move;
  legs: LegRecordings;
  /** Told of each request, before anything else. */
  asked(project_id: string): void;
  now(): number;
}

/** ConferenceControl — operators' hands on live conferences: finds what is meant, does each command once, and tells how it stands. */
export class ConferenceControl extends RpcTarget {
  readonly #host: ConferenceControlHost;
  /** Under way, by tenant and idempotency key. */
  readonly #underWay = new Map<string, Promise<ControlReply>>();

  constructor(host: ConferenceControlHost) {
    super();
    this.#host = host;
  }

  /** Once, however often it is asked under one idempotency key. */
  async carryOut(request: ControlRequest): Promise<ControlReply> {
    const { asked, occupancy } = this.#host;
    asked(request.project_id);
    await occupancy.known();
    const { tenant, idempotency } = request;
    if (!idempotency) return await this.#carryOut(request);
    const id = JSON.stringify([tenant, idempotency.key, idempotency.fingerprint]);
    const known = this.#known(request);
    if (known) return (await this.#underWay.get(id)) ?? known;
    const underWay = this.#underWay.get(id) ?? this.#carryOut(request);
    this.#underWay.set(id, underWay);
    return await underWay.finally(() => this.#underWay.delete(id));
  }

  /** How a command stands; one that was not seen yet is looked for once more. Null where the tenant has none such. */
  async command(tenant: string, id: string): Promise<CommandView | null> {
    const command = this.#host.controls.find(tenant, id);
    if (!command) return null;
    const row = this.#rowOf(command);
    await this.#lookAgain(command, row);
    return viewOf(command, row);
  }

  #known({ tenant, idempotency }: ControlRequest): ControlReply | null {
    const known = idempotency && this.#host.controls.under(tenant, idempotency.key);
    if (!known) return null;
    if (known.fingerprint !== idempotency.fingerprint)
      return refused("idempotency_key_reused", "Another request was made under this Idempotency-Key.");
    if (known.state === "refused")
      return { ...refused("signalwire_refused", known.said), command_id: known.command_id };
    return this.#host.running.reply(known, this.#rowOf(known));
  }

  async #carryOut(request: ControlRequest): Promise<ControlReply> {
    const { rooms, participants } = this.#host;
    const { wish } = request;
    if (wish.control === "record") return await rooms.record(request, wish);
    const room = this.#roomOf(request);
    if (room === null) return refused("unknown_conference", "Nobody is in a conference of that name.");
    const elsewhere = this.#otherConference(request, room);
    if (elsewhere !== null) return elsewhere;
    switch (wish.control) {
      case "change":
      case "remove":
      case "move": {
        const row = this.#participant(request, room, wish.call_id);
        if ("outcome" in row) return row;
        if (wish.control === "change") return await participants.change(request, wish, row);
        if (wish.control === "remove") return await participants.remove(request, wish, row);
        return await this.#host.moves.move(request, wish, row);
      }
      case "announce":
        return await rooms.announce(request, wish, room);
      case "lock":
        return rooms.lock(request, wish, room);
      case "unlock":
        return rooms.unlock(request, room);
      case "mute_all":
        return await rooms.muteAll(request, wish, room);
      case "unmute_all":
        return rooms.unmuteAll(request, room);
      case "end":
        return await rooms.end(request, wish, room);
      case "start_recording":
        return await this.#host.legs.start(request, room);
      default:
        return wish satisfies never;
    }
  }

  /** The name under which the room lives; of an empty one the likelier, if it may be locked. */
  #roomOf({ tenant, rooms, wish }: ControlRequest): string | null {
    const { occupancy, policies } = this.#host;
    const live = rooms.find((room) => occupancy.around(room).some((row) => row.tenant === tenant));
    if (live !== undefined) return live;
    const isTenants = (room: string) => policies.lockOf(room)?.tenant === tenant;
    const locked = rooms.find(isTenants);
    if (locked !== undefined && (wish.control === "lock" || wish.control === "unlock")) return locked;
    const [first = null] = rooms;
    return wish.control === "lock" ? first : null;
  }

  /** Null where the conference that is meant is the one that lives under the name, or none is named. */
  #otherConference({ tenant, conference_id }: ControlRequest, room: string): ControlReply | null {
    if (conference_id === undefined) return null;
    const ids = this.#host.occupancy
      .participants(room)
      .flatMap((row) => (row.tenant === tenant && row.conference_id !== null ? [row.conference_id] : []));
    if (ids.includes(conference_id)) return null;
    const live = ids.length === 0 ? "none whose id is known" : [...new Set(ids)].join(", ");
    return refused("other_conference", `Another conference lives under the name by now: ${live}.`);
  }

  #participant(
    { tenant, conference_id, wish }: ControlRequest,
    room: string,
    call_id: string,
  ): Placement | Extract<ControlReply, { outcome: "refused" }> {
    const [row] = this.#host.placements.currentOf(call_id, tenant);
    const isThere = row && isLive(row.state) && row.state !== "waiting";
    if (!isThere) return refused("unknown_participant", "No such call is in the room.");
    if (row.room !== room) {
      const { tenant: owner, name } = splitWireName(row.room);
      const where = owner === tenant ? name : row.room;
      return refused("moved", `The call is in ${JSON.stringify(where)} by now.`, { where });
    }
    // A call on its way can be turned back, and nothing else.
    if (row.state !== "joined" && wish.control !== "remove")
      return refused("unknown_participant", "The call was not seen in the room yet.");
    if (conference_id !== undefined && row.conference_id !== conference_id)
      return refused("other_conference", "The call is in another conference of that name.");
    return row;
  }

  #rowOf({ tenant, call_id, room }: ControlCommand): Placement | null {
    if (call_id === null) return null;
    return this.#host.placements.currentOf(call_id, tenant).find((row) => row.room === room) ?? null;
  }

  async #lookAgain(command: ControlCommand, row: Placement | null): Promise<void> {
    if (command.state !== "requested") return;
    if (command.wanted !== null && row !== null) await this.#lookFor(command, row, command.wanted);
    if (command.results !== undefined) this.#lookAtEach(command, command.results);
    // What watched it is gone, or it would have been settled.
    const isLost = this.#host.now() - command.at > FAILED_MS + LOST_MS;
    if (command.state !== "requested" || !isLost || command.control === "announce") return;
    const said = "its effect was not seen within a minute";
    this.#host.running.settle(command, row, { state: "failed", changed: false, verified_by: null, said });
  }

  /** Of several those who were not seen in time: by what the ledger has learned of them since. */
  #lookAtEach(command: ControlCommand, before: readonly PersonResult[]): void {
    const { placements, running } = this.#host;
    const isSo = (call_id: string): boolean => {
      const row = placements
        .currentOf(call_id, command.tenant)
        .find((one) => one.room === command.room && isLive(one.state));
      if (command.control === "end") return row === undefined;
      return command.control === "mute-all" && row?.muted === 1;
    };
    const results = before.map(
      (one): PersonResult =>
        one.state !== "done" && isSo(one.call_id)
          ? { call_id: one.call_id, state: "done", changed: true, verified_by: "event" }
          : one,
    );
    const open = results.filter(({ state }) => state !== "done").map(({ call_id }) => call_id);
    const remaining = command.remaining === undefined ? {} : { remaining: open };
    if (open.length > 0) Object.assign(command, { results, ...remaining });
    else
      running.settle(command, null, {
        state: "done",
        changed: results.some(({ changed }) => changed),
        verified_by: "event",
        said: "",
        results,
        ...remaining,
      });
  }

  async #lookFor(command: ControlCommand, row: Placement, text: string): Promise<void> {
    const wanted: Record<string, unknown> = JSON.parse(text); // Written by `begin`.
    try {
      if (await this.#host.participants.isSeen(row, wanted))
        this.#host.running.settle(command, row, { state: "done", changed: true, verified_by: "rest" });
    } catch (error) {
      log("info", "control.unseen", { command: command.command_id, error: describeError(error) });
    }
  }
}
