import { beforeAll, expect, test } from "vitest";
import { atEdge, signedCall } from "../edge.ts";
import { openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

test("a call comes back with the query of the webhook's URL, by which it is known where its state cannot be read", async () => {
  const rules = [{ id: "any", match: {}, place: { room: "board", announce: "Welcome." } }];
  await using home = await openFixture({ rules });
  const answer = await atEdge(await signedCall(home, "swml", { query: { site: "north", poll: "1" } }));
  const dest = /"dest":"([^"]+)"/.exec(await answer.text())?.[1] ?? "";
  const { pathname, search } = new URL(dest);
  expect(pathname).toBe(`/hooks/${home.tenant}/swml`);
  // `poll` is ours: only the URL of a poll has it.
  expect(search).toBe("?site=north");
});
