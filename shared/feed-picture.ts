import type { FeedEvent, FeedFrame, FeedParticipant, FeedRoom, FeedWaiter } from "./api/feed.ts";

interface RoomState {
  /** null: there are no participants. */
  head: { locked: FeedRoom["locked"]; recordings: Map<string, FeedRoom["recordings"][number]> } | null;
  participants: Map<string, FeedParticipant>;
  waiting: Map<string, FeedWaiter>;
}

/**
 * FeedPicture — who is where, kept up to date by the feed's frames in the order in which they come, over any number of connections.
 * What is told twice changes nothing. Used by clients of the feed.
 */
export class FeedPicture {
  #seq: number | null = null;
  #rooms = new Map<string, RoomState>();
  /** A snapshot of which more parts are to come. */
  #parts: FeedRoom[] = [];

  /** What to connect with as `after`; null: nothing is known yet. */
  get seq(): number | null {
    return this.#seq;
  }

  apply(frame: FeedFrame): void {
    switch (frame.type) {
      case "resumed":
        this.#parts = [];
        return;
      case "gap":
        // Until the snapshot is whole a new connection must not go on from here.
        this.#seq = null;
        this.#parts = [];
        return;
      case "snapshot":
        this.#parts.push(...frame.data.rooms);
        if (frame.data.more) return;
        this.#rooms = new Map(this.#parts.map((room) => [room.room, stateOf(room)]));
        this.#parts = [];
        this.#seq = frame.seq;
        return;
      default:
        if (this.#seq === null || frame.seq <= this.#seq) return;
        this.#seq = frame.seq;
        this.#happened(frame);
    }
  }

  /** A connection was lost: the parts of a snapshot that it brought come anew. */
  disconnected(): void {
    this.#parts = [];
  }

  /** By name. */
  rooms(): FeedRoom[] {
    return [...this.#rooms].map(([room, state]) => shown(room, state)).sort(by(({ room }) => room));
  }

  #happened(event: FeedEvent): void {
    switch (event.type) {
      case "room.started": {
        const { room, locked, recordings } = event.data;
        const head = { locked, recordings: new Map(recordings.map((one) => [one.id, one])) };
        this.#change(room, (state) => Object.assign(state, { head, participants: new Map() }));
        return;
      }
      case "room.ended":
        this.#change(event.data.room, (state) =>
          Object.assign(state, { head: null, participants: new Map() }),
        );
        return;
      case "room.locked": {
        const { room, mode, until } = event.data;
        this.#change(room, ({ head }) => head && Object.assign(head, { locked: { mode, until } }));
        return;
      }
      case "room.unlocked":
        this.#change(event.data.room, ({ head }) => head && Object.assign(head, { locked: null }));
        return;
      case "participant.joined":
      case "participant.updated": {
        const { room, participant } = event.data;
        this.#change(room, ({ participants }) => participants.set(participant.call_id, participant));
        return;
      }
      case "participant.left":
        this.#change(event.data.room, ({ participants }) => participants.delete(event.data.call_id));
        return;
      case "lobby.waiting": {
        const { rooms, waiter } = event.data;
        for (const room of rooms) this.#change(room, ({ waiting }) => waiting.set(waiter.id, waiter));
        return;
      }
      case "lobby.admitted":
      case "lobby.rejected":
      case "lobby.left":
        for (const room of event.data.rooms)
          this.#change(room, ({ waiting }) => waiting.delete(event.data.id));
        return;
      case "recording.started":
      case "recording.paused":
      case "recording.resumed": {
        const { room, recording } = event.data;
        this.#change(room, ({ head }) => head?.recordings.set(recording.id, recording));
        return;
      }
      case "recording.stopped":
      case "recording.failed": {
        const { room, recording } = event.data;
        this.#change(room, ({ head }) => head?.recordings.delete(recording.id));
        return;
      }
      case "room.moderator_left":
      case "room.split":
      case "participant.moved":
      case "participant.removed":
      case "participant.speaking":
      case "call.placed":
      case "call.refused":
      case "recording.available":
      case "dial.updated":
      case "command.done":
      case "command.failed":
      case "rules.changed":
        return;
      default:
        // A type that is newer than this client.
        event satisfies never;
    }
  }

  #change(room: string, change: (state: RoomState) => unknown): void {
    const state = this.#rooms.get(room) ?? {
      head: null,
      participants: new Map(),
      waiting: new Map(),
    };
    change(state);
    if (state.head === null && state.participants.size + state.waiting.size === 0) this.#rooms.delete(room);
    else this.#rooms.set(room, state);
  }
}

function stateOf({ locked, recordings, participants, waiting }: FeedRoom): RoomState {
  const head = { locked, recordings: new Map(recordings.map((one) => [one.id, one])) };
  return {
    head: participants.length > 0 ? head : null,
    participants: new Map(participants.map((one) => [one.call_id, one])),
    waiting: new Map(waiting.map((one) => [one.id, one])),
  };
}

function shown(room: string, { head, participants, waiting }: RoomState): FeedRoom {
  return {
    room,
    locked: head?.locked ?? null,
    recordings: [...(head?.recordings.values() ?? [])].sort(by(({ id }) => id)),
    participants: [...participants.values()].sort(by(({ call_id }) => call_id)),
    waiting: [...waiting.values()].sort(by(({ id }) => id)),
  };
}

function by<T>(key: (one: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : 1);
}
