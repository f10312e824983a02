import { describe, expect, test } from "vitest";
import { compileRuleset } from "../../../../shared/rules/compile/compile.ts";
import { errorsOf, overflowTo, warningsOf, withRule } from "../readings.ts";
import { acme, callWith, decideFor, mustParse } from "../sample.ts";

const withPlace = (place: object) => withRule({ place: { room: "a", ...place } });
const placed = (place: object, more: object = {}) => {
  const decision = decideFor({ ...more, ...withPlace(place) }, callWith());
  return decision.action === "place" ? decision : null;
};
const swml = "https://example.com/later";
const chair = { id: "chair", match: { from: "+15550100999" }, place: { room: "a", role: "moderator" } };

describe("a wait", () => {
  test("for a seat needs no more than to be said", () => {
    const full = {
      action: "reject",
      say: { say: "We are sorry. All seats are taken. Please call again later." },
    };
    expect(placed({ capacity: 2, overflow: overflowTo("wait") })).toMatchObject({
      rooms: ["a"],
      strategy: "first",
      wait: { for: ["seat"], max_s: 1800, otherwise: full },
      when_full: full,
    });
  });

  test("ends as overflow says, or as it says itself", () => {
    const said = { action: "reject", say: { say: "No seat, 0001." } };
    expect(
      placed({ capacity: 2, overflow: overflowTo("wait", { say: "No seat, {from|last4}." }) }),
    ).toMatchObject({ wait: { otherwise: said }, when_full: said });
    const taken = { action: "hand_over", swml };
    expect(placed({ capacity: 2, overflow: overflowTo("wait", { swml }) })).toMatchObject({
      wait: { otherwise: taken },
      when_full: taken,
    });
    const otherwise = { hand_over: { swml } };
    expect(placed({ capacity: 2, overflow: overflowTo("wait"), wait: { otherwise } })).toMatchObject({
      wait: { otherwise: taken },
      when_full: taken,
    });
  });

  test("is for admission, the moderator and a seat, in this order, in any of the rooms", () => {
    const wait = {
      for: "admission",
      max_s: 60,
      music: "https://example.com/a.mp3",
      position: true,
      announce: "Hold, {from|last4}.",
    };
    const overflow = overflowTo("wait", { rooms: 3 });
    expect(placed({ capacity: 2, overflow, wait }, { defaults: { voice: "Amy" } })).toMatchObject({
      rooms: ["a", "a-2", "a-3"],
      strategy: "first",
      wait: {
        for: ["admission", "seat"],
        max_s: 60,
        music: "https://example.com/a.mp3",
        position_words: { say: "You are number {position} in line.", voice: "Amy" },
        announce: { say: "Hold, 0001.", voice: "Amy" },
        otherwise: { say: { say: "We are sorry. You could not be let in. Please call again later." } },
      },
    });
    expect(placed({ wait: { for: "moderator" } })).toMatchObject({ wait: { for: ["moderator"] } });
    expect(placed({})).not.toHaveProperty("wait");
  });

  test("tells the place in the line in words of the rule's own, and the placeholder for it stands nowhere else", () => {
    const wordsOf = (position: unknown, defaults: object = {}) =>
      placed({ wait: { for: "admission", position } }, { defaults })?.wait?.position_words;
    const german = { language: "de-DE", voice: "gcloud.de-DE-Neural2-B" };
    const say = "Sie sind Nummer {position}, {from|last4}.";
    expect(wordsOf(say, german)).toEqual({ say: "Sie sind Nummer {position}, 0001.", ...german });
    expect(wordsOf({ say, language: "de-AT" }, german)).toMatchObject({ ...german, language: "de-AT" });
    expect(wordsOf(false)).toBeUndefined();
    const elsewhere =
      "{position} may stand in a wait's \"position\" alone: it is the caller's place in the line";
    expect(errorsOf(withPlace({ announce: "{position}" }))).toEqual([
      `rules[0].place.announce: ${elsewhere}`,
    ]);
    expect(errorsOf(withPlace({ wait: { for: "admission", announce: "{position}" } }))).toEqual([
      `rules[0].place.wait.announce: ${elsewhere}`,
    ]);
    expect(errorsOf(withPlace({ wait: { for: "admission", position: { play: swml } } })).join()).toContain(
      "position.play: unknown key",
    );
    expect(errorsOf(withPlace({ wait: { for: "admission", position: "%{position}" } }))[0]).toContain(
      "SignalWire would run",
    );
    const { rule } = decideFor(
      withPlace({ wait: { for: "admission", position: "{param.cost}{position}" } }),
      callWith({ params: { cost: "$" } }),
    );
    expect(rule).toBe(null);
  });

  test("for which a call has no words makes the rule not match", () => {
    const wait = { for: "admission", announce: "Hold, {param.name}." };
    const { rule, looked_at } = decideFor(withPlace({ wait }), callWith());
    expect(rule).toBe(null);
    expect(looked_at[0]?.findings).toEqual([
      { field: "place.wait.announce", holds: false, why: "{param.name} has no value in this call" },
    ]);
  });

  test("is for something, ends one way, and was answered", () => {
    const plan = (place: object) => errorsOf(withPlace({ capacity: 2, ...place }));
    expect(plan({ wait: { max_s: 60 } })).toEqual([
      'rules[0].place.wait: waits for nothing: write "for": "moderator" or "admission", or "overflow": { "then": "wait" }',
    ]);
    expect(plan({ wait: { max_s: 60 }, overflow: overflowTo("wait") })).toEqual([]);
    expect(plan({ role: "moderator", wait: { for: "moderator" } })).toEqual([
      "rules[0].place.wait.for: a moderator would wait for a moderator: leave it to the other roles",
    ]);
    const otherwise = { reject: { say: "Bye." } };
    expect(plan({ wait: { otherwise }, overflow: overflowTo("wait", { say: "Full." }) })).toEqual([
      "rules[0].place.wait.otherwise: what happens when the wait is over is said by overflow too: write it in one of the two",
    ]);
    expect(plan({ wait: { otherwise, for: "admission" }, overflow: overflowTo("reject") })).toEqual([]);
    expect(plan({ overflow: overflowTo("wait", { reason: "busy" }) })).toEqual([
      'rules[0].place.overflow.reason: busy refuses the call unanswered, and a call that waited is answered: write a line, or "hangup"',
    ]);
    expect(plan({ wait: { for: "admission", otherwise: { reject: { reason: "decline" } } } })).toEqual([
      'rules[0].place.wait.otherwise.reject.reason: decline refuses the call unanswered, and a call that waited is answered: write a line, or "hangup"',
    ]);
    expect(plan({ wait: { for: "seat", max_s: 5 } })).toEqual([
      'rules[0].place.wait.for: must be one of "moderator", "admission", not "seat"',
      "rules[0].place.wait.max_s: must be at least 10, not 5",
    ]);
    expect(errorsOf(withPlace({ overflow: overflowTo("wait") }))).toEqual([
      "rules[0].place.overflow: nothing overflows without a capacity: write one",
    ]);
  });

  test("for a moderator whom no rule places is warned of", () => {
    const waiting = { id: "all", match: {}, place: { room: "a", wait: { for: "moderator" } } };
    expect(warningsOf({ rules: [waiting] })).toEqual([
      'rules[0].place.wait.for: waits in vain: no rule places a moderator in "a"; give a rule for the moderator the same "room", with "role": "moderator"',
    ]);
    expect(warningsOf({ rules: [chair, waiting] })).toEqual([]);
    const open = { hand_over: { swml: "http://example.com/later" } };
    expect(warningsOf(withPlace({ wait: { for: "admission", otherwise: open } }))).toEqual([
      "rules[0].place.wait.otherwise.hand_over.swml: is not https: what is sent there can be read on the way",
    ]);
  });

  test("that may hand over to one language alone leaves the other's calls to later rules", () => {
    const wait = { for: "admission", otherwise: { hand_over: { swml } } };
    const rules = [
      { id: "a", match: {}, place: { room: "a", wait } },
      { id: "b", match: {}, place: { room: "b" } },
    ];
    expect(warningsOf({ rules })).toEqual([]);
  });
});

