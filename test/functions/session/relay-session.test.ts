import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { PlaceRequest } from "../../../functions/session/contract/placement.ts";
import type { SessionStatus } from "../../../functions/session/operator/session-status.ts";
import { migrate } from "../../../functions/session/store/schema.ts";
import { sealSecret } from "../../../shared/credentials.ts";
import { type Fixture, openFixture, sent, warmUp } from "../fixture.ts";

const rules = [{ id: "support", match: {}, place: { room: "support" } }];
const caller = { from: "+15550100001", to: "+15550100100" };
const joinFrame = { kind: "frame_in", contains: { frame: { method: "calling.join_conference" } } };

beforeAll(warmUp);

function session(home: Fixture) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
}

/** The object is gone as in a deploy or an eviction: memory and socket lost, rows and alarm kept. */
async function lose(home: Fixture): Promise<void> {
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
}

async function api(home: Fixture, method: "GET" | "POST", path: string): Promise<SessionStatus> {
  const url = `https://partyline.test/api/projects/${home.carrier.project_id}/${path}`;
  const response = await exports.default.fetch(url, {
    method,
    headers: { authorization: `Bearer ${env.ADMIN_TOKEN}` },
  });
  expect(response.status).toBe(200);
  return await response.json();
}

async function inRoom(home: Fixture): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
  await home.carrier.wait({
    journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
  });
  return call_id;
}

describe("a session that is lost", () => {
  test("between the join and its answer: the placement is unknown, never sent again, and REST settles it", async () => {
    await using home = await openFixture({
      rules,
      carrier: {
        faults: [{ at: "command", match: { method: "calling.join_conference" }, do: { kind: "ignore" } }],
      },
    });
    const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
    await home.carrier.wait({ journal: joinFrame });
    await lose(home);
    await home.carrier.wait({
      call: { call_id, in_conference: `${home.tenant}:support` },
      timeout_ms: 15_000,
    });
    expect(await home.carrier.call(call_id)).toMatchObject({ joined_by: "document", stranded: false });
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });

  test("before it had written anything down: the call that comes back is placed by its document, and counted", async () => {
    await using home = await openFixture({
      rules,
      carrier: {
        faults: [{ at: "command", match: { method: "calling.join_conference" }, do: { kind: "ignore" } }],
      },
    });
    const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
    await home.carrier.wait({ journal: { kind: "document", contains: { call_id, step: "play" } } });
    await runInDurableObject(session(home), (_, state) => {
      state.storage.sql.exec("DELETE FROM placements");
    });
    await lose(home);
    await home.carrier.wait({
      call: { call_id, in_conference: `${home.tenant}:support` },
      timeout_ms: 15_000,
    });
    expect((await api(home, "GET", "session")).live_placements).toBe(1);
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });

  test("while a call is in its room: the alarm brings it back, and SignalWire takes up the old session", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    await lose(home);
    expect(await runDurableObjectAlarm(session(home))).toBe(true);
    await home.carrier.wait({
      journal: { kind: "session", contains: { what: "authenticated", restored: true } },
    });
    const status = await api(home, "GET", "session");
    expect(status).toMatchObject({ state: "ready", protocol: "resumed", live_placements: 1 });
    // Counts are written minutes later: those of the object that was lost are gone.
    expect(status.counters).toMatchObject({ connects: 1, resumes: 1 });
  });

  test("and its call's leave comes after: the call is ended all the same", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "chair",
          match: { from: "+15550100009" },
          place: { room: "support", join: { end_on_exit: true } },
        },
        ...rules,
      ],
      carrier: { speed: 10 },
    });
    const chair = await home.carrier.placeCall({ ...caller, from: "+15550100009", url: home.webhook_url });
    await home.carrier.wait({ call: { call_id: chair.call_id, in_conference: `${home.tenant}:support` } });
    const member = await inRoom(home);
    await lose(home);
    await runDurableObjectAlarm(session(home));
    await home.carrier.wait({
      journal: { kind: "session", contains: { what: "authenticated", restored: true } },
    });
    // A leave within 3 s of a document's start would be the document's doing.
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    await home.carrier.hangUp(chair.call_id);
    await home.carrier.wait({ call: { call_id: member, state: "ended" } });
  });
});

test("a call that has lasted as long as its rule lets it is ended", async () => {
  await using home = await openFixture({
    rules: [{ id: "short", match: {}, place: { room: "support", max_duration_s: 3600 } }],
    carrier: { speed: 10 },
  });
  const call_id = await inRoom(home);
  // The hour is over: nobody waits for it here.
  await runInDurableObject(session(home), (_, state) => {
    state.storage.sql.exec("UPDATE errands SET due_at = 0 WHERE kind = 'expire'");
  });
  await runDurableObjectAlarm(session(home));
  await home.carrier.wait({ call: { call_id, state: "ended" } });
});

