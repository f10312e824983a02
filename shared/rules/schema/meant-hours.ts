/** Days by how people begin to write them. */
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const GROUPS: Readonly<Record<string, string>> = {
  weekdays: "mon-fri",
  weekday: "mon-fri",
  workdays: "mon-fri",
  weekends: "sat,sun",
  weekend: "sat,sun",
  daily: "mon-sun",
  everyday: "mon-sun",
  always: "mon-sun",
};
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Texts that are longer mean nothing that could be told. */
const LENGTH = 64;

/** `mon-fri 09:00-17:00` for `Monday to Friday 9am - 5pm`; undefined where it cannot be told. */
export function meantWeeklyHours(written: string): string | undefined {
  if (written.length > LENGTH) return undefined;
  const text = simplified(written);
  if (text === "24/7" || text === "always") return "mon-sun 00:00-24:00";
  const [, days = "", hours = ""] = /^([a-z][a-z ,&/-]*?)[:, ]*(\d.*|24h|all day)$/.exec(text) ?? [];
  const [on, at] = [meantDays(days), meantHours(hours)];
  return on === undefined || at === undefined ? undefined : `${on} ${at}`;
}

/** `09:00-17:00` for `9am-5pm`, `9-17`, `0900 - 1700`. A night that may be a slip (`9-5`) is not guessed at. */
export function meantHours(written: string): string | undefined {
  if (written.length > LENGTH) return undefined;
  const text = simplified(written);
  if (/^(24h|24\/7|all day|0?0:00-0?0:00)$/.test(text)) return "00:00-24:00";
  const [, begin, end, more] = /^([^-]+)-([^-]+)(-.*)?$/.exec(text.replace(/^from /, "")) ?? [];
  if (begin === undefined || end === undefined || more !== undefined) return undefined;
  const [first, last] = [clock(begin.trim()), clock(end.trim())];
  if (first === undefined || last === undefined || first.text === last.text) return undefined;
  const isNight = first.text > last.text;
  if (first.text === "24:00" || (isNight && !(first.isSure && last.isSure))) return undefined;
  return `${first.text}-${last.text}`;
}

/** `2026-12-25` for `25.12.2026`, `12-25` for `Dec 25`; undefined where day and month may be either. */
export function meantDates(written: string): string | undefined {
  if (written.length > LENGTH) return undefined;
  const text = written.trim().toLowerCase();
  const [first = "", last, ...more] = text.split(/\s*(?:\.\.+|…|–|\bto\b|\buntil\b| - )\s*/);
  if (more.length > 0) return undefined;
  const begin = meantDate(first);
  if (last === undefined || begin === undefined) return begin;
  const end = meantDate(last);
  // Both with a year, or neither.
  return end === undefined || end.length !== begin.length ? undefined : `${begin}..${end}`;
}

function meantDate(text: string): string | undefined {
  const ymd = /^(\d{4})[-./](\d{1,2})[-./](\d{1,2})$/.exec(text);
  if (ymd) return date(ymd[2], ymd[3], ymd[1]);
  const named =
    /^(?:(\d{1,2})(?:\.|st|nd|rd|th)? )?([a-z]{3,9})\.?(?: (\d{1,2})(?:st|nd|rd|th)?)?(?:,? (\d{4}))?$/.exec(
      text,
    );
  if (named) {
    const [, before, word = "", after, year] = named;
    const month = MONTHS.findIndex((one) => word.startsWith(one)) + 1;
    if (month === 0 || (before === undefined) === (after === undefined)) return undefined;
    return date(String(month), before ?? after, year);
  }
  const parts = /^(\d{1,2})[-./](\d{1,2})\.?(?:[-./]?(\d{4}))?$/.exec(text);
  if (!parts) return undefined;
  const [, one = "", other = "", year] = parts;
  const [isDayFirst, isDayLast] = [Number(one) > 12, Number(other) > 12];
  if (isDayFirst === isDayLast && one !== other) return undefined;
  return isDayFirst ? date(other, one, year) : date(one, other, year);
}

function date(month = "", day = "", year?: string): string | undefined {
  const [m, d] = [Number(month), Number(day)];
  // 2024 has a 29th of February.
  const at = new Date(Date.UTC(Number(year ?? 2024), m - 1, d));
  if (at.getUTCMonth() !== m - 1 || at.getUTCDate() !== d) return undefined;
  const text = `${two(m)}-${two(d)}`;
  return year === undefined ? text : `${year}-${text}`;
}

function simplified(written: string): string {
  return written
    .trim()
    .toLowerCase()
    .replace(/\s*(?:[–—−]|\bto\b|\btill\b|\buntil\b|\bthrough\b)\s*/g, "-")
    .replace(/\s+/g, " ")
    .replace(/ ?- ?/g, "-");
}

function meantDays(text: string): string | undefined {
  const parts = text.trim().split(/ ?[,&/] ?| and | /);
  const days = parts.map((part) => {
    const group = Object.hasOwn(GROUPS, part) ? GROUPS[part] : undefined;
    if (group !== undefined) return group;
    const [first = "", last, ...more] = part.split("-");
    const [begin, end] = [day(first), last === undefined ? null : day(last)];
    if (begin === undefined || end === undefined || more.length > 0) return undefined;
    return end === null ? begin : `${begin}-${end}`;
  });
  return days.every((one) => one !== undefined) ? days.join(",") : undefined;
}

function day(word: string): string | undefined {
  const found = DAYS.find((one) => word.startsWith(one));
  return found !== undefined && /^[a-z]{3,9}$/.test(word) ? found : undefined;
}

/** A time of day; sure where it says which half of the day it means. */
function clock(text: string): { text: string; isSure: boolean } | undefined {
  const [, hours = "", minutes = "00", half] =
    /^(\d{1,2})(?:[:.h]?(\d{2}))? ?(am|pm|a\.m\.|p\.m\.|h|uhr)?$/.exec(text) ?? [];
  const hour = Number(hours);
  const isHalf = half?.startsWith("a") || half?.startsWith("p");
  if (hours === "" || Number(minutes) > 59 || hour > 24 || (hour === 24 && minutes !== "00"))
    return undefined;
  if (isHalf && (hour < 1 || hour > 12)) return undefined;
  const at = isHalf ? (hour % 12) + (half?.startsWith("p") ? 12 : 0) : hour;
  return { text: `${two(at)}:${minutes}`, isSure: isHalf === true || hour > 12 || hours.length === 2 };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
