import { number, ruleset } from "./acme.ts";

/** What a ruleset's rules are told apart by. */
export const kinds = ["number", "prefix", "schedule", "cel"] as const;
export type Kind = (typeof kinds)[number];

const MONDAY_MS = Date.UTC(2026, 10, 23);
const MINUTE_MS = 60_000;
const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** A ruleset of so many rules, of which each takes other calls than all the rest. */
export function rulesetOf(kind: Kind, rules: number): object {
  switch (kind) {
    case "number":
      return ruleset(rules);
    case "prefix":
      return withMatches(rules, (index) => ({ to: `${prefix(index)}*` }));
    case "schedule":
      return {
        timezone: "UTC",
        schedules: Object.fromEntries(
          Array.from({ length: rules }, (_, index) => [`minute-${index}`, { open: [minuteOfWeek(index)] }]),
        ),
        ...withMatches(rules, (index) => ({ during: `minute-${index}` })),
      };
    case "cel":
      return withMatches(rules, (index) => ({
        when: `call.to == '${number(index)}' && call.type == 'phone'`,
      }));
  }
}

/** Whom the rule at the position takes, and when; a position behind the last rule's, whom none takes. */
export function callFor(kind: Kind, index: number): { to: string; at_ms: number } {
  const to = kind === "prefix" ? `${prefix(index)}0001` : number(index);
  return { to, at_ms: MONDAY_MS + index * MINUTE_MS };
}

function withMatches(rules: number, matchOf: (index: number) => object): object {
  return {
    rules: Array.from({ length: rules }, (_, index) => ({
      id: `team-${index}`,
      match: matchOf(index),
      place: { room: `team-${index}` },
    })),
  };
}

function prefix(index: number): string {
  return `+1555${String(index).padStart(5, "0")}`;
}

/** A week has 10,080 minutes; each is a schedule's own. */
function minuteOfWeek(index: number): string {
  const minute = index % 1_440;
  const shown = (of: number) =>
    `${String(Math.floor(of / 60)).padStart(2, "0")}:${String(of % 60).padStart(2, "0")}`;
  return `${days[Math.floor(index / 1_440)]} ${shown(minute)}-${shown(minute + 1)}`;
}
