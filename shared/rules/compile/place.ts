import type { Call } from "../../call.ts";
import { type JoinParameters, wireName } from "../../conference.ts";
import { canonicalOf, sameCallerKey } from "../../identity.ts";
import type { Answers } from "../answers.ts";
import type { Coach, Finding, Place, Refusal, Spoken } from "../decision.ts";
import { NAME_LENGTH, SPOKEN_LENGTH } from "../limits.ts";
import type { PlaceText } from "../schema/action-schema.ts";
import type { Announcement } from "../schema/words-schema.ts";
import { filler, found, readSpoken, type Speech, type SpokenOf } from "./interpolation.ts";
import type { RecordedRooms } from "./recorded-rooms.ts";
import { type Reader, readHandOver, readOtherwise } from "./refusal.ts";
import { type OwnRoles, roleParameters } from "./roles.ts";
import { roomNames } from "./room-names.ts";
import { readWait, readWhenFull } from "./wait.ts";

export interface PlaceContext {
  tenant: string;
  plain: boolean;
  /** The ruleset's `defaults.join`. */
  join: JoinParameters;
  speech: Speech;
  /** The ruleset's `defaults.recording_notice`. */
  notice?: Announcement;
  /** The rooms that some rule records. */
  recorded: Pick<RecordedRooms, "mayBe">;
  /** The answer that the match takes as a PIN of KV; absent where it takes none. */
  pin?: string;
  roles: OwnRoles;
  /** The rooms, as written, in which a moderator is expected. */
  moderated: ReadonlySet<string>;
}

const NOBODY = { say: "We are sorry. There is nobody here to coach." };
const SEVERAL = { say: "We are sorry. There is more than one to coach." };

/** A placement, its templates read once. */
export function readPlace(place: PlaceText, context: PlaceContext): Reader<Place> {
  const { speech } = context;
  const { room, role = "participant", capacity, max_duration_s, rejoin_s, sticky } = place;
  const rooms = readRooms(place, context);
  const join = {
    ...context.join,
    ...roleParameters(role, context.moderated.has(room), context.roles),
    ...place.join,
  };
  const announcements = readAnnouncements(place, join, context);
  const isDefault = place.recording_notice === undefined && join.record !== "record-from-start";
  const notice = isDefault && context.notice !== undefined ? readSpoken(context.notice, speech) : null;
  const whenFull = capacity === undefined ? null : readWhenFull(place, speech);
  const wait = readWait(place, speech);
  const coach = place.coach === undefined ? null : readCoach(place.coach, speech);
  const after =
    place.after === undefined || place.after === "hang_up" ? null : readHandOver(place.after.hand_over);
  const strategy = place.overflow?.then === "spread" ? "emptiest" : "first";
  const limits = {
    ...(capacity === undefined ? {} : { capacity }),
    ...(max_duration_s === undefined ? {} : { max_duration_s }),
    ...(rejoin_s === undefined ? {} : { rejoin_s }),
    ...policiesOf(place),
    ...(place.speaking === true ? { speaking: true as const } : {}),
  };
  return (call, field, findings, answers) => {
    const names = rooms(call, `${field}.room`, findings, answers);
    if (names === null) return null;
    const action: Place = { action: "place", rooms: names, strategy, role, join: { ...join }, ...limits };
    const before = isAsItCame(call) ? null : rooms(asItCame(call), `${field}.room`, [], answers);
    if (before !== null && before[0] !== names[0]) action.rooms_before = before;
    const lines: Spoken[] = [];
    for (const [key, announcement] of announcements) {
      const line = announcement(call, `${field}.${key}`, findings, answers);
      if (line === null) return null;
      lines.push(line);
    }
    // In a room that another rule records; of one that nothing is known of, only the session can tell.
    const isRecorded = notice !== null && context.recorded.mayBe(names, call, answers);
    if (isRecorded) {
      const told = notice(call, `${field}.recording_notice`, findings, answers);
      if (told === null) return null;
      lines.push(told);
    } else if (notice !== null) {
      const told = notice(call, field, [], answers);
      if (told !== null) action.recording_notice = told;
    }
    const [line, ...others] = lines;
    if (line !== undefined) action.announce = [line, ...others];
    if (isRecorded || announcements.has("recording_notice")) action.announces_recording = true;
    if (wait !== null) {
      const how = wait(call, `${field}.wait`, findings, answers);
      if (how === null) return null;
      action.wait = how;
    }
    if (whenFull !== null) {
      const word = whenFull(call, `${field}.overflow`, findings, answers);
      if (word === null) return null;
      action.when_full = word;
    }
    if (coach !== null) {
      const whom = coach(call, `${field}.coach`, findings, answers);
      if (whom === null) return null;
      action.coach = whom;
    }
    if (after !== null) {
      const taker = after(call, `${field}.after`, findings);
      if (taker === null) return null;
      action.after = taker;
    }
    const caller = sticky === undefined ? null : sameCallerKey(canonicalOf(call, "from"), "from");
    if (caller !== null) action.sticky_key = caller;
    return action;
  };
}

