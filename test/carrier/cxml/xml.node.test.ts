import fc from "fast-check";
import { expect, test } from "vitest";
import { readXml, type XmlElement } from "./xml.ts";

test("elements, attributes, text and comments are read, references resolved", () => {
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!-- who answers -->
<Response><Say voice='a"b' language = "en&#45;US">Tom &amp; Jerry &lt;&#x47;&gt;<!-- aside --> &quot;hi&apos;</Say><Hangup/></Response>
`;
  const say = {
    name: "Say",
    attributes: new Map([
      ["voice", 'a"b'],
      ["language", "en-US"],
    ]),
    children: [`Tom & Jerry <G>`, ` "hi'`],
  };
  expect(readXml(text)).toEqual({
    ok: true,
    root: {
      name: "Response",
      attributes: new Map(),
      children: [say, { name: "Hangup", attributes: new Map(), children: [] }],
    },
  });
});

test("a tab or a line's end in an attribute is a blank, and what is written as a reference stays what it is", () => {
  expect(readXml("<a b='one\ttwo\nthree&#9;four&#10;five&#xD;six'>one\ntwo&#10;three</a>")).toEqual({
    ok: true,
    root: {
      name: "a",
      attributes: new Map([["b", "one two three\tfour\nfive\rsix"]]),
      children: ["one\ntwo\nthree"],
    },
  });
});

test.each([
  ["<a>", "the end of <a>"],
  ["<a></b>", "</a>"],
  ["<a/><b/>", "nothing after"],
  ["text", "an element"],
  ["", "an element"],
  ["<a b=c/>", "quotes"],
  ["<a b='1' b='2'/>", "one attribute b"],
  ["<a b='1'c='2'/>", "a space"],
  ["<a b='<'/>", "&lt;"],
  ["<a>Tom & Jerry</a>", "&amp;"],
  ["<a>&nbsp;</a>", "five entities"],
  ["<a>&#0;</a>", "a character that XML allows"],
  ["<a>&#xD800;</a>", "a character that XML allows"],
  ["<a>]]></a>", "]]>"],
  ["<a><![CDATA[x]]></a>", "an element's name"],
  ["<!DOCTYPE a><a/>", "an element's name"],
  ["<?php ?><a/>", "an element's name"],
  [' <?xml version="1.0"?><a/>', "an element's name"],
  ["<a><!-- a -- b --></a>", 'no "--"'],
  ["<a>\u0001</a>", "only characters"],
  ["<a>".repeat(40), "at most 32"],
])("%s is not well-formed, and the error says where", (text, told) => {
  const reading = readXml(text);
  expect(reading).toMatchObject({ ok: false, error: expect.stringContaining(told) });
  expect(reading).toMatchObject({ error: expect.stringMatching(/^line \d+, column \d+: expected /) });
});

test("what is written is what is read, whatever the text", () => {
  const escaped = (text: string) =>
    text.replaceAll(/[&<>"'\t\r\n]/g, (character) => `&#${character.codePointAt(0)};`);
  const word = fc
    .string({ unit: "binary" })
    .map((text) => text.replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, ""));
  fc.assert(
    fc.property(word, word, (value, text) => {
      const root: XmlElement = {
        name: "a",
        attributes: new Map([["b", value]]),
        children: text === "" ? [] : [text],
      };
      expect(readXml(`<a b="${escaped(value)}">${escaped(text)}</a>`)).toEqual({ ok: true, root });
    }),
    { numRuns: 40 },
  );
});

test("reading never throws", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("<", ">", "/", "a", "=", '"', "&", "#", ";", "!", "-", " ") }),
      (text) => {
        expect(typeof readXml(text).ok).toBe("boolean");
      },
    ),
  );
});
