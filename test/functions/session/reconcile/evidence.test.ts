import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { type Fixture, openFixture, sent, warmUp } from "../../fixture.ts";

type Carrier = NonNullable<Parameters<typeof openFixture>[0]["carrier"]>;

const rules = [
  {
    id: "chair",
    match: { to: "+15550100110", from: "+15550100010" },
    place: { room: "standup", role: "moderator" },
  },
  { id: "standup", match: { to: "+15550100110" }, place: { room: "standup" } },
  { id: "own", match: { to: "+15550100120" }, place: { room: "own-{from}" } },
];

beforeAll(warmUp);

/** Two callers alone in their rooms, two in one room who wait for its moderator: all of them seen to join. */
async function waiting(
  switches: NonNullable<Carrier["switches"]>,
): Promise<{ home: Fixture; calls: string[] }> {
  const home = await openFixture({ rules, carrier: { speed: 10, switches } });
  const calls: string[] = [];
  for (const [from, to] of [
    ["+15550100001", "+15550100120"],
    ["+15550100002", "+15550100120"],
    ["+15550100003", "+15550100110"],
    ["+15550100004", "+15550100110"],
  ] as const) {
    const { call_id } = await home.carrier.placeCall({ from, to, url: home.webhook_url });
    await home.carrier.wait({
      journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
    });
    calls.push(call_id);
  }
  return { home, calls };
}

function inSession<T>({ carrier }: Fixture, use: (sql: SqlStorage) => T): Promise<T> {
  const stub = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(carrier.project_id));
  return runInDurableObject(stub, (_, { storage }) => use(storage.sql));
}

/** Nothing is left to be asked or done for any call. */
async function settled(home: Fixture): Promise<void> {
  await expect
    .poll(() => inSession(home, (sql) => sql.exec("SELECT kind FROM errands").toArray()), { timeout: 10_000 })
    .toEqual([]);
}

async function restAsked(home: Fixture): Promise<number> {
  return (await home.carrier.journal({ kind: "rest" })).length;
}

async function expectAllThere(home: Fixture, calls: readonly string[]): Promise<void> {
  for (const call_id of calls) {
    const call = await home.carrier.call(call_id);
    expect(call.state, `state of ${call_id}`).toBe("answered");
    expect(call.conference, `room of ${call_id}`).not.toBeNull();
    expect(call.joins, `joins of ${call_id}`).toHaveLength(1);
  }
  expect(await sent(home, "calling.end")).toEqual([]);
  const seats = await inSession(home, (sql) =>
    sql.exec("SELECT COUNT(*) AS n FROM placements WHERE live = 1 AND state = 'joined'").one(),
  );
  expect(seats["n"]).toBe(calls.length);
}

/** RELAY asks us to reconnect, as it does for maintenance: events may have been missed, so REST is asked about everyone. */
async function reconnected(home: Fixture): Promise<void> {
  const asked = await restAsked(home);
  await home.carrier.sockets("disconnect");
  await expect.poll(() => restAsked(home), { timeout: 10_000 }).toBeGreaterThan(asked);
  await settled(home);
}

test("where REST calls a conference that waits `init`, a reconnect ends nobody who is alone or waits for a moderator", async () => {
  const { home, calls } = await waiting({ rest_status_while_waiting: "init" });
  await using _ = home;
  await reconnected(home);
  await expectAllThere(home, calls);
  // REST has them under `init`: that is seen, and kept.
  const seen = await inSession(home, (sql) =>
    sql.exec("SELECT reading FROM observations WHERE question = 'rest_status_while_waiting'").toArray(),
  );
  expect(seen).toEqual([{ reading: "init" }]);
});

test("where REST lists no conferences at all, a reconnect ends nobody", async () => {
  const { home, calls } = await waiting({ rest_list_pages: "empty" });
  await using _ = home;
  await reconnected(home);
  await expectAllThere(home, calls);
});

test("where REST lists none of the calls that RELAY joined, a reconnect ends nobody", async () => {
  const { home, calls } = await waiting({ rest_lists_relay_joins: false });
  await using _ = home;
  await reconnected(home);
  await expectAllThere(home, calls);
});

test.each(["empty", "cut", "repeated"] as const)(
  "a list that is %s once ends nobody whom a participant-join has confirmed",
  async (as) => {
    const { home, calls } = await waiting({});
    await using _ = home;
    await home.carrier.change({ faults: [{ at: "rest", times: 6, do: { kind: "list", as } }] });
    await reconnected(home);
    await expectAllThere(home, calls);
  },
);
