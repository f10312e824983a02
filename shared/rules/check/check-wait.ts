import type { JoinParameters } from "../../conference.ts";
import type { OwnRoles } from "../compile/roles.ts";
import { roomNames } from "../compile/room-names.ts";
import type { ActionText, PlaceText } from "../schema/action-schema.ts";
import { type Path, problem, shown } from "../schema/problems.ts";
import type { Ruleset } from "../schema/ruleset.ts";
import type { Asked } from "./check-answers.ts";
import type { Found } from "./list-use.ts";

/** A wait for somebody who cannot come. `staffed`: every room in which some action places a moderator, as templates. */
export function checkWait(place: PlaceText, path: Path, staffed: ReadonlySet<string>, found: Found): void {
  const rooms = roomNames(place.room, place);
  if (place.wait?.for !== "moderator" || rooms.some((room) => staffed.has(room))) return;
  const message = `waits in vain: no rule places a moderator in ${shown(place.room)}; give a rule for the moderator the same "room", with "role": "moderator"`;
  found.warnings.push(problem([...path, "wait", "for"], message));
}

/** What a rule's actions take from the ruleset, as far as these checks go. */
export interface Around {
  /** `defaults.join`. */
  join: JoinParameters;
  roles: OwnRoles;
  /** Whether `defaults` has a recording notice. */
  hasNotice: boolean;
}

/** A recording without a notice, and a way back that is kept for nothing, or past a secret. */
export class BeforeRoom {
  readonly #around: Around;
  readonly #found: Found;
  /** Where defaults and roles record: told of once, however many rules they hold for. */
  readonly #told = new Set<string>();

  constructor({ defaults = {}, roles = {} }: Ruleset, found: Found) {
    this.#around = {
      join: defaults.join ?? {},
      roles,
      hasNotice: defaults.recording_notice !== undefined,
    };
    this.#found = found;
  }

  /** @param asked What the caller was asked on the way to the action. */
  check({ place }: ActionText, path: Path, asked: Asked): void {
    if (place === undefined) return;
    const here = [...path, "place"];
    const notice = place.recording_notice ?? this.#around.hasNotice;
    const recordedBy = this.#recordedBy(place, here);
    if (recordedBy !== null && place.recording_notice === undefined && !notice)
      this.#warnOfRecording(recordedBy);
    if (place.rejoin_s === undefined) return;
    const skips =
      asked.size > 0 ||
      place.announce !== undefined ||
      place.wait !== undefined ||
      (place.recording_notice ?? (recordedBy !== null && notice)) !== false;
    const message =
      place.capacity === undefined && !skips
        ? "changes nothing: who drops and calls again keeps no seat without a capacity, and nothing is said or asked before the room that could be left out"
        : whatIsForged(place, place.rejoin_s, asked);
    if (message !== null) this.#found.warnings.push(problem([...here, "rejoin_s"], message));
  }

  #recordedBy({ join, role = "participant" }: PlaceText, here: Path): Path | null {
    const { roles, join: defaults } = this.#around;
    const own = Object.hasOwn(roles, role) ? roles[role] : undefined;
    const record = join?.record ?? own?.record ?? defaults.record;
    if (record !== "record-from-start") return null;
    if (join?.record !== undefined) return [...here, "join", "record"];
    return own?.record === undefined ? ["defaults", "join", "record"] : ["roles", role, "record"];
  }

  #warnOfRecording(path: Path): void {
    const key = path.join(".");
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const message =
      'records callers who are not told: write a "recording_notice" beside the room or in the defaults, or false where they know';
    this.#found.warnings.push(problem(path, message));
  }
}

/** Who comes back is known by the number that they call from alone. */
function whatIsForged({ role, wait }: PlaceText, rejoin_s: number, asked: Asked): string | null {
  const isSecret = [...asked.values()].some(({ secret }) => secret === true);
  const isAdmitted = wait?.for === "admission";
  const gains = [
    ...(isSecret ? ["unasked for the secret"] : []),
    ...(role === "moderator" ? ["as a moderator"] : []),
    ...(isAdmitted ? ["without being admitted"] : []),
  ];
  if (gains.length === 0) return null;
  return `lets in ${gains.join(" and ")}, for ${rejoin_s} s, any caller with the number of one who dropped; numbers can be forged: leave it out`;
}
