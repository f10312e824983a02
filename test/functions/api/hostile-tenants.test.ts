import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { paramsIn } from "../../../shared/api/endpoint.ts";
import { scopes } from "../../../shared/api/scopes.ts";
import { apiTable, type TableEntry } from "../../../shared/api/table.ts";
import { pinId } from "../../../shared/pin-id.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { askApi, putProject } from "./ask.ts";

/** Two tenants of one project, of whom one has a token for everything and uses it against the other. */
interface Neighbours {
  home: Fixture;
  attacker: string;
  /** The attacker's. */
  token: string;
  /** A token of the tenant's own, for another room. */
  elsewhere: string;
  /** What the other tenant has, by the names of paths' parameters. */
  owned: Record<string, string>;
}

const VOICE = "+15550100444";
const HMAC = "4".repeat(64);
const secrets = ["board-of-acme", VOICE, "+15550100201"];
const rules = [
  {
    id: "lobby",
    match: { to: "+15550100109" },
    place: { room: "board-of-acme", wait: { for: "admission" } },
  },
  { id: "any", match: {}, place: { room: "board-of-acme" } },
];
/** What a token for some rooms may have. */
const OF_ROOMS = scopes.filter((scope) => !/^(rules|webhooks|audit|tokens)/.test(scope));
let neighbours: Neighbours;

