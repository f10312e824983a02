import { describe, expect, test } from "vitest";
import { Canaries } from "./canaries.ts";

const secret = 'pass word/+&"?ü';

function found(text: string): string[] {
  const canaries = new Canaries();
  canaries.add("password", secret, "acme", "never");
  canaries.add("pin", "471108159263", "acme", "never");
  return canaries.in(text).map(({ name }) => name);
}

describe("a secret is found", () => {
  test.each([
    ["as it is", `wrong password: ${secret}.`],
    ["in a URL's path", `https://example.com/${encodeURIComponent(secret)}/next`],
    [
      "in a URL within a URL",
      `?next=${encodeURIComponent(`https://example.com/?p=${encodeURIComponent(secret)}`)}`,
    ],
    ["in a form", `${new URLSearchParams({ a: "b", password: secret, c: "d" })}`],
    ["in JSON", JSON.stringify({ level: "warn", why: `was ${secret}` })],
    ["in XML", `<Dial action="https://example.com/?p=pass word/+&amp;&quot;?ü"/>`],
    ["in hex", `bytes ${Buffer.from(secret).toString("hex")}`],
    ["in capital hex", Buffer.from(secret).toString("hex").toUpperCase()],
    ["as a Basic password", `Basic ${btoa(unescape(encodeURIComponent(`user:${secret}`)))}`],
    ["in base64, two bytes in", Buffer.from(`ab${secret}c`).toString("base64")],
    ["in base64url, three bytes in", Buffer.from(`abc${secret}`).toString("base64url")],
  ])("%s", (_, text) => {
    expect(found(text)).toEqual(["password of acme"]);
  });

  test("beside another", () => {
    expect(found(`${secret} 471108159263`)).toEqual(["password of acme", "pin of acme"]);
  });
});

test.each([["nothing"], ["pass word"], ["47110815926"], [""]])("%j holds no secret", (text) => {
  expect(found(text)).toEqual([]);
});

test("two secrets of one name are told apart", () => {
  const canaries = new Canaries();
  expect(canaries.make("key", "alfa", "never")).not.toBe(canaries.make("key", "alfa", "never"));
});
