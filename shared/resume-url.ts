/**
 * The URL by which a call comes back to us without a sealed state: it names the call's placement, and says nothing that the call
 * itself does not know. Used where the session sends a call back, and where a document asks what its join's result means.
 */
export interface ResumedAt {
  entry: string;
  step: number;
  /** How often the call has come back so; each time it asks anew. */
  asked: number;
}

/** A call that the session puts back asks from here on, the next time from twice this, so that no question is taken for an older one. */
export const ASKED_BETWEEN = 100;

/** Set in the URL's query, with what `ResumedAt` holds. */
const RESUME = "resume";
/** Set to 1 where the call's own document has joined, and its result is in `vars`. */
const JOINED = "joined";

/** @param hooks `https://…/hooks/<tenant>`; @param fragment with its `#`, or "". */
export function resumeUrl(
  hooks: string,
  { entry, step, asked }: ResumedAt,
  { joined, fragment = "" }: { joined: boolean; fragment?: string },
): string {
  return `${hooks}/swml?${RESUME}=${entry}.${step}.${asked}${joined ? `&${JOINED}=1` : ""}${fragment}`;
}

/** Reads the query of a webhook's URL; null where it is no such URL. */
export function readResume(query: URLSearchParams): (ResumedAt & { joined: boolean }) | null {
  const [, entry, step, asked] =
    /^([0-9a-f]{16})?\.(\d{1,4})\.(\d{1,3})$/.exec(query.get(RESUME) ?? "") ?? [];
  if (step === undefined || asked === undefined) return null;
  return { entry: entry ?? "", step: Number(step), asked: Number(asked), joined: query.get(JOINED) === "1" };
}
