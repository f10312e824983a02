import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runPartyline } from "./run-partyline.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "partyline-holidays-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function holidays(name: string, text: string) {
  await writeFile(join(folder, name), text);
  return await runPartyline({ args: ["holidays", name, "--from", "2026"], cwd: folder });
}

const event = (...lines: string[]) => ["BEGIN:VEVENT", ...lines, "END:VEVENT"];
const calendar = (...events: string[][]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", ...events.flat(), "END:VCALENDAR", ""].join(
    "\r\n",
  );

test("a calendar's days become a list: yearly ones without a year, others for three years, past and cancelled ones left out", async () => {
  const text = calendar(
    event("UID:1", "DTSTART;VALUE=DATE:20241225", "RRULE:FREQ=YEARLY", "SUMMARY:Christmas Day"),
    event(
      "UID:2",
      "DTSTART;VALUE=DATE:20251127",
      "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
      "SUMMARY:Thanksgiving",
    ),
    event("UID:3", "DTSTART;VALUE=DATE:20261228", "DTEND;VALUE=DATE:20270102", "SUMMARY:Between the years"),
    event("UID:4", "DTSTART:20261224T120000Z", "DTEND:20261224T170000Z", "SUMMARY:Half day"),
    event("UID:5", "DTSTART;VALUE=DATE:20240101", "SUMMARY:Long ago"),
    event("UID:6", "DTSTART;VALUE=DATE:20260907", "STATUS:CANCELLED", "SUMMARY:Called off"),
  );
  expect(await holidays("us.ics", text)).toEqual({
    code: 0,
    out: '[\n  "12-25",\n  "2026-11-26",\n  "2026-12-28..2027-01-01",\n  "2027-11-25",\n  "2028-11-23"\n]\n',
    err: 'note: us.ics: "Half day" is of part of a day, and left out: write its hours into "on"\n',
  });
});

test("a table's dates are read as people write them, but for those that may be two days", async () => {
  const table =
    "date,name\n25.12.2026,Christmas\n2026-12-31;2027-01-01;New Year\nJan 6,Epiphany\n2020-01-01,Old\n";
  expect(await holidays("days.csv", table)).toEqual({
    code: 0,
    out: '[\n  "01-06",\n  "2026-12-25",\n  "2026-12-31..2027-01-01"\n]\n',
    err: "",
  });
  expect(await holidays("odd.csv", "date\n01/02/2027\nsoon 1\n")).toEqual({
    code: 1,
    out: "",
    err: `error: odd.csv: line 2: "01/02/2027" is no date that can be read one way: write 2026-12-25, or 12-25 for every year
error: odd.csv: line 3: "soon 1" is no date that can be read one way: write 2026-12-25, or 12-25 for every year
`,
  });
});

test("what is no calendar or table is told, with 1 or 2", async () => {
  expect(await holidays("no.ics", "hello\n")).toMatchObject({
    code: 1,
    err: expect.stringContaining("no.ics: is no calendar"),
  });
  expect(await holidays("empty.ics", calendar())).toEqual({
    code: 1,
    out: "",
    err: "error: empty.ics: has no events (VEVENT)\n",
  });
  expect(await holidays("days.txt", "2026-12-25")).toEqual({
    code: 2,
    out: "",
    err: "error: days.txt: name it .ics, for a calendar, or .csv, for a table\n",
  });
});
