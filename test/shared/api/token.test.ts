import { expect, test } from "vitest";
import { isSame, makeToken, readToken } from "../../../shared/api/token.ts";

const KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER_KEY = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const random = { id: new Uint8Array(6).fill(7), secret: new Uint8Array(24).fill(9) };

test("a token names its tenant and its id, and what is kept of its secret shows none of it", async () => {
  const { id, token, digest } = await makeToken(KEY, "acme-eu", random);
  expect(id).toBe("acme-eu-070707070707");
  expect(token).toMatch(/^ply_acme-eu-070707070707_[A-Za-z0-9_-]{40}$/);
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(await readToken(KEY, token)).toEqual({ id, tenant: "acme-eu", digest });
});

test("a text that was made up, changed, cut or made with another key is no token", async () => {
  const { token } = await makeToken(KEY, "acme", random);
  const { token: others } = await makeToken(OTHER_KEY, "acme", random);
  const wrong = [
    "",
    "ply_",
    token.slice(0, -1),
    `${token}x`,
    `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`,
    token.replace("acme", "acmf"),
    token.replace("ply_", "ply-"),
    token.toUpperCase(),
    others,
    `ply_acme-070707070707_${"a".repeat(40)}`,
  ];
  for (const text of wrong) expect(await readToken(KEY, text), text).toBeNull();
});

test("texts are the same where every character is", async () => {
  expect(await isSame("secret", "secret")).toBe(true);
  for (const other of ["", "secre", "secrets", "Secret"]) expect(await isSame("secret", other)).toBe(false);
});
