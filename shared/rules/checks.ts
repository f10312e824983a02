import { type JoinParameters, wireName } from "../conference.ts";
import { addressKey, suggestAddress } from "./address.ts";
import { nearest } from "./nearest.ts";
import type { ParseOptions } from "./parse.ts";
import { oneOf, type Path, type Problem, problem, shown } from "./problems.ts";
import {
  type ActionText,
  ADDRESS_MESSAGE,
  callTypes,
  directions,
  type Match,
  type Ruleset,
  type Wanted,
} from "./schema.ts";
import { readTemplate } from "./template.ts";

/** RELAY's guide gives this as the most that a conference takes. */
const RELAY_PARTICIPANTS = 250;

interface Found {
  errors: Problem[];
  warnings: Problem[];
}

/** What can only be seen with the whole ruleset in view: names used twice, lists missing or of the wrong kind, rooms that can never be. */
export function checkRuleset(ruleset: Ruleset, options: ParseOptions): Found {
  const found: Found = { errors: [], warnings: [] };
  const ids = new Map<string, number>();
  const lists = new ListUse(ruleset.lists ?? {}, found);
  ruleset.rules.forEach((rule, position) => {
    const path = ["rules", position];
    const first = ids.get(rule.id);
    if (first === undefined) ids.set(rule.id, position);
    else
      found.errors.push(
        problem([...path, "id"], `${shown(rule.id)} is the id of rules[${first}] already: ids are used once`),
      );
    checkMatch(rule.match, [...path, "match"], lists, found);
    checkAction(rule, path, options, found);
  });
  if (ruleset.fallback !== undefined) checkAction(ruleset.fallback, ["fallback"], options, found);
  checkJoin(ruleset.defaults?.join, ["defaults", "join"], found);
  lists.warnOfUnused();
  return found;
}

/** The lists, which of them rules use, and whether their values fit the fields that use them. */
class ListUse {
  readonly #lists: Record<string, string[]>;
  readonly #found: Found;
  readonly #used = new Set<string>();
  readonly #checked = new Set<string>();

  constructor(lists: Record<string, string[]>, found: Found) {
    this.#lists = lists;
    this.#found = found;
  }

  use(
    wanted: Wanted,
    path: Path,
    fits: (value: string) => boolean,
    kind: string,
    suggest?: (value: string) => string | undefined,
  ) {
    if (typeof wanted === "string" || Array.isArray(wanted)) return;
    const name = wanted.list;
    const values = Object.hasOwn(this.#lists, name) ? this.#lists[name] : undefined;
    if (values === undefined) {
      const known = Object.keys(this.#lists);
      const there =
        known.length === 0 ? "there are no lists" : `there are ${known.slice(0, 10).map(shown).join(", ")}`;
      const meant = nearest(name, known);
      this.#found.errors.push(problem([...path, "list"], `there is no list ${shown(name)}; ${there}`, meant));
      return;
    }
    this.#used.add(name);
    if (this.#checked.has(`${name} ${kind}`)) return;
    this.#checked.add(`${name} ${kind}`);
    values.forEach((value, index) => {
      if (fits(value)) return;
      const meant = suggest?.(value);
      this.#found.errors.push(problem(["lists", name, index], `${kind}, not ${shown(value)}`, meant));
    });
  }

  warnOfUnused() {
    for (const name of Object.keys(this.#lists)) {
      if (!this.#used.has(name))
        this.#found.warnings.push(problem(["lists", name], "no rule uses this list"));
    }
  }
}

function checkMatch(match: Match, path: Path, lists: ListUse, found: Found): void {
  for (const field of ["to", "from"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    lists.use(
      wanted,
      [...path, field],
      (value) => addressKey(value) !== null,
      ADDRESS_MESSAGE,
      suggestAddress,
    );
  }
  const words = { direction: directions, type: callTypes } as const;
  for (const field of ["direction", "type"] as const) {
    const wanted = match[field];
    const allowed: readonly string[] = words[field];
    if (wanted === undefined) continue;
    const kind = `used as a ${field}, so must be ${oneOf(allowed)}`;
    lists.use(wanted, [...path, field], (value) => allowed.includes(value), kind);
  }
  const seen = new Set<string>();
  for (const [name, wanted] of Object.entries(match.headers ?? {})) {
    lists.use(wanted, [...path, "headers", name], () => true, "");
    if (seen.has(name.toLowerCase()))
      found.errors.push(problem([...path, "headers", name], "is here twice: headers have no case"));
    seen.add(name.toLowerCase());
  }
  for (const [name, wanted] of Object.entries(match.params ?? {})) {
    lists.use(wanted, [...path, "params", name], () => true, "");
  }
}

function checkAction(
  { place, hand_over }: ActionText,
  path: Path,
  options: ParseOptions,
  found: Found,
): void {
  if (place !== undefined) {
    const wrong = roomProblem(place.room, options);
    if (wrong !== null)
      found.errors.push(problem([...path, "place", "room"], `${shown(place.room)} ${wrong}`));
    checkJoin(place.join, [...path, "place", "join"], found);
  }
  for (const [key, url] of Object.entries(hand_over ?? {}))
    warnOfHttp(url, [...path, "hand_over", key], found);
}

/**
 * Why a room's template can never become a name, or null. A placeholder stands for at least one character, and for one that no
 * tenant's id has; a tenant that is not told has the shortest id.
 */
function roomProblem(room: string, { tenant = "x", plain = false }: ParseOptions): string | null {
  const least = readTemplate(room).map((piece) => (typeof piece === "string" ? piece : "+"));
  const name = wireName(tenant, least.join(""), { plain });
  return typeof name === "string" ? null : name.problem;
}

function checkJoin(join: JoinParameters | undefined, path: Path, found: Found): void {
  if (join === undefined) return;
  if ((join.max_participants ?? 0) > RELAY_PARTICIPANTS) {
    const message = `RELAY's guide knows no more than ${RELAY_PARTICIPANTS}; SWML's goes to 100000`;
    found.warnings.push(problem([...path, "max_participants"], message));
  }
  for (const key of ["wait_url", "status_callback", "recording_status_callback"] as const) {
    warnOfHttp(join[key], [...path, key], found);
  }
  warnOfHttp(join.stream?.status_url, [...path, "stream", "status_url"], found);
}

function warnOfHttp(url: string | undefined, path: Path, found: Found): void {
  if (url?.startsWith("http:"))
    found.warnings.push(problem(path, "is not https: what is sent there can be read on the way"));
}
