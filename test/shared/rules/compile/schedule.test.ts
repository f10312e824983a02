import { describe, expect, test } from "vitest";
import { Schedule } from "../../../../shared/rules/compile/schedule.ts";
import type { ScheduleText } from "../../../../shared/rules/schema/schedule-schema.ts";
import { WallClock } from "../../../../shared/rules/wall-clock.ts";

/** Whether the schedule is open at each instant, given with its offset. */
function openAt(
  text: ScheduleText,
  zone: string,
  instants: string[],
  lists: Record<string, string[]> = {},
): boolean[] {
  const clock = new WallClock(zone);
  const schedule = new Schedule("s", text, clock, lists);
  return instants.map((instant) => schedule.isOpen(clock.read(Date.parse(instant))));
}

const newYork = "America/New_York";

describe("hours", () => {
  test("begin on their first minute and are over on their last", () => {
    const at = ["08:59:59", "09:00:00", "17:29:59", "17:30:00"].map((time) => `2026-11-23T${time}-05:00`);
    expect(openAt({ open: ["mon-fri 09:00-17:30"] }, newYork, at)).toEqual([false, true, true, false]);
  });

  test("may be several a day, on lists of days, and round the end of the week", () => {
    const open = ["mon,wed-thu 09:00-12:00", "mon 13:00-17:00", "sat-mon 20:00-21:00"];
    const at = [
      "2026-11-23T12:30",
      "2026-11-23T13:30",
      "2026-11-24T10:00",
      "2026-11-26T10:00",
      "2026-11-22T20:30",
    ];
    expect(
      openAt(
        { open },
        "UTC",
        at.map((one) => `${one}Z`),
      ),
    ).toEqual([false, true, false, true, true]);
  });

  test("over midnight belong to the day on which they begin", () => {
    const friday = { open: ["fri 22:00-06:00"] };
    const at = ["2026-11-27T05:00Z", "2026-11-27T23:00Z", "2026-11-28T05:59Z", "2026-11-28T06:00Z"];
    expect(openAt(friday, "UTC", at)).toEqual([false, true, true, false]);
  });

  test("of all day end at midnight, which is 24:00", () => {
    const at = ["2026-11-23T00:00Z", "2026-11-23T23:59Z", "2026-11-24T00:00Z"];
    expect(openAt({ open: ["mon 00:00-24:00"] }, "UTC", at)).toEqual([true, true, false]);
  });
});

describe("dates", () => {
  const text: ScheduleText = {
    open: ["mon-sun 22:00-06:00"],
    closed: { list: "holidays" },
    on: { "2026-12-24": ["09:00-12:00"], "2026-12-30": ["23:00-01:00"] },
  };
  const lists = { holidays: ["2026-12-22", "2026-12-29..2026-12-31"] };
  const open = (...at: string[]) => openAt(text, "UTC", at, lists);

  test("that are closed cut short nothing that began the day before", () => {
    expect(open("2026-12-22T05:00Z", "2026-12-22T23:00Z", "2026-12-23T05:00Z")).toEqual([true, false, false]);
  });

  test("with other hours have those in place of the weekly ones, even among closed dates", () => {
    expect(open("2026-12-24T10:00Z", "2026-12-24T23:00Z")).toEqual([true, false]);
    expect(open("2026-12-29T23:00Z", "2026-12-30T23:30Z", "2026-12-31T00:30Z", "2026-12-31T23:00Z")).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe("when clocks are changed", () => {
  test("in spring, hours in the gap do not come, and those around it are an hour shorter", () => {
    // New York, 2026-03-08: 01:59 is followed by 03:00.
    const at = ["2026-03-08T01:59:59-05:00", "2026-03-08T03:00:00-04:00"];
    expect(openAt({ open: ["sun 02:00-03:00"] }, newYork, at)).toEqual([false, false]);
    expect(openAt({ open: ["sat 22:00-02:30"] }, newYork, at)).toEqual([true, false]);
    expect(openAt({ open: ["sun 02:30-10:00"] }, newYork, at)).toEqual([false, true]);
  });

  test("in autumn, hours that come twice are open both times", () => {
    // New York, 2026-11-01: 01:59 is followed by 01:00.
    const at = ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:00:00-05:00"];
    expect(openAt({ open: ["sun 01:00-02:00"] }, newYork, at)).toEqual([true, true, false]);
    expect(openAt({ open: ["sat 22:00-01:15"] }, newYork, [...at, "2026-11-01T01:10:00-05:00"])).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  test("by half an hour, or at midnight, it is no different", () => {
    // Lord Howe, 2026-10-04: 02:00 becomes 02:30. Cairo, 2026-04-24: midnight becomes 01:00.
    expect(
      openAt({ open: ["sun 02:30-03:00"] }, "Australia/Lord_Howe", [
        "2026-10-03T15:29:59Z",
        "2026-10-03T15:30:00Z",
        "2026-10-03T16:00:00Z",
      ]),
    ).toEqual([false, true, false]);
    expect(
      openAt({ open: ["fri 00:00-01:00", "fri 01:00-02:00"] }, "Africa/Cairo", [
        "2026-04-23T21:59:59Z",
        "2026-04-23T22:00:00Z",
      ]),
    ).toEqual([false, true]);
  });
});

test("a schedule has its own time zone or the ruleset's, and the trace names what the clock showed", async () => {
  const { decideFor, callWith } = await import("../sample.ts");
  const rules = [{ id: "day", match: { during: ["berlin", "tokyo"] }, place: { room: "day" } }];
  const open = ["mon-sun 09:00-17:00"];
  const schedules = { berlin: { timezone: "Europe/Berlin", open }, tokyo: { open: ["mon 00:00-00:01"] } };
  // 2023-11-14 22:13:20 UTC
  const { rule, looked_at } = decideFor({ timezone: "Asia/Tokyo", schedules, rules }, callWith());
  expect(rule).toBe(null);
  expect(looked_at[0]?.findings).toEqual([
    {
      field: "during",
      holds: false,
      why: 'it is Tuesday 2023-11-14 23:13 in Europe/Berlin: "berlin", "tokyo" is closed',
    },
  ]);
});
