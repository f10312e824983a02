const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}))?)?(Z|[+-]\d{2}:\d{2})?$/;

/**
 * The instant that a text means, in ms; undefined where it is none. A time without an offset is what the clock shows in the zone;
 * a date alone is its noon.
 */
export function instantOf(text: string, timezone: string | undefined): number | undefined {
  const [whole, date = "", time = "12:00", seconds = "00", offset] = ISO.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  const local = Date.parse(`${date}T${time}:${seconds}${offset ?? "Z"}`);
  if (Number.isNaN(local)) return undefined;
  if (offset !== undefined) return local;
  if (timezone === undefined) return undefined;
  // Twice: the first guess may be on the other side of a change of the clocks.
  const guess = local - offsetAt(local, timezone);
  return local - offsetAt(guess, timezone);
}

/** How far a zone's clock is ahead of UTC at an instant, ms. */
function offsetAt(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(at);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign = "+", hours = "0", minutes = "0"] = /GMT([+-])(\d{2}):(\d{2})/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
