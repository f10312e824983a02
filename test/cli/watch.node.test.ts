import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import type * as Ws from "ws";
import { runPartyline } from "./run-partyline.ts";

// Vitest's import of it comes out empty.
const { WebSocketServer } = createRequire(import.meta.url)("ws") as typeof Ws;

const participant = {
  call_id: "c-1",
  from: "+15550100001",
  role: "moderator",
  rule: "board",
  via: "swml",
  joined_by: "relay",
  conference_id: "conf-1",
  muted: false,
  held: false,
  coaching: null,
  presumed_gone: false,
  doubted: false,
  over_capacity: false,
  since: 1_790_000_000_000,
};
const room = { room: "acme:board", recordings: [], locked: null, participants: [participant], waiting: [] };
const frame = (seq: number, type: string, data: object) => ({ v: 1, seq, type, at: 1_790_000_000_000, data });
const snapshot = (seq: number, rooms: object[]) => frame(seq, "snapshot", { rooms, more: false });
const muted = { room: "acme:board", participant: { ...participant, muted: true } };
const elsewhere = frame(12, "room.ended", { room: "acme:sales" });

/** What the feed sends by one connection after the other; each ends when all of it is acknowledged. The next ticket is refused. */
async function serveFeed(connections: readonly (readonly object[])[]) {
  const seen: { url: string; protocols: string[]; acks: number[] }[] = [];
  const server = createServer((request, response) => {
    const [status, body] =
      request.method === "POST" && seen.length < connections.length
        ? [201, { ticket: `t-${seen.length}`, expires_at: 1, expires_at_iso: "2026-09-21T14:13:20.000Z" }]
        : [403, { error: { code: "scope", message: "The token may not read rooms." } }];
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => "partyline.feed.v1" });
  sockets.on("connection", (socket, { url = "", headers }) => {
    const frames = connections[seen.length] ?? [];
    const one = {
      url,
      protocols: (headers["sec-websocket-protocol"] ?? "").split(/, */),
      acks: [] as number[],
    };
    seen.push(one);
    for (const each of frames) socket.send(JSON.stringify(each));
    socket.on("message", (data) => {
      const { ack } = JSON.parse(String(data)) as { ack: number }; // The test fails where it is another message.
      one.acks.push(ack);
      if (ack === frames.length) socket.close(1012);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port.
  return {
    seen,
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      sockets.close();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const connections = [
  [snapshot(10, [room]), frame(11, "participant.updated", muted), elsewhere],
  // The last one comes again, as it may.
  [
    frame(12, "resumed", {}),
    elsewhere,
    frame(13, "not.known", {}),
    frame(14, "room.ended", { room: "acme:board" }),
  ],
  [frame(90, "gap", {}), snapshot(90, [])],
];

async function watch(...args: string[]) {
  await using feed = await serveFeed(connections);
  const env = { ADMIN_TOKEN: "test-admin-token", PARTYLINE_URL: feed.origin, PARTYLINE_TENANT: "acme" };
  return { ...(await runPartyline({ args: ["watch", ...args], env })), seen: feed.seen };
}

test("watch shows who is where and then each event, goes on from where it was, and says what was missed", async () => {
  const { out, err, code, seen } = await watch();
  expect(out.split("\n")).toEqual([
    "room   call  from          role       since",
    "board  c-1   +15550100001  moderator  2026-09-21 14:13 UTC",
    "14:13:20  board: c-1 is muted",
    "14:13:20  sales: the conference is over",
    "Connected again: nothing was missed.",
    "14:13:20  board: the conference is over",
    "Some events were missed for good. This is how all is now:",
    "Nobody is in a room, or waits for one.",
    "",
  ]);
  const feed = "/api/tenants/acme/feed";
  expect(seen).toEqual([
    { url: feed, protocols: ["partyline.feed.v1", "ticket.t-0"], acks: [1, 2, 3] },
    { url: `${feed}?after=12`, protocols: ["partyline.feed.v1", "ticket.t-1"], acks: [1, 2, 3, 4] },
    { url: `${feed}?after=14`, protocols: ["partyline.feed.v1", "ticket.t-2"], acks: [1, 2] },
  ]);
  expect(err).toContain("closed the connection (1012)");
  expect(err).toContain("error: The token may not read rooms.");
  expect(code).toBe(1);
});

test("watch of one room tells machines every frame that is about it, and the gaps", async () => {
  const { out } = await watch("board", "--json");
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type?: string });
  const [first = [], second = [], third = []] = connections;
  // The last line is why it ended.
  expect(lines.slice(0, -1)).toEqual([first[0], first[1], second[0], second[3], ...third]);
  expect(lines.at(-1)).toMatchObject({ ok: false, error: { code: "scope" } });
});
