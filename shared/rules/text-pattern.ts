/** What a text is compared with: the pieces between the stars of `site-*-gold`. */
export type Pattern = readonly string[];

/** The pattern, or null for a text without a star, which stands for itself. */
export function readPattern(text: string): Pattern | null {
  return text.includes("*") ? text.split("*") : null;
}

/** Whether the text fits, each star being any text. Takes time in proportion to the text for each piece, whatever they say. */
export function fits(pattern: Pattern, text: string): boolean {
  const first = pattern[0] ?? "";
  const last = pattern.at(-1) ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pattern.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
