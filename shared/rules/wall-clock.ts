/** What the clock on the wall and the calendar beside it say somewhere. */
export interface WallTime {
  /** `2026-12-24`. */
  date: string;
  /** The date before. */
  yesterday: string;
  /** 0 is Sunday. */
  weekday: number;
  /** Minutes since midnight, as the clock shows them. */
  minute: number;
}

const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** The instants that a Date can hold, ms. */
const LAST_MS = 8.64e15;
const DAY_MS = 86_400_000;

/** A clock on a wall: what it shows at an instant. */
export class WallClock {
  readonly timezone: string;
  readonly #format: Intl.DateTimeFormat;

  constructor(timezone: string) {
    this.timezone = timezone;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  }

  /** @param now_ms Since the epoch; an instant that no calendar has is taken for the nearest that one has. */
  read(now_ms: number): WallTime {
    const instant = Number.isNaN(now_ms) ? 0 : Math.min(Math.max(now_ms, 0), LAST_MS - DAY_MS);
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) shown[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = shown;
    const midnight = Date.UTC(year, month - 1, day);
    return {
      date: dateText(midnight),
      yesterday: dateText(midnight - DAY_MS),
      weekday: new Date(midnight).getUTCDay(),
      minute: hour * 60 + minute,
    };
  }

  /** `Sunday 2026-11-22 10:41 in Europe/Berlin`. */
  inWords({ date, weekday, minute }: WallTime): string {
    const two = (value: number) => String(value).padStart(2, "0");
    return `${dayNames[weekday]} ${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)} in ${this.timezone}`;
  }
}

/** Whether the IANA database has the time zone. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    // An offset such as +01:00 is taken too, and knows no daylight-saving time.
    return /^[A-Z]/i.test(name);
  } catch {
    return false;
  }
}

function dateText(midnight_ms: number): string {
  const text = new Date(midnight_ms).toISOString();
  return text.slice(0, text.indexOf("T"));
}
