import { nearest } from "../nearest.ts";
import { isTimezone } from "../wall-clock.ts";

/** What people and other systems call time zones. What several parts of the world call so (IST, AST) is not guessed at. */
const zones: Readonly<Record<string, string>> = {
  ...called("America/New_York", "est", "edt", "et", "est5", "eastern", "us eastern"),
  ...called("America/Chicago", "cst6", "cdt", "ct", "central", "us central"),
  ...called("America/Denver", "mst7", "mdt", "mt", "mst", "mountain", "us mountain"),
  ...called("America/Los_Angeles", "pst", "pst8", "pdt", "pt", "pacific", "us pacific"),
  ...called("America/Anchorage", "akst", "akdt", "alaska", "alaskan"),
  ...called("Pacific/Honolulu", "hst", "hawaii", "hawaiian"),
  ...called("America/Halifax", "atlantic"),
  ...called("Europe/London", "gmt/bst", "uk", "gb", "british", "british summer", "greenwich mean"),
  ...called(
    "Europe/Berlin",
    "cest",
    "mez",
    "mesz",
    "germany",
    "w. europe",
    "central european",
    "central european summer",
  ),
  ...called("Europe/Athens", "eest", "eastern european"),
  ...called("Europe/Lisbon", "west", "western european"),
  ...called("Asia/Tokyo", "tokyo", "japan"),
  ...called("Australia/Sydney", "aest", "aedt", "australian eastern"),
  ...called("Australia/Perth", "awst"),
  ...called("Pacific/Auckland", "nzst", "nzdt", "new zealand"),
  ...called("Asia/Kolkata", "india"),
  ...called("Asia/Singapore", "sgt"),
  ...called("Africa/Johannesburg", "sast"),
};

function called(zone: string, ...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, zone]));
}

/** The IANA zone that was probably meant; undefined where it cannot be told, as for an offset, which knows no summer time. */
export function meantTimezone(written: string): string | undefined {
  if (written.length > 64) return undefined;
  const text = written.trim().replace(/\s+/g, " ");
  const bare = text.replace(/[ _](?:(?:standard|daylight|summer) )?time$/i, "").trim();
  for (const name of [bare.toLowerCase(), bare.toLowerCase().replace("/", " ")])
    if (Object.hasOwn(zones, name)) return zones[name];
  const joined = bare.replaceAll(" ", "_");
  if (/^[A-Za-z_]+(?:\/[A-Za-z_-]+)+$/.test(joined) && isTimezone(joined)) return canonical(joined);
  if (!/^[A-Za-z_/-]{4,}$/.test(joined)) return undefined;
  const all = Intl.supportedValuesOf("timeZone");
  const city = joined.toLowerCase();
  const cities = all.filter((zone) => zone.toLowerCase().endsWith(`/${city}`));
  return cities.length === 1 ? cities[0] : nearest(joined, all);
}

/** An abbreviation that the engine takes for a zone of its own choice; those of the IANA database itself are not meant. */
export function isAbbreviation(timezone: string): boolean {
  return (
    /^[A-Z]{3,4}$/i.test(timezone) &&
    !/^(?:UTC|GMT|UCT|CET|EET|MET|WET|ROC|ROK|PRC|IRAN|CUBA|EIRE|ZULU)$/i.test(timezone)
  );
}

/** `America/Los_Angeles` for `US/Pacific`. */
export function canonical(timezone: string): string {
  return new Intl.DateTimeFormat("en", { timeZone: timezone }).resolvedOptions().timeZone;
}
