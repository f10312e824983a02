import { type AnnounceHost, fetchVerbs, most_redirects, note } from "./announce.ts";
import type { Conference, CxmlSource } from "./conferences.ts";
import { soundOf } from "./cxml/gather.ts";
import type { Leg } from "./leg.ts";

/** Plays a cXML document to someone who is held, again and again; the returned function ends it. */
export function hearHoldUrl(
  project: AnnounceHost,
  conference: Conference,
  leg: Leg,
  source: CxmlSource,
): () => void {
  const over = new AbortController();
  // The old sound ends before the next one begins.
  const sound = { end: () => {} };
  // Ends by the signal alone, and that it is ended is no news.
  void holdWith(project, conference, leg, source, sound, AbortSignal.any([over.signal, leg.ended])).catch(
    () => {},
  );
  return () => {
    over.abort(new Error("not held any more"));
    sound.end();
  };
}

async function holdWith(
  project: AnnounceHost,
  conference: Conference,
  leg: Leg,
  start: CxmlSource,
  sound: { end: () => void },
  signal: AbortSignal,
): Promise<void> {
  let source = start;
  for (let fetched = 0; !signal.aborted; fetched += 1) {
    if (fetched > most_redirects && source !== start)
      return note(project, conference, "violation", source, "it redirects for ever");
    const verbs = await fetchVerbs(project, conference, source);
    signal.throwIfAborted();
    if (verbs === null || verbs.length === 0) return;
    source = start;
    for (const verb of verbs) {
      if (verb.verb === "Redirect") {
        source = { url: verb.url, method: verb.method };
        break;
      }
      if (verb.verb !== "Say" && verb.verb !== "Play" && verb.verb !== "Pause")
        return note(project, conference, "violation", source, `${verb.verb} for someone who is held`);
      const { playing } = soundOf(verb);
      sound.end = leg.hear(playing.sound, playing.detail);
      await leg.sleep(playing.duration_ms, signal);
      sound.end();
    }
  }
}
