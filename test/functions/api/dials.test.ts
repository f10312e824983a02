import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { DialView } from "../../../functions/session/contract/dial.ts";
import { type Fixture, openFixture, sent, warmUp } from "../fixture.ts";
import { FULL, needsRoom, SqlFaults } from "../session/sql-faults.ts";
import { lose } from "../waiting-room-fixture.ts";
import { askApi, putProject } from "./ask.ts";

beforeAll(warmUp);

const ALICE = "+15550100201";
const dial = { allow: ["+1555*", "sip:*@example.com"], from: ["+15550100100"] };
const phones = {
  "+15550100211": { does: "busy" as const },
  "+15550100212": { does: "no_answer" as const },
  "+15550100213": { does: "failed" as const },
};

async function openOffice(more: Record<string, unknown> = {}, dials_per_s = 50): Promise<Fixture> {
  const fixture = await openFixture({
    rules: [],
    tenant: { dial: { ...dial, ...more } },
    carrier: { speed: 20, phones },
  });
  await putProject(fixture, { session: { dials_per_s } });
  return fixture;
}

async function ask(fixture: Fixture, body: Record<string, unknown>, room = "team"): Promise<Response> {
  return await askApi(`/tenants/${fixture.tenant}/conferences/${room}/participants`, {
    method: "POST",
    body: JSON.stringify(body),
  });
}

async function asked(fixture: Fixture, body: Record<string, unknown>): Promise<DialView> {
  const response = await ask(fixture, body);
  expect(response.status).toBe(202);
  return await response.json();
}

async function dialOf(fixture: Fixture, id: string): Promise<DialView> {
  return await (await askApi(`/tenants/${fixture.tenant}/dials/${id}`)).json();
}

