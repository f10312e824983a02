import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { LookReply } from "../../../../functions/session/contract/placement.ts";
import { type HoldsJoins, ShortJoins } from "../../../../functions/session/store/short-joins.ts";
import { callbackTokens, roomProofs } from "../../../../shared/callback-token.ts";
import { callbackUrlsAt, withCallbacks, withRoom } from "../../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../../shared/conference.ts";
import type { Placing } from "../../../../shared/placing.ts";

const HOOKS = "https://partyline.example.com/hooks/acme";
const sources = { credentials_key: env.CREDENTIALS_KEY ?? "", signing_keys: ["another key"] };
const rooms: [string, string] = ["acme:board", "acme:board-2"];

/** A row as the session plans it for a Worker's request. @param older whether the token is of a key that is not the newest. */
async function rowWith(
  own: JoinParameters,
  older = false,
): Promise<HoldsJoins & { tenant: string; room: string }> {
  const tokens = await callbackTokens(sources, "acme");
  const join = withCallbacks(own, callbackUrlsAt(HOOKS, (older ? tokens[1] : tokens[0]) ?? ""));
  const proofs = await Promise.all(
    rooms.map(async (room) => [room, (await roomProofs(sources, "acme", room))[0]]),
  );
  const room_proofs: Record<string, string> = Object.fromEntries(proofs);
  const [, room] = rooms;
  const inRoom = withRoom(join, room, room_proofs[room]);
  const decided = { rule: "board", ruleset: "0".repeat(64), decided_at: 0 };
  const placing: Placing = {
    action: "place",
    ...decided,
    rooms,
    strategy: "first",
    role: "participant",
    join,
  };
  const answer: LookReply = {
    v: 1,
    outcome: "document",
    room,
    join: { ...inRoom, max_participants: 2 },
    reason: "",
  };
  return { tenant: "acme", room, join: inRoom, placing, wait: { room_proofs }, answer };
}

test.each<[string, JoinParameters]>([
  ["of a rule without callbacks of its own", { beep: "false" }],
  [
    "of a rule that wants to hear of all but speakers",
    { status_callback: "https://a.example", status_callback_event: "join" },
  ],
  [
    "of a rule that wants to hear who speaks",
    { status_callback: "https://a.example", status_callback_event: "join speaker" },
  ],
])("joins %s are kept without our callbacks, and read with them again", async (_, own) => {
  const row = await rowWith(own);
  const shorten = new ShortJoins(env.CREDENTIALS_KEY);
  const short = shorten.shorten(row);
  expect(short.hooks).toBe(HOOKS);
  expect(JSON.stringify(short)).not.toMatch(/token|proof/);
  expect(JSON.stringify(row).length - JSON.stringify(short).length).toBeGreaterThan(1_500);
  const { join, placing, wait, answer } = row;
  expect(shorten.restore({ ...row, ...short })).toEqual({ join, placing, wait, answer });
});

test("a join is kept whole where its callbacks would not come out the same", async () => {
  const key = new ShortJoins(env.CREDENTIALS_KEY);
  const { tenant, room, ...older } = await rowWith({}, true);
  expect(key.restore({ tenant, room, ...key.shorten({ tenant, room, ...older }) })).toEqual(older);
  expect(key.shorten({ tenant, room, ...older })).toMatchObject(older);
  const { join, placing, wait, answer } = await rowWith({});
  for (const none of [undefined, "no key"])
    expect(new ShortJoins(none).shorten({ tenant, room, join, placing, wait, answer })).toEqual({
      join,
      placing,
      wait,
      answer,
      hooks: null,
    });
});
