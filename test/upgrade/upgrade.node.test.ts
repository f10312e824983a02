import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../bench/children.ts";
import { bundle } from "../bench/workerd.ts";
import { type Environment, setUpEnvironment, versionBefore } from "./environment.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

/**
 * The version before and this one, one after the other on one storage, KV and address, with calls in rooms: as an upgrade has it,
 * and as a rollback has it. Each scenario has a project of its own. Nothing is said of two versions that serve at one time.
 */
const thisVersion = bundle(temporaryFolder().folder, "functions/index.ts");

/** Something that was thrown and not caught, or caught last of all; or a command that never went through. */
const FAULT = /^\w*Error\b|"event":"[a-z]+\.broke"|"event":"errand\.given_up"/;

describe.concurrent("when this version follows the one before", () => {
  followed(async () => [versionBefore, await thisVersion], scenarios);
});

describe.concurrent("when the version before follows this one", () => {
  const both = scenarios.filter(({ only }) => only !== "upgrade");
  followed(async () => [await thisVersion, versionBefore], both);
});

function followed(bundles: () => Promise<readonly [string, string]>, played: readonly Scenario[]): void {
  let environment: Environment | null = null;
  const outcomes = new Map<Scenario, Promise<{ error: unknown } | null>>();

  beforeAll(async () => {
    const [first, second] = await bundles();
    const set = await setUpEnvironment(first, played.length);
    environment = set;
    const begun = new Map<Scenario, Promise<() => Promise<void>>>();
    const begin = async (isBrief: boolean) => {
      for (const [index, scenario] of played.entries()) {
        if ((scenario.isBrief ?? false) === isBrief) begun.set(scenario, scenario.before(set.home(index)));
      }
      await Promise.allSettled(begun.values());
    };
    await begin(false);
    await begin(true);
    await set.replaceBy(second);
    // All go on at once: what is under way does not wait for a test's turn.
    for (const [scenario, before] of begun) {
      const outcome = before
        .then((after) => after())
        .then(
          () => null,
          (error: unknown) => ({ error }),
        );
      outcomes.set(scenario, outcome);
    }
  }, 40_000);

  afterAll(async () => {
    await environment?.close();
  });

  test.each(played.map((scenario) => [scenario.title, scenario] as const))("%s", async (_, scenario) => {
    const failure = await outcomes.get(scenario);
    if (failure) throw failure.error;
  });

  test("the Workers log no fault of their own", async () => {
    await Promise.all(outcomes.values());
    expect(environment?.log.filter((line) => FAULT.test(line))).toEqual([]);
  });
}
