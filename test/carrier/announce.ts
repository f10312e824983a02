import type { Clock } from "./clock.ts";
import type { Conference, CxmlSource } from "./conferences.ts";
import { isXml } from "./cxml/fetching.ts";
import { soundOf } from "./cxml/gather.ts";
import { type Prompt, type Verb, validateCxml } from "./cxml/verbs.ts";
import type { Journal } from "./journal.ts";
import { type OutgoingHost, outgoing } from "./outgoing.ts";

/** What of a project announcements need. */
export interface AnnounceHost extends OutgoingHost {
  readonly project_id: string;
  readonly clock: Clock;
  readonly journal: Journal;
}

/** A document that leads to itself is fetched no more often. */
export const most_redirects = 10;
/** A loop of 0 would never end. */
const endless = 0;

/**
 * Fetches a cXML document and plays it in the conference. Play, Say, Pause and Redirect alone make sense there.
 * @param only the call that hears it; without it, everybody does.
 */
export async function announceTo(
  project: AnnounceHost,
  conference: Conference,
  start: CxmlSource,
  only?: string,
): Promise<void> {
  let source: CxmlSource | null = start;
  for (let fetched = 0; source !== null; fetched += 1) {
    if (fetched > most_redirects)
      return note(project, conference, "violation", source, "it redirects for ever");
    const verbs = await fetchVerbs(project, conference, source);
    source = verbs === null ? null : await play(project, conference, source, verbs, only);
  }
}

export async function fetchVerbs(
  project: AnnounceHost,
  conference: Conference,
  { url, method }: CxmlSource,
): Promise<readonly Verb[] | null> {
  const fields = [
    ["AccountSid", project.project_id],
    ["ConferenceSid", conference.sid],
    ["FriendlyName", conference.name],
  ] as const;
  const sender = outgoing(project, "webhook", {}, () => {});
  const outcome = await sender.send({ kind: "cxml", url, method, fields });
  if (!outcome.ok || outcome.response.status !== 200) {
    const why = outcome.ok ? `status ${outcome.response.status}` : outcome.reason;
    note(project, conference, "document", { url, method }, why);
    return null;
  }
  const { headers, body } = outcome.response;
  const validation = isXml(headers["content-type"] ?? "") ? validateCxml(body) : null;
  if (validation?.ok) return validation.verbs;
  note(project, conference, "violation", { url, method }, "it is no cXML");
  return null;
}

/** Resolves when it was heard, with where it leads. */
async function play(
  project: AnnounceHost,
  conference: Conference,
  source: CxmlSource,
  verbs: readonly Verb[],
  only: string | undefined,
): Promise<CxmlSource | null> {
  for (const verb of verbs) {
    switch (verb.verb) {
      case "Say":
      case "Play":
      case "Pause":
        await hear(project, conference, verb, only);
        break;
      case "Redirect":
        return { url: verb.url, method: verb.method };
      default:
        note(project, conference, "violation", source, `${verb.verb} in an announcement`);
        return null;
    }
  }
  return null;
}

/** The participants who are in the conference when it begins hear it. */
async function hear(
  project: AnnounceHost,
  conference: Conference,
  prompt: Prompt,
  only: string | undefined,
): Promise<void> {
  const { playing, loop } = soundOf(prompt);
  for (let round = 0; round < (loop === endless ? 1 : loop); round += 1) {
    if (conference.state === "ended") return;
    const sound = prompt.verb === "Pause" ? "silence" : "announcement";
    const ends = [...conference.participants.values()]
      .filter(({ leg }) => only === undefined || leg.call_id === only)
      .map(({ leg }) => leg.hear(sound, playing.detail));
    await new Promise<void>((resolve) => {
      project.clock.after(playing.duration_ms, resolve);
    });
    for (const end of ends) end();
  }
}

export function note(
  project: AnnounceHost,
  { conference_id }: Conference,
  kind: "document" | "violation",
  { url }: CxmlSource,
  why: string,
): void {
  project.journal.note(kind, { announcement: url, conference_id, failed: why });
}
