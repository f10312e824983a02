import { describeError, log } from "../../log.ts";
import type { ControlRequest, ControlWish } from "../contract/controls.ts";
import type { Feed } from "../feed/feed.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Policy, RoomPolicies } from "../store/room-policies.ts";
import type { RoomControls } from "./room-controls.ts";

interface ModerationHost {
  placements: Placements;
  occupancy: Occupancy;
  policies: RoomPolicies;
  rooms: RoomControls;
  feed: Pick<Feed, "tell">;
  now(): number;
  /** It has work sooner than it said before. */
  rescheduled(): void;
}

/**
 * Moderation — what rules say of a room: that it locks or mutes once somebody is in it, and what happens when its last moderator has left.
 * Written down, so that a session that was lost goes on with it. Used by the session.
 */
export class Moderation {
  readonly #host: ModerationHost;
  /** When each room is looked at next, ms. */
  readonly #looks = new Map<string, number>();
  /** When those who wait before a room may come in, for its lock is over, ms. */
  readonly #openings = new Map<string, number>();

  constructor(host: ModerationHost) {
    this.#host = host;
  }

  /** A participant-join confirms the placement. */
  joined(row: Placement): void {
    const { room, tenant, placing } = row;
    if (placing.policies === undefined) return;
    const isFirst = this.#host.occupancy
      .participants(room)
      .every((other) => other.call_id === row.call_id || other.rule !== row.rule);
    const { lock, mute_all, when_moderator_leaves: leaves } = placing.policies;
    if (lock !== undefined && isFirst) this.#lock(tenant, room, lock);
    if (mute_all !== undefined && isFirst) this.#muteAll(tenant, room, mute_all.except);
    if (leaves === undefined) return;
    const data = { ...leaves, left_at: null, acted: false };
    if (!this.#mayAdd(tenant, room, "moderation")) return;
    this.#host.policies.set<"moderation">({ room, kind: "moderation", about: "", tenant, until: null, data });
  }

  /** Somebody came into these rooms, or left them. */
  moved(rooms: readonly string[]): void {
    for (const room of rooms) this.#look(room);
  }

  /** The room's lock is over at `at`, ms: then those who wait before it may come in. */
  opensAt(room: string, at: number): void {
    this.#openings.set(room, at);
    this.#host.rescheduled();
  }

  nextWakeAt(): number | null {
    const times = [...this.#looks.values(), ...this.#openings.values()];
    return times.length === 0 ? null : times.reduce((first, at) => Math.min(first, at));
  }

  run(now: number): void {
    for (const [room, at] of this.#openings) {
      if (at > now) continue;
      this.#openings.delete(room);
      this.#host.policies.forget();
      this.#host.placements.touched(room);
    }
    for (const [room, at] of this.#looks) {
      if (at > now) continue;
      this.#looks.delete(room);
      this.#look(room);
    }
  }

  /** At each alarm: what another incarnation had to look at, and what is over by now. */
  resume(): void {
    const { policies, placements } = this.#host;
    for (const room of policies.forget()) placements.touched(room);
    this.moved(this.#host.policies.moderated());
  }

  #look(room: string): void {
    const { policies, occupancy, now } = this.#host;
    const policy = policies.moderationOf(room);
    if (!policy) return;
    const { left_at, after_s, acted } = policy.data;
    if (occupancy.isStaffed(room)) {
      if (left_at !== null) this.#set(policy, { left_at: null, acted: false });
      return;
    }
    const due = (left_at ?? now()) + after_s * 1_000;
    if (left_at === null) {
      this.#set(policy, { left_at: now() });
      const data = { room, action: policy.data.then, due_at: due };
      this.#host.feed.tell(policy.tenant, "room.moderator_left", data);
    }
    if (acted) return;
    if (due > now()) this.#lookAt(room, due);
    else this.#act(policy);
  }

  #act(policy: Policy<"moderation">): void {
    const { room, tenant, data } = policy;
    // Before anything is done: it is done once.
    this.#set(policy, { acted: true });
    const say = data.say === undefined ? undefined : ({ say: data.say } as const);
    log("info", "room.moderator_left", { room, does: data.then });
    if (data.then === "end") {
      this.#do(tenant, room, { control: "end", lock_s: 0, ...(say === undefined ? {} : { say }) });
      return;
    }
    if (data.then === "lock") this.#lock(tenant, room, "refuse");
    if (data.then === "mute_all") this.#muteAll(tenant, room, ["moderator"]);
    if (say !== undefined) this.#do(tenant, room, { control: "announce", words: say });
  }

  #do(tenant: string, room: string, wish: Extract<ControlWish, { control: "end" | "announce" }>): void {
    const request: ControlRequest = { project_id: "", tenant, rooms: [room], wish };
    const { rooms } = this.#host;
    const done =
      wish.control === "end" ? rooms.end(request, wish, room) : rooms.announce(request, wish, room);
    done.catch((error: unknown) => log("error", "moderation.broke", { room, error: describeError(error) }));
  }

  #lock(tenant: string, room: string, mode: "refuse" | "lobby"): void {
    const { policies, placements } = this.#host;
    if (!this.#mayAdd(tenant, room, "lock")) return;
    policies.set<"lock">({ room, kind: "lock", about: "", tenant, until: null, data: { mode } });
    placements.touched(room);
  }

  /** What a rule says of a room is left undone where there is too much of it: the calls go on. */
  #mayAdd(tenant: string, room: string, kind: Policy["kind"]): boolean {
    const may = this.#host.policies.mayAdd({ room, kind, tenant });
    if (!may) log("error", "policies.many", { tenant, room, kind });
    return may;
  }

  #muteAll(tenant: string, room: string, except: string[]): void {
    if (!this.#mayAdd(tenant, room, "mute_all")) return;
    this.#host.rooms
      .muteBut(tenant, room, except)
      .catch((error: unknown) => log("error", "moderation.broke", { room, error: describeError(error) }));
  }

  #set(policy: Policy<"moderation">, changes: Partial<Policy<"moderation">["data"]>): void {
    this.#host.policies.set<"moderation">({ ...policy, data: { ...policy.data, ...changes } });
  }

  #lookAt(room: string, due: number): void {
    const known = this.#looks.get(room);
    if (known !== undefined && known <= due) return;
    this.#looks.set(room, due);
    this.#host.rescheduled();
  }
}
