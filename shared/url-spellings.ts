/** One character of more than ASCII, escaped. */
const ESCAPED_CHARACTER =
  /%(?:C[2-9A-F]|D[0-9A-F]|E[0-9A-F]%[89AB][0-9A-F]|F[0-4](?:%[89AB][0-9A-F]){2})%[89AB][0-9A-F]/gi;

/** Each is hashed with the whole body. */
const MOST_SPELLINGS = 4;

/**
 * How a URL that was received may have been written where it was signed, as received first; at most four, no two alike.
 *
 * The runtime escapes `'` in a query and whatever is not ASCII; gateways escape `@` and `:` and sign them raw. Each of the two is
 * undone, and both; then half of what the runtime does, where the other was pasted escaped. What an escape keeps from being read as
 * syntax stays as it is: `& = + # / ? %`.
 */
export function spellingsOf(url: string): string[] {
  const [byRuntime, byGateway] = [beforeRuntime(url), beforeGateway(url)];
  const likely = [url, byRuntime, byGateway, beforeGateway(byRuntime), withQuotes(url), withCharacters(url)];
  return [...new Set(likely)].slice(0, MOST_SPELLINGS);
}

/** Other ways in which its characters may have been escaped or not: looked into only to name the cause. */
export function unlikelySpellingsOf(url: string): string[] {
  const [path = ""] = url.split("?", 1);
  const query = url.slice(path.length);
  const raw = query.replace(/%(?:2[27]|3[CE]|5[B-E]|60|7[B-D])/gi, decodeURIComponent);
  const queries = [
    query.replaceAll("%27", "'"),
    withCharacters(query),
    beforeGateway(query).replaceAll("%27", "'"),
    beforeGateway(withCharacters(query)),
    query.replace(/[@:']/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`),
    query.replace(/%[0-9a-f]{2}/gi, (code) => code.toLowerCase()),
    query.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase()),
    query.replaceAll("+", "%20"),
    query.replaceAll("%20", "+"),
    query.replaceAll("%20", " "),
    raw,
    withCharacters(raw),
    withCharacters(raw).replaceAll("%20", " "),
    beforeGateway(withCharacters(raw)).replaceAll("%20", " "),
  ];
  const likely = spellingsOf(url);
  return [...new Set(queries)].map((one) => path + one).filter((one) => !likely.includes(one));
}

function beforeRuntime(url: string): string {
  return withQuotes(withCharacters(url));
}

function withQuotes(url: string): string {
  return url.replaceAll("%27", "'");
}

function beforeGateway(url: string): string {
  return url.replaceAll("%40", "@").replace(/%3A/gi, ":");
}

function withCharacters(url: string): string {
  return url.replace(ESCAPED_CHARACTER, (escaped) => {
    try {
      return decodeURIComponent(escaped);
    } catch {
      // Bytes that are no character: some other encoding, which nobody but its writer escaped.
      return escaped;
    }
  });
}