beforeAll(async () => {
  await warmUp();
  const dial = { allow: ["+1555*"], from: ["+15550100100"] };
  const home = await openFixture({ rules, tenant: { dial } });
  await putProject(home, { session: { dials_per_s: 0.1 } });
  const attacker = `b-${home.tenant}`.slice(0, 24);
  const { project_id } = home.carrier;
  await env.DIRECTORY.put(`tenant/${attacker}`, JSON.stringify({ project_id, dial }));
  await env.DIRECTORY.put(`ruleset/${attacker}`, JSON.stringify({ rules: [] }));
  const made = async (tenant: string, more: object = {}) =>
    await (
      await askApi(`/tenants/${tenant}/tokens`, {
        method: "POST",
        body: JSON.stringify({ name: `all of ${tenant}`, scopes, ...more }),
      })
    ).json<{ id: string; token: string }>();
  const [own, { token }] = [await made(home.tenant), await made(attacker)];
  const { token: elsewhere } = await made(home.tenant, { scopes: OF_ROOMS, rooms: ["elsewhere*"] });
  const { call_id } = await home.carrier.placeCall({
    from: VOICE,
    to: "+15550100100",
    url: home.webhook_url,
  });
  await home.carrier.wait({
    call: { call_id, in_conference: `${home.tenant}:board-of-acme` },
    timeout_ms: 10_000,
  });
  const waiter = { from: "+15550100445", to: "+15550100109", url: home.webhook_url };
  const { call_id: waiting } = await home.carrier.placeCall(waiter);
  await vi.waitFor(async () => {
    const room = await askApi(`/tenants/${home.tenant}/conferences/board-of-acme`);
    expect(await room.text()).toContain(waiting);
  });
  const participants = `/tenants/${home.tenant}/conferences/board-of-acme/participants`;
  for (const id of ["first-dial", "queued-dial"])
    await askApi(participants, { method: "POST", body: JSON.stringify({ to: "+15550100201", id }) });
  const webhook = await (
    await askApi(`/tenants/${home.tenant}/webhooks`, {
      method: "POST",
      body: JSON.stringify({ url: "https://board-of-acme.example.com/", types: ["rules.changed"] }),
    })
  ).json<{ id: string }>();
  await env.DIRECTORY.put(`pins/${home.tenant}/${HMAC}`, JSON.stringify({ room: "board-of-acme" }));
  const session = env.RELAY_SESSION.getByName(project_id);
  await runInDurableObject(session, (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO recordings (id, tenant, room, state, started_at, ended_at) VALUES ('rec-of-acme', ?, ?, 'completed', 1, 2)`,
      home.tenant,
      `${home.tenant}:board-of-acme`,
    );
    storage.sql.exec(
      "INSERT INTO control_commands (id, tenant, data) VALUES ('command-of-acme', ?, ?)",
      home.tenant,
      JSON.stringify({ room: `${home.tenant}:board-of-acme`, state: "done", call_id: null }),
    );
    storage.sql.exec(
      `INSERT INTO pin_guards (tenant, kind, who, tries, closings, closed_until, forget_at) VALUES (?, 'caller', ?, '[]', 1, ?, ?)`,
      home.tenant,
      VOICE,
      Date.now() + 3_600_000,
      Date.now() + 3_600_000,
    );
  });
  neighbours = {
    home,
    attacker,
    token,
    elsewhere,
    owned: {
      name: "board-of-acme",
      call_id,
      waiting,
      from: VOICE,
      project: project_id,
      id: own.id,
      webhook: webhook.id,
      hash: await hashRuleset(JSON.stringify({ rules })),
      pin: await pinId(HMAC),
    },
  };
}, 30_000);

afterAll(async () => {
  await neighbours.home[Symbol.asyncDispose]();
});

/** Ids that a path's `:id` may be, by the path. */
function idIn(path: string, own: string): string {
  if (path.includes("/dials/")) return "queued-dial";
  if (path.includes("/webhooks/")) return neighbours.owned["webhook"] ?? "";
  if (path.includes("/pins/records/")) return neighbours.owned["pin"] ?? "";
  if (path.includes("/commands/")) return "command-of-acme";
  return path.includes("/recordings/") ? "rec-of-acme" : own;
}

/** The path with the victim's things in it, and `tenant` for whose. */
function filled({ path }: TableEntry, tenant: string, name?: string): string {
  return paramsIn(path).reduce((text, param) => {
    const { owned } = neighbours;
    const value =
      param === "tenant"
        ? tenant
        : param === "id"
          ? idIn(path, owned["id"] ?? "")
          : param === "name"
            ? (name ?? owned["name"])
            : (owned[param === "call_id" && path.includes("/lobby/") ? "waiting" : param] ?? "made-up");
    return text.replace(`:${param}`, encodeURIComponent(value ?? ""));
  }, path);
}

const BODIES: Record<string, object> = {
  changeParticipant: { muted: true },
  removeParticipant: {},
  moveParticipant: { to: "elsewhere" },
  announce: { say: "Hello." },
  lockConference: { until: Date.now() + 60_000 },
  unlockConference: {},
  muteAll: {},
  unmuteAll: {},
  endConference: {},
  startRecording: {},
  changeRecording: { state: "stopped" },
  dialParticipant: { to: "+15550100202" },
  createToken: { name: "mine", scopes: ["calls:read"] },
  createWebhook: { url: "https://hooks.example.com/" },
  examineTenant: { url: "https://partyline.test/hooks/somebody/swml" },
};

async function attack(
  entry: TableEntry,
  path: string,
  token = neighbours.token,
): Promise<{ status: number; text: string }> {
  const { method, operation } = entry;
  const response = await askApi(path, {
    method,
    headers: { authorization: `Bearer ${token}`, "if-match": "*" },
    ...(method === "GET" ? {} : { body: JSON.stringify(BODIES[operation] ?? { rules: [] }) }),
  });
  return { status: response.status, text: await response.text() };
}

const PATHS = [
  "/conferences",
  "/conferences/board-of-acme",
  "/calls",
  "/recordings",
  "/pins",
  "/tokens",
  "/webhooks",
  "/ruleset",
  "/audit",
];
const AUDIT = PATHS.indexOf("/audit");

/** All that the victim has, as its own operator sees it; without what goes on by itself. */
async function seen(): Promise<unknown[]> {
  const { home } = neighbours;
  const { sql } = { sql: await tables(home.carrier.project_id, home.tenant) };
  const shown = await Promise.all(
    PATHS.map(async (path) => await (await askApi(`/tenants/${home.tenant}${path}`)).text()),
  );
  return [...shown, sql];
}

async function tables(project_id: string, tenant: string): Promise<unknown> {
  return await runInDurableObject(env.RELAY_SESSION.getByName(project_id), (_, { storage: { sql } }) => [
    sql.exec("SELECT id, state FROM dials WHERE tenant = ? AND id = 'queued-dial'", tenant).toArray(),
    sql.exec("SELECT COUNT(*) AS errands FROM errands WHERE kind = 'end'").toArray(),
    sql.exec("SELECT state FROM placements WHERE tenant = ?", tenant).toArray(),
  ]);
}

test("no path shows or changes anything of another tenant's, whatever the token may do at home", async () => {
  const { home } = neighbours;
  const before = await seen();
  for (const entry of apiTable) {
    const { status, text } = await attack(entry, filled(entry, home.tenant));
    expect([entry.operation, status, text]).toEqual([
      entry.operation,
      403,
      expect.stringContaining('"scope"'),
    ]);
    for (const secret of secrets) expect(text).not.toContain(secret);
  }
  expect(await seen()).toEqual(before);
  // It is the attacker's own tenant that is to know of it.
  const audit = await askApi(`/tenants/${neighbours.attacker}/audit?limit=200`);
  const { entries } = await audit.json<{ entries: { action: string; outcome: string; target: object }[] }>();
  const tried = entries.filter(({ outcome }) => outcome === "scope");
  expect(tried.map(({ action }) => action).sort()).toEqual(
    apiTable.flatMap(({ action }) => action ?? []).sort(),
  );
  for (const { target } of tried) expect(target).toMatchObject({ tenant: home.tenant });
});

test("every path that may change something of a tenant's is audited", () => {
  const unaudited = apiTable.filter(
    ({ method, path, action }) => method !== "GET" && path.startsWith("/tenants/") && action === undefined,
  );
  // A draft is compared, the doctor looks, and a ticket lets its token look: they change nothing.
  expect(unaudited.map(({ operation }) => operation).sort()).toEqual([
    "compareRuleset",
    "createFeedTicket",
    "examineTenant",
  ]);
});

test("another tenant's things are not found under the attacker's own tenant, by any name or id", async () => {
  const { home, attacker, owned } = neighbours;
  const before = await seen();
  const names = [owned["name"] ?? "", `${home.tenant}:board-of-acme`, `${attacker}:board-of-acme`];
  // What these change, or show, is the attacker's own.
  const own = [
    "createToken",
    "putRuleset",
    "putPins",
    "dialParticipant",
    "examineTenant",
    "listAudit",
    "lockConference",
    "createFeedTicket",
    "createWebhook",
  ];
  const aimed = apiTable.filter(
    ({ path, operation, scope }) =>
      path.startsWith("/tenants/:tenant/") && !own.includes(operation) && scope !== "admin",
  );
  expect(aimed.length).toBeGreaterThan(15);
  for (const entry of aimed) {
    for (const name of entry.path.includes(":name") ? names : [undefined]) {
      const { status, text } = await attack(entry, filled(entry, attacker, name));
      const isPointed = paramsIn(entry.path).length > 1;
      expect([entry.operation, status, text]).toEqual([entry.operation, isPointed ? 404 : 200, text]);
      // A refusal may say the name that was asked for.
      for (const secret of status === 200 ? secrets : []) expect(text).not.toContain(secret);
    }
  }
  expect(await seen()).toEqual(before);
  const audit = await (await askApi(`/tenants/${attacker}/audit?limit=200`)).json<{
    entries: { name: string }[];
  }>();
  // The admin made the token, and did more for the other tenant.
  expect(audit.entries.filter(({ name }) => name === "ADMIN_TOKEN")).toHaveLength(1);
});

test("a token for other rooms finds nothing of this one, and changes nothing in it", async () => {
  const { home, elsewhere } = neighbours;
  const before = await seen();
  for (const entry of apiTable.filter(({ scope }) => OF_ROOMS.some((one) => one === scope))) {
    const { status, text } = await attack(entry, filled(entry, home.tenant), elsewhere);
    const isOne = paramsIn(entry.path).length > 1;
    const found = entry.operation === "createFeedTicket" ? 201 : 200;
    const wanted = entry.rooms === "listed" ? (isOne ? 404 : found) : 403;
    expect([entry.operation, status, text]).toEqual([entry.operation, wanted, text]);
    for (const secret of status === 200 ? secrets : []) expect(text).not.toContain(secret);
  }
  // But for its own tries, which its tenant's audit has.
  expect((await seen()).filter((_, at) => at !== AUDIT)).toEqual(before.filter((_, at) => at !== AUDIT));
});

test("a tenant that is there and one that is not are refused alike", async () => {
  const { home } = neighbours;
  for (const entry of apiTable.filter(({ path }) => path.startsWith("/tenants/"))) {
    const there = await attack(entry, filled(entry, home.tenant));
    const nowhere = await attack(entry, filled(entry, "nobody-at-all"));
    expect([entry.operation, nowhere]).toEqual([entry.operation, there]);
  }
});
