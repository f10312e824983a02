import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, openFixture, sent, warmUp } from "../../fixture.ts";

const rules = [
  {
    id: "chair",
    match: { from: "+15550100009" },
    place: { room: "board", role: "moderator", join: { end_on_exit: true } },
  },
  { id: "member", match: {}, place: { room: "board" } },
];

beforeAll(warmUp);

/** A chair and a member in one room: the chair by its document if its leave ends the conference, the member by RELAY. */
async function meeting(
  more: Partial<Parameters<typeof openFixture>[0]> = {},
): Promise<{ home: Fixture; chair: string; member: string }> {
  const home = await openFixture({ rules, ...more, carrier: { speed: 10, ...more.carrier } });
  const ids: string[] = [];
  for (const from of ["+15550100009", "+15550100001"]) {
    const { call_id } = await home.carrier.placeCall({ from, to: "+15550100100", url: home.webhook_url });
    await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` } });
    ids.push(call_id);
  }
  const [chair = "", member = ""] = ids;
  return { home, chair, member };
}

describe("after the conference", () => {
  test("a call that outlives its conference is ended by RELAY", async () => {
    const { home, chair, member } = await meeting();
    await using _ = home;
    // Past the 3 s in which a leave would be our own document's doing.
    await home.carrier.wait({ call: { call_id: member, in_conference: `${home.tenant}:board` } });
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    await home.carrier.hangUp(chair);
    await home.carrier.wait({ call: { call_id: member, state: "ended" } });
    expect(await sent(home, "calling.end")).toContainEqual({
      call_id: member,
      node_id: expect.any(String),
      reason: "hangup",
    });
  });

  test("a moderator who ends it for all by leaving ends it for nobody by coming, though a document takes RELAY's join out", async () => {
    const carrier = { speed: 10, switches: { document_takes_call_out_of_conference: true } };
    await using home = await openFixture({ rules, carrier });
    const to = "+15550100100";
    const cxml_url = home.webhook_url.replace(/swml$/, "cxml");
    const member = await home.carrier.placeCall({ from: "+15550100001", to, cxml_url });
    const board = `${home.tenant}:board`;
    await home.carrier.wait({ call: { call_id: member.call_id, in_conference: board } });
    const chair = await home.carrier.placeCall({ from: "+15550100009", to, url: home.webhook_url });
    await home.carrier.wait({ journal: { kind: "document", contains: { call_id: chair.call_id } } });
    await home.carrier.wait({ call: { call_id: chair.call_id, in_conference: board } });
    const told = (await home.carrier.journal({ kind: "conference" })).map(({ status }) => status);
    expect(told).not.toContain("conference-end");
    expect(await home.carrier.call(chair.call_id)).toMatchObject({
      joined_by: "document",
      two_sounds: false,
    });
  });

  test("where RELAY is down REST ends it", async () => {
    const { home, chair, member } = await meeting();
    await using _ = home;
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    await home.carrier.change({
      faults: [{ at: "command", match: { method: "calling.end" }, do: { kind: "code", code: "500" } }],
    });
    await home.carrier.hangUp(chair);
    await home.carrier.wait({ call: { call_id: member, state: "ended" } });
    await home.carrier.wait({ journal: { kind: "rest" } });
  });

  test("a moderator's dropped mobile does not end the room unless the rule says so", async () => {
    const { home, chair, member } = await meeting({
      rules: [
        { id: "chair", match: { from: "+15550100009" }, place: { room: "board", role: "moderator" } },
        { id: "member", match: {}, place: { room: "board" } },
      ],
    });
    await using _ = home;
    await new Promise((resolve) => setTimeout(resolve, 3_100));
    await home.carrier.hangUp(chair);
    await home.carrier.wait({
      journal: { kind: "conference", contains: { status: "participant-leave", call_id: chair } },
    });
    // The chair's own end is asked for and answered: by then the member's would have been, too.
    await home.carrier.wait({
      journal: { kind: "frame_in", contains: { frame: { method: "calling.end" } } },
    });
    expect(await home.carrier.call(member)).toMatchObject({
      conference: `${home.tenant}:board`,
      state: "answered",
    });
  });
});

describe("a session that is lost in the middle of what it does for a call", () => {
  /** The ledger as it is while that is done, and then the object is gone. */
  async function lose(home: Fixture, ...statements: string[]): Promise<void> {
    const session = () => env.RELAY_SESSION.getByName(home.carrier.project_id);
    await runInDurableObject(session(), (_, state) => {
      for (const statement of statements) state.storage.sql.exec(statement);
    });
    await runInDurableObject(session(), (_, state) => state.abort("lost")).catch(() => {});
    await runDurableObjectAlarm(session());
  }

  const leased = (kind: string, call_id: string) =>
    `INSERT INTO errands (kind, call_id, node_id, entry, step, attempts, due_at)
     SELECT '${kind}', call_id, node_id, entry, step, 1, ${Date.now() + 15_000} FROM placements WHERE call_id = '${call_id}'`;

  test("has the call ended by the next one at once", async () => {
    const { home, member } = await meeting();
    await using _ = home;
    await lose(home, leased("end", member));
    await home.carrier.wait({ call: { call_id: member, state: "ended" }, timeout_ms: 5_000 });
  });

  test("does not have it put back twice", async () => {
    const { home, member } = await meeting();
    await using _ = home;
    const back = `UPDATE placements SET state = 'by_document', joined_by = 'document' WHERE call_id = '${member}'`;
    await lose(home, back, leased("rejoin", member));
    await home.carrier.wait({ journal: { kind: "rest", contains: { method: "GET" } }, timeout_ms: 5_000 });
    const errands = () =>
      runInDurableObject(env.RELAY_SESSION.getByName(home.carrier.project_id), (_, state) =>
        state.storage.sql.exec("SELECT kind FROM errands").toArray(),
      );
    await expect.poll(errands, { timeout: 5_000 }).toEqual([]);
    expect((await home.carrier.call(member)).joins).toHaveLength(1);
  });
});
