import { Dispatcher } from "./commands/dispatcher.ts";
import { runCommands } from "./commands/run-commands.ts";
import type { EventParts } from "./compose-events.ts";
import type { WaitingQueue } from "./queue/waiting-queue.ts";
import { Corrections } from "./reconcile/corrections.ts";
import { RecordingReconciler } from "./reconcile/reconcile-recordings.ts";
import { askingBy, Reconciler } from "./reconcile/reconciler.ts";
import { Whereabouts } from "./reconcile/whereabouts.ts";
import type { RelayManager } from "./relay/relay-manager.ts";
import type { Repositories } from "./repositories.ts";
import type { Scheduler } from "./scheduler.ts";

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
      reconciler: new Reconciler({ ...parts, ...askingBy(relayManager) }, now),
      recordingReconciler: new RecordingReconciler(parts, now),
      whereabouts: new Whereabouts(parts, tables.turns),
    },
    () => scheduler.changed(dispatcher),
  );
  return { corrections, dispatcher };
}
