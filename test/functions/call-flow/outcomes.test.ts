import { beforeAll, describe, expect, test } from "vitest";
import { askApi } from "../api/ask.ts";
import { type Fixture, openFixture, sent, steps, warmUp } from "../fixture.ts";

const rules = [{ id: "support", match: { to: "+15550100100" }, place: { room: "support" } }];
const caller = { from: "+15550100001", to: "+15550100100" };
const join = { method: "calling.join_conference" };
/** Neither feed says a word of any conference. */
const noEvents: Faults = [
  { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
  { at: "status_callback", do: { kind: "lose" } },
];

beforeAll(warmUp);

type Faults = NonNullable<NonNullable<Parameters<typeof openFixture>[0]["carrier"]>["faults"]>;

async function house(
  faults: Faults = [],
  more: Partial<Parameters<typeof openFixture>[0]> = {},
): Promise<Fixture> {
  // The carrier's calls live five times as fast, and our deadlines are as much shorter.
  const tenant = { join_deadline_ms: 400, ...more.tenant };
  return await openFixture({ rules, ...more, tenant, carrier: { faults, speed: 5, ...more.carrier } });
}

/** Places the call and waits until it is in its room and has stopped moving between documents. */
async function settled(fixture: Fixture, by: "relay" | "document", last: string) {
  const { call_id } = await fixture.carrier.placeCall({ ...caller, url: fixture.webhook_url });
  await fixture.carrier.wait({
    call: { call_id, in_conference: `${fixture.tenant}:support` },
    timeout_ms: 20_000,
  });
  await fixture.carrier.wait({
    journal: { kind: "document", contains: { call_id, step: last } },
    timeout_ms: 20_000,
  });
  const call = await fixture.carrier.call(call_id);
  expect(call).toMatchObject({ joined_by: by, stranded: false });
  expect(call.longest_silence_ms).toBeLessThan(10_000);
  expect(await fixture.carrier.journal({ kind: "violation" })).toEqual([]);
  return call;
}

describe("accepted", () => {
  test("the caller is in the room by RELAY, and their document stays there: nothing of it is fetched any more", async () => {
    await using home = await house();
    const { call_id } = await settled(home, "relay", "sleep");
    expect(await steps(home, call_id)).toEqual(["answer", "sleep"]);
    expect((await home.carrier.call(call_id)).webhooks).toHaveLength(1);
    expect((await home.carrier.call(call_id)).two_sounds).toBe(false);
    const joins = await sent(home, "calling.join_conference");
    expect(joins).toHaveLength(1);
    expect(joins[0]).toMatchObject({ call_id, name: `${home.tenant}:support` });
  });

  test("the same webhook five times at one instant makes one join and one answer", async () => {
    await using home = await house();
    const { call_id } = await home.carrier.placeCall({
      ...caller,
      url: home.webhook_url,
      duplicate_webhooks: 5,
    });
    await home.carrier.wait({
      journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
    });
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
    expect(await sent(home, "calling.answer")).toHaveLength(1);
  });

  test("an accepted join of which no event comes is looked for by REST, and found", async () => {
    await using home = await house(noEvents);
    const { call_id } = await settled(home, "relay", "sleep");
    const confirmed = async () => {
      const response = await askApi(`/tenants/${home.tenant}/conferences/support`);
      return response.status === 200 ? await response.json() : null;
    };
    await expect
      .poll(confirmed, { timeout: 10_000 })
      .toMatchObject({ participants: [{ call_id, confirmed: true, joined_by: "relay" }] });
    expect(await steps(home, call_id)).toEqual(["answer", "sleep"]);
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });

  test("an accepted join that RELAY never carries out: the session sends the call back, and the document joins", async () => {
    await using home = await house([{ at: "command", match: join, do: { kind: "code", code: "200" } }], {
      carrier: { speed: 1 },
    });
    const call = await settled(home, "document", "join_conference");
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
    expect(await sent(home, "calling.transfer")).toHaveLength(1);
    expect(await steps(home, call.call_id)).toEqual(["answer", "sleep", "answer", "join_conference"]);
  });

  test("the same while RELAY is out of reach: REST sends the call back", async () => {
    await using home = await house(
      [
        { at: "command", match: join, do: { kind: "code", code: "200" } },
        { at: "command", match: { method: "calling.transfer" }, do: { kind: "ignore" } },
      ],
      { carrier: { speed: 1 } },
    );
    await settled(home, "document", "join_conference");
  });

  test("the same while REST is silent: it is waited for once, and not by the webhook again", async () => {
    await using home = await house(
      [
        { at: "command", match: join, do: { kind: "code", code: "200" } },
        { at: "rest", do: { kind: "delay", ms: 20_000 } },
      ],
      { carrier: { speed: 1 } },
    );
    const { longest_silence_ms } = await settled(home, "document", "join_conference");
    // The hold of 3 s, REST's 2 s, and the way back.
    expect(longest_silence_ms).toBeLessThan(6_000);
  });
});

describe("document: what RELAY does not do, the caller's own document does", () => {
  test.each([
    ["404", "no such call"],
    ["410", "gone"],
    ["409", "conflict"],
    ["500", "broken"],
  ])("RELAY answers the join with %s", async (code, message) => {
    await using home = await house([{ at: "command", match: join, do: { kind: "code", code, message } }]);
    await settled(home, "document", "join_conference");
  });

  test("a call whose leave ends the conference is joined by its own document alone, which nothing takes it out of", async () => {
    const chair = { ...rules[0], place: { room: "support", join: { end_on_exit: true } } };
    await using home = await house([], { rules: [chair] });
    await settled(home, "document", "join_conference");
    expect(await sent(home, "calling.join_conference")).toEqual([]);
  });

  test("RELAY answers the join with a JSON-RPC error", async () => {
    await using home = await house([{ at: "command", match: join, do: { kind: "error", code: -32602 } }]);
    await settled(home, "document", "join_conference");
  });

  test("RELAY does not see the call at all", async () => {
    await using home = await house([], { carrier: { switches: { relay_drives_webhook_calls: "404" } } });
    await settled(home, "document", "join_conference");
  });

  test("RELAY refuses connections", async () => {
    await using home = await house([{ at: "connect", do: { kind: "refuse" } }]);
    await settled(home, "document", "join_conference");
    expect(await sent(home, "calling.join_conference")).toEqual([]);
  });

  test("RELAY refuses the credentials", async () => {
    await using home = await house([{ at: "authenticate", do: { kind: "refuse" } }]);
    await settled(home, "document", "join_conference");
  });

  test("the answer is swallowed: no join is sent, and the document joins", async () => {
    await using home = await house([
      { at: "command", match: { method: "calling.answer" }, do: { kind: "swallow" } },
    ]);
    await settled(home, "document", "join_conference");
    expect(await sent(home, "calling.join_conference")).toEqual([]);
  });

  test("the tenant wants it so", async () => {
    await using home = await house([], { tenant: { join_via: "document" } });
    await settled(home, "document", "join_conference");
    expect(await sent(home, "signalwire.connect")).toEqual([]);
  });
});

describe("unknown: sent and unanswered", () => {
  test("the event comes where the answer does not: the caller is where the event says", async () => {
    await using home = await house([{ at: "command", match: join, do: { kind: "swallow" } }]);
    await settled(home, "relay", "sleep");
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });

  test("the join was carried out, and nothing says so: a ring, then REST finds the caller there", async () => {
    await using home = await house([{ at: "command", match: join, do: { kind: "swallow" } }, ...noEvents]);
    const call = await settled(home, "relay", "transfer");
    await home.carrier.wait({
      journal: {
        kind: "document",
        contains: { call_id: call.call_id, step: "sleep", body: { duration: -1 } },
      },
    });
    expect(await steps(home, call.call_id)).toEqual(["answer", "play", "transfer", "sleep"]);
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });

  test("the join was not carried out: REST says so, and the document joins", async () => {
    await using home = await house([{ at: "command", match: join, do: { kind: "ignore" } }]);
    const call = await settled(home, "document", "join_conference");
    expect(await steps(home, call.call_id)).toEqual([
      "answer",
      "play",
      "transfer",
      "answer",
      "join_conference",
    ]);
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
    expect(call.heard.some(({ sound }) => sound === "ring")).toBe(true);
  });

  test("neither event nor REST can say: the document joins the recorded room", async () => {
    await using home = await house([
      { at: "command", match: join, do: { kind: "ignore" } },
      { at: "rest", do: { kind: "code", code: "500" } },
    ]);
    await settled(home, "document", "join_conference");
  });

  test("the socket is cut between the join and its answer: no second join on the wire", async () => {
    await using home = await house([{ at: "command", match: join, times: 1, do: { kind: "close_after" } }]);
    await settled(home, "relay", "sleep");
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
  });
});

describe("a document that takes the call out of the room RELAY put it in", () => {
  test("the caller is put back by the document, and hears no more than a moment's silence", async () => {
    await using home = await house([], {
      carrier: { speed: 1, switches: { document_takes_call_out_of_conference: true } },
    });
    const call = await settled(home, "document", "join_conference");
    expect(call.longest_silence_ms).toBeLessThan(4_000);
  });

  test("the same where its join was seen before RELAY answered", async () => {
    await using home = await house([{ at: "answer", match: join, do: { kind: "delay", ms: 300 } }], {
      carrier: { speed: 1, switches: { document_takes_call_out_of_conference: true } },
    });
    await settled(home, "document", "join_conference");
  });
});

describe("what rules say besides a room", () => {
  const spoken = [
    {
      id: "announced",
      match: { to: "+15550100101" },
      place: { room: "support", announce: "Connecting you." },
    },
    { id: "closed", match: { to: "+15550100102" }, reject: { say: "We are closed." } },
    { id: "busy", match: { to: "+15550100103" }, reject: { reason: "busy" } },
    {
      id: "elsewhere",
      match: { to: "+15550100104" },
      hand_over: { swml: "https://voicemail.example.com/acme" },
    },
  ];

  test("an announcement is heard before the room, with RELAY and without", async () => {
    for (const faults of [[], [{ at: "connect" as const, do: { kind: "refuse" as const } }]]) {
      await using home = await openFixture({ rules: spoken, carrier: { speed: 10, faults } });
      const { call_id } = await home.carrier.placeCall({
        ...caller,
        to: "+15550100101",
        url: home.webhook_url,
      });
      await home.carrier.wait({
        call: { call_id, in_conference: `${home.tenant}:support` },
        timeout_ms: 10_000,
      });
      const { heard } = await home.carrier.call(call_id);
      const said = heard.findIndex(
        ({ sound, detail }) => sound === "say" && detail.includes("Connecting you."),
      );
      const room = heard.findIndex(({ sound }) => sound === "conference" || sound === "music");
      expect(said).toBeGreaterThanOrEqual(0);
      expect(room).toBeGreaterThan(said);
    }
  });

  test("a rejected caller hears the line and is hung up on; one that is busy hears nothing and is not answered", async () => {
    await using home = await openFixture({ rules: spoken, carrier: { speed: 10 } });
    const closed = await home.carrier.placeCall({ ...caller, to: "+15550100102", url: home.webhook_url });
    await home.carrier.wait({
      call: { call_id: closed.call_id, state: "ended", heard: { sound: "say", contains: "We are closed." } },
    });
    const busy = await home.carrier.placeCall({ ...caller, to: "+15550100103", url: home.webhook_url });
    const { call } = await home.carrier.wait({ call: { call_id: busy.call_id, state: "ended" } });
    expect(call).toMatchObject({ end_reason: "busy" });
    expect(call?.heard.some(({ sound }) => sound === "say")).toBe(false);
    expect(await sent(home, "calling.answer")).toEqual([]);
  });

  test("a call handed over runs the tenant's own document", async () => {
    await using home = await openFixture({
      rules: spoken,
      carrier: { speed: 10 },
      intercept: async (request) =>
        new URL(request.url).host === "voicemail.example.com"
          ? Response.json({
              version: "1.0.0",
              sections: { main: [{ play: { url: "say:Leave a message." } }] },
            })
          : null,
    });
    const { call_id } = await home.carrier.placeCall({
      ...caller,
      to: "+15550100104",
      url: home.webhook_url,
    });
    await home.carrier.wait({ call: { call_id, heard: { contains: "Leave a message." } } });
  });

  test("a number that no rule knows is told so: deny by default", async () => {
    await using home = await openFixture({ rules: spoken, carrier: { speed: 10 } });
    const { call_id } = await home.carrier.placeCall({
      ...caller,
      to: "+15550100999",
      url: home.webhook_url,
    });
    const { call } = await home.carrier.wait({ call: { call_id, state: "ended", heard: { sound: "say" } } });
    expect(call?.joins).toEqual([]);
  });
});