describe("a session without work", () => {
  test("closes after idle_disconnect_s, and the next call opens it again", async () => {
    await using home = await openFixture({
      rules,
      project: { session: { idle_disconnect_s: 1 } },
      carrier: { speed: 10 },
    });
    const call_id = await inRoom(home);
    await home.carrier.hangUp(call_id);
    await home.carrier.wait({ journal: { kind: "conference", contains: { status: "participant-leave" } } });
    await expect
      .poll(
        async () => {
          await runDurableObjectAlarm(session(home));
          return (await api(home, "GET", "session")).state;
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe("idle");
    await inRoom(home);
    expect((await api(home, "GET", "session")).state).toBe("ready");
  });

  test("closes though nobody ever told how a call of the day before ended, and REST knows none but strangers", async () => {
    await using home = await openFixture({
      rules,
      project: { session: { idle_disconnect_s: 1 } },
      carrier: { speed: 10, switches: { call_sid_is_call_id: false } },
    });
    await inRoom(home);
    await runInDurableObject(session(home), (_, { storage }) => {
      storage.sql.exec("UPDATE placements SET created_at = ?", Date.now() - 25 * 3_600_000);
    });
    await lose(home);
    await api(home, "POST", "session/reconnect");
    await expect
      .poll(
        async () => {
          await runDurableObjectAlarm(session(home));
          return (await api(home, "GET", "session")).state;
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe("idle");
  });
});

describe("a connection that is left", () => {
  const closed = { kind: "session", contains: { what: "closed", code: 1000 } };
  const resumed = { kind: "session", contains: { what: "authenticated", restored: true } };

  test.each(["disconnect", "disconnect_restart"] as const)(
    "by SignalWire's word (%s) is answered first, and closed with 1000",
    async (action) => {
      await using home = await openFixture({ rules, carrier: { speed: 10 } });
      await inRoom(home);
      await home.carrier.sockets(action);
      await home.carrier.wait({ journal: closed });
      await expect.poll(async () => (await api(home, "GET", "session")).state).toBe("ready");
      expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
    },
  );

  test("because a person asks for another is closed with 1000", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    await api(home, "POST", "session/reconnect");
    await home.carrier.wait({ journal: resumed });
    await home.carrier.wait({ journal: closed });
  });

  test("because SignalWire closes it is closed from our side too, with 1000", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    await home.carrier.sockets("close");
    await home.carrier.wait({ journal: closed });
    await home.carrier.wait({ journal: resumed });
  });
});

describe("refused credentials", () => {
  test("are shown as such, calls go by document at once, and a mended record is tried", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const right = home.carrier.token;
    await home.carrier.change({ token: "rotated" });
    const first = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
    await home.carrier.wait({ call: { call_id: first.call_id, in_conference: `${home.tenant}:support` } });
    expect(await api(home, "GET", "session")).toMatchObject({ state: "refused" });
    const second = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
    await home.carrier.wait({ call: { call_id: second.call_id, in_conference: `${home.tenant}:support` } });
    const [webhook] = (await home.carrier.call(second.call_id)).webhooks;
    expect(webhook?.ms).toBeLessThan(1_000);
    await home.carrier.change({ token: right });
    const seal = (secret: string) =>
      sealSecret(
        env.CREDENTIALS_KEY ?? "",
        home.carrier.project_id,
        secret,
        crypto.getRandomValues(new Uint8Array(12)),
      );
    const project = {
      space: new URL(
        String(
          (await env.DIRECTORY.get<{ space: string }>(`project/${home.carrier.project_id}`, "json"))?.space,
        ),
      ).origin,
      credentials: await seal(right),
      signing_keys: [await seal(home.carrier.signing_key)],
    };
    await env.DIRECTORY.put(`project/${home.carrier.project_id}`, JSON.stringify(project));
    await api(home, "POST", "session/reconnect");
    await expect.poll(async () => (await api(home, "GET", "session")).state).toBe("ready");
  });
});

test("a connect that is refused three times without a word about credentials is shown as refused", async () => {
  const refuse = { kind: "error", code: -32000, message: "auth rejected: no such project" } as const;
  await using home = await openFixture({
    rules,
    carrier: { speed: 10, faults: [{ at: "authenticate", do: refuse }] },
  });
  const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:support` } });
  await expect.poll(async () => (await api(home, "GET", "session")).state).toBe("refused");
  expect(await sent(home, "signalwire.connect")).toHaveLength(3);
});

describe("what changes between versions", () => {
  test("a contract that the session does not know goes by document, and nothing is sent", async () => {
    await using home = await openFixture({ rules });
    const request = {
      v: 2,
      project_id: home.carrier.project_id,
      rooms: ["a:b"],
      join: {},
      call_id: "c",
      entry: "",
      step: 0,
    } as unknown as PlaceRequest;
    expect(await session(home).place(request)).toMatchObject({ outcome: "document", room: "a:b" });
    expect(await home.carrier.journal({ kind: "frame_in" })).toEqual([]);
  });

  test("migrations run once each", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    await runInDurableObject(session(home), (_, state) => {
      const rows = () => state.storage.sql.exec("SELECT id FROM migrations ORDER BY id").toArray();
      const before = rows();
      migrate(state.storage);
      expect(rows()).toEqual(before);
      expect(state.storage.sql.exec("SELECT COUNT(*) AS n FROM placements").one()).toEqual({ n: 1 });
    });
  });
});

test("ten thousand events in a burst are each acknowledged and recorded once", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 } });
  const call_id = await inRoom(home);
  const before = (await api(home, "GET", "session")).counters["events"] ?? 0;
  const flood = 10_000;
  await home.carrier.sendEvent(
    "calling.conference",
    { status: "participant-mute", conference_id: "flood", name: `${home.tenant}:support`, call_id },
    flood,
  );
  await expect
    .poll(async () => (await api(home, "GET", "session")).counters["events"], {
      timeout: 20_000,
      interval: 250,
    })
    .toBe(before + flood);
  expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
}, 40_000);
