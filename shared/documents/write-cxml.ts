import { toUtf8 } from "../encoding.ts";
import type { Prompt, Spoken } from "../rules/decision.ts";
import { conferenceAttributes } from "./cxml-conference.ts";
import { cxmlUrl } from "./cxml-url.ts";
import { holdsExpansion } from "./expansion.ts";
import { apology, notTaken } from "./fixed-words.ts";
import { HOLDS_MARK, type Rendered } from "./render.ts";
import type { Join, ResumeUrl, Step, Waiting } from "./step.ts";
import { element, writeXml, type XmlElement } from "./xml.ts";

/** SignalWire takes no more, in bytes. */
const DOCUMENT_LENGTH = 64_000;
/** For a first digit and for the next alike. */
const DIGIT_S = 6;
/** What is said to one who waits without music, how often before the call asks again, and how long it is quiet in between. */
const HOLD_THE_LINE = "Please hold the line.";
const HOLDS = 3;
const QUIET_S = 2;
/** A day: longer than any call. */
const FOR_GOOD_S = 86_400;

/** @param answered Whether the call is: only one that is not can be rejected unheard. */
export function writeCxml(next: Step, answered: boolean): Rendered {
  const body = writeXml(element("Response", {}, ...verbsOf(next, answered)));
  // Nobody says that marks are expanded in cXML. What XML can't hold is left out of it, so only here is seen what is sent.
  const isLong = toUtf8(body).length > DOCUMENT_LENGTH;
  if (!isLong && !holdsExpansion(body)) return { ok: true, body };
  const sorry = writeXml(element("Response", {}, ...saidLast(apology)));
  const why = isLong ? `it is over ${DOCUMENT_LENGTH} bytes` : HOLDS_MARK;
  return { ok: false, body: sorry, path: next.does, why };
}

/** Words alone, for whom a conference announces them to. */
export function writeWords(words: Spoken): Rendered {
  const body = writeXml(element("Response", {}, speak(words)));
  if (!holdsExpansion(body)) return { ok: true, body };
  return { ok: false, body: writeXml(element("Response", {})), path: "words", why: HOLDS_MARK };
}

function verbsOf(next: Step, answered: boolean): XmlElement[] {
  switch (next.does) {
    case "announce":
      return [...next.words.map(speak), redirect(next.back)];
    case "ask":
      // Gather's action is fetched whatever was keyed. Should it not be, the call comes back all the same.
      return [gather(next.prompt, next.back), redirect(next.back)];
    // RELAY joins no call that came by cXML, so these three are never needed; they do what they say, as well as cXML can.
    case "hold":
      return [pause(Math.max(1, Math.ceil(next.ms / 1000))), redirect(next.back)];
    case "ring":
      return [redirect(next.back)];
    case "stay":
      return [pause(FOR_GOOD_S)];
    // Only documents that can say how a join went are asked about it again.
    case "ask_again":
      return saidLast(apology);
    case "join":
      return joinVerbs(next);
    case "wait":
      return waitVerbs(next);
    case "reject": {
      if (next.say) return [speak(next.say), element("Hangup")];
      const reason = next.reason === "busy" ? "busy" : "rejected";
      return [answered ? element("Hangup") : element("Reject", { reason })];
    }
    case "hand_over":
      return next.cxml === undefined ? saidLast(apology) : [handOver(next.cxml)];
    // Nothing in cXML asks and goes on with what it is told.
    case "return":
    case "apologise":
      return saidLast(apology);
    case "refuse":
      return saidLast(notTaken);
    default:
      return next satisfies never;
  }
}

function joinVerbs({ room, join, staying, before, over }: Join): XmlElement[] {
  const { max_duration_s, after } = staying;
  const dial = element(
    "Dial",
    {
      ...(over ? returnsTo(over) : {}),
      timeLimit: max_duration_s === undefined ? undefined : String(max_duration_s),
    },
    element("Conference", conferenceAttributes(join), room),
  );
  // A state too long to be carried: how it went is not asked, but what comes after still does.
  const heard = (before?.words ?? []).map(speak);
  return [...heard, dial, after?.cxml === undefined ? element("Hangup") : handOver(after.cxml)];
}

/** A call asks again every ten seconds or so, or each time that the music has played: its turn may have come. */
function waitVerbs({ position, announce, music, turn }: Waiting): XmlElement[] {
  const heard: XmlElement[] = [];
  if (announce) heard.push(speak(announce));
  if (position !== undefined) heard.push(speak(position));
  if (music !== undefined) heard.push(speak({ play: music }));
  else for (let i = 0; i < HOLDS; i += 1) heard.push(speak({ say: HOLD_THE_LINE }), pause(QUIET_S));
  return [...heard, redirect(turn)];
}

function gather({ words, max_digits, terminator }: Prompt, back: ResumeUrl): XmlElement {
  const settings = {
    ...returnsTo(back),
    numDigits: String(max_digits),
    // Absent it would be #, where nothing but the number of digits and a pause are to end the answer.
    finishOnKey: terminator ?? "",
    timeout: String(DIGIT_S),
    actionOnEmptyResult: "true",
  };
  return element("Gather", settings, ...words.map(speak));
}

function speak(spoken: Spoken): XmlElement {
  if ("play" in spoken) return element("Play", {}, spoken.play);
  return element("Say", { language: spoken.language, voice: spoken.voice }, spoken.say);
}

function saidLast(words: string): XmlElement[] {
  return [speak({ say: words }), element("Hangup")];
}

function pause(seconds: number): XmlElement {
  return element("Pause", { length: String(seconds) });
}

function redirect(back: ResumeUrl): XmlElement {
  return element("Redirect", { method: "POST" }, urlOf(back));
}

function handOver(url: string): XmlElement {
  return element("Redirect", { method: "POST" }, url);
}

function returnsTo(back: ResumeUrl): Record<string, string> {
  return { action: urlOf(back), method: "POST" };
}

/** A way back that could not be walked is never given out. */
function urlOf(back: ResumeUrl): string {
  return cxmlUrl(back) ?? back.dest;
}
