import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { spellingsOf } from "../../shared/url-spellings.ts";

const base = "https://partyline.example.com/hooks/acme/swml";

describe("the spellings of a URL that may have been signed", () => {
  test.each([
    ["nothing that is escaped on the way", "?a=1&b=x+y%20z#c", ["?a=1&b=x+y%20z#c"]],
    ["an apostrophe", "?a=O%27Brien", ["?a=O%27Brien", "?a=O'Brien"]],
    ["letters", "?a=M%C3%BCnchen", ["?a=M%C3%BCnchen", "?a=München"]],
    ["letters escaped in small letters", "?a=%e2%82%ac%f0%9f%93%9e", ["?a=%e2%82%ac%f0%9f%93%9e", "?a=€📞"]],
    ["bytes of another encoding", "?a=M%FCnchen%C3", ["?a=M%FCnchen%C3"]],
    ["surrogates and what is too long for its character", "?a=%ED%A0%80%C0%AF", ["?a=%ED%A0%80%C0%AF"]],
    ["a SIP URI", "?a=sip%3abob%40example.com", ["?a=sip%3abob%40example.com", "?a=sip:bob@example.com"]],
    ["both", "?a=%3A%27%40%C3%A9", ["?a=%3A%27%40%C3%A9", "?a=%3A'%40é", "?a=:%27@%C3%A9", "?a=:'@é"]],
    [
      "an apostrophe, beside letters that were pasted escaped or not",
      "?a=O%27B%C3%A9",
      ["?a=O%27B%C3%A9", "?a=O'Bé", "?a=O'B%C3%A9", "?a=O%27Bé"],
    ],
    [
      "what would be read as syntax",
      "?a=%26%3D%2B%23%2F%3F%25%20%22%2527",
      ["?a=%26%3D%2B%23%2F%3F%25%20%22%2527"],
    ],
  ])("of %s", (_, query, spellings) => {
    expect(spellingsOf(base + query)).toEqual(spellings.map((one) => base + one));
  });

  test("are at most four, the received one first, and mean the same", async () => {
    const piece = fc.constantFrom(
      "%27",
      "%40",
      "%3A",
      "%C3%A9",
      "%26",
      "%3D",
      "%25",
      "%2B",
      "%23",
      "a",
      "&",
      "=",
      "%",
      "+",
    );
    await fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const url = `${base}?${pieces.join("")}`;
        const spellings = spellingsOf(url);
        expect(spellings[0]).toBe(url);
        expect(spellings.length).toBeLessThanOrEqual(4);
        const fields = (one: string) => [...new URL(one).searchParams];
        for (const one of spellings) expect(fields(one)).toEqual(fields(url));
      }),
    );
  });
});