describe("a recording notice", () => {
  const notice = "This call is recorded.";
  const defaults = { recording_notice: notice };
  const records = { join: { record: "record-from-start" } };

  test("is heard after the announcement, before a room that is recorded", () => {
    expect(placed({ ...records, announce: "Hello." }, { defaults })?.announce).toEqual([
      { say: "Hello." },
      { say: notice },
    ]);
    const own = { ...records, recording_notice: { play: "https://example.com/a.mp3" } };
    expect(placed(own, { defaults })?.announce).toEqual([{ play: "https://example.com/a.mp3" }]);
    expect(placed({ ...records, recording_notice: false }, { defaults })).not.toHaveProperty("announce");
    expect(placed({}, { defaults })).not.toHaveProperty("announce");
  });

  test("goes by what the join comes to, whoever says that it records", () => {
    const roles = { taped: { record: "record-from-start" } };
    expect(placed({ role: "taped" }, { defaults, roles })?.announce).toEqual([{ say: notice }]);
    const all = { ...defaults, ...records };
    expect(placed({}, { defaults: all })?.announce).toEqual([{ say: notice }]);
    expect(placed({ join: { record: "do-not-record" } }, { defaults: all })).not.toHaveProperty("announce");
  });

  test("that is missing is warned of once where the recording is written", () => {
    const why =
      'records callers who are not told: write a "recording_notice" beside the room or in the defaults, or false where they know';
    expect(warningsOf(withPlace(records))).toEqual([`rules[0].place.join.record: ${why}`]);
    expect(warningsOf({ defaults, ...withPlace(records) })).toEqual([]);
    expect(warningsOf(withPlace({ ...records, recording_notice: false }))).toEqual([]);
    const rules = ["a", "b"].map((id) => ({
      id,
      match: { to: `sip:${id}@example.com` },
      place: { room: id },
    }));
    expect(warningsOf({ defaults: records, rules })).toEqual([`defaults.join.record: ${why}`]);
    const roles = { taped: { record: "record-from-start" } };
    expect(warningsOf({ roles, ...withPlace({ role: "taped" }) })).toEqual([`roles.taped.record: ${why}`]);
  });

  test("of the rule's own is always heard, also if another rule records the room", () => {
    expect(placed({ recording_notice: notice })?.announce).toEqual([{ say: notice }]);
    expect(warningsOf(withPlace({ recording_notice: notice }))).toEqual([]);
  });

  /** What a call to +15550100100 hears by the first of two rules; the second records its room. */
  const beside = (first: object, recording: object) => {
    const rules = [
      { id: "first", match: {}, place: first },
      { id: "taped", match: { to: "+15550100999" }, place: { ...records, ...recording } },
    ];
    const decision = decideFor({ defaults, rules }, callWith({ params: { trail: "trail " } }));
    if (decision.action !== "place") throw new Error("it was not placed");
    return { before: decision.announce, later: decision.recording_notice };
  };

  test.each([
    ["the same text", { room: "board" }, { room: "board" }],
    ["the same placeholder", { room: "team-{to}" }, { room: "team-{to}" }],
    [
      "another text, filled in with this call's values",
      { room: "team-{to}" },
      { room: `team-${callWith().to}` },
    ],
    [
      "one that a numbered room has",
      { room: "desk-2" },
      { room: "desk", capacity: 2, overflow: overflowTo("next", { rooms: 3 }) },
    ],
    ["one with blanks around it", { room: "{param.trail}" }, { room: " {param.trail} " }],
    [
      "the same placeholder, filled in with blanks around it",
      { room: "{param.trail}" },
      { room: "{param.trail}" },
    ],
  ])("of the defaults is heard in a room that another rule records by %s", (_, first, recording) => {
    expect(beside(first, recording)).toEqual({ before: [{ say: notice }] });
  });

  test.each([
    ["another room", { room: "open" }, { room: "board" }],
    ["a room of other values of the call", { room: "team-{to}" }, { room: "team-{from}" }],
    ["a room of what this call does not have", { room: "team-7" }, { room: "team-{param.team}" }],
  ])("of the defaults waits to be heard if it is %s that another rule records", (_, first, recording) => {
    expect(beside(first, recording)).toEqual({ later: { say: notice } });
    expect(beside({ ...first, recording_notice: false }, recording)).toEqual({});
  });

  test("that may be missing, as values of other calls decide, is warned of", () => {
    const warned = (first: object, recording: object, more: object = { defaults }) =>
      warningsOf({
        ...more,
        rules: [
          { id: "first", match: { to: "+15550100100" }, place: first },
          { id: "taped", match: { to: "+15550100999" }, place: { ...records, ...recording } },
        ],
      }).filter((one) => one.includes("rules[0]"));
    const maybe =
      'rules[0].place.room: may be a room that "taped" records, which depends on the call, and then its callers hear no notice: write a "recording_notice" beside the room, or false where they know';
    expect(warned({ room: "team-{to}" }, { room: "team-{from}" })).toEqual([maybe]);
    expect(warned({ room: "team-7" }, { room: "{param.team}" })).toEqual([maybe]);
    expect(warned({ room: "team-{to}" }, { room: "team-{to}" })).toEqual([]);
    expect(warned({ room: "hall-{to}" }, { room: "team-{from}" })).toEqual([]);
    expect(warned({ room: "hall" }, { room: "{to|digits}" })).toEqual([]);
    for (const own of [false, notice])
      expect(warned({ room: "team-7", recording_notice: own }, { room: "{param.team}" })).toEqual([]);
    expect(warned({ room: "board" }, { room: "board", recording_notice: notice }, {})).toEqual([
      'rules[0].place.room: is a room that "taped" records, and its callers are not told: write a "recording_notice" beside the room or in the defaults, or false where they know',
    ]);
  });

  test("that is wrong is refused", () => {
    expect(errorsOf(withPlace({ recording_notice: true }))).toEqual([
      "rules[0].place.recording_notice: must be false, not true",
    ]);
    expect(errorsOf({ defaults: { recording_notice: "{answer.pin}" }, rules: [] })).toEqual([
      'defaults.recording_notice: nothing asks for "pin" before this rule is looked at',
    ]);
  });

  test("that a call may have no words for leaves calls to later rules", () => {
    const rules = [
      { id: "a", match: {}, place: { room: "a", ...records } },
      { id: "b", match: {}, place: { room: "b" } },
    ];
    expect(warningsOf({ defaults: { recording_notice: "For {param.name}." }, rules })).toEqual([]);
    expect(warningsOf({ defaults, rules })).toHaveLength(1);
  });
});

