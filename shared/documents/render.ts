import { findExpansion, holdsExpansion } from "./expansion.ts";
import { apologyDocument } from "./fixed-words.ts";
import type { SwmlDocument } from "./swml.ts";

export const HOLDS_MARK = "it held ${ or %{";

export type Rendered =
  | { ok: true; body: string }
  /** The body is the apology; `path` is the place in the document that could not be sent. */
  | { ok: false; body: string; path: string; why: string };

/**
 * The one way out for a document. Every string is checked as it will be sent, so that no mark formed of two pieces
 * slips through; a document that holds one is never sent, and the caller hears the apology instead.
 */
export function render(document: SwmlDocument): Rendered {
  const body = JSON.stringify(document);
  // JSON escapes none of a mark's characters and puts none of them before a brace of its own: the text tells all.
  if (!holdsExpansion(body)) return { ok: true, body };
  return {
    ok: false,
    body: JSON.stringify(apologyDocument()),
    path: findExpansion(document) ?? "",
    why: HOLDS_MARK,
  };
}
