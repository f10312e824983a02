import { describe, expect, it } from "vitest";
import { type Reply, refused, serveRoutes } from "./ruleset-server.ts";
import { runPartyline } from "./run-partyline.ts";

const at = { at: 1_790_000_000_000, at_iso: "2026-09-21T14:13:20.000Z" };
const done = {
  command_id: "cmd-1",
  control: "mute",
  state: "done",
  changed: true,
  sent_by: "rest",
  verified_by: "event",
  room: "support",
  conference_id: "conf-1",
  call_id: "c1",
  ...at,
  settled_at: at.at,
  settled_at_iso: at.at_iso,
  said: "",
};
const requested = {
  ...done,
  state: "requested",
  changed: false,
  verified_by: null,
  settled_at: null,
  settled_at_iso: null,
};
const room = "/api/tenants/acme/conferences/support";

async function run(routes: Record<string, Reply>, ...args: string[]) {
  await using server = await serveRoutes(routes);
  const options = ["--url", server.origin, "--tenant", "acme"];
  const ran = await runPartyline({ args: [...args, ...options], env: { ADMIN_TOKEN: "test-admin-token" } });
  return {
    ...ran,
    asked: server.asked.map(({ method, url, body }) => ({ method, url, body: jsonOf(body) })),
  };
}

function jsonOf(text: string): unknown {
  return text === "" ? null : JSON.parse(text);
}

describe("an operator's command", { timeout: 30_000 }, () => {
  it.each<[args: string[], asked: { method: string; url: string; body: unknown }]>([
    [["mute", "support", "c1"], { method: "PATCH", url: `${room}/participants/c1`, body: { muted: true } }],
    [["unhold", "support", "c1"], { method: "PATCH", url: `${room}/participants/c1`, body: { held: false } }],
    [
      ["coach", "support", "c1", "c2"],
      { method: "PATCH", url: `${room}/participants/c1`, body: { coach: "c2" } },
    ],
    [["coach", "support", "c1"], { method: "PATCH", url: `${room}/participants/c1`, body: { coach: null } }],
    [
      ["remove", "support", "c1", "--say", "Goodbye.", "--bar", "60"],
      {
        method: "DELETE",
        url: `${room}/participants/c1`,
        // biome-ignore lint/suspicious/noThenProperty: a word of the API, and the value is data that is never awaited
        body: { then: { say: "Goodbye." }, bar_s: 60 },
      },
    ],
    [
      ["move", "support", "c1", "sales"],
      { method: "POST", url: `${room}/participants/c1/move`, body: { to: "sales" } },
    ],
    [
      ["mute-all", "support", "--except", "moderator,agent"],
      { method: "POST", url: `${room}/mute-all`, body: { except: ["moderator", "agent"] } },
    ],
    [["lock", "support", "--lobby"], { method: "PUT", url: `${room}/lock`, body: { mode: "lobby" } }],
    [["unlock", "support"], { method: "DELETE", url: `${room}/lock`, body: {} }],
    [
      ["announce", "support", "--say", "Lunch."],
      { method: "POST", url: `${room}/announcements`, body: { say: "Lunch." } },
    ],
    [["end", "support"], { method: "POST", url: `${room}/end`, body: {} }],
    [["record", "support", "start"], { method: "POST", url: `${room}/recordings`, body: {} }],
    [
      ["record", "rec-1", "paused"],
      { method: "PATCH", url: "/api/tenants/acme/recordings/rec-1", body: { state: "paused" } },
    ],
  ])("%j asks the API for that, and says that it was seen to be done", async (args, asked) => {
    const ran = await run({ [`${asked.method} ${asked.url}`]: { body: done } }, ...args);
    expect(ran).toEqual({
      out: "Done, by what event says: mute, support, c1\n",
      err: "",
      code: 0,
      asked: [asked],
    });
  });

  it("says what was not seen to be done yet, how to ask again, and ends with 3", async () => {
    const results = [
      { call_id: "c1", changed: false, state: "refused", verified_by: null, code: "control_unavailable" },
    ];
    const ran = await run(
      { [`POST ${room}/mute-all`]: { status: 202, body: { ...requested, results } } },
      "mute-all",
      "support",
    );
    expect(ran).toMatchObject({
      out: [
        "Sent by rest, and not seen to be done yet: mute, support, c1",
        "  c1  refused (control_unavailable)",
        "Ask again: npx partyline command cmd-1",
        "",
      ].join("\n"),
      code: 3,
    });
  });

  it("says why it was refused, and ends with 1", async () => {
    const why = refused("unknown_participant", "No such call is in support.", 404);
    const ran = await run({ [`PATCH ${room}/participants/c9`]: why }, "mute", "support", "c9");
    expect(ran).toMatchObject({ out: "", err: "error: No such call is in support.\n", code: 1 });
  });

  it("tells machines the API's whole answer", async () => {
    const ran = await run(
      { [`PATCH ${room}/participants/c1`]: { body: done } },
      "mute",
      "support",
      "c1",
      "--json",
    );
    expect(JSON.parse(ran.out)).toEqual({ ok: true, answer: done });
  });
});

describe("what operators look at", { timeout: 30_000 }, () => {
  const since = { since: at.at, since_iso: at.at_iso };
  const head = {
    name: "acme:support",
    plain_name: "support",
    conference_id: "conf-1",
    conferences: [],
    ...since,
    strangers: 0,
    moderator_present: true,
    locked: { mode: "lobby", ...since, until: null, until_iso: null },
    muted_all: null,
  };

  it("rooms has one line for each, with what is set on it", async () => {
    const conferences = [{ ...head, waiting: 1, confirmed: 3, expected: 0, presumed_gone: 0, doubted: 0 }];
    const ran = await run(
      { "GET /api/tenants/acme/conferences": { body: { conferences, next: null } } },
      "rooms",
    );
    expect(ran).toMatchObject({
      out: [
        "room     in it  wait  moderator  since",
        "support  3      1     yes        2026-09-21 14:13 UTC  locked (lobby)",
        "",
      ].join("\n"),
      code: 0,
    });
  });

  it("room tells who is there, and who waits", async () => {
    const participant = {
      call_id: "c1",
      from: "+15550100001",
      role: "moderator",
      rule: "support",
      muted: true,
      held: false,
      coaching: null,
      speaking: true,
      via: "swml",
      after_lock: false,
      confirmed: true,
      joined_by: "relay",
      conference_id: "conf-1",
      presumed_gone: false,
      doubted: false,
      over_capacity: false,
      ...since,
    };
    const waiting = [
      { call_id: "c2", from: "+15550100002", role: "member", for: "admission", ...since, position: 1 },
    ];
    const body = { ...head, recording: null, participants: [participant], waiting };
    const ran = await run({ [`GET ${room}`]: { body } }, "room", "support");
    expect(ran).toMatchObject({
      out: [
        "support, since 2026-09-21 14:13 UTC locked (lobby)",
        "call  from          role       since",
        "c1    +15550100001  moderator  2026-09-21 14:13 UTC  muted, speaks",
        "waits  from          for        since",
        "c2     +15550100002  admission  2026-09-21 14:13 UTC  no. 1",
        "",
      ].join("\n"),
      code: 0,
    });
  });

  it("a room that is not there ends with 1", async () => {
    const why = refused("unknown_conference", "Nobody is in a conference of that name.", 404);
    const ran = await run({ [`GET ${room}`]: why }, "room", "support");
    expect(ran).toMatchObject({ err: "error: Nobody is in a conference of that name.\n", code: 1 });
  });
});
