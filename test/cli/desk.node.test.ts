import { describe, expect, it } from "vitest";
import { type Reply, refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const at = "2026-09-21T14:13:20.000Z";
const ms = 1_790_000_000_000;
const tenant = "/api/tenants/acme";

/** Runs a command at a Worker that is named in the environment. */
async function run(routes: Record<string, Reply | readonly Reply[]>, args: readonly string[], input = "") {
  await using server = await serveRoutes(routes);
  const env = {
    ADMIN_TOKEN: "test-admin-token",
    PARTYLINE_URL: server.origin,
    PARTYLINE_TENANT: "acme",
  };
  const ran = await runPartyline({ args: [...args], env, input });
  const bodies = server.asked.flatMap(({ body }): unknown[] => (body === "" ? [] : [JSON.parse(body)]));
  return { ...ran, bodies, asked: server.asked.map(({ method, url }) => `${method} ${url}`) };
}

const dial = {
  id: "d-1",
  to: "+15550100201",
  from: "+15550100100",
  room: "board",
  role: "participant",
  state: "queued",
  reason: "",
  call_id: null,
  created_at: ms,
  created_at_iso: at,
  updated_at: ms,
  updated_at_iso: at,
};
const post = `POST ${tenant}/conferences/board/participants`;
const get = `GET ${tenant}/dials/d-1`;

describe("partyline dial", { timeout: 30_000 }, () => {
  it("tells how the call goes, and ends with 0 once they are in the room", async () => {
    const joined = { ...dial, state: "joined", call_id: "c-1" };
    const ran = await run({ [post]: { status: 202, body: dial }, [get]: { body: joined } }, [
      "dial",
      "board",
      "+15550100201",
      "--say",
      "The board is meeting.",
      "--rings",
      "30",
    ]);
    expect(ran).toMatchObject({
      out: "d-1: +15550100201 to board: joined, call c-1\n",
      err: "d-1: queued\n",
      code: 0,
      bodies: [{ to: "+15550100201", announce: { say: "The board is meeting." }, timeout_s: 30 }],
    });
  });

  it("ends with 1 if they are busy, and says why", async () => {
    const busy = { ...dial, state: "busy", reason: "the line is busy" };
    const ran = await run({ [post]: { status: 200, body: busy } }, ["dial", "board", "+15550100201"]);
    expect(ran).toMatchObject({
      out: "d-1: +15550100201 to board: busy (the line is busy)\n",
      code: 1,
      asked: [post],
    });
  });

  it("takes keys from standard input, and shows them nowhere", async () => {
    const left = { ...dial, state: "left" };
    const args = ["dial", "board", "+15550100201", "--digits", "--json"];
    const ran = await run({ [post]: { status: 200, body: left } }, args, "1234#\n");
    expect(ran.bodies).toEqual([{ to: "+15550100201", send_digits: "1234#" }]);
    expect(ran.out + ran.err).not.toContain("1234");
  });

  it("says why a call was not made, and ends with 1", async () => {
    const why = refused("destination_denied", "The record does not allow that.", 403);
    const ran = await run({ [post]: why }, ["dial", "board", "+15550100201"]);
    expect(ran).toMatchObject({ out: "", err: "error: The record does not allow that.\n", code: 1 });
  });
});

describe("partyline audit", { timeout: 30_000 }, () => {
  const entry = (id: number) => ({
    id,
    at: ms,
    at_iso: at,
    token: "acme-1",
    name: "wallboard",
    action: "participant.change",
    target: { room: "board", call_id: "c-1" },
    sent_by: "rest",
    outcome: "ok",
    status: 200,
    verified_by: "event",
    ms: 12,
  });

  it("has one line for each entry, page after page, as many as are asked for", async () => {
    const pages = {
      [`GET ${tenant}/audit?limit=3`]: { body: { entries: [entry(9), entry(8)], next: 8 } },
      [`GET ${tenant}/audit?limit=1&after=8`]: { body: { entries: [entry(7)], next: 7 } },
    };
    const ran = await run(pages, ["audit", "--limit", "3"]);
    const row =
      "2026-09-21 14:13 UTC  wallboard  participant.change  room board, call_id c-1  ok by rest  event";
    expect(ran.out.trimEnd().split("\n").slice(1)).toEqual([row, row, row]);
  });

  it("is one JSON object a line for machines", async () => {
    const page = { body: { entries: [entry(9)], next: null } };
    const ran = await run({ [`GET ${tenant}/audit?limit=50`]: page }, ["audit", "--json"]);
    expect(JSON.parse(ran.out)).toEqual(entry(9));
  });
});

describe("partyline token", { timeout: 30_000 }, () => {
  const view = {
    id: "acme-1",
    name: "wallboard",
    scopes: ["rooms:read"],
    rooms: ["support*"],
    mask_numbers: true,
    created_at: ms,
    created_at_iso: at,
    created_by: "admin",
    expires_at: null,
    expires_at_iso: null,
  };

  it("create prints the token alone, which is shown this once", async () => {
    const made = { status: 201, body: { ...view, token: "ply_acme-1_made-up" } };
    const ran = await run({ [`POST ${tenant}/tokens`]: made }, [
      "token",
      "create",
      "wallboard",
      "--scopes",
      "rooms:read",
      "--rooms",
      "support*",
      "--mask-numbers",
      "--expires",
      "2036-01-01T00:00:00Z",
    ]);
    expect(ran).toMatchObject({
      out: "ply_acme-1_made-up\n",
      err: "Token acme-1 is made. Its secret is shown this once: keep it now.\n",
      code: 0,
      bodies: [
        {
          name: "wallboard",
          scopes: ["rooms:read"],
          rooms: ["support*"],
          mask_numbers: true,
          expires_at: "2036-01-01T00:00:00Z",
        },
      ],
    });
  });

  it("list has one line for each, without secrets", async () => {
    const ran = await run({ [`GET ${tenant}/tokens`]: { body: { tokens: [view] } } }, ["token", "list"]);
    expect(ran.out.split("\n")).toContain(
      "acme-1  wallboard  rooms:read  support*, no numbers  admin    for good",
    );
  });

  it("revoke says so, and that there is no such token ends with 1", async () => {
    const path = `DELETE ${tenant}/tokens/acme-1`;
    expect(await run({ [path]: { status: 204 } }, ["token", "revoke", "acme-1"])).toMatchObject({
      out: "Revoked: acme-1.\n",
      code: 0,
    });
    const why = refused("unknown_token", "acme has no such token.", 404);
    expect(await run({ [path]: why }, ["token", "revoke", "acme-1"])).toMatchObject({ code: 1 });
  });
});

describe("partyline webhook", { timeout: 30_000 }, () => {
  const url = "https://hooks.example.com/a";
  const view = {
    id: "w-1",
    url,
    types: ["room.ended"],
    state: "active",
    dropped: 0,
    created_at: ms,
    created_at_iso: at,
  };
  const delivery = {
    id: "msg_w-1_7",
    type: "room.ended",
    seq: 7,
    state: "pending",
    attempts: 0,
    reason: "",
    due_at: ms,
    due_at_iso: at,
    created_at: ms,
    created_at_iso: at,
    updated_at: ms,
    updated_at_iso: at,
  };
  const deliveries = `GET ${tenant}/webhooks/w-1/deliveries?after=8&limit=1`;
  const resend = `POST ${tenant}/webhooks/w-1/deliveries/msg_w-1_7/resend`;

  it.each([
    ["add", `POST ${tenant}/webhooks`, 201, [url, "--types", "room.ended"]],
    ["rotate", `POST ${tenant}/webhooks/w-1/secret`, 200, ["w-1"]],
  ])("%s prints the secret alone, which is shown this once", async (verb, path, status, args) => {
    const ran = await run({ [path]: { status, body: { ...view, secret: "whsec_made-up" } } }, [
      "webhook",
      verb,
      ...args,
    ]);
    expect(ran).toMatchObject({ out: "whsec_made-up\n", code: 0, asked: [path] });
    if (verb === "add") expect(ran.bodies).toEqual([{ url, types: ["room.ended"] }]);
  });

  it.each([
    [
      "list",
      [],
      `GET ${tenant}/webhooks`,
      { body: { webhooks: [view] } },
      `w-1      ${url}  room.ended  active  0`,
    ],
    ["remove", ["w-1"], `DELETE ${tenant}/webhooks/w-1`, { status: 204 }, "Removed: w-1."],
    [
      "deliveries",
      ["w-1"],
      `GET ${tenant}/webhooks/w-1/deliveries`,
      { body: { deliveries: [{ ...delivery, attempts: 2, reason: "500" }], next: null } },
      "msg_w-1_7  room.ended  2026-09-21 14:13 UTC  pending  2      2026-09-21 14:13 UTC  500",
    ],
  ])("%s tells", async (verb, args, path, reply, line) => {
    const ran = await run({ [path]: reply }, ["webhook", verb, ...args]);
    expect(ran.out.trimEnd().split("\n").at(-1)).toBe(line);
    expect(ran.code).toBe(0);
  });

  it.each([
    ["0 once the server has taken it", { state: "delivered", attempts: 1, reason: "204" }, 0],
    ["3 while it has not", { state: "pending", attempts: 1, reason: "500" }, 3],
  ])("resend waits for the next try, and ends with %s", async (_, after, code) => {
    const page = { body: { deliveries: [{ ...delivery, ...after }], next: null } };
    const ran = await run({ [resend]: { status: 202, body: delivery }, [deliveries]: page }, [
      "webhook",
      "resend",
      "w-1",
      "msg_w-1_7",
    ]);
    expect(ran).toMatchObject({ code, out: `room.ended: ${after.state}, ${after.reason} (tries: 1)\n` });
  });
});
