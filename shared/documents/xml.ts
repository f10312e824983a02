/** An element of a document, before it is written. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: (XmlElement | string)[];
}

export function element(
  name: string,
  attributes: Record<string, string | undefined> = {},
  ...children: (XmlElement | string)[]
): XmlElement {
  const given = Object.entries(attributes).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { name, attributes: Object.fromEntries(given), children };
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

/** The document as it is sent. Names are ours; every value is escaped, and what XML can't hold is left out. */
export function writeXml(root: XmlElement): string {
  return DECLARATION + write(root);
}

function write({ name, attributes, children }: XmlElement): string {
  const start = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  const head = `<${name}${start.join("")}`;
  if (children.length === 0) return `${head}/>`;
  const inner = children.map((child) => (typeof child === "string" ? escaped(child) : write(child)));
  return `${head}>${inner.join("")}</${name}>`;
}

/** Line ends and tabs as references, since a reader makes blanks of them in an attribute and one line end of two. */
const references: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

function escaped(text: string): string {
  return xmlText(text).replace(/[&<>"'\t\n\r]/g, (character) => references[character] ?? "");
}

/** The text without what no XML 1.0 document may hold, in whatever form: control characters, lone surrogates, U+FFFE, U+FFFF. */
export function xmlText(text: string): string {
  return text.replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "");
}
