import { expect, test } from "vitest";
import { namesRoom, plainName } from "../../../shared/api/rooms.ts";

test.each([
  [["board"], "board", true],
  [["board"], "boards", false],
  [["support*"], "support-2", true],
  [["support*"], "presupport", false],
  [["*-eu", "board"], "sales-eu", true],
  [["*"], "", true],
  [[], "board", false],
])("%j has the room %j: %s", (patterns, room, isNamed) => {
  expect(namesRoom(patterns, room)).toBe(isNamed);
});

test("a room is known by its plain name, and another tenant's by the one on the wire", () => {
  expect(plainName("acme", "acme:board")).toBe("board");
  expect(plainName("acme", "board")).toBe("board");
  expect(plainName("acme", "globex:board")).toBe("globex:board");
});
