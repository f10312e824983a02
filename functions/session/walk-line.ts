import type { Next, Waiting } from "../../shared/documents/next.ts";
import { type Medium, mediumOf } from "../../shared/media.ts";
import type { Spoken } from "../../shared/rules/decision.ts";
import type { CallControl } from "./call-control.ts";
import type { Line } from "./line.ts";
import type { Placement } from "./placements.ts";

/** Ringing, or a piece of music of which RELAY can't tell the end, is heard so long before the line is asked. */
const RING_S = 20;
/** The longest piece of music that is heard to its end. */
const MUSIC_MS = 10 * 60_000;
/** Where nothing can be played the line is asked no oftener than this. */
const UNHEARD_MS = 2_000;

interface Standing {
  control: CallControl;
  line: Line;
  /** The placement that waits; absent where the session has none. */
  row: Placement | undefined;
  /** Asks how the call stands. */
  ask(): Promise<Next>;
}

/**
 * Stands in the line with music, and asks how that stands after each piece of it, and at once when the turn has come. Resolves
 * with what the call is to do then; come: with what coming from the line brings; null: it has ended.
 */
export async function standInLine(
  { control, line, row, ask }: Standing,
  { announce, position, music }: Waiting,
): Promise<Next | "come" | null> {
  const sound: Medium =
    music === undefined
      ? { type: "ringtone", params: { name: "us", duration: RING_S } }
      : mediumOf({ play: music });
  let words = [...(announce === undefined ? [] : [announce]), ...placeWords(position)];
  let isCalled = row?.state !== "waiting";
  const called = () => {
    isCalled = true;
    control.interrupt();
  };
  const leave = row ? line.lead(row, called) : () => {};
  try {
    for (;;) {
      if (!isCalled) {
        const heard = { longest_ms: MUSIC_MS, file_ms: RING_S * 1_000 };
        const done = await control.play([...words.map(mediumOf), sound], heard);
        if (done === "failed") await scheduler.wait(UNHEARD_MS);
      }
      if (control.isGone) return null;
      const next = await ask();
      if (next.does !== "return") return next;
      if (next.value === "come") return "come";
      isCalled = false;
      words = placeWords(next.position);
    }
  } finally {
    leave();
  }
}

function placeWords(position: number | undefined): Spoken[] {
  return position === undefined ? [] : [{ say: `You are number ${position} in line.` }];
}
