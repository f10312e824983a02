import type { Call } from "../../call.ts";
import type { JoinParameters } from "../../conference.ts";
import type { Answers } from "../answers.ts";
import { NAME_LENGTH, TEMPLATES_FILLED } from "../limits.ts";
import type { ActionText, PlaceText } from "../schema/action-schema.ts";
import type { Rule } from "../schema/ruleset.ts";
import { fill, isLiteral, readTemplate, type Template } from "../template.ts";
import { pinTakenBy } from "./pins.ts";
import type { OwnRoles } from "./roles.ts";
import { roomNames } from "./room-names.ts";

/** What a join takes from the ruleset, as far as recordings go. */
export interface RecordedBy {
  /** `defaults.join`. */
  join: JoinParameters;
  roles: OwnRoles;
}

/** Whether a rule's own join records, by all that goes into it. */
export function records(
  { join, role = "participant" }: PlaceText,
  { join: defaults, roles }: RecordedBy,
): boolean {
  const own = Object.hasOwn(roles, role) ? roles[role] : undefined;
  return (join?.record ?? own?.record ?? defaults.record) === "record-from-start";
}

interface RecordingRule {
  place: PlaceText;
  /** The answer whose PIN's room `{pin.room}` is. */
  pin?: string;
}

/** The rules that record their rooms, those of groups too. */
export function recordingRules(
  rules: readonly Rule[],
  fallback: ActionText | undefined,
  by: RecordedBy,
): RecordingRule[] {
  const found = [...recordingWithin(rules, undefined, by)];
  const last = fallback?.place;
  return last !== undefined && records(last, by) ? [...found, { place: last }] : found;
}

function* recordingWithin(
  rules: readonly Rule[],
  around: string | undefined,
  by: RecordedBy,
): Generator<RecordingRule> {
  for (const rule of rules) {
    const pin = pinTakenBy(rule.match) ?? around;
    if (rule.rules !== undefined) yield* recordingWithin(rule.rules, pin, by);
    else if (rule.place !== undefined && records(rule.place, by))
      yield { place: rule.place, ...(pin === undefined ? {} : { pin }) };
  }
}

interface RoomTemplate {
  place: PlaceText;
  template: Template;
}

/** The rooms that some rule records. A rule is read once, however many have the same room. */
export class RecordedRooms {
  readonly #names = new Set<string>();
  /** By what every name that they make begins with. */
  readonly #templates: ReadonlyMap<string, RoomTemplate[]>;
  /** How long those beginnings are. */
  readonly #lengths: ReadonlySet<number>;

  constructor(rules: readonly RecordingRule[]) {
    const templates = new Map<string, RoomTemplate & { head: string }>();
    for (const { place, pin } of rules) {
      const template = readTemplate(place.room, pin);
      if (isLiteral(template)) for (const name of roomNames(place.room.trim(), place)) this.#names.add(name);
      else {
        const [first] = template;
        const head = typeof first === "string" ? first.trimStart() : "";
        templates.set(JSON.stringify([place.room, place.overflow?.rooms, pin]), { place, template, head });
      }
    }
    this.#templates = Map.groupBy(templates.values(), ({ head }) => head);
    this.#lengths = new Set([...this.#templates.keys()].map(({ length }) => length));
  }

  /** Whether one of them has one of these names, filled in with the same call's values. Where too many might have it, one may. */
  mayBe(names: readonly string[], call: Call, answers?: Answers): boolean {
    if (names.some((name) => this.#names.has(name))) return true;
    const heads = new Set(names.flatMap((name) => [...this.#lengths].map((length) => name.slice(0, length))));
    const likely = [...heads].flatMap((head) => this.#templates.get(head) ?? []);
    if (likely.length > TEMPLATES_FILLED) return true;
    return likely.some(({ place, template }) => {
      const filled = fill(template, NAME_LENGTH, call, answers);
      // As the names themselves are.
      return filled.ok && roomNames(filled.text.trim(), place).some((name) => names.includes(name));
    });
  }
}
