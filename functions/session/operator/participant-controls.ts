import { sameCallerKey } from "../../../shared/identity.ts";
import { isLive } from "../../../shared/placement.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { describeError } from "../../log.ts";
import { callStatuses, evidenceOfStatuses } from "../../rest-calls.ts";
import {
  type ParticipantState,
  participantState,
  takeOutParticipant,
  updateParticipant,
} from "../../rest-controls.ts";
import type { ControlReply, ControlRequest, ControlWish, RefusalCode } from "../contract/controls.ts";
import type { DroppedCallers } from "../events/dropped-callers.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { Reach } from "./reach.ts";
import type { RunningCommands } from "./running-commands.ts";
import type { Evidence, Sightings } from "./sightings.ts";

/** SignalWire's clock and ours may lie apart by so much; an event from before is of what was before. */
const CLOCK_SKEW_MS = 500;
/** Music for somebody who is held is fetched again and again. */
const HELD_MS = 24 * 3_600_000;

type Change = Extract<ControlWish, { control: "change" }>;
type Remove = Extract<ControlWish, { control: "remove" }>;

/** What came of muting one of several. */
export interface Muted {
  state: "done" | "requested" | "refused";
  changed: boolean;
  by: "event" | "rest" | null;
  code?: string;
}

export interface ParticipantControlsHost {
  placements: Placements;
  occupancy: Occupancy;
  policies: RoomPolicies;
  dropped: Pick<DroppedCallers, "removed">;
  corrections: Pick<Corrections, "over">;
  reach: Reach;
  sightings: Sightings;
  running: RunningCommands;
  now(): number;
}

/** ParticipantControls — what operators do to one participant: each is sent once, and seen by an event or REST before it is called done. */
export class ParticipantControls {
  readonly #host: ParticipantControlsHost;

  constructor(host: ParticipantControlsHost) {
    this.#host = host;
  }

