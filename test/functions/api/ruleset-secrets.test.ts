import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restoreSecrets } from "../../../functions/api/ruleset/restore.ts";
import { maskSecrets, secretsOf } from "../../../functions/api/ruleset/secrets.ts";

const hmac = (digit: string) => ({ hmac: digit.repeat(64) });
const stream = (token: string, url = "wss://audio.example.com") => ({
  stream: { url, authorization_bearer_token: token },
});
const pinned = (id: string, wanted: unknown) => ({
  id,
  match: { "answer.pin": wanted },
  place: { room: "board" },
});

const ruleset = {
  lists: { pins: [hmac("a"), "+15550100001", hmac("b")] },
  roles: { heard: stream("role-token") },
  defaults: { join: stream("default-token") },
  rules: [
    { id: "plain", match: { params: { hmac: "***" }, headers: { hmac: "x" } }, place: { room: "plain" } },
    {
      id: "bridge",
      match: {},
      ask: { pin: { say: "PIN?", digits: "4", secret: true } },
      rules: [
        pinned("chair", hmac("c")),
        pinned("member", [hmac("d"), hmac("e")]),
        {
          id: "rest",
          match: { not: { "answer.pin": hmac("f") } },
          place: { room: "r", join: stream("rule-token") },
        },
      ],
    },
  ],
  fallback: { place: { room: "lobby", join: stream("fallback-token") } },
};

type Loose = Record<string, unknown>;

/** A copy, with its secrets as the API shows them. */
function shown<T>(value: T): T {
  const copy = structuredClone(value);
  maskSecrets(copy);
  return copy;
}

function restored(written: unknown, stored: unknown) {
  const copy = structuredClone(written);
  const { problems } = restoreSecrets(copy, stored);
  return { ruleset: copy, problems: problems.map(({ path, message }) => `${path}: ${message}`) };
}

const group = (...rules: unknown[]) => ({ rules: [{ id: "bridge", match: {}, rules }] });

describe("secrets of a ruleset", () => {
  it("are found wherever they may stand, and what is only called so is not", () => {
    expect(secretsOf(ruleset).found.map(({ path }) => path.join("."))).toEqual([
      "lists.pins.0.hmac",
      "lists.pins.2.hmac",
      "roles.heard.stream.authorization_bearer_token",
      "defaults.join.stream.authorization_bearer_token",
      "rules.1.rules.0.match.answer.pin.hmac",
      "rules.1.rules.1.match.answer.pin.0.hmac",
      "rules.1.rules.1.match.answer.pin.1.hmac",
      "rules.1.rules.2.match.not.answer.pin.hmac",
      "rules.1.rules.2.place.join.stream.authorization_bearer_token",
      "fallback.place.join.stream.authorization_bearer_token",
    ]);
  });

  it("are found in what is no good ruleset, too", () => {
    const odd = {
      params: [{ rules: [{ hmac: 7 }] }],
      vars: { authorization_bearer_token: { deep: "secret" } },
    };
    expect(shown<unknown>(odd)).toEqual({
      params: [{ rules: [{ hmac: "***" }] }],
      vars: { authorization_bearer_token: "***" },
    });
    for (const nothing of [null, 7, "hmac", [], {}]) expect(secretsOf(nothing).found).toEqual([]);
  });

  it("are all there again when what is shown is put back", () => {
    expect(JSON.stringify(shown(ruleset))).not.toMatch(/[a-f]{64}|-token/);
    expect(restored(shown(ruleset), ruleset)).toEqual({ ruleset, problems: [] });
  });

  it("go with their rules by id, however these are shuffled and into whichever group they move", () => {
    const rules = Array.from({ length: 8 }, (_, index) =>
      pinned(`r${index}`, [hmac(String(index)), hmac("9")]),
    );
    const shuffled = fc.shuffledSubarray(rules, { minLength: 1 });
    fc.assert(
      fc.property(shuffled, fc.nat(8), (some, at) => {
        const written = { rules: [...some.slice(0, at), ...group(...some.slice(at)).rules] };
        expect(restored(shown(written), { rules })).toEqual({ ruleset: written, problems: [] });
      }),
    );
  });

  it("stay where a rule has only got another id", () => {
    const before = group(pinned("chair", hmac("a")), pinned("member", hmac("b")));
    const after = group(pinned("head", hmac("a")), pinned("member", hmac("b")));
    expect(restored(shown(after), before)).toEqual({ ruleset: after, problems: [] });
  });

  it("are not guessed where a rule is new and another's place is taken", () => {
    const before = group(pinned("chair", hmac("a")), pinned("member", hmac("b")));
    const after = group(pinned("new", hmac("0")), pinned("chair", hmac("a")), pinned("member", hmac("b")));
    expect(restored(shown(after), before).problems).toEqual([
      'rules[0].rules[0].match["answer.pin"].hmac: "***" keeps the secret that the stored ruleset has here, and it has none: write the secret itself',
    ]);
  });

  it("of a list stay where new ones follow or replace them, and are not guessed where some are gone", () => {
    const lists = (...pins: unknown[]) => ({ lists: { pins } });
    const stored = lists(hmac("a"), hmac("b"), hmac("c"));
    const mask = () => ({ hmac: "***" });
    expect(restored(lists(mask(), hmac("d"), mask(), hmac("e")), stored)).toEqual({
      ruleset: lists(hmac("a"), hmac("d"), hmac("c"), hmac("e")),
      problems: [],
    });
    expect(restored(lists(hmac("d"), mask()), stored).problems).toEqual([
      'lists.pins[1].hmac: "***" keeps the secret that stood here, but the list had 3 values and has 2 now, so which of them it was can\'t be told: write the secrets of this list themselves',
    ]);
    expect(restored(lists(mask(), mask(), mask(), mask()), stored).problems).toEqual([
      expect.stringMatching(/^lists\.pins\[3\]\.hmac: .* it has none/),
    ]);
  });

  it("are not sent to a server that they were not written for", () => {
    const roles = (join: unknown): Loose => ({ roles: { heard: join } });
    const elsewhere = roles(stream("***", "wss://elsewhere.example.com"));
    const { ruleset: after, problems } = restored(elsewhere, roles(stream("token")));
    expect(after).toEqual(elsewhere);
    expect(problems).toEqual([
      'roles.heard.stream.authorization_bearer_token: "***" keeps the token for the URL that it was written for, and the stream has another URL now: write the token itself',
    ]);
  });

  it("are not taken from a stored rule whose id is there twice", () => {
    const stored = { rules: [pinned("a", hmac("a")), pinned("a", hmac("b"))] };
    expect(restored({ rules: [pinned("a", { hmac: "***" })] }, stored).problems).toHaveLength(1);
  });

  it("are not made up where nothing is stored", () => {
    expect(restored(shown(ruleset), null).problems).toHaveLength(secretsOf(ruleset).found.length);
  });
});
