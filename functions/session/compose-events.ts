import { Backlog } from "./events/backlog.ts";
import { ConferenceEndings } from "./events/conference-endings.ts";
import { ConferenceEvents } from "./events/conference-events.ts";
import { DroppedCallers } from "./events/dropped-callers.ts";
import { FollowUps } from "./events/follow-ups.ts";
import { ParticipantChanges } from "./events/participant-changes.ts";
import { RoomEvents } from "./events/room-events.ts";
import { SeatDoubts } from "./events/seat-doubts.ts";
import { SplitRooms } from "./events/split-rooms.ts";
import type { Repositories } from "./repositories.ts";
import { ConferenceEnds } from "./store/conference-ends.ts";
import type { Placement } from "./store/placement-row.ts";

/** What hears of changes to a participant, in their turn. */
interface Listener {
  /** Told of every placement that a participant-join confirms. */
  joined(row: Placement): void;
  /** The call is over: if it waits for its room, it does no more. */
  stopsWaiting(row: Placement): void;
}

/** What is done with events: everything on which one bears, from one participant to the end of a conference. */
export interface EventParts {
  events: ConferenceEvents;
  participants: ParticipantChanges;
  dropped: DroppedCallers;
  splits: SplitRooms;
  /** What one turn was too short for. */
  backlog: Backlog;
}

/** Builds what acts on events. Used by the session. */
export function composeEvents(
  tables: Repositories,
  { joined, stopsWaiting }: Listener,
  now: () => number,
): EventParts {
  const { placements, pendingCommands, occupancy, observations, members, checks } = tables;
  const backlog = new Backlog();
  const splits = new SplitRooms(occupancy, observations, tables.news, now);
  const doubts = new SeatDoubts(placements, pendingCommands, tables.counters, backlog, now);
  const isOver = (conference_id: string) => endings.isOver(conference_id);
  const dropped = new DroppedCallers(placements, occupancy, tables.heldSeats, tables.recorded, isOver, now);
  const followUps = new FollowUps(
    placements,
    pendingCommands,
    dropped,
    tables.recorded,
    (row, isProved) => {
      const perhapsGone = splits.joined(row, isProved);
      if (perhapsGone.length > 0) {
        doubts.doubt(perhapsGone);
        checks.demand(row.room);
      }
      joined(row);
    },
    now,
  );
  const participants = new ParticipantChanges(
    placements,
    tables.joins,
    tables.trust,
    followUps,
    { isOver, stopsWaiting },
    now,
  );
  const endings = new ConferenceEndings(
    new ConferenceEnds(tables.disk),
    members,
    backlog,
    {
      endedFor: (key, end) => events.endedFor(key, end),
      emptied: (room, at) => dropped.emptied(room, at),
      isSplit: (room) => splits.has(room),
    },
    now,
  );
  const rooms = new RoomEvents(checks, observations, endings);
  const events = new ConferenceEvents(placements, members, participants, { doubts, rooms }, now);
  return { events, participants, dropped, splits, backlog };
}