  async change(request: ControlRequest, wish: Change, row: Placement): Promise<ControlReply> {
    const { reach, running, sightings } = this.#host;
    const coached = this.#coached(request, wish, row);
    if (coached !== null) return coached;
    const wanted = wantedBy(wish);
    const found = await this.#find(row);
    if ("outcome" in found) return found;
    const { sid, before } = found;
    const subject = {
      name: nameOf(wish),
      room: row.room,
      conference_id: row.conference_id,
      row,
      wanted: { ...wanted },
    };
    // REST may show what was a moment ago: it is so already where the ledger says so, too.
    if (before !== null && isSo(before, wanted) && isSo(stateOf(row), wanted)) {
      if (typeof wish.held === "object" && wish.held.music !== undefined)
        return refused("already_held", "The participant is held already; unhold first to change the music.");
      const command = running.begin(request, subject);
      return running.done(command, row, { changed: false, verified_by: "rest", said: "it was so already" });
    }
    const form = await this.#formOf(wish, row);
    if (form === null)
      return refused("control_unavailable", "SignalWire was not told where it can fetch the music.");
    const command = running.begin(request, subject);
    const watch = sightings.watch(this.#evidenceOf(row, sid, wanted, before));
    const outcome = await reach.tell((project, signal) =>
      updateParticipant(project, sid, row.call_id, form, signal),
    );
    const sent = { by: "rest" as const, outcome: outcome.kind, ...codeOf(outcome) };
    const reply = await running.verified(command, row, watch, sent, () => {
      this.#learn(row, wanted);
      return before !== null && isSo(before, wanted) ? { changed: false } : {};
    });
    return sent.code === "404" ? unavailable("SignalWire's REST API does not know this participant") : reply;
  }

  /** Mutes for a policy of the room: what the participant is by now is asked first. Whether it is muted. */
  async muted(row: Placement): Promise<Muted> {
    const { reach, sightings, now } = this.#host;
    const wanted = { muted: true };
    const found = await this.#find(row);
    if ("outcome" in found)
      return { state: "refused", changed: false, by: null, code: "control_unavailable" };
    if (found.before !== null && isSo(found.before, wanted) && row.muted === 1) {
      return { state: "done", changed: false, by: "rest" };
    }
    const watch = sightings.watch(this.#evidenceOf(row, found.sid, wanted, found.before));
    try {
      const outcome = await reach.tell((project, signal) =>
        updateParticipant(project, found.sid, row.call_id, { Muted: "true" }, signal),
      );
      if (outcome.kind === "refused" || outcome.kind === "later")
        return { state: "refused", changed: false, by: null, code: codeOf(outcome).code ?? "429" };
      const by = await watch.seen(now() + 3_000);
      if (by !== null) this.#learn(row, wanted);
      return { state: by === null ? "requested" : "done", changed: by !== null, by };
    } finally {
      watch.stop();
    }
  }

  async remove(request: ControlRequest, wish: Remove, row: Placement): Promise<ControlReply> {
    const { running, policies, now } = this.#host;
    const caller = sameCallerKey(row.from, "from");
    if (wish.bar_s !== undefined && caller === null)
      return refused("number_withheld", "The caller's number is withheld: leave bar_s out.");
    const isBarred = wish.bar_s !== undefined && caller !== null;
    const { room, tenant } = row;
    if (isBarred && !policies.mayAdd({ room, kind: "barred", about: caller, tenant })) return tooMany();
    const subject = {
      name: "remove",
      room: row.room,
      conference_id: row.conference_id,
      row,
      wanted: { gone: true },
    };
    const command = running.begin(request, subject);
    const { watch, sent } = await this.end(row, wish.say);
    if (sent.kind !== "refused" && wish.bar_s !== undefined && caller !== null)
      policies.set<"barred">({
        room: row.room,
        kind: "barred",
        about: caller,
        tenant: row.tenant,
        until: now() + wish.bar_s * 1_000,
        data: {},
      });
    const outcome = sent.kind === "sent" ? "ok" : sent.kind;
    const how = { by: sent.by, outcome, ...(sent.kind === "refused" ? { code: sent.code } : {}) } as const;
    return await running.verified(command, row, watch, how, () => {
      this.ended(row);
      return {};
    });
  }

  /** Ends the call for good: nothing is kept for its caller, and no document of ours puts it back. */
  async end(row: Placement, say: Parameters<Reach["ending"]>[1]) {
    const { dropped, placements, reach, sightings } = this.#host;
    const ending = await reach.ending(row, say);
    const isHeld = say !== undefined && row.state === "joined" && row.joined_by === "relay";
    dropped.removed(row);
    const { sticky_key, joined_by, lives_on, hold_at, stay_at, may_stand } = row;
    // Led by a document of ours that speaks, its leave is nobody else's doing, and no end of the call follows it.
    const ledByUs = say === undefined ? {} : { joined_by: "document" as const, lives_on: 0 };
    placements.update(row, { sticky_key: null, hold_at: null, stay_at: null, may_stand: 0, ...ledByUs });
    const watch = sightings.watch(this.#goneEvidence(row));
    // A document that starts may leave the call in the room that RELAY put it in: its words are not for those who are there.
    const hasLeft = isHeld && (await this.#leave(row));
    const sent = await reach.command(row, ending);
    // It is as it was: its room's end ends it.
    if (!hasLeft && sent.kind === "refused")
      placements.update(row, { sticky_key, joined_by, lives_on, hold_at, stay_at, may_stand });
    if (!hasLeft || sent.kind !== "refused") return { watch, sent };
    // Out of the room, and nothing to hear.
    return { watch, sent: await reach.command(row, await reach.ending(row, undefined)) };
  }

  async #leave(row: Placement): Promise<boolean> {
    const { reach } = this.#host;
    const { conference_id } = row;
    const left =
      conference_id === null ? null : await reach.byRelay(row, "calling.leave_conference", { conference_id });
    if (left?.kind === "sent") return true;
    const sid = await reach.sidOf(row).catch(() => null);
    if (sid === null) return false;
    const removed = await reach.tell((project, signal) =>
      takeOutParticipant(project, sid, row.call_id, signal),
    );
    return removed.kind === "ok";
  }

  /** The call was seen to be over; where no event told of it, the ledger is put right. */
  ended(row: Placement): void {
    if (isLive(row.state)) this.#host.corrections.over(row, "an operator ended the call");
  }

  /** Where nobody watched any more: whether what was wanted is so by now. Throws where SignalWire does not answer. */
  async isSeen(row: Placement, wanted: Record<string, unknown>): Promise<boolean> {
    const { reach } = this.#host;
    if (wanted["gone"] === true) return await this.#goneEvidence(row).rest();
    const sid = await reach.sidOf(row);
    if (sid === null) return false;
    const state = await reach.ask((project, signal) => participantState(project, sid, row.call_id, signal));
    return state !== null && isSo(state, wanted as Partial<ParticipantState>); // Written by `change`.
  }

  #coached({ tenant }: ControlRequest, { coach, call_id }: Change, row: Placement): ControlReply | null {
    if (typeof coach !== "string") return null;
    const target = this.#host.occupancy
      .participants(row.room)
      .find((one) => one.call_id === coach && one.tenant === tenant);
    if (!target || coach === call_id)
      return refused("unknown_participant", "The call to be coached is not in the room.");
    return target.held === 1 ? refused("target_on_hold", "The call to be coached is held.") : null;
  }

  /** The participant as REST has it; `before` is null where REST knows the conference and does not list the call yet. */
  async #find(
    row: Placement,
  ): Promise<
    { sid: string; before: ParticipantState | null } | Extract<ControlReply, { outcome: "refused" }>
  > {
    const { reach } = this.#host;
    try {
      const sid = await reach.sidOf(row);
      if (sid === null) return unavailable("SignalWire's REST API does not list this call in its conference");
      const before = await reach.ask((project, signal) =>
        participantState(project, sid, row.call_id, signal),
      );
      return { sid, before };
    } catch (error) {
      return unavailable(`SignalWire's REST API does not answer (${describeError(error)})`);
    }
  }

  async #formOf({ muted, held, coach }: Change, row: Placement): Promise<Record<string, string> | null> {
    const music = typeof held === "object" ? held.music : undefined;
    const url =
      music === undefined
        ? undefined
        : await this.#host.reach.wordsUrl(row, `hold ${row.call_id}`, { play: music }, HELD_MS);
    if (url === null) return null;
    return {
      ...(muted === undefined ? {} : { Muted: String(muted) }),
      ...(held === undefined ? {} : { Hold: String(held !== false) }),
      ...(url === undefined ? {} : { HoldUrl: url, HoldMethod: "GET" }),
      ...(coach === undefined
        ? {}
        : coach === null
          ? { Coaching: "false" }
          : { Coaching: "true", CallSidToCoach: coach }),
    };
  }

