import type { PlaceText } from "../schema/action-schema.ts";

/** The names of the rooms as written, in order: the room, and where it overflows its numbered ones. */
export function roomNames(room: string, { overflow }: PlaceText): [string, ...string[]] {
  const names: [string, ...string[]] = [room];
  for (let number = 2; number <= (overflow?.rooms ?? 1); number++) names.push(`${room}-${number}`);
  return names;
}
