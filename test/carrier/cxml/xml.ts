/** An element as read: text and elements in their order, comments left out. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

export type XmlReading =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly error: string };

const deepest = 32;
const name = /[A-Za-z_:][\w:.-]*/y;
const space = /[ \t\r\n]+/y;
const entities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/**
 * Reads the part of XML 1.0 that cXML needs: elements, attributes, text, the five entities, numeric references, comments
 * and one declaration at the very start. Anything else (a DTD, CDATA, a processing instruction) is an error with its line.
 */
export function readXml(text: string): XmlReading {
  try {
    return { ok: true, root: new Reader(text.replace(/^\uFEFF/, "")).document() };
  } catch (error) {
    if (error instanceof NotWellFormed) return { ok: false, error: error.message };
    throw error;
  }
}

class NotWellFormed extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    const forbidden = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u.exec(this.#text);
    if (forbidden !== null) {
      this.#at = forbidden.index;
      this.#fail("only characters that XML allows");
    }
    const declaration =
      /<\?xml[ \t\r\n]+version=(["'])1\.0\1([ \t\r\n]+encoding=(["'])utf-8\3)?([ \t\r\n]+standalone=(["'])(yes|no)\5)?[ \t\r\n]*\?>/iy;
    this.#take(declaration);
    this.#betweenElements();
    const root = this.#element(0);
    this.#betweenElements();
    if (this.#at < this.#text.length) this.#fail("nothing after the root element");
    return root;
  }

  #element(depth: number): XmlElement {
    if (depth > deepest) this.#fail(`at most ${deepest} elements inside one another`);
    this.#need("<", "an element");
    const tag = this.#take(name) ?? this.#fail("an element's name");
    const attributes = this.#attributes();
    if (this.#accept("/>")) return { name: tag, attributes, children: [] };
    this.#need(">", `">" after <${tag}`);
    const children: (XmlElement | string)[] = [];
    for (;;) {
      const text = this.#characters(/[^<&]+/y, "text");
      if (text !== "") children.push(text);
      if (this.#accept("<!--")) this.#comment();
      else if (this.#accept("</")) break;
      else if (this.#at >= this.#text.length) this.#fail(`the end of <${tag}>`);
      else children.push(this.#element(depth + 1));
    }
    if (this.#take(name) !== tag) this.#fail(`</${tag}>`);
    this.#take(space);
    this.#need(">", `">" after </${tag}`);
    return { name: tag, attributes, children };
  }

  #attributes(): Map<string, string> {
    const attributes = new Map<string, string>();
    for (;;) {
      const spaced = this.#take(space) !== null;
      const key = this.#take(name);
      if (key === null) return attributes;
      if (!spaced) this.#fail(`a space before the attribute ${key}`);
      if (attributes.has(key)) this.#fail(`one attribute ${key}, not two`);
      this.#take(space);
      this.#need("=", `"=" after the attribute ${key}`);
      this.#take(space);
      const quote = this.#accept('"')
        ? '"'
        : this.#accept("'")
          ? "'"
          : this.#fail(`quotes around ${key}'s value`);
      const value = this.#characters(quote === '"' ? /[^<&"]+/y : /[^<&']+/y, "attribute");
      this.#need(quote, `the end of ${key}'s value, with "<" written as "&lt;"`);
      attributes.set(key, value);
    }
  }

  /**
   * Text with its references resolved, up to what `plain` does not take. In an attribute tabs and line ends are blanks, unless
   * they are references.
   */
  #characters(plain: RegExp, where: "text" | "attribute"): string {
    let text = "";
    for (;;) {
      const piece = this.#take(plain);
      if (piece !== null) {
        if (where === "text" && piece.includes("]]>")) this.#fail('no "]]>" in text');
        text += where === "text" ? piece : piece.replaceAll(/[\t\r\n]/g, " ");
      } else if (this.#accept("&")) text += this.#reference();
      else return text;
    }
  }

  #reference(): string {
    const reference = this.#take(/#x[\dA-Fa-f]{1,6};|#\d{1,7};|[a-z]+;/y)?.slice(0, -1);
    if (reference === undefined) this.#fail('"&" written as "&amp;"');
    if (!reference.startsWith("#")) {
      return entities.get(reference) ?? this.#fail(`one of XML's five entities, not &${reference};`);
    }
    const code = reference.startsWith("#x")
      ? Number.parseInt(reference.slice(2), 16)
      : Number(reference.slice(1));
    const allowed =
      [9, 10, 13].includes(code) ||
      (code >= 0x20 && code <= 0xd7ff) ||
      (code >= 0xe000 && code <= 0xfffd) ||
      (code >= 0x1_0000 && code <= 0x10_ffff);
    return allowed ? String.fromCodePoint(code) : this.#fail("a reference to a character that XML allows");
  }

  #betweenElements(): void {
    do this.#take(space);
    while (this.#accept("<!--") && this.#comment());
  }

  #comment(): true {
    const end = this.#text.indexOf("--", this.#at);
    if (end === -1) this.#fail("the end of a comment");
    this.#at = end + 2;
    this.#need(">", 'no "--" inside a comment');
    return true;
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const [taken] = pattern.exec(this.#text) ?? [];
    if (taken === undefined) return null;
    this.#at += taken.length;
    return taken;
  }

  #accept(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #need(text: string, wanted: string): void {
    if (!this.#accept(text)) this.#fail(wanted);
  }

  #fail(wanted: string): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new NotWellFormed(`line ${before.length}, column ${column}: expected ${wanted}`);
  }
}
