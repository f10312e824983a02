import type { Ingress } from "../call.ts";
import type { JoinParameters } from "../conference.ts";
import type { HandOver, Spoken } from "../rules/decision.ts";
import type { Heard, Staying, Step } from "./step.ts";

/** Parameters of a join that hold no secret. All others are left out, future ones included. */
const OPEN_PARAMETERS: ReadonlySet<string> = new Set<keyof JoinParameters>([
  "muted",
  "beep",
  "start_on_enter",
  "end_on_exit",
  "max_participants",
  "record",
  "region",
  "trim",
  "coach",
]);

/**
 * The step as a request that SignalWire may not have sent can see it: no callbacks, no stream, and no URL with a query or
 * credentials, since a tenant's URLs hold tokens there. Null if the step cannot be done without one.
 */
export function withoutSecrets(next: Step, via: Ingress): Step | null {
  switch (next.does) {
    case "announce":
      return { ...next, ...openWords(next) };
    case "ask": {
      const [first, ...more] = next.prompt.words.filter(isOpenSound);
      // The question stands last: what comes before it is only about the last answer.
      const question = next.prompt.words.at(-1);
      if (first === undefined || question === undefined || !isOpenSound(question)) return null;
      return { ...next, prompt: { ...next.prompt, words: [first, ...more] } };
    }
    case "join": {
      const { asks: _, before, ...join } = next;
      const open = { join: openJoin(next.join), staying: openStaying(next.staying, via) };
      return { ...join, ...(before ? { before: openWords(before) } : {}), ...open };
    }
    case "reject":
      return next.say === undefined || isOpenSound(next.say) ? next : null;
    case "hand_over":
      return isOpenHandOver(next, via) ? next : null;
    case "return":
    case "stay":
    case "apologise":
    case "refuse":
      return next;
    // Only the session's answers lead to these, and it is not asked for such a request.
    case "hold":
    case "ring":
    case "ask_again":
    case "wait":
      return null;
    default:
      return next satisfies never;
  }
}

function openWords({ words }: Heard): Heard {
  return { words: words.filter(isOpenSound) };
}

function openJoin(join: JoinParameters): JoinParameters {
  const open = Object.entries(join).filter(
    ([name, value]) => OPEN_PARAMETERS.has(name) || (name === "wait_url" && isOpen(String(value))),
  );
  return Object.fromEntries(open) as JoinParameters; // Some of its own parameters.
}

function openStaying({ after, ...staying }: Staying, via: Ingress): Staying {
  return { ...staying, ...(after && isOpenHandOver(after, via) ? { after } : {}) };
}

function isOpenSound(spoken: Spoken): boolean {
  return !("play" in spoken) || isOpen(spoken.play);
}

/** Of the two URLs only the one of the call's own language is ever in a document. */
function isOpenHandOver({ swml, cxml }: Pick<HandOver, "swml" | "cxml">, via: Ingress): boolean {
  const url = via === "cxml" ? cxml : swml;
  return url === undefined || isOpen(url);
}

function isOpen(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed !== null && parsed.search === "" && parsed.username === "" && parsed.password === "";
}
