import type { Spoken } from "../rules/decision.ts";
import type { Waiting } from "./next.ts";
import { comeBack, toUs } from "./outcomes.ts";
import { playStep } from "./spoken.ts";
import { document, type PlayStep, type Step, type SwmlDocument } from "./swml.ts";

/**
 * How often the music is played, and we are asked, before the call has to come back: an `execute` costs no transfer. The two
 * hours that a wait may last cost one transfer where it rings, and 15 where the music lasts two seconds.
 */
const SLOTS = 240;
/** Without music the line rings so long between two questions, in seconds: who hears it knows that the call is alive. */
const RING_S = 20;

/** Music, a question how it stands, music: for as long as the answer is to stay. */
export function waitingDocument(waiting: Waiting): SwmlDocument {
  const { announce, position, music, poll, turn } = waiting;
  const slots = Array.from({ length: SLOTS }, (): Step => ({ execute: { dest: "slot" } }));
  const { version, sections } = document(
    { answer: {} },
    ...(announce === undefined ? [] : [playStep(announce)]),
    ...positionSteps(position),
    ...slots,
    comeBack(turn),
  );
  const slot: Step[] = [
    { play: { url: music ?? `ring:${RING_S}:us` } },
    { execute: toUs(poll) },
    {
      switch: {
        variable: "return_value",
        case: { come: [comeBack(turn)] },
        default: [{ return: "stay" }],
      },
    },
  ];
  return { version, sections: { ...sections, slot } };
}

/** What a poll is answered with. */
export function returnDocument(value: "stay" | "come", position?: Spoken): SwmlDocument {
  return document(...positionSteps(position), { return: value });
}

function positionSteps(position: Spoken | undefined): PlayStep[] {
  return position === undefined ? [] : [playStep(position)];
}