describe("a caller's number in the room", () => {
  test("stands in an announcement until it is known, and nowhere else", () => {
    const announce = "You are caller {number}, {from|last4}.";
    expect(placed({ announce })?.announce).toEqual([{ say: "You are caller {number}, 0001." }]);
    expect(placed({ announce: { say: "You are {number}." } })?.announce).toEqual([
      { say: "You are {number}." },
    ]);
    const elsewhere =
      "{number} may stand in a place's \"announce\" alone: it is the caller's number in the room";
    expect(errorsOf(withPlace({ room: "r-{number}" }))).toEqual([`rules[0].place.room: ${elsewhere}`]);
    expect(errorsOf(withPlace({ wait: { for: "admission", announce: "{number}" } }))).toEqual([
      `rules[0].place.wait.announce: ${elsewhere}`,
    ]);
    expect(errorsOf(withPlace({ announce: "{number|digits}" }))[0]).toContain("unknown placeholder");
  });

  test("is no value that a call may lack: the rule takes every call that it matches", () => {
    const rules = [
      { id: "a", match: {}, place: { room: "a", announce: "Caller {number}." } },
      { id: "b", match: {}, place: { room: "b" } },
    ];
    expect(warningsOf({ rules })).toHaveLength(1);
  });
});

describe("a way back", () => {
  test("goes along, and the ruleset says whether any rule has one", () => {
    expect(placed({ capacity: 2, rejoin_s: 60 })).toMatchObject({ rejoin_s: 60 });
    const compiled = (place: object) =>
      compileRuleset(mustParse(withPlace(place)), { ...acme, hash: "5ha256" }).rejoins;
    expect(compiled({ capacity: 2, rejoin_s: 60 })).toBe(true);
    expect(compiled({ capacity: 2 })).toBe(false);
  });

  test("of at most an hour, to nothing that was kept or said, is warned of", () => {
    expect(errorsOf(withPlace({ capacity: 2, rejoin_s: 3601 }))).toEqual([
      "rules[0].place.rejoin_s: must be at most 3600, not 3601",
    ]);
    expect(warningsOf(withPlace({ rejoin_s: 60 }))).toEqual([
      "rules[0].place.rejoin_s: changes nothing: who drops and calls again keeps no seat without a capacity, and nothing is said or asked before the room that could be left out",
    ]);
    for (const more of [{ capacity: 2 }, { announce: "Hi." }])
      expect(warningsOf(withPlace({ rejoin_s: 60, ...more }))).toEqual([]);
    const asked = {
      id: "g",
      match: {},
      ask: { menu: { say: "Which?", digits: "1" } },
      rules: [{ id: "in", match: {}, place: { room: "a", rejoin_s: 60 } }],
    };
    expect(warningsOf({ rules: [asked] })).toEqual([]);
  });

  test("past a secret or the lobby, or to a moderator's seat, is warned of: numbers can be forged", () => {
    const asking = (question: object, place: object) => ({
      id: "g",
      match: {},
      ask: { pin: { say: "Your PIN?", digits: "4-8", ...question } },
      rules: [{ id: "in", match: {}, place: { room: "a", rejoin_s: 60, ...place } }],
    });
    const warned = (rule: object) => warningsOf({ rules: [rule] }).filter((one) => one.includes("rejoin_s"));
    const forged =
      "for 60 s, any caller with the number of one who dropped; numbers can be forged: leave it out";
    const inGroup = "rules[0].rules[0].place.rejoin_s";
    expect(warned(asking({ secret: true }, {}))).toEqual([
      `${inGroup}: lets in unasked for the secret, ${forged}`,
    ]);
    expect(warned(asking({ secret: true }, { role: "moderator" }))).toEqual([
      `${inGroup}: lets in unasked for the secret and as a moderator, ${forged}`,
    ]);
    expect(warned(asking({}, { role: "listener" }))).toEqual([]);
    expect(warningsOf(withPlace({ rejoin_s: 60, capacity: 2, role: "moderator" }))).toEqual([
      `rules[0].place.rejoin_s: lets in as a moderator, ${forged}`,
    ]);
    expect(warningsOf(withPlace({ rejoin_s: 60, wait: { for: "admission" } }))).toEqual([
      `rules[0].place.rejoin_s: lets in without being admitted, ${forged}`,
    ]);
  });
});
