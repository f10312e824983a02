import type { Spoken } from "../rules/decision.ts";
import { comeBack, toUs } from "./outcomes.ts";
import type { Waiting } from "./step.ts";
import { document, type PlayStep, playStep, type Step, type SwmlDocument } from "./swml.ts";

/** Without music the line rings in pieces of so many seconds. */
const RING_S = 20;
/** A URL is played so often in one round at most, however short the sound is. */
const MOST_PLAYS = 100;
/** The section by which a call leaves the rounds: what it carries is in the document once. */
const COME = "come";

/**
 * Music, a question how it stands, music: for as long as the answer is to stay, and as often as `rounds` says. Whether an `execute`
 * counts among the 32 transfers of a call is not published: each round has one.
 */
export function waitingDocument(waiting: Waiting): SwmlDocument {
  const { announce, position, turn } = waiting;
  const { version, sections } = document(
    { answer: {} },
    ...(announce === undefined ? [] : [playStep(announce)]),
    ...positionSteps(position),
    ...Array.from({ length: waiting.rounds }, () => roundOf(waiting)).flat(),
    comeBack(turn),
  );
  return { version, sections: { ...sections, [COME]: [comeBack(turn)] } };
}

function roundOf({ music, music_s, round_s, poll }: Waiting): Step[] {
  const url = music ?? `ring:${RING_S}:us`;
  const length_s = music === undefined ? RING_S : music_s;
  // How long the music is, is known once it was played.
  const plays =
    length_s === undefined ? 1 : Math.min(MOST_PLAYS, Math.max(1, Math.round(round_s / length_s)));
  const urls = Array.from({ length: plays }, () => url);
  return [
    plays === 1 ? { play: { url } } : { play: { urls } },
    { execute: toUs(poll) },
    {
      switch: {
        variable: "return_value",
        case: { come: [{ transfer: { dest: COME } }] },
        // Without a default a value that is no case is an error; this one goes on with the next round.
        default: [{ sleep: 1 }],
      },
    },
  ];
}

/** What a poll is answered with. */
export function returnDocument(value: "stay" | "come", position?: Spoken): SwmlDocument {
  return document(...positionSteps(position), { return: value });
}

function positionSteps(position: Spoken | undefined): PlayStep[] {
  return position === undefined ? [] : [playStep(position)];
}
