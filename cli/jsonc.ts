const TOKEN = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=\s*[}\]])/g;

/**
 * JSON with comments and trailing commas as JSON, with blanks in place of both, so that every line and column stays where it
 * was. Texts in quotes are left alone; what is wrong otherwise is left for `JSON.parse` to find.
 */
export function blankComments(text: string): string {
  // A comma before a comment before a brace is a trailing one only once the comment is gone: hence two rounds.
  return blank(
    blank(text, (token) => token.startsWith("/")),
    (token) => token === ",",
  );
}

function blank(text: string, isBlanked: (token: string) => boolean): string {
  return text.replace(TOKEN, (token) => (isBlanked(token) ? token.replace(/[^\n\r]/g, " ") : token));
}
