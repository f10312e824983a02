import { type JoinParameters, wireName } from "../../conference.ts";
import { type OwnRoles, roleParameters } from "../compile/roles.ts";
import { roomNames } from "../compile/room-names.ts";
import { type ActionText, builtInRoles, type PlaceText } from "../schema/action-schema.ts";
import { type Path, problem, shown } from "../schema/problems.ts";
import type { HandOverText } from "../schema/refusal-schema.ts";
import type { ParseOptions } from "../schema/ruleset.ts";
import { readTemplate } from "../template.ts";
import { checkWait } from "./check-wait.ts";
import { type Found, missing } from "./list-use.ts";

/** RELAY's guide gives this as the most that a conference takes, and as what it takes unless told. */
const RELAY_PARTICIPANTS = 250;

/** What actions are checked against. */
export interface ActionNames {
  options: ParseOptions;
  roles: OwnRoles;
  /** `defaults.join`. */
  join: JoinParameters;
  moderated: ReadonlySet<string>;
  /** Every room in which some action places a moderator, numbered ones too, as templates. */
  staffed: ReadonlySet<string>;
}

export function checkAction(
  { place, hand_over, reject: _ }: ActionText,
  path: Path,
  names: ActionNames,
  found: Found,
): void {
  if (place !== undefined) checkPlace(place, [...path, "place"], names, found);
  warnOfHttpUrls(hand_over, path, ["hand_over"], found);
}

export function checkJoin(join: JoinParameters | undefined, path: Path, found: Found): void {
  if (join === undefined) return;
  if ((join.max_participants ?? 0) > RELAY_PARTICIPANTS) {
    const message = `RELAY's guide knows no more than ${RELAY_PARTICIPANTS}; SWML's goes to 100000`;
    found.warnings.push(problem([...path, "max_participants"], message));
  }
  for (const key of ["wait_url", "status_callback", "recording_status_callback"] as const) {
    warnOfHttp(join[key], path, [key], found);
  }
  warnOfHttp(join.stream?.status_url, path, ["stream", "status_url"], found);
}

function checkPlace(place: PlaceText, path: Path, names: ActionNames, found: Found): void {
  const { role = "participant", room } = place;
  const wrong = roomProblem(place, names.options);
  if (wrong !== null) found.errors.push(problem([...path, "room"], wrong));
  checkJoin(place.join, [...path, "join"], found);
  checkRole(role, path, ["role"], names, found);
  if (place.coach?.role !== undefined) checkRole(place.coach.role, path, ["coach", "role"], names, found);
  if (typeof place.mute_all === "object")
    for (const [index, one] of place.mute_all.except.entries())
      checkRole(one, path, ["mute_all", "except", index], names, found);
  warnOfLeaving(place, role, path, names, found);
  warnOfFight(role, place, path, found);
  checkWait(place, path, names.staffed, found);
  warnOfHttpUrls(place.wait?.otherwise?.hand_over, path, ["wait", "otherwise", "hand_over"], found);
  if (place.capacity !== undefined || place.overflow !== undefined) {
    const ofRole = roleParameters(role, names.moderated.has(room), names.roles);
    const join = { ...names.join, ...ofRole, ...place.join };
    checkSeats(place, join, path, found);
    if (join.start_on_enter === false && role === "participant")
      warnOfUnstaffed(place, path, names.staffed, found);
  }
  warnOfHttpUrls(place.overflow, path, ["overflow"], found);
  if (typeof place.after === "object")
    warnOfHttpUrls(place.after.hand_over, path, ["after", "hand_over"], found);
}

/** A conference that ends with its moderator is over before anything else happens. */
function warnOfLeaving(
  place: PlaceText,
  role: string,
  path: Path,
  { join, moderated, roles }: ActionNames,
  found: Found,
): void {
  if (place.when_moderator_leaves === undefined) return;
  const joins = { ...join, ...roleParameters(role, moderated.has(place.room), roles), ...place.join };
  if (joins.end_on_exit !== true) return;
  const message = "never comes to pass: end_on_exit ends the conference as soon as this moderator leaves";
  found.warnings.push(problem([...path, "when_moderator_leaves"], message));
}

