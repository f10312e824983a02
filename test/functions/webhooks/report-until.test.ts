import { exports } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

const files = "https://files.example.com";
const token = "https://docs.example.com/next?token=SECRET";
const credentials = "https://acme:SECRET@docs.example.com/next";
const open = "https://docs.example.com/next";

/** What a rule says, by the number that it is for. */
const actions: Record<string, object> = {
  "+15550100101": { hand_over: { swml: token, cxml: token } },
  "+15550100102": { hand_over: { swml: credentials, cxml: credentials } },
  "+15550100103": { reject: { play: `${files}/sorry.mp3?sig=SECRET` } },
  "+15550100104": {
    place: {
      room: "team",
      after: { hand_over: { swml: token, cxml: token } },
      join: {
        status_callback: "https://hooks.example.com/SECRET",
        status_callback_event_type: "cxml",
        recording_status_callback: "https://hooks.example.com/SECRET",
        wait_url: `${files}/music.mp3?sig=SECRET`,
        stream: {
          url: "wss://media.example.com/SECRET",
          authorization_bearer_token: "SECRET",
          custom_parameters: { key: "SECRET" },
        },
        beep: "onEnter",
      },
    },
  },
  "+15550100105": { place: { room: "team", announce: { play: `${files}/hello.mp3?sig=SECRET` } } },
  "+15550100106": {
    ask: { meeting: { say: { play: `${files}/which.mp3?sig=SECRET` }, digits: "4" } },
    rules: [{ id: "in", match: {}, place: { room: "{answer.meeting}" } }],
  },
  "+15550100107": {
    place: {
      room: "lobby",
      wait: { for: "admission", otherwise: { hand_over: { swml: token, cxml: token } } },
    },
  },
  "+15550100108": {
    place: {
      room: "full",
      capacity: 1,
      // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
      overflow: { then: "hand_over", swml: token, cxml: token },
      join: { status_callback: "https://hooks.example.com/SECRET" },
    },
  },
  "+15550100109": {
    place: {
      room: "line",
      capacity: 1,
      // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
      overflow: { then: "wait", swml: token, cxml: token },
      wait: { music: `${files}/music.mp3?sig=SECRET`, announce: { play: `${files}/wait.mp3?sig=SECRET` } },
    },
  },
  "+15550100110": {
    place: {
      room: "recorded",
      recording_notice: { play: `${files}/notice.mp3?sig=SECRET` },
      join: { record: "record-from-start" },
    },
  },
  "+15550100111": { hand_over: { swml: open, cxml: open } },
  "+15550100112": { place: { room: "after", after: { hand_over: { swml: open, cxml: open } } } },
};

const rules = Object.entries(actions).map(([to, action]) => ({ id: to.slice(1), match: { to }, ...action }));

async function reporting(fallback: object): Promise<Fixture> {
  const home = await openFixture({ rules: [], tenant: { report_until: Date.now() + 3_600_000 } });
  await home.putRuleset({ rules, fallback });
  return home;
}

/** The documents that an unsigned request gets, coming back as often as they say. */
async function asked(home: Fixture, via: "swml" | "cxml", to: string): Promise<string[]> {
  const documents: string[] = [];
  const call_id = crypto.randomUUID();
  let state: string | undefined;
  for (let fetches = 0; fetches < 3; fetches += 1) {
    const response = await (via === "swml" ? swml(home, call_id, to, state) : cxml(home, call_id, to, state));
    expect(response.status).toBe(200);
    const document = await response.text();
    documents.push(document);
    state = (via === "swml" ? /"partyline":"([^"]+)"/ : /partyline=([\w-]+)/).exec(document)?.[1];
    if (state === undefined) break;
  }
  return documents;
}

async function swml(home: Fixture, call_id: string, to: string, partyline?: string): Promise<Response> {
  const call = { call_id, node_id: "node-1@us-east", direction: "inbound", from: "+15550100001", to };
  const body = JSON.stringify({ call, vars: {}, params: partyline === undefined ? {} : { partyline } });
  return await exports.default.fetch(home.webhook_url, { method: "POST", body });
}

async function cxml(home: Fixture, call_id: string, to: string, partyline?: string): Promise<Response> {
  const url = new URL(home.webhook_url.replace(/swml$/, "cxml"));
  if (partyline !== undefined) url.searchParams.set("partyline", partyline);
  const body = new URLSearchParams({ CallSid: call_id, From: "+15550100001", To: to });
  return await exports.default.fetch(`${url}`, { method: "POST", body });
}

test.each(["swml", "cxml"] as const)(
  "while report_until runs, an unsigned request by %s gets no secret",
  async (via) => {
    await using home = await reporting({ reject: { say: "Not in use." } });
    const heard: Record<string, string> = {};
    for (const to of Object.keys(actions)) heard[to] = (await asked(home, via, to)).join("\n");
    expect(Object.keys(heard).filter((to) => heard[to]?.includes("SECRET"))).toEqual([]);
    // What can't be done without showing a secret is the fallback.
    for (const to of ["+15550100101", "+15550100102", "+15550100103", "+15550100106", "+15550100107"])
      expect(heard[to]).toContain("Not in use.");
    // The call comes into its room all the same.
    for (const [to, room] of [
      ["+15550100104", "team"],
      ["+15550100105", "team"],
      ["+15550100108", "full"],
      ["+15550100110", "recorded"],
    ] as const)
      expect(heard[to]).toContain(`${home.tenant}:${room}`);
    expect(heard["+15550100104"]).toContain("onEnter");
    expect(heard["+15550100104"]).not.toMatch(/callback|stream/i);
    // A URL without a query or credentials is shown.
    expect(heard["+15550100111"]).toContain(open);
    expect(heard["+15550100112"]).toContain(open);
  },
);

test.each(["swml", "cxml"] as const)(
  "a fallback whose URL holds a token is not shown by %s either",
  async (via) => {
    await using home = await reporting({ hand_over: { swml: token, cxml: token } });
    for (const to of ["+15550100101", "+15550100199"]) {
      const [document] = await asked(home, via, to);
      expect(document).toContain("This number cannot take your call");
      expect(document).not.toContain("SECRET");
    }
    const unusable = await exports.default.fetch(home.webhook_url.replace(/swml$/, via), {
      method: "POST",
      headers: { "content-type": via === "swml" ? "application/json" : "application/x-www-form-urlencoded" },
      body: "",
    });
    expect(await unusable.text()).not.toContain("SECRET");
  },
);