  #evidenceOf(
    row: Placement,
    sid: string,
    wanted: Partial<ParticipantState>,
    before: ParticipantState | null,
  ): Evidence {
    const sent_at = this.#host.now();
    const { reach } = this.#host;
    const told: Partial<ParticipantState> = {};
    return {
      event: (event) => {
        if (!isAbout(event, row, sent_at)) return false;
        const { status, muted, hold, coaching } = event.params;
        const tellsAll = status === "participant-modify";
        if (status === "participant-mute" || status === "participant-unmute")
          told.muted = status === "participant-mute";
        else if (tellsAll && muted !== undefined) told.muted = muted;
        if (status === "participant-hold" || status === "participant-unhold")
          told.held = status === "participant-hold";
        else if (tellsAll && hold !== undefined) told.held = hold;
        // It does not tell whom: only where that is the change can it be told by it.
        const isTurned = before !== null && (before.coaching === null) !== (wanted.coaching === null);
        if (tellsAll && isTurned && wanted.coaching !== undefined && coaching === (wanted.coaching !== null))
          told.coaching = wanted.coaching;
        return isSo(told, wanted);
      },
      rest: async () => {
        const state = await reach.ask((project, signal) =>
          participantState(project, sid, row.call_id, signal),
        );
        return state !== null && isSo(state, wanted);
      },
    };
  }

  #goneEvidence(row: Placement): Evidence {
    const { reach } = this.#host;
    const sent_at = this.#host.now();
    return {
      event: (event) =>
        (event.kind === "state" &&
          event.params.call_id === row.call_id &&
          event.params.call_state === "ended") ||
        (isAbout(event, row, sent_at) && event.params.status === "participant-leave"),
      // That REST does not list it is no evidence; its own status is.
      rest: async () => {
        const statuses = await reach.ask((project, signal) =>
          callStatuses(project, row.call_id, row.segment_id, signal),
        );
        return evidenceOfStatuses(statuses) === "over";
      },
    };
  }

  /** What was seen is so in the ledger, too, though its event was lost. */
  #learn(row: Placement, { muted, held, coaching }: Partial<ParticipantState>): void {
    const changes = {
      ...(muted === undefined || (row.muted === 1) === muted ? {} : { muted: Number(muted) }),
      ...(held === undefined || (row.held === 1) === held ? {} : { held: Number(held) }),
      ...(coaching === undefined || row.coaching === coaching ? {} : { coaching }),
    };
    if (Object.keys(changes).length > 0) this.#host.placements.update(row, changes);
  }
}

