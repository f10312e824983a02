import { expect, test } from "vitest";
import { compileRuleset } from "../../../../shared/rules/compile/compile.ts";
import { decide } from "../../../../shared/rules/decide.ts";
import { errorsOf, warningsOf, withRule } from "../readings.ts";
import { acme, callWith, mustParse } from "../sample.ts";

/** What happens so long after the last moderator's leave. */
const leaves = (then: string, more: object = {}) => ({ after_s: 60, then, ...more });
const chair = (more: object) => withRule({ place: { room: "one", role: "moderator", ...more } });

test("a room's policies are decided with the placement, those unwritten with their defaults", () => {
  const when_moderator_leaves = leaves("end", { say: "The meeting is over." });
  const rules = chair({ lock: "lobby", mute_all: true, when_moderator_leaves, speaking: true });
  const compiled = compileRuleset(mustParse(rules), { ...acme, hash: "5ha256" });
  expect(decide(compiled, callWith({}), 0)).toMatchObject({
    action: "place",
    policies: { lock: "lobby", mute_all: { except: ["moderator"] }, when_moderator_leaves },
    speaking: true,
  });
  const plain = compileRuleset(mustParse(withRule({})), { ...acme, hash: "5ha256" });
  expect(decide(plain, callWith({}), 0)).not.toHaveProperty("policies");
});

test("what counts a moderator's leave is written where a moderator is placed, and not beside end_on_exit", () => {
  expect(errorsOf(withRule({ place: { room: "one", when_moderator_leaves: leaves("end") } }))[0]).toContain(
    "only a moderator's leave counts",
  );
  expect(warningsOf(chair({ when_moderator_leaves: leaves("end") }))).toEqual([]);
  const beside = chair({ when_moderator_leaves: leaves("end"), join: { end_on_exit: true } });
  expect(warningsOf(beside)).toContainEqual(expect.stringContaining("never comes to pass: end_on_exit"));
});

test("words to a room hold no placeholders, times have their bounds, and roles are known", () => {
  expect(errorsOf(chair({ when_moderator_leaves: leaves("end", { say: "Bye, {from}." }) }))[0]).toContain(
    "may hold no placeholders",
  );
  expect(errorsOf(chair({ when_moderator_leaves: { ...leaves("end"), after_s: 1 } }))).toHaveLength(1);
  expect(errorsOf(chair({ mute_all: { except: ["speaker"] } }))[0]).toContain("speaker");
  expect(errorsOf(chair({ lock: "shut" }))).toHaveLength(1);
});