async function comesTo(fixture: Fixture, id: string, state: DialView["state"]): Promise<DialView> {
  return await vi.waitFor(
    async () => {
      const view = await dialOf(fixture, id);
      expect(view).toMatchObject({ state });
      return view;
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** RELAY's word for a leg that was answered, and for its dial, is lost. */
const unheardAnswer = [
  {
    at: "event" as const,
    match: { event_type: "calling.call.state", status: "answered" },
    do: { kind: "lose" as const },
  },
  { at: "event" as const, match: { event_type: "calling.call.dial" }, do: { kind: "lose" as const } },
];

/** REST says nothing of a leg. */
const untold = { call_status_known: "cxml_only", voice_logs: "absent" } as const;

/** What is under way has rung for so much longer. */
async function rangFor(fixture: Fixture, ms: number): Promise<void> {
  const session = env.RELAY_SESSION.getByName(fixture.carrier.project_id);
  await runInDurableObject(session, (_, { storage }) => {
    storage.sql.exec("UPDATE dials SET sent_at = sent_at - ?", ms);
  });
}

async function refused(response: Promise<Response>): Promise<[number, string]> {
  const answer = await response;
  const { error }: { error: { code: string } } = await answer.json();
  return [answer.status, error.code];
}

describe("calling somebody into a conference", () => {
  it("is denied unless the tenant's record allows the destination and the caller ID", async () => {
    await using fixture = await openOffice();
    await using other = await openFixture({ rules: [] });
    expect(await refused(ask(other, { to: ALICE }))).toEqual([403, "dial_not_set_up"]);
    expect(await refused(ask(fixture, { to: "+19005550100" }))).toEqual([403, "destination_denied"]);
    expect(await refused(ask(fixture, { to: "sip:a@elsewhere.example" }))).toEqual([
      403,
      "destination_denied",
    ]);
    expect(await refused(ask(fixture, { to: ALICE, from: "+15550100999" }))).toEqual([
      403,
      "caller_id_denied",
    ]);
    expect(await refused(ask(fixture, { to: "555 0100" }))).toEqual([422, "bad_request"]);
    expect(await refused(ask(fixture, { to: ALICE, role: "king" }))).toEqual([422, "unknown_role"]);
    const patterns = await openOffice({ from: ["+1555*"] });
    expect(await refused(ask(patterns, { to: ALICE, from: "+1555*" }))).toEqual([422, "bad_request"]);
    expect(await refused(ask(patterns, { to: ALICE }))).toEqual([422, "no_caller_id"]);
    await patterns[Symbol.asyncDispose]();
    expect(await refused(ask(fixture, { to: ALICE, id: "x".repeat(70_000) }))).toEqual([413, "too_large"]);
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(await refused(ask(fixture, { to: ALICE, role: { length: deep } }))).toEqual([422, "bad_request"]);
    expect(await sent(fixture, "calling.dial")).toEqual([]);
  });

  it("is refused as clearly where the session's storage is full, and no call is made", async () => {
    await using fixture = await openOffice();
    await asked(fixture, { to: ALICE, id: "before" });
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(fixture.carrier.project_id));
    vi.spyOn(console, "error").mockImplementation(() => {});
    using full = await runInDurableObject(
      session,
      (_, { storage }) => new SqlFaults(storage.sql, needsRoom, FULL),
    );
    expect(await refused(ask(fixture, { to: ALICE, id: "after" }))).toEqual([503, "storage_full"]);
    full[Symbol.dispose]();
    vi.restoreAllMocks();
    expect((await askApi(`/tenants/${fixture.tenant}/dials/after`)).status).toBe(404);
  });

  it("rings the phone, and tells busy, no answer and failed apart", async () => {
    await using fixture = await openOffice();
    const busy = await asked(fixture, { to: "+15550100211" });
    const silent = await asked(fixture, { to: "+15550100212", timeout_s: 5 });
    const nobody = await asked(fixture, { to: "+15550100213" });
    expect(await comesTo(fixture, busy.id, "busy")).toMatchObject({ reason: "the line is busy" });
    expect(await comesTo(fixture, silent.id, "no_answer")).toMatchObject({ reason: "nobody answered" });
    await comesTo(fixture, nobody.id, "failed");
    expect((await sent(fixture, "calling.dial")).map(({ devices }) => devices)).toContainEqual([
      [
        {
          type: "phone",
          params: { to_number: "+15550100212", from_number: "+15550100100", timeout: 5 },
        },
      ],
    ]);
  });

  it("limits the call as the record says by its device's limit alone, which is in seconds wherever it is published", async () => {
    await using fixture = await openOffice({ max_duration_s: 90 });
    await asked(fixture, { to: ALICE });
    await expect.poll(() => sent(fixture, "calling.dial")).toHaveLength(1);
    const dials = await sent(fixture, "calling.dial");
    expect(dials).toMatchObject([
      { devices: [[{ type: "phone", params: { to_number: ALICE, max_duration: 90 } }]] },
    ]);
    expect(dials[0]).not.toHaveProperty("max_duration");
  });

  it("puts whoever answers into the room, in their role and after the announcement, and shows them there", async () => {
    await using fixture = await openOffice();
    const words = "The board is meeting.";
    const { id } = await asked(fixture, { to: ALICE, role: "listener", capacity: 1, announce: words });
    const { call_id, room } = await comesTo(fixture, id, "joined");
    const call = await fixture.carrier.call(call_id ?? "");
    expect(call.heard.map(({ sound, detail }) => `${sound} ${detail}`)).toContainEqual(
      expect.stringContaining(words),
    );
    expect(call).toMatchObject({ conference: `${fixture.tenant}:team`, two_sounds: false });
    const path = `/tenants/${fixture.tenant}/conferences/team`;
    expect(await (await askApi(path)).json()).toMatchObject({
      name: room,
      participants: [{ call_id, from: ALICE, role: "listener", muted: true, confirmed: true }],
    });
    const { happened } = await (await askApi(`/tenants/${fixture.tenant}/calls/${call_id}`)).json<{
      happened: unknown[];
    }>();
    expect(happened).toContainEqual(expect.objectContaining({ what: "webhook", purpose: "dial" }));
    // The one seat is taken: nobody is called for it.
    const { id: second } = await asked(fixture, { to: "+15550100202", capacity: 1 });
    expect(await comesTo(fixture, second, "full")).toMatchObject({ call_id: null });
    expect(await sent(fixture, "calling.dial")).toHaveLength(1);
    await fixture.carrier.hangUp(call_id ?? "");
    await comesTo(fixture, id, "left");
  });

  it("sends keys to the called party, once and before the room, and shows them nowhere", async () => {
    await using fixture = await openOffice({ allow: [{ to: ALICE, send_digits: true }] });
    const { id } = await asked(fixture, { to: ALICE, send_digits: "ww471108154711#", id: "ext-1" });
    const { call_id } = await comesTo(fixture, id, "joined");
    const keys = await sent(fixture, "calling.send_digits");
    expect(keys).toMatchObject([{ call_id, digits: "ww471108154711#" }]);
    const methods = (await fixture.carrier.journal({ kind: "frame_in" })).map(
      (entry) => (entry["frame"] as { method?: string }).method, // As the journal has it.
    );
    expect(methods.indexOf("calling.send_digits")).toBeLessThan(methods.indexOf("calling.join_conference"));
    const shown = await Promise.all(
      ["/dials", `/calls/${call_id}?trace=full`, "/calls"].map(async (path) =>
        (await askApi(`/tenants/${fixture.tenant}${path}`)).text(),
      ),
    );
    // So many that no id has them by chance.
    expect(shown.join()).not.toContain("471108154711");
    expect(await refused(ask(fixture, { to: ALICE, send_digits: "1", id: "ext-1" }))).toEqual([
      409,
      "other_dial",
    ]);
  });

  it.each([
    ["were refused", { kind: "code", code: "500" }],
    ["were neither sent nor answered for", { kind: "ignore" }],
  ] as const)(
    "ends a call whose keys %s, since the person they lead to is not on the line",
    async (_, answer) => {
      await using fixture = await openOffice({ allow: [{ to: ALICE, send_digits: true }] });
      await fixture.carrier.change({
        faults: [{ at: "command", match: { method: "calling.send_digits" }, do: answer }],
      });
      const { id } = await asked(fixture, { to: ALICE, send_digits: "1" });
      await comesTo(fixture, id, "ended");
      expect(await sent(fixture, "calling.join_conference")).toEqual([]);
    },
  );

  it("joins a call whose keys were heard to be sent, though the command was not answered", async () => {
    await using fixture = await openOffice({ allow: [{ to: ALICE, send_digits: true }] });
    await fixture.carrier.change({
      faults: [{ at: "command", match: { method: "calling.send_digits" }, do: { kind: "swallow" } }],
    });
    const { id } = await asked(fixture, { to: ALICE, send_digits: "1" });
    await comesTo(fixture, id, "joined");
    expect(await sent(fixture, "calling.send_digits")).toHaveLength(1);
  });

  it("ends a call whose keys may or may not have been sent when the session was lost, and sends none again", async () => {
    await using fixture = await openOffice({ allow: [{ to: ALICE, send_digits: true }] });
    const { id } = await asked(fixture, { to: ALICE, send_digits: `${"W".repeat(60)}1` });
    await expect.poll(() => sent(fixture, "calling.send_digits")).toHaveLength(1);
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await lose(fixture);
    const { call_id } = await comesTo(fixture, id, "ended");
    expect(await fixture.carrier.call(call_id ?? "")).toMatchObject({ state: "ended" });
    expect(warn.mock.calls.flat().join()).toContain("dial.digits_not_sent");
    warn.mockRestore();
    expect(await sent(fixture, "calling.send_digits")).toHaveLength(1);
    expect(await sent(fixture, "calling.join_conference")).toEqual([]);
  });

  it("sends the keys that the session was lost before it sent", async () => {
    await using fixture = await openOffice({ allow: [{ to: ALICE, send_digits: true }] });
    const { id } = await asked(fixture, { to: ALICE, send_digits: `${"W".repeat(60)}1` });
    await expect.poll(() => sent(fixture, "calling.send_digits")).toHaveLength(1);
    // As the call's row was a moment before.
    await runInDurableObject(env.RELAY_SESSION.getByName(fixture.carrier.project_id), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE walks SET state = json_set(json_remove(state, '$.made.is_keying'), '$.made.send_digits', '2')",
      );
    });
    await lose(fixture);
    await comesTo(fixture, id, "joined");
    expect((await sent(fixture, "calling.send_digits")).map(({ digits }) => digits)).toContain("2");
  });

  it("is denied keys, a port and parameters that the tenant's record does not name", async () => {
    await using fixture = await openOffice({
      allow: ["+1555*", "sip:*@example.com", "sip:*@pbx.example.com:5070;transport=tls"],
    });
    expect(await refused(ask(fixture, { to: ALICE, send_digits: "1" }))).toEqual([403, "digits_denied"]);
    expect(await refused(ask(fixture, { to: ALICE, send_digits: "1,2" }))).toEqual([422, "bad_request"]);
    for (const to of [
      "sip:a@example.com:5061",
      "sip:a@example.com;transport=tcp",
      "sip:a@example.com;maddr=evil.example",
      "sip:a@pbx.example.com",
      "sip:a@pbx.example.com:5070;maddr=evil.example",
      "sip:a@pbx.example.com:5071;transport=tls",
      "sip:a@pbx.example.com:5070;transport=udp;transport=tls",
      "sip:+15550100201@evil.example",
    ])
      expect(await refused(ask(fixture, { to })), to).toEqual([403, "destination_denied"]);
    expect(await refused(ask(fixture, { to: "sip:a@pbx.example.com:5070?x=1" }))).toEqual([
      422,
      "bad_request",
    ]);
    expect(await sent(fixture, "calling.dial")).toEqual([]);
    const to = "sip:a@PBX.example.com:5070;transport=TLS";
    await asked(fixture, { to });
    await expect
      .poll(() => sent(fixture, "calling.dial"))
      .toMatchObject([{ devices: [[{ type: "sip", params: { to } }]] }]);
  });

  it("is listed by how it stands, and a word that no call can stand at is refused with those that there are", async () => {
    await using fixture = await openOffice();
    const { id } = await asked(fixture, { to: "+15550100211" });
    await comesTo(fixture, id, "busy");
    const list = async (query: string) => {
      const response = await askApi(`/tenants/${fixture.tenant}/dials${query}`);
      expect(response.status).toBe(200);
      const { dials } = await response.json<{ dials: DialView[] }>();
      return dials.map((dial) => dial.id);
    };
    expect(await list("")).toEqual([id]);
    expect(await list("?state=busy")).toEqual([id]);
    expect(await list("?state=joining")).toEqual([]);
    for (const query of ["state=answered", "state=", "state=Busy", "status=busy"]) {
      const refusal = await askApi(`/tenants/${fixture.tenant}/dials?${query}`);
      expect([refusal.status, query]).toEqual([400, query]);
    }
    const refusal = await askApi(`/tenants/${fixture.tenant}/dials?state=rings`);
    const { error } = await refusal.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe("bad_request");
    expect(error.message).toMatch(/^state: .*"ringing".*"joining"/);
  });

  it("calls once for the same id, and refuses the id for another call", async () => {
    await using fixture = await openOffice();
    const body = { to: "+15550100211", id: "ring-1" };
    await asked(fixture, body);
    await comesTo(fixture, "ring-1", "busy");
    const again = await ask(fixture, body);
    expect([again.status, await again.json()]).toMatchObject([200, { state: "busy" }]);
    expect(await refused(ask(fixture, { ...body, to: ALICE }))).toEqual([409, "other_dial"]);
    expect(await sent(fixture, "calling.dial")).toHaveLength(1);
  });

  it("makes calls no faster than the project's pace, in the order asked", async () => {
    await using fixture = await openOffice({}, 4);
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) ids.push((await asked(fixture, { to: "+15550100211" })).id);
    for (const id of ids) await comesTo(fixture, id, "busy");
    const frames = await fixture.carrier.journal({ kind: "frame_in" });
    const at = frames
      .filter((entry) => (entry["frame"] as { method?: string }).method === "calling.dial") // As the journal has it.
      .map((entry) => entry.at);
    expect(at).toHaveLength(3);
    // 250 ms apart; a frame may be a little late, and the next in time.
    for (const [n, later] of at.slice(1).entries()) {
      expect(later - (at[n] ?? 0)).toBeGreaterThan(200);
    }
  });

  it("rings no more phones at once than the tenant may", async () => {
    await using fixture = await openOffice({ max_concurrent: 1 });
    const first = await asked(fixture, { to: "+15550100212", timeout_s: 40 });
    const second = await asked(fixture, { to: "+15550100211" });
    await comesTo(fixture, first.id, "ringing");
    expect(await dialOf(fixture, second.id)).toMatchObject({ state: "queued" });
    await comesTo(fixture, first.id, "no_answer");
    await comesTo(fixture, second.id, "busy");
  });

  it("stops ringing when it is canceled", async () => {
    await using fixture = await openOffice();
    const { id } = await asked(fixture, { to: "+15550100212", timeout_s: 600 });
    const { call_id } = await comesTo(fixture, id, "ringing");
    await askApi(`/tenants/${fixture.tenant}/dials/${id}`, { method: "DELETE" });
    expect(await dialOf(fixture, id)).toMatchObject({ state: "canceled" });
    await fixture.carrier.wait({ call: { call_id: call_id ?? "", state: "ended" } });
    const again = await askApi(`/tenants/${fixture.tenant}/dials/${id}`, { method: "DELETE" });
    expect([again.status, await again.json()]).toMatchObject([200, { state: "canceled" }]);
  });

  it("is not canceled once somebody has answered: that is said, and the call stays", async () => {
    await using fixture = await openOffice();
    const { id } = await asked(fixture, { to: ALICE });
    const { call_id } = await comesTo(fixture, id, "joined");
    const canceled = await askApi(`/tenants/${fixture.tenant}/dials/${id}`, { method: "DELETE" });
    expect([canceled.status, await canceled.json()]).toEqual([
      409,
      {
        error: {
          code: "already_answered",
          message: `It was answered before, and is joined: end the call itself, POST …/calls/${call_id}/end.`,
        },
      },
    ]);
    expect(await dialOf(fixture, id)).toMatchObject({ state: "joined" });
  });

  it("finds who answered while RELAY's events did not come", async () => {
    await using fixture = await openOffice();
    await fixture.carrier.change({
      phones: { [ALICE]: { does: "answers", after_ms: 30_000 } },
      faults: unheardAnswer,
    });
    const { id } = await asked(fixture, { to: ALICE, timeout_s: 60 });
    const { call_id } = await comesTo(fixture, id, "ringing");
    await fixture.carrier.wait({ call: { call_id: call_id ?? "", state: "answered" } });
    await fixture.carrier.sockets("drop");
    await comesTo(fixture, id, "joined");
  });

  it("is made later where RELAY asks to come again later", async () => {
    await using fixture = await openOffice();
    const busy = { kind: "code", code: "429" } as const;
    await fixture.carrier.change({
      faults: [{ at: "command", match: { method: "calling.dial" }, times: 1, do: busy }],
    });
    const { id } = await asked(fixture, { to: ALICE });
    await comesTo(fixture, id, "joined");
    expect(await sent(fixture, "calling.dial")).toHaveLength(2);
  });

  it.each([
    ["the compatibility API", {}],
    ["its voice log", { call_status_known: "cxml_only" }],
    [
      "its voice log in RELAY's words",
      { call_status_known: "cxml_only", voice_logs: "present_in_relay_words" },
    ],
  ] as const)("leaves nobody in silence of whose answer no event tells, and %s does", async (_, switches) => {
    await using fixture = await openOffice();
    await fixture.carrier.change({
      phones: { [ALICE]: { does: "answers", after_ms: 30_000 } },
      faults: unheardAnswer,
      switches,
    });
    const { id } = await asked(fixture, { to: ALICE, timeout_s: 60 });
    await comesTo(fixture, id, "joined");
  });

  it("is joined and not hung up where nothing at all tells of its answer, once it can ring no more", async () => {
    await using fixture = await openOffice();
    await fixture.carrier.change({ faults: unheardAnswer, switches: untold });
    const { id } = await asked(fixture, { to: ALICE, timeout_s: 60 });
    const { call_id } = await comesTo(fixture, id, "ringing");
    await fixture.carrier.wait({ call: { call_id: call_id ?? "", state: "answered" } });
    await rangFor(fixture, 95_000);
    await comesTo(fixture, id, "joined");
    expect(await sent(fixture, "calling.end")).toEqual([]);
  });

  it("is over where nothing told of its end, once a join of it is refused", async () => {
    await using fixture = await openOffice();
    const lost = { at: "event", match: { event_type: "calling.call.state", status: "ended" } } as const;
    await fixture.carrier.change({
      phones: { [ALICE]: { does: "no_answer" } },
      faults: [...unheardAnswer, { ...lost, do: { kind: "lose" } }],
      switches: untold,
    });
    const { id } = await asked(fixture, { to: ALICE, timeout_s: 20 });
    const { call_id } = await comesTo(fixture, id, "ringing");
    await fixture.carrier.wait({ call: { call_id: call_id ?? "", state: "ended" } });
    await rangFor(fixture, 55_000);
    expect(await comesTo(fixture, id, "left")).toMatchObject({ reason: "the call ended" });
  });

  it("leaves nobody in silence who answers while RELAY is out of reach for long", async () => {
    await using fixture = await openOffice();
    await fixture.carrier.change({ phones: { [ALICE]: { does: "answers", after_ms: 30_000 } } });
    const { id } = await asked(fixture, { to: ALICE, timeout_s: 60 });
    const { call_id } = await comesTo(fixture, id, "ringing");
    await fixture.carrier.change({ faults: [{ at: "connect", do: { kind: "refuse" } }] });
    await fixture.carrier.sockets("drop");
    await comesTo(fixture, id, "joined");
    const { joined_by, two_sounds } = await fixture.carrier.call(call_id ?? "");
    expect({ joined_by, two_sounds }).toEqual({ joined_by: "document", two_sounds: false });
  });

  it("does not ring a phone twice where the session is lost in the middle", async () => {
    await using fixture = await openOffice();
    const { id } = await asked(fixture, { to: "+15550100212", timeout_s: 100 });
    await comesTo(fixture, id, "ringing");
    const session = env.RELAY_SESSION.getByName(fixture.carrier.project_id);
    await runInDurableObject(session, (_, state) => state.abort("lost")).catch(() => {});
    await comesTo(fixture, id, "ringing");
    await askApi(`/projects/${fixture.carrier.project_id}/session/reconnect`, { method: "POST" });
    await comesTo(fixture, id, "no_answer");
    expect(await sent(fixture, "calling.dial")).toHaveLength(1);
  });
});
