import type { Step, Waiting } from "../../../shared/documents/step.ts";
import { type Medium, mediumOf } from "../../../shared/media.ts";
import { timeoutOr } from "../../timeout.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { Placement } from "../store/placement-row.ts";
import type { CallControl } from "./call-control.ts";

/** Ringing, or a piece of music of which RELAY can't tell the end, plays this long before the queue is asked. */
const RING_S = 20;
/** The longest piece of music that is heard to its end. */
const MUSIC_MS = 10 * 60_000;
/** Shortest time between two questions to the queue, if nothing plays or it ends at once. */
const UNHEARD_MS = 2_000;
/** Shortest piece of music. */
const BROKEN_MS = 500;

interface Standing {
  control: Pick<CallControl, "play" | "interrupt" | "isGone">;
  queue: Pick<WaitingQueue, "attach">;
  /** The placement that waits; absent if the session has none. */
  row: Pick<Placement, "call_id" | "entry" | "step" | "state"> | undefined;
  /** Asks how the call stands. */
  ask(): Promise<Step>;
}

/**
 * Waits in the queue with music, and asks the queue after each piece, and at once when the turn has come. Resolves with the call's
 * next step; come: it continues with the state of its turn; null: it has ended.
 */
export async function waitInQueue(
  { control, queue, row, ask }: Standing,
  { announce, position, music }: Waiting,
): Promise<Step | "come" | null> {
  const ring: Medium = { type: "ringtone", params: { name: "us", duration: RING_S } };
  let sound = music === undefined ? ring : mediumOf({ play: music });
  let words = [...(announce === undefined ? [] : [announce]), ...(position === undefined ? [] : [position])];
  let isCalled = row?.state !== "waiting";
  let turn = Promise.withResolvers<void>();
  const called = () => {
    isCalled = true;
    turn.resolve();
    control.interrupt();
  };
  const leave = row ? queue.attach(row, called) : () => {};
  try {
    for (;;) {
      if (!isCalled) {
        const heard = { longest_ms: MUSIC_MS, file_ms: RING_S * 1_000 };
        const began_at = Date.now();
        const done = await control.play([...words.map(mediumOf), sound], heard);
        // A file that can't be played would leave the caller in silence for as long as the wait is.
        if (!isCalled && (done === "failed" || Date.now() - began_at < BROKEN_MS)) sound = ring;
        await timeoutOr(control.isGone ? 0 : began_at + UNHEARD_MS - Date.now(), turn.promise, undefined);
      }
      if (control.isGone) return null;
      // Before the question: its turn may come while the answer is on its way.
      isCalled = false;
      turn = Promise.withResolvers();
      const next = await ask();
      if (next.does === "return") {
        if (next.value === "come") return "come";
        words = next.position === undefined ? [] : [next.position];
        continue;
      }
      // It could not be decided, since KV did not answer, say: a waiting caller keeps the place in the queue.
      if (next.does !== "apologise" || row?.state !== "waiting") return next;
      words = [];
    }
  } finally {
    leave();
  }
}
