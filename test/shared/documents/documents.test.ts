import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerParams } from "../../../shared/documents/caller-params.ts";
import { apologyDocument } from "../../../shared/documents/fixed-words.ts";
import { render } from "../../../shared/documents/render.ts";
import { type SwmlDocument, swmlDocument } from "../../../shared/documents/swml.ts";
import { everyDocument, everyJoinParameter } from "./every-document.ts";

/** Texts as someone would send them who knows what SignalWire does with marks. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom("$", "%", "{", "}", "${", "%{", "\\u0024{", "call.from"),
      fc.string({ maxLength: 4 }),
    ),
    {
      maxLength: 8,
    },
  )
  .map((pieces) => pieces.join(""));
const hostileParams = fc.dictionary(
  hostileText,
  fc.letrec((tie) => ({
    value: fc.oneof(
      hostileText,
      fc.integer(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(hostileText, tie("value"), { maxKeys: 3 }),
    ),
  })).value,
  { maxKeys: 6 },
);

function mainOf(document: SwmlDocument) {
  return document.sections.main;
}

describe("every document", () => {
  it("is valid by the strict grammar as it is sent", () => {
    for (const [name, document] of Object.entries(everyDocument("support", { tier: "gold" }))) {
      const parsed = swmlDocument.safeParse(JSON.parse(render(document).body));
      expect(parsed.error?.issues ?? [], name).toEqual([]);
      expect(parsed.data, name).toEqual(document);
    }
  });

  it("has its words on one line, as SWML's schema wants them, however a ruleset has them", () => {
    for (const text of ["Ada\nLovelace", "Ada\r\n  Lovelace\n", "Ada\u2028Lovelace"]) {
      const { announce, waitingWithMusic } = everyDocument(text, {});
      for (const document of [announce, waitingWithMusic]) {
        expect(swmlDocument.safeParse(document).error).toBeUndefined();
        expect(JSON.stringify(document)).toContain('Ada Lovelace"');
      }
    }
  });

  it("holds no expansion mark, and is valid, whatever a caller sent", () => {
    fc.assert(
      fc.property(hostileText, hostileParams, (text, params) => {
        for (const [name, document] of Object.entries(everyDocument(text, callerParams(params).params))) {
          const { body } = render(document);
          expect(JSON.parse(body), name).toSatisfy(holdsNoMark);
          // A room's name may be any text here; the rules hold it to printable ASCII.
          if (!name.startsWith("inlineJoin"))
            expect(swmlDocument.safeParse(JSON.parse(body)).success, name).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is sent as it is where it holds no mark", () => {
    for (const document of Object.values(everyDocument("$5 {off} 100%", { tier: "$ {" }))) {
      expect(render(document)).toEqual({ ok: true, body: JSON.stringify(document) });
    }
  });
});

/** Looks for itself, at every value and key: not with the guard that is under test. */
function holdsNoMark(value: unknown): boolean {
  if (typeof value === "string") return !/[$%]\{/.test(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, item]) => holdsNoMark(key) && holdsNoMark(item));
}

describe("a document that would hold a mark", () => {
  it("is replaced by the apology, and the place is named", () => {
    const { announce, inlineJoin, rejectWithWords } = everyDocument("%{call.from}", {});
    const refused = { ok: false, body: JSON.stringify(apologyDocument()), why: "it held ${ or %{" };
    expect(render(announce)).toEqual({ ...refused, path: "sections.main.1.play.url" });
    expect(render(inlineJoin)).toEqual({ ...refused, path: "sections.main.1.join_conference.name" });
    expect(render(rejectWithWords)).toEqual({ ...refused, path: "sections.main.1.play.url" });
  });

  it("is found where two harmless pieces form the mark", () => {
    const document: SwmlDocument = {
      version: "1.0.0",
      sections: { main: [{ play: { url: `say:That is 5${"$"}${"{call.from}"}` } }] },
    };
    expect(render(document)).toMatchObject({ ok: false, path: "sections.main.0.play.url" });
  });

  it("is found by a key too, which is not repeated", () => {
    const { handOver } = everyDocument("x", { "${evil}": 1 });
    expect(render(handOver)).toMatchObject({ ok: false, path: "sections.main.0.transfer.params.*" });
  });
});

