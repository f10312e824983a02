import type { Placing } from "../../../shared/placing.ts";
import type { Wait } from "../../../shared/rules/decision.ts";
import type { InLine, Placement } from "./placement-row.ts";

/**
 * The columns that hold the placing decision. Each part is in one of them: a part that SQL looks for, or that the version before reads in a
 * column of its own, is there, and all others are in the text `placing`. What the row says already is not said again.
 */
export type PlacingColumns = Record<
  "rule" | "after_url" | "when_full" | "policies" | "placing",
  string | null
> &
  Record<"role" | "ruleset", string> & { decided_at: number; capacity: number | null };

/** What else of a row tells of the decision. */
type Beside = Pick<Placement, "room" | "join" | "untold" | "sticky_key">;

/** @param text writes what may hold a join. */
export function placingColumns(
  { placing, room, join, wait }: Pick<Placement, "placing" | "room" | "join" | "wait">,
  text: (value: object) => string,
): PlacingColumns {
  const { action: _, sticky_key: __, recording_notice: ___, ...parts } = placing;
  const { rule, role, ruleset, decided_at, capacity, when_full, policies, after, ...others } = parts;
  const { rooms, strategy, join: decided, ...more } = others;
  const isNamed = rooms.length === 1 && rooms[0] === room;
  // Nobody but a call in a line is given another room without being asked about.
  const isAsDecided = wait === null || decided === join;
  const rest = {
    ...(isNamed ? {} : { rooms }),
    ...(strategy === "first" ? {} : { strategy }),
    ...(isAsDecided ? {} : { join: decided }),
    ...(after?.cxml === undefined ? {} : { after }),
    ...more,
  };
  return {
    rule,
    role,
    ruleset,
    decided_at,
    capacity: capacity ?? null,
    after_url: after?.swml ?? null,
    when_full: when_full === undefined ? null : JSON.stringify(when_full),
    policies: policies === undefined ? null : JSON.stringify(policies),
    placing: Object.keys(rest).length === 0 ? null : text(rest),
  };
}

/** @param terms what the row's text `wait` holds. */
export function placingFrom(
  { rule, role, ruleset, decided_at, capacity, after_url, when_full, policies, placing }: PlacingColumns,
  { room, join, untold, sticky_key }: Beside,
  terms: InLine | WaitBefore | null,
): Placing {
  const others: Partial<Placing> = placing === null ? {} : JSON.parse(placing); // Written by `placingColumns`.
  return {
    action: "place",
    rooms: [room],
    strategy: "first",
    join,
    rule,
    role,
    ruleset,
    decided_at,
    ...(capacity === null ? {} : { capacity }),
    ...(sticky_key === null ? {} : { sticky_key }),
    ...(after_url === null ? {} : { after: { action: "hand_over", swml: after_url } }),
    ...part("when_full", when_full),
    ...part("policies", policies),
    ...part("recording_notice", untold),
    // The version before put it into its line.
    ...(others.wait === undefined && terms !== null && "for" in terms ? decidedBefore(terms) : {}),
    ...others,
  };
}

/** A waiter's text as the version before reads and writes it: the decision is not kept beside it there. */
export type WaitBefore = InLine &
  Pick<Placing, "rooms" | "strategy" | "join" | "coach" | "when_full" | "max_duration_s"> &
  Pick<Wait, "for" | "max_s" | "otherwise" | "music">;

/** What this version keeps in it, with what the version before looks for. */
export function waitText(wait: InLine, placing: Placing): InLine | WaitBefore {
  if (placing.wait === undefined) return wait;
  const { rooms, strategy, join, coach, when_full, max_duration_s } = placing;
  const { for: what, max_s, otherwise, music } = placing.wait;
  const terms = {
    rooms,
    strategy,
    join,
    coach,
    when_full,
    max_duration_s,
    for: what,
    max_s,
    otherwise,
    music,
  };
  return { ...wait, ...(terms as WaitBefore) }; // What is undefined is not written.
}

/** What there is to know of a call in a line beside its decision. */
export function inLine({ asked, music_ms, fetch_url, room_proofs }: InLine): InLine {
  return {
    ...(asked === undefined ? {} : { asked }),
    ...(music_ms === undefined ? {} : { music_ms }),
    ...(fetch_url === undefined ? {} : { fetch_url }),
    ...(room_proofs === undefined ? {} : { room_proofs }),
  };
}

function decidedBefore(terms: WaitBefore): Partial<Placing> {
  const { rooms, strategy, join, coach, when_full, max_duration_s, music, ...others } = terms;
  const { for: what, max_s, otherwise } = others;
  return {
    rooms,
    strategy,
    join,
    ...(coach === undefined ? {} : { coach }),
    ...(when_full === undefined ? {} : { when_full }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
    wait: { for: what, max_s, otherwise, ...(music === undefined ? {} : { music }) },
  };
}

function part<Name extends keyof Placing>(name: Name, text: string | null): Pick<Placing, Name> | object {
  return text === null ? {} : { [name]: JSON.parse(text) }; // Written by `placingColumns`, or when the row was planned.
}
