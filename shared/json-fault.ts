/**
 * Where a text stops being JSON, as `: line 3, column 7`. The engine's own message would quote the text, secrets included, and for
 * a short text does not say where.
 * @param text that `JSON.parse` did not take.
 */
export function jsonFault(text: string): string {
  const before = text.slice(0, faultAt(text));
  return `: line ${before.split("\n").length}, column ${before.length - before.lastIndexOf("\n")}`;
}

const BLANKS = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a text
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end";

/** The offset of the first sign that no JSON has there; the text's length if it ends too soon. */
function faultAt(text: string): number {
  const open: string[] = [];
  let expected: Expected = "value";
  let offset = endOf(BLANKS, text, 0) ?? 0;
  while (offset < text.length) {
    const sign = text.charAt(offset);
    let end: number | undefined = offset + 1;
    if (expected === ", or end") {
      const around = open.at(-1);
      if (sign === around) open.pop();
      else if (sign === "," && around !== undefined) expected = around === "}" ? "key" : "value";
      else return offset;
    } else if (expected === ":") {
      if (sign !== ":") return offset;
      expected = "value";
    } else if ((expected === "key or }" && sign === "}") || (expected === "value or ]" && sign === "]")) {
      open.pop();
      expected = ", or end";
    } else if (expected === "key" || expected === "key or }") {
      end = endOf(TEXT, text, offset);
      expected = ":";
    } else if (sign === "{" || sign === "[") {
      open.push(sign === "{" ? "}" : "]");
      expected = sign === "{" ? "key or }" : "value or ]";
    } else {
      end = endOf(sign === '"' ? TEXT : SCALAR, text, offset);
      expected = ", or end";
    }
    if (end === undefined) return offset;
    offset = endOf(BLANKS, text, end) ?? end;
  }
  return offset;
}

/** Where a match that begins at the offset ends. */
function endOf(pattern: RegExp, text: string, offset: number): number | undefined {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
