import { splitWireName } from "../conference.ts";
import { fits, readPattern } from "../rules/text-pattern.ts";

/** Whether one of the patterns names the room; `*` is any text. @param room its plain name. */
export function namesRoom(patterns: readonly string[], room: string): boolean {
  return patterns.some((pattern) => {
    const pieces = readPattern(pattern);
    return pieces === null ? pattern === room : fits(pieces, room);
  });
}

/** A room as the tenant's rules spell it. */
export function plainName(tenant: string, wire: string): string {
  const { tenant: owner, name } = splitWireName(wire);
  return owner === tenant ? name : wire;
}
