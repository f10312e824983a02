import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { FEED_PROTOCOL, TICKET_PREFIX } from "../../../shared/api/feed.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { session } from "../session/calls/context-fixture.ts";
import { Client } from "../session/feed/feed-fixture.ts";
import { askApi, origin } from "./ask.ts";

beforeAll(warmUp);

const rules = [{ id: "any", match: {}, place: { room: "board" } }];
const numbers = { from: "+15550100001", to: "+15550100100" };

async function ticketFor(tenant: string): Promise<string> {
  const response = await askApi(`/tenants/${tenant}/feed/tickets`, { method: "POST" });
  expect(response.status).toBe(201);
  return ((await response.json()) as { ticket: string }).ticket;
}

/** As a browser connects: nothing but the URL and the subprotocols are its own. */
async function connect(tenant: string, ticket: string | null, query = ""): Promise<Response> {
  const protocols = [FEED_PROTOCOL, ...(ticket === null ? [] : [`${TICKET_PREFIX}${ticket}`])];
  return await exports.default.fetch(
    new Request(`${origin}/api/tenants/${tenant}/feed${query}`, {
      headers: { upgrade: "websocket", "sec-websocket-protocol": protocols.join(", ") },
    }),
  );
}

async function listen(client: Client, { tenant }: Fixture): Promise<void> {
  const after = client.picture.seq;
  const response = await connect(tenant, await ticketFor(tenant), after === null ? "" : `?after=${after}`);
  expect([response.status, response.headers.get("sec-websocket-protocol")]).toEqual([101, FEED_PROTOCOL]);
  if (response.webSocket) client.listen(response.webSocket);
}

async function joins(fixture: Fixture): Promise<string> {
  const { call_id } = await fixture.carrier.placeCall({ ...numbers, url: fixture.webhook_url });
  await fixture.carrier.wait({
    call: { call_id, in_conference: `${fixture.tenant}:board` },
    timeout_ms: 10_000,
  });
  return call_id;
}

function callsIn(client: Client): string[] {
  return client.picture.rooms().flatMap(({ participants }) => participants.map(({ call_id }) => call_id));
}

test("a client sees callers come and go, goes on where it was when it was cut, and after the object was lost", async () => {
  await using fixture = await openFixture({ rules, carrier: { speed: 10 } });
  const [steady, cut] = [new Client(), new Client()];
  const calls = [await joins(fixture)];
  await listen(steady, fixture);
  await listen(cut, fixture);
  for (const client of [steady, cut]) await expect.poll(() => callsIn(client)).toEqual(calls);
  cut.cut();
  calls.push(await joins(fixture));
  await listen(cut, fixture);
  await expect.poll(() => callsIn(cut)).toEqual([...calls].sort());
  expect(cut.types()).toEqual(["snapshot", "resumed", "call.placed", "participant.joined"]);
  expect(cut.picture.rooms()).toEqual(steady.picture.rooms());

  const { seq } = cut.picture;
  await runInDurableObject(session(fixture), (_, state) => state.abort("lost")).catch(() => {});
  steady.cut();
  cut.cut();
  calls.push(await joins(fixture));
  for (const client of [steady, cut]) await listen(client, fixture);
  await expect.poll(() => callsIn(cut)).toEqual([...calls].sort());
  await expect.poll(() => callsIn(steady)).toEqual([...calls].sort());
  expect(cut.types().slice(4)).toEqual(["resumed", "call.placed", "participant.joined"]);
  expect(cut.picture.seq).toBe((seq ?? 0) + 2);
  expect(cut.picture.rooms()).toEqual(steady.picture.rooms());
});

test("a ticket opens the feed once, of its tenant, and no token does", async () => {
  await using fixture = await openFixture({ rules });
  await using other = await openFixture({ rules });
  const refused = async (response: Response) => {
    const { error } = (await response.json()) as { error: { code: string } };
    return [response.status, error.code];
  };
  expect(await refused(await connect(fixture.tenant, null))).toEqual([401, "bad_ticket"]);
  expect(await refused(await connect(fixture.tenant, "test-admin-token"))).toEqual([401, "bad_ticket"]);
  const made_up = "A".repeat(43);
  const [there, nowhere] = [await connect(fixture.tenant, made_up), await connect("nobody-at-all", made_up)];
  expect([there.status, await there.text()]).toEqual([nowhere.status, await nowhere.text()]);
  expect(there.status).toBe(401);
  const ticket = await ticketFor(fixture.tenant);
  expect(await refused(await connect(other.tenant, ticket))).toEqual([401, "bad_ticket"]);
  const again = await ticketFor(fixture.tenant);
  const opened = await connect(fixture.tenant, again);
  expect(opened.status).toBe(101);
  opened.webSocket?.accept();
  opened.webSocket?.close();
  expect(await refused(await connect(fixture.tenant, again))).toEqual([401, "bad_ticket"]);
  const url = `${origin}/api/tenants/${fixture.tenant}/feed`;
  const headers = { authorization: "Bearer test-admin-token" };
  expect(await refused(await exports.default.fetch(new Request(url, { headers })))).toEqual([
    426,
    "no_websocket",
  ]);
  expect(await refused(await connect(fixture.tenant, null, `?ticket=${again}`))).toEqual([
    400,
    "bad_request",
  ]);
});

