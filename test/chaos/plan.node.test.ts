import { expect, test } from "vitest";
import { matrix, shortMatrix, titleOf } from "./matrix.ts";
import { planOf, planSeats, withOperators } from "./plan.ts";
import { drawReadings, parseReadings, questions, readingsWith, unusualOf } from "./readings.ts";

const shape = { projects: 2, troubles: 3, trouble_ms: 6_000, rushed: 0.3 };
const seats = { projects: 2, over_at_ms: 20_000 };

test("one seed makes the same calls and the same troubles each time, another makes others", () => {
  expect(planOf(7, 50, shape)).toEqual(planOf(7, 50, shape));
  expect(planSeats(7, 50, seats)).toEqual(planSeats(7, 50, seats));
  expect(planOf(8, 50, shape).digest).not.toBe(planOf(7, 50, shape).digest);
});

test("operators at work change nothing else of a seed, and do something to a tenth of the calls", () => {
  const alone = planOf(7, 1_000, shape);
  const operated = withOperators(alone);
  expect(operated).toEqual(withOperators(planOf(7, 1_000, shape)));
  expect({ ...operated, operators: null, digest: alone.digest }).toEqual(alone);
  expect(operated.digest).not.toBe(alone.digest);
  const calls = new Set(operated.operators?.calls.map(({ call_id }) => call_id));
  expect(calls.size).toBeGreaterThan(60);
  expect(calls.size).toBeLessThan(140);
  const acts = [...(operated.operators?.calls ?? []), ...(operated.operators?.rooms ?? [])];
  expect(new Set(acts.map(({ act }) => act))).toEqual(
    new Set(["mute", "unmute", "hold", "unhold", "remove", "move", "lock", "unlock", "end"]),
  );
});

test("a long run meets every kind of deed", () => {
  const { deeds } = planOf(1, 1_000, { ...shape, projects: 8, troubles: 12 });
  expect(new Set(deeds.map(({ deed }) => deed.do))).toEqual(
    new Set(["settings", "sockets", "silence", "restart", "end_room", "vanish", "retry"]),
  );
});

test("a project has three to six unusual readings for life, and a trouble turns its switches back to them", () => {
  for (const plan of [planOf(7, 10, shape), planSeats(7, 10, seats)]) {
    for (const [project, { readings }] of plan.projects.entries()) {
      const unusual = Object.keys(unusualOf(readings)).length;
      expect(unusual).toBeGreaterThanOrEqual(3);
      expect(unusual).toBeLessThanOrEqual(6);
      const last = plan.deeds.findLast((one) => one.project === project && one.deed.do === "settings");
      expect(last?.deed).toMatchObject({ switches: readings });
    }
  }
});

test("every reading is drawn by some project", () => {
  const drawn = new Set<string>();
  for (let project = 0; project < 2_000; project += 1) {
    for (const reading of Object.entries(unusualOf(drawReadings(1, project, {}))))
      drawn.add(reading.join("="));
  }
  const known = Object.entries(questions).flatMap(([name, { readings }]) =>
    readings.slice(1).map((value) => `${name}=${value}`),
  );
  expect(drawn).toEqual(new Set(known));
});

test("every project makes calls with a limit and without one, each to a number of its own, and none where seats are counted", () => {
  const { dials, projects } = planOf(7, 50, shape);
  for (const [project, { tenants }] of projects.entries()) {
    const mine = dials.filter((dial) => dial.project === project);
    expect(new Set(mine.map(({ tenant }) => tenant))).toEqual(new Set(tenants));
  }
  expect(new Set(dials.map(({ to }) => to)).size).toBe(dials.length);
  expect(planSeats(7, 50, seats).dials).toEqual([]);
});

test("a fixed reading is every project's, and the calls stay the same", () => {
  const fixed = planOf(7, 50, shape, { call_sid_is_call_id: false });
  expect(fixed.projects.map(({ readings }) => readings.call_sid_is_call_id)).toEqual([false, false]);
  expect(fixed.calls).toEqual(planOf(7, 50, shape).calls);
  expect(fixed.digest).not.toBe(planOf(7, 50, shape, { call_sid_is_call_id: true }).digest);
});

test("readings are read from NAME=VALUE, and an unknown name or value is told", () => {
  expect(parseReadings(["relay_drives_webhook_calls=404", "alone_hears_music=false"])).toEqual({
    relay_drives_webhook_calls: "404",
    alone_hears_music: false,
  });
  expect(parseReadings(["weather=fine"])).toContain("there is no open question weather");
  expect(parseReadings(["alone_hears_music=perhaps"])).toBe(
    "alone_hears_music is one of true, false, not perhaps",
  );
  expect(parseReadings(["alone_hears_music"])).toBe("alone_hears_music is one of true, false, not nothing");
});

test("the matrix has a row for all as assumed, and one for each other reading", () => {
  const unusual = (kinds: string[]) =>
    Object.entries(questions)
      .filter(([, { kind }]) => kinds.includes(kind))
      .flatMap(([name, { readings }]) => readings.slice(1).map((value) => `${name}=${value}`));
  const titles = (rows: ReturnType<typeof matrix>) => rows.map(({ reading }) => titleOf(reading));
  expect(titles(matrix(1))).toEqual(["as assumed", ...unusual(["harmful", "degrading", "harmless"])]);
  expect(titles(shortMatrix(1))).toEqual(["as assumed", ...unusual(["harmful"])]);
});

test("a row of the matrix has one project, with that reading alone", () => {
  for (const { reading, plan } of matrix(1)) {
    const given = reading ? { [reading.name]: reading.value } : {};
    expect(plan.projects.map(({ readings }) => readings)).toEqual([readingsWith(given)]);
  }
});
