import { apologyDocument, fallbackDocument } from "./fixed-words.ts";
import {
  askAgainDocument,
  heldDocument,
  inlineJoinDocument,
  stayDocument,
  unknownDocument,
} from "./outcomes.ts";
import { forgettingKeys, promptDocument } from "./prompt.ts";
import { announceDocument, handOverDocument, rejectDocument } from "./rule-documents.ts";
import type { Step } from "./step.ts";
import type { SwmlDocument } from "./swml.ts";
import { returnDocument, waitingDocument } from "./waiting.ts";

/** @param forget_keys What was keyed travels with every later fetch, unless the document forgets it first. */
export function writeSwml(next: Step, forget_keys = false): SwmlDocument {
  return forget_keys ? forgettingKeys(documentOf(next)) : documentOf(next);
}

function documentOf(next: Step): SwmlDocument {
  switch (next.does) {
    case "announce":
      return announceDocument(next.words, next.back);
    case "ask":
      return promptDocument(next.prompt, next.back);
    case "hold":
      return heldDocument(next.back, next, next.staying);
    case "ring":
      return unknownDocument(next.back, next.staying);
    case "stay":
      return stayDocument(next.staying);
    case "ask_again":
      return askAgainDocument(next, next.asks);
    case "join":
      return inlineJoinDocument(next.room, next.join, next.staying, next.asks, next.before?.words);
    case "wait":
      return waitingDocument(next);
    case "return":
      return returnDocument(next.value, next.position);
    case "reject":
      return rejectDocument(next.say, next.reason);
    case "hand_over":
      return next.swml === undefined ? apologyDocument() : handOverDocument(next.swml, next.params);
    case "apologise":
      return apologyDocument();
    case "refuse":
      return fallbackDocument();
    default:
      return next satisfies never;
  }
}