test("a feed that listens keeps no call waiting, and the connection to SignalWire stays up beside it", async () => {
  await using fixture = await openFixture({ rules, carrier: { speed: 10 } });
  const slow = new Client(false);
  await listen(slow, fixture);
  for (let n = 0; n < 3; n += 1) await joins(fixture);
  await expect.poll(() => callsIn(slow).length).toBe(3);
  const pong = Promise.withResolvers<unknown>();
  slow.ask("ping", pong.resolve);
  expect(await pong.promise).toBe("pong");
  const { state } = await session(fixture).status();
  expect(state).toBe("ready");
  slow.cut();
});

test("endpoints are made, listed and deleted, and their secret is shown once", async () => {
  await using fixture = await openFixture({ rules });
  const path = `/tenants/${fixture.tenant}/webhooks`;
  const post = (url: string, body: unknown) => askApi(url, { method: "POST", body: JSON.stringify(body) });
  for (const body of [
    {},
    { url: "http://hooks.example.com/" },
    { url: "https://10.0.0.1/" },
    { url: "https://hooks.example.com/", types: ["nothing"] },
  ])
    expect((await post(path, body)).status).toBe(422);
  const made = await post(path, { url: "https://hooks.example.com/", types: ["participant.joined"] });
  expect(made.status).toBe(201);
  const { secret, ...webhook } = (await made.json()) as { secret: string; id: string };
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(await (await askApi(path)).json()).toEqual({ webhooks: [webhook] });
  await runInDurableObject(session(fixture), (_, { storage }) => {
    storage.sql.exec(
      `INSERT INTO webhook_deliveries (webhook, seq, type, body, state, attempts, reason, due_at, created_at, updated_at)
       VALUES (?, 7, 'participant.joined', '{}', 'pending', 1, 'the receiver answered 500', 1900000000000, 1, 2)`,
      webhook.id,
    );
  });
  expect(await (await askApi(`${path}/${webhook.id}/deliveries`)).json()).toMatchObject({
    deliveries: [{ id: `msg_${webhook.id}_7`, state: "pending", due_at_iso: "2030-03-17T17:46:40.000Z" }],
  });
  const rotated = await post(`${path}/${webhook.id}/secret`, {});
  expect(await rotated.json()).toEqual({ ...webhook, secret: expect.not.stringMatching(secret) });
  expect((await post(`${path}/${webhook.id}/deliveries/msg_${webhook.id}_1/resend`, {})).status).toBe(404);
  expect((await askApi(`${path}/${webhook.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await askApi(`${path}/${webhook.id}`, { method: "DELETE" })).status).toBe(404);
  expect((await askApi(`${path}/${webhook.id}/deliveries`)).status).toBe(404);
});

test("a token gets tickets for what it may see, and its feed ends when it is revoked", async () => {
  await using fixture = await openFixture({ rules });
  const path = `/tenants/${fixture.tenant}`;
  const make = async (scopes: string[]) => {
    const body = { name: "board", scopes, rooms: ["board"], mask_numbers: true, expires_at: null };
    const made = await askApi(`${path}/tokens`, { method: "POST", body: JSON.stringify(body) });
    return (await made.json()) as { id: string; token: string };
  };
  const ticketBy = async (token: string) =>
    await askApi(`${path}/feed/tickets`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  const [reader, dialler] = [await make(["rooms:read"]), await make(["dial"])];
  expect((await ticketBy(dialler.token)).status).toBe(403);
  const [open, late] = [await ticketBy(reader.token), await ticketBy(reader.token)].map(
    async (response) => ((await response.json()) as { ticket: string }).ticket,
  );
  const client = new Client();
  const { webSocket } = await connect(fixture.tenant, (await open) ?? null);
  if (webSocket) client.listen(webSocket);
  await joins(fixture);
  await expect.poll(() => callsIn(client).length).toBe(1);
  expect(JSON.stringify(client.frames)).not.toContain(numbers.from);
  expect(client.types()).not.toContain("call.placed");
  await askApi(`${path}/tokens/${reader.id}`, { method: "DELETE" });
  await expect.poll(() => client.closed).toBe(4401);
  expect((await connect(fixture.tenant, (await late) ?? null)).status).toBe(401);
});
