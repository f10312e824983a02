import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { migrate } from "../../../functions/session/schema.ts";

/** What each version of the storage has written, as that version wrote it; [n - 1] is what came with version n. */
const written = [
  `INSERT INTO facts (name, value) VALUES ('project_id', 'p-1'), ('breaker', '{"failures":2,"open_until":null}');
   INSERT INTO placements (call_id, entry, step, tenant, node_id, "from", state, joined_by, capacity, room, "join",
     rule, role, ruleset, decided_at, reason, live, created_at, deadline_at, hold_at, conference_id, joined_ts, asking_step, answer)
   VALUES
     ('in', '', 0, 'acme', 'node-1', '+15550100001', 'joined', 'relay', 5, 'acme:support', '{"beep":"onEnter"}',
      'support', 'participant', 'r1', 1700000000000, 'participant-join', 1, 1700000000000, 1700000002000, 1700000000100,
      'conf-1', 1700000000.2, 1, '{"v":1,"outcome":"joined","room":"acme:support","join":{},"reason":"seen"}'),
     ('gone', '', 0, 'acme', 'node-1', '+15550100002', 'left', 'document', 5, 'acme:support', '{}',
      'support', 'participant', 'r1', 1700000000000, 'participant-leave', 0, 1700000000500, 1700000002500, NULL,
      'conf-1', 1700000000.7, NULL, NULL);
   INSERT INTO events (at, fingerprint, event_type, status, call_id, conference_id, name, ts) VALUES
     (1700000000200, '["relay","calling.conference","participant-join","conf-1","in",null,null,1700000000.2]',
      'calling.conference', 'participant-join', 'in', 'conf-1', 'acme:support', 1700000000.2);
   INSERT INTO errands (kind, call_id, entry, step, node_id, due_at) VALUES ('expire', 'in', '', 0, 'node-1', 9999999999999);
   INSERT INTO counters (name, total) VALUES ('command_ok', 7);`,

  `INSERT INTO journal (at, tenant, call_id, kind, data) VALUES (1700000000000, 'acme', 'in', 'webhook',
     '{"received_at":1700000000000,"purpose":"fresh","entry":"","step":0,"from":"+15550100001","to":"+15550100100"}');
   INSERT INTO rulesets (tenant, hash, part, text, last_used, served_at) VALUES ('acme', 'r1', 0, '{"rules":[]}', 1, 1);
   UPDATE placements SET muted = 1, trail = '[1700000000000,"planned","planned"],[1700000000200,"joined","participant-join"]'
     WHERE call_id = 'in';`,
];

function session(name: string) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(name));
}

/** An object whose storage an older version left behind, and that was lost since: this one's code wakes it. */
async function leftBehind(version: number): Promise<ReturnType<typeof session>> {
  const name = `migrations-${version}`;
  await runInDurableObject(session(name), async (_, state) => {
    await state.storage.deleteAll();
    migrate(state.storage, version);
    for (const statements of written.slice(0, version)) state.storage.sql.exec(statements);
    await state.storage.sync();
    state.abort("deployed");
  }).catch(() => {});
  return session(name);
}

async function versions(): Promise<number> {
  return await runInDurableObject(session("migrations-all"), (_, state) =>
    Number(state.storage.sql.exec("SELECT MAX(id) AS id FROM migrations").one()["id"]),
  );
}

describe("storage that an older version wrote", () => {
  test("is read by this one as its own, whichever version it was", async () => {
    const last = await versions();
    expect(last).toBeGreaterThanOrEqual(written.length);
    for (let version = 1; version <= last; version += 1) {
      const found = await leftBehind(version);
      using status = await found.status();
      expect(status, `version ${version}`).toMatchObject({
        counters: { command_ok: 7 },
        breaker: { failures: 2 },
      });
      using archive = await found.archive();
      expect(await archive.conference("acme", "acme:support")).toMatchObject({
        conference_id: "conf-1",
        participants: [
          { call_id: "in", confirmed: true, joined_by: "relay", muted: version > 1, over_capacity: false },
        ],
      });
      const story = await archive.story("acme", "in", false);
      expect(story).toMatchObject({ outcome: "joined", room: "acme:support" });
      expect(story?.happened.map(({ what }) => what)).toContain("event");
      expect(story?.happened.some(({ what }) => what === "webhook")).toBe(version > 1);
      expect(await archive.lastGood("acme")).toEqual(
        version > 1 ? { hash: "r1", text: '{"rules":[]}' } : null,
      );
      const key = { call_id: "in", entry: "", step: 0 };
      expect(await found.look({ v: 1, ...key, asking_step: 1 })).toMatchObject({ room: "acme:support" });
    }
  });

  test("goes on where it was: an old row's leave frees its seat", async () => {
    const found = await leftBehind(1);
    await found.conferenceEvent({
      v: 1,
      project_id: "p-1",
      kind: "conference",
      trusted: true,
      ids_known: true,
      event: {
        kind: "conference",
        event_type: "calling.conference",
        timestamp: 1700009000,
        params: { status: "participant-leave", conference_id: "conf-1", name: "acme:support", call_id: "in" },
      },
    });
    using archive = await found.archive();
    expect(await archive.conference("acme", "acme:support")).toBeNull();
    await runInDurableObject(found, (_, state) => {
      const kinds = state.storage.sql.exec<{ kind: string }>("SELECT kind FROM errands").toArray();
      expect(kinds.map(({ kind }) => kind)).toEqual(["end"]);
    });
  });
});