function policiesOf({ lock, mute_all, when_moderator_leaves }: PlaceText): Pick<Place, "policies"> {
  if (lock === undefined && mute_all === undefined && when_moderator_leaves === undefined) return {};
  return {
    policies: {
      ...(lock === undefined ? {} : { lock }),
      ...(mute_all === undefined
        ? {}
        : { mute_all: mute_all === true ? { except: ["moderator"] } : mute_all }),
      ...(when_moderator_leaves === undefined ? {} : { when_moderator_leaves }),
    },
  };
}

function isAsItCame(call: Call): boolean {
  return canonicalOf(call, "from") === call.from && canonicalOf(call, "to") === call.to;
}

/** The call with its addresses read as the version before read them: not at all. */
function asItCame(call: Call): Call {
  return { ...call, canonical: { from: call.from, to: call.to } };
}

function readRooms(place: PlaceText, context: PlaceContext): Reader<[string, ...string[]]> {
  const problemOf = (text: string): string | null => {
    const name = wireName(context.tenant, text, context);
    return typeof name === "string" ? null : name.problem;
  };
  const first = filler(
    place.room,
    NAME_LENGTH,
    (text) => {
      // The last of the numbered rooms has the longest name.
      const last = roomNames(text, place).at(-1) ?? text;
      const wrong = problemOf(text);
      return wrong ?? (last === text ? null : problemOf(last));
    },
    { trims: true, ...(context.pin === undefined ? {} : { pin: context.pin }) },
  );
  return (call: Call, field: string, findings: Finding[], answers?: Answers) => {
    const name = found(field, first(call, answers), findings);
    return name === null ? null : roomNames(name, place);
  };
}

/** What is heard before the room, in order, by the key that says it. */
function readAnnouncements(
  { announce, recording_notice }: PlaceText,
  { record }: JoinParameters,
  { notice, speech }: PlaceContext,
): Map<string, SpokenOf> {
  const heard = new Map<string, SpokenOf>();
  if (announce !== undefined) heard.set("announce", readSpoken(announce, speech));
  const told = recording_notice ?? (record === "record-from-start" ? (notice ?? false) : false);
  if (told !== false) heard.set("recording_notice", readSpoken(told, speech));
  return heard;
}

function readCoach(
  { call_from, role, if_absent, if_several }: NonNullable<PlaceText["coach"]>,
  speech: Speech,
): Reader<Coach> {
  const from = call_from === undefined ? null : filler(call_from, SPOKEN_LENGTH, () => null);
  const word = <Kept extends string>(
    written: Kept | Parameters<typeof readOtherwise>[0] | undefined,
    line: typeof NOBODY,
  ): Reader<Kept | Refusal> =>
    typeof written === "string" ? () => written : readOtherwise(written ?? { reject: line }, speech);
  const absent = word(if_absent, NOBODY);
  const several = word(if_several, SEVERAL);
  return (call, field, findings, answers) => {
    const whom = from === null ? undefined : found(`${field}.call_from`, from(call, answers), findings);
    if (whom === null) return null;
    const nobody = absent(call, `${field}.if_absent`, findings, answers);
    const tooMany = several(call, `${field}.if_several`, findings, answers);
    if (nobody === null || tooMany === null) return null;
    return {
      ...(whom === undefined ? {} : { call_from: whom }),
      ...(role === undefined ? {} : { role }),
      if_absent: nobody,
      if_several: tooMany,
    };
  };
}