describe("the documents of the outcomes", () => {
  const back = {
    dest: "https://partyline.example.com/hooks/acme/swml",
    params: { tier: "gold", partyline: "c2VhbGVk" },
  };
  const documents = everyDocument("support", { tier: "gold" });
  const asksUs = { dest: `${back.dest}?resume=.0.1&joined=1`, params: { tier: "gold" } };

  it("accepted: answer and stay, for a fetch that fails may end a call that is in its room", () => {
    expect(mainOf(documents.accepted)).toEqual([{ answer: { max_duration: 600 } }, { sleep: -1 }]);
  });

  it("held: three seconds, then back; the next time with a ring instead of silence", () => {
    expect(mainOf(documents.held)).toEqual([{ answer: {} }, { sleep: 3000 }, { transfer: back }]);
    expect(mainOf(documents.heldAgain)).toEqual([{ play: { url: "ring:3:us" } }, { transfer: asksUs }]);
  });

  it("confirmed: stay for good", () => {
    expect(mainOf(documents.confirmed)).toEqual([{ sleep: -1 }]);
  });

  it("unknown: a ring of two seconds, then back", () => {
    expect(mainOf(documents.unknown)).toEqual([
      { answer: {} },
      { play: { url: "ring:2:us" } },
      { transfer: back },
    ]);
  });

  it("inline: the same parameters, and words where the caller did not get in", () => {
    const [, join] = mainOf(documents.inlineJoinInFull);
    expect(join).toEqual({
      join_conference: {
        name: "acme:support",
        ...everyJoinParameter,
        result: {
          variable: "join_conference_result",
          case: {
            failed: [{ play: { url: expect.stringMatching(/^say:/) } }, { hangup: {} }],
            "no-answer": [{ play: { url: expect.stringMatching(/^say:/) } }, { hangup: {} }],
            // It may say so as soon as it has joined.
            answered: [{ sleep: -1 }],
          },
          default: [{ hangup: {} }],
        },
      },
    });
  });

  it("inline, where somebody can be asked: a result that says that the call has just joined is asked about", () => {
    const [, join] = mainOf(documents.inlineJoinThatAsks);
    expect(join).toMatchObject({
      join_conference: {
        result: { case: { answered: [{ transfer: asksUs }] }, default: [{ hangup: {} }] },
      },
    });
  });

  it("inline, while RELAY's join of the call may stand: no result is a reason for words or a hang-up", () => {
    const [, join] = mainOf(documents.inlineJoinThatAlwaysAsks);
    const asks = [{ transfer: asksUs }];
    expect(join).toEqual({
      join_conference: {
        name: "acme:support",
        result: {
          variable: "join_conference_result",
          case: { failed: asks, "no-answer": asks, answered: asks },
          default: asks,
        },
      },
    });
  });

  it("announce: heard after the answer, in its language and voice, before coming back", () => {
    expect(mainOf(documents.announce)).toEqual([
      { answer: {} },
      { play: { url: "say:Hello support", say_language: "en-GB", say_voice: "Polly.Amy" } },
      { transfer: back },
    ]);
  });

  it("reject: without words the call is not answered; with words they are heard before it ends", () => {
    expect(mainOf(documents.reject)).toEqual([{ hangup: {} }]);
    expect(mainOf(documents.rejectWithReason)).toEqual([{ hangup: { reason: "busy" } }]);
    expect(mainOf(documents.rejectWithWords)).toEqual([
      { answer: {} },
      { play: { url: "say:Goodbye support" } },
      { hangup: { reason: "decline" } },
    ]);
  });

  it("hand over: the caller's params go along, and nothing of ours", () => {
    expect(mainOf(documents.handOver)).toEqual([
      { transfer: { dest: "https://voicemail.example.com/acme", params: { tier: "gold" } } },
    ]);
  });
});