/** Of this call in this conference, and not from before. */
function isAbout(
  event: RelayEvent,
  { call_id, conference_id, room }: Placement,
  since: number,
): event is Extract<RelayEvent, { kind: "conference" }> {
  if (event.kind !== "conference" || event.params.call_id !== call_id || event.params.name !== room)
    return false;
  const told = event.params.conference_id;
  if (told !== undefined && conference_id !== null && told !== conference_id) return false;
  return event.timestamp === undefined || event.timestamp * 1_000 >= since - CLOCK_SKEW_MS;
}

function wantedBy({ muted, held, coach }: Change): Partial<ParticipantState> {
  return {
    ...(muted === undefined ? {} : { muted }),
    ...(held === undefined ? {} : { held: held !== false }),
    ...(coach === undefined ? {} : { coaching: coach }),
  };
}

function isSo(state: Partial<ParticipantState>, wanted: Partial<ParticipantState>): boolean {
  return (
    (wanted.muted === undefined || state.muted === wanted.muted) &&
    (wanted.held === undefined || state.held === wanted.held) &&
    (wanted.coaching === undefined || state.coaching === wanted.coaching)
  );
}

function stateOf({ muted, held, coaching }: Placement): ParticipantState {
  return { muted: muted === 1, held: held === 1, coaching };
}

function nameOf({ muted, held, coach }: Change): string {
  const names = [
    ...(muted === undefined ? [] : [muted ? "mute" : "unmute"]),
    ...(held === undefined ? [] : [held === false ? "unhold" : "hold"]),
    ...(coach === undefined ? [] : [coach === null ? "uncoach" : "coach"]),
  ];
  return names.join("+");
}

export function codeOf(outcome: { kind: string; status?: number }): { code?: string } {
  return outcome.status === undefined ? {} : { code: String(outcome.status) };
}

export function refused(
  code: RefusalCode,
  message: string,
  more: { where?: string } = {},
): Extract<ControlReply, { outcome: "refused" }> {
  return { outcome: "refused", code, message, ...more };
}

/** Of what holds for a room until it is over there is room for so much alone. */
export function tooMany(): Extract<ControlReply, { outcome: "refused" }> {
  return refused(
    "too_many_policies",
    "Too many rooms are locked or muted and too many numbers barred: unlock some, or end without lock_s.",
  );
}

function unavailable(why: string): Extract<ControlReply, { outcome: "refused" }> {
  return refused(
    "control_unavailable",
    `${why}, and only REST has this control. Removing, moving and announcing work by RELAY, too.`,
  );
}
