import { expect, test } from "vitest";
import { planOf, planSeats } from "./plan.ts";

const shape = { projects: 2, troubles: 3, trouble_ms: 6_000, rushed: 0.3 };

test("one seed makes the same calls and the same troubles each time, another makes others", () => {
  expect(planOf(7, 50, shape)).toEqual(planOf(7, 50, shape));
  const seats = { projects: 2, over_at_ms: 20_000 };
  expect(planSeats(7, 50, seats)).toEqual(planSeats(7, 50, seats));
  expect(planOf(8, 50, shape).digest).not.toBe(planOf(7, 50, shape).digest);
});

test("a long run meets every trouble and turns every switch", () => {
  const { deeds } = planOf(1, 1_000, { ...shape, projects: 8, troubles: 12 });
  const turned = new Set<string>();
  for (const { deed } of deeds) {
    if (deed.do !== "settings") continue;
    for (const [name, value] of Object.entries(deed.switches)) turned.add(`${name} ${value}`);
  }
  // Ten are on or off, and one has three ways.
  expect([...turned].filter((one) => !one.startsWith("relay_drives"))).toHaveLength(20);
  expect([...turned].filter((one) => one.startsWith("relay_drives"))).toHaveLength(3);
  expect(new Set(deeds.map(({ deed }) => deed.do))).toEqual(
    new Set(["settings", "sockets", "silence", "restart", "end_room", "vanish", "retry"]),
  );
});
