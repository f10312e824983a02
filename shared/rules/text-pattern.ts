/**
 * What it takes to search a text for another. Seen: 5 ns a character for a few that nearly fit, and 0.4 ns for each pair of
 * characters where both are long.
 */
export function searchSteps(chars: number, sought: number): number {
  return chars * (0.6 + sought / 40);
}

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

/** What a text's every character may take: only pieces between two stars are searched for. */
export function stepsPerChar(pattern: Pattern): number {
  const longest = pattern.slice(1, -1).reduce((most, { length }) => Math.max(most, length), 0);
  return longest === 0 ? 0 : searchSteps(1, longest);
}
