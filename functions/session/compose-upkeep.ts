import type { CopyBucket } from "../recording-copy.ts";
import { callStatuses } from "../rest-calls.ts";
import { listRoom } from "../rest-conferences.ts";
import type { FairSlots } from "../slots.ts";
import { Dispatcher } from "./commands/dispatcher.ts";
import { runCommands } from "./commands/run-commands.ts";
import type { EventParts } from "./compose-events.ts";
import type { WaitingQueue } from "./queue/waiting-queue.ts";
import { RecordingCopier } from "./reconcile/copy-recordings.ts";
import { Corrections } from "./reconcile/corrections.ts";
import { type AskStatuses, MissingCalls } from "./reconcile/missing-calls.ts";
import { RecordingReconciler } from "./reconcile/reconcile-recordings.ts";
import { type ListRoom, RoomReconciler } from "./reconcile/reconcile-room.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { SeatReleases } from "./reconcile/seat-releases.ts";
import { Whereabouts } from "./reconcile/whereabouts.ts";
import type { RelayManager } from "./relay/relay-manager.ts";
import type { Repositories } from "./repositories.ts";
import type { Scheduler } from "./scheduler.ts";

const REST_MS = 4_000;

/** What a session's other parts are built on. Given to what builds them, and to no part itself. */
export interface Base {
  tables: Repositories;
  relayManager: RelayManager;
  queue: WaitingQueue;
  scheduler: Scheduler;
}

/** What keeps the tables true to SignalWire, and gives the commands that calls are owed. */
export interface Upkeep {
  corrections: Corrections;
  dispatcher: Dispatcher;
}

/** Builds what runs by the clock: pending commands, and the comparison with REST. Used by the session. */
export function composeUpkeep({ tables, relayManager, queue, scheduler }: Base, events: EventParts): Upkeep {
  const now = Date.now;
  const corrections = new Corrections({ ...tables, ...events }, tables.counters, tables.history, now);
  const parts = { ...tables, relayManager, queue, corrections };
  const dispatcher: Dispatcher = new Dispatcher(
    { ...tables, backlog: events.backlog },
    corrections,
    {
      commands: () => runCommands({ ...parts, now }),
      reconciler: composeReconciler(tables, corrections, askingBy(relayManager), now),
      recordingReconciler: new RecordingReconciler(parts, now),
      whereabouts: new Whereabouts(parts, tables.turns),
    },
    () => scheduler.changed(dispatcher),
  );
  return { corrections, dispatcher };
}

/**
 * Builds what copies recordings into the Worker's bucket. Used by the session, where one is bound.
 * @param spare the connection of what may wait for a server that does not answer.
 */
export function composeCopier(
  { tables, relayManager, scheduler }: Omit<Base, "queue">,
  bucket: CopyBucket,
  spare: FairSlots,
): RecordingCopier {
  const copier: RecordingCopier = new RecordingCopier({
    ...tables,
    bucket,
    project: () => relayManager.project(),
    run: (tenant, request) => spare.run(tenant, () => relayManager.pool.run("list", request)),
    now: Date.now,
  });
  tables.recordingCopies.begin(() => scheduler.changed(copier));
  return copier;
}

/** What the reconciler asks of SignalWire, and of the project's record. */
interface Asking {
  list: ListRoom;
  statuses: AskStatuses;
  /** How long a participant in doubt keeps the seat without evidence. */
  seat_doubt_ms(): number;
}

/** Builds what compares rooms with REST and with the sizes that events tell. */
export function composeReconciler(
  tables: Repositories,
  corrections: Corrections,
  { list, statuses, seat_doubt_ms }: Asking,
  now: () => number,
): Reconciler {
  const parts = { ...tables, corrections };
  const rooms = new RoomReconciler(parts, new MissingCalls(parts, statuses, now), list, now);
  const releases = new SeatReleases(parts, tables.turns, now);
  return new Reconciler(tables, rooms, releases, seat_doubt_ms, now);
}

/** REST, asked over the few connections that a session has. */
export function askingBy(relayManager: RelayManager): Asking {
  return {
    list: async (room) =>
      await relayManager.rest("list", REST_MS, (project, signal) => listRoom(project, room, signal)),
    statuses: async ({ call_id, segment_id }) =>
      await relayManager.rest("question", REST_MS, (project, signal) =>
        callStatuses(project, call_id, segment_id, signal),
      ),
    seat_doubt_ms: () => relayManager.seat_doubt_ms,
  };
}