/**
 * Why a room's template can never become a name, or null. A placeholder stands for at least one character, and for one that no
 * tenant's id has; a tenant that is not told has the shortest id.
 */
function roomProblem(place: PlaceText, { tenant = "x", plain = false }: ParseOptions): string | null {
  const least = readTemplate(place.room).map((piece) => (typeof piece === "string" ? piece : "+"));
  for (const [index, room] of roomNames(least.join(""), place).entries()) {
    const name = wireName(tenant, room, { plain });
    if (typeof name !== "string") return `${shown(roomNames(place.room, place)[index])} ${name.problem}`;
  }
  return null;
}

/** Listed once for a ruleset, however many of its rules name a role that there is not. */
const namesOf = new WeakMap<object, readonly string[]>();

function checkRole(role: string, path: Path, at: Path, { roles }: ActionNames, found: Found): void {
  if (builtInRoles.some((one) => one === role) || Object.hasOwn(roles, role)) return;
  const known = namesOf.get(roles) ?? [...new Set([...builtInRoles, ...Object.keys(roles)])];
  namesOf.set(roles, known);
  found.errors.push(missing("role", role, known, [...path, ...at], found));
}

/** What a role is for, and a join may not take back. */
const fights = {
  moderator: { start_on_enter: [false, "a moderator starts the room: nobody would"] },
  listener: { muted: [false, "a listener is muted: this one would be heard"] },
  coach: { muted: [true, "a coach is heard by one participant: this one would be by none"] },
} as const satisfies Record<string, Partial<Record<keyof JoinParameters, readonly [boolean, string]>>>;

/** A role's whole point, taken back by the join beside it. */
function warnOfFight(role: string, { join }: PlaceText, path: Path, found: Found): void {
  if (join === undefined || !Object.hasOwn(fights, role)) return;
  for (const [fighter, keys] of Object.entries(fights)) {
    if (fighter !== role) continue;
    for (const [key, [value, why]] of Object.entries(keys)) {
      if (Object.entries(join).some(([set, to]) => set === key && to === value))
        found.warnings.push(problem([...path, "join", key], `fights with the role: ${why}`));
    }
  }
  if (role === "coach" && join.coach !== undefined) {
    const message = 'fights with the role: whom a coach coaches is found by "coach" beside the room';
    found.errors.push(problem([...path, "join", "coach"], message));
  }
}

function checkSeats(
  { capacity }: PlaceText,
  { max_participants }: JoinParameters,
  path: Path,
  found: Found,
): void {
  if (capacity === undefined || capacity <= (max_participants ?? RELAY_PARTICIPANTS)) return;
  if (max_participants === undefined) {
    const message = `${capacity} seats are more than the ${RELAY_PARTICIPANTS} participants that a conference takes unless told: write "max_participants" in its "join"`;
    found.warnings.push(problem([...path, "capacity"], message));
    return;
  }
  const message = `${capacity} seats are more than the ${max_participants} participants that max_participants lets in`;
  found.errors.push(problem([...path, "capacity"], message));
}

function warnOfUnstaffed(place: PlaceText, path: Path, staffed: ReadonlySet<string>, found: Found): void {
  const unstaffed = roomNames(place.room, place).find((room) => !staffed.has(room));
  if (place.overflow?.rooms === undefined || unstaffed === undefined) return;
  const message = `leads to ${shown(unstaffed)}, where no rule places a moderator: who overflows into it waits for nobody; give the moderator's rule the same overflow`;
  found.warnings.push(problem([...path, "overflow", "rooms"], message));
}

function warnOfHttpUrls(urls: HandOverText | undefined, path: Path, at: Path, found: Found): void {
  if (urls === undefined) return;
  for (const key of ["swml", "cxml"] as const) warnOfHttp(urls[key], path, [...at, key], found);
}

/** @param at Where in `path` the URL is: of most rules nothing is said, and no path is made. */
function warnOfHttp(url: string | undefined, path: Path, at: Path, found: Found): void {
  if (url?.startsWith("http:"))
    found.warnings.push(problem([...path, ...at], "is not https: what is sent there can be read on the way"));
}
