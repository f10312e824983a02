import type { Conference } from "../carrier/conferences.ts";
import type { CallRecord } from "./call-record.ts";
import { ways } from "./callers.ts";
import { cutCalls, dialCrimes, dialCrimesOf, dialRecordsOf, isUntold } from "./dialled.ts";
import { wasEndTold } from "./end-told.ts";
import { type Crime, crimes, crimesOf, excuseOf, heldUp, leftAfterSwitch, outAt, waited } from "./judge.ts";
import type { Operated } from "./operating.ts";
import { overCapacity } from "./over-capacity.ts";
import type { Played } from "./player.ts";
import { unusualOf } from "./readings.ts";
import { recordedWithoutNotice, untoldRecordings } from "./recordings.ts";
import { entriesOf, frameOf } from "./records.ts";
import { APOLOGY, FULL, LINE } from "./rules.ts";
import { silenceAfter } from "./silence.ts";

/** What only shows among several calls. */
const shared_crimes = ["left_alive_after_switch", "over_capacity", "recorded_without_notice"] as const;

type AnyCrime = Crime | (typeof shared_crimes)[number];

export interface Verdict {
  /** The run's line. */
  figures: Record<string, unknown>;
  /** How often each crime was committed that was. */
  counts: Record<string, number>;
  offenders: { record: CallRecord; crimes: AnyCrime[] }[];
  /** Recordings that are over, and of whose end the rule's own server was not told. */
  untold: ReturnType<typeof untoldRecordings>;
  /** What is wrong with the whole and with no one call of the plan. */
  complaints: string[];
  /** What of the harm that came to callers could not be helped, a line each for the first few. */
  excused: string[];
}

/** Excused calls that are told of. */
const EXCUSED = 3;

/**
 * Counts what happened, and what must not have.
 * @param flagged calls that the Worker says it knows to have joined over capacity.
 */
export function verdictOf(
  played: Played,
  records: readonly CallRecord[],
  flagged: ReadonlySet<string>,
): Verdict {
  const { plan, seats, projects } = played;
  const shared = {
    left_alive_after_switch: leftAfterSwitch(records),
    over_capacity: overCapacity(records, flagged),
    recorded_without_notice: new Set(recordedWithoutNotice(records, conferencesOf(projects))),
  };
  const waiting = heldUp(records);
  const offenders: Verdict["offenders"] = records
    .map((record) => ({
      record,
      crimes: [
        ...(waiting.has(record) ? [] : crimesOf(record)),
        ...shared_crimes.filter((crime) => shared[crime].has(record)),
      ],
    }))
    .filter(({ crimes }) => crimes.length > 0);
  const count = (is: (record: CallRecord) => boolean) => records.filter(is).length;
  const answered = answeredJoins(played);
  const entries = projects.flatMap(entriesOf);
  const [untold, unknown] = parted(
    untoldRecordings(conferencesOf(projects), played.told),
    ({ conference_id }) => wasEndTold(entries, conference_id),
  );
  const cut = projects.flatMap((project) => cutCalls(project.calls.values(), entriesOf(project)));
  const roomsNotDone = played.operated.filter(
    ({ act, status, was_so }) => !("call_id" in act) && status === 200 && was_so === false,
  );
  const dials = dialRecordsOf(played).map((dial) => ({ ...dial, crimes: dialCrimesOf(dial) }));
  const counts = {
    ...Object.fromEntries(
      [...crimes, ...shared_crimes].map((crime) => [
        crime,
        offenders.filter((one) => one.crimes.includes(crime)).length,
      ]),
    ),
    ...Object.fromEntries(
      dialCrimes.map((crime) => [crime, dials.filter((dial) => dial.crimes.includes(crime)).length]),
    ),
    dialled_call_cut: cut.length,
    room_said_and_not_done: roomsNotDone.length,
    recording_untold: untold.length,
  };
  const excuses = records.flatMap((record) => {
    const excuse = excuseOf(record) ?? waiting.get(record) ?? null;
    return excuse === null ? [] : [`${nameOf(plan.seed, record)}: ${excuse}`];
  });
  for (const { legs } of dials.filter((dial) => dial.crimes.length === 0 && isUntold(dial)))
    excuses.push(
      `call ${legs[0]?.call_id}, seed ${plan.seed}: it was dialled, and in silence while nothing told of its answer`,
    );
  for (const { sid } of unknown)
    excuses.push(`recording ${sid}, seed ${plan.seed}: nothing told of its conference's end`);
  const figures = {
    seed: plan.seed,
    plan: plan.digest,
    readings: plan.projects
      .map(({ readings }, project) => ({ project, ...unusualOf(readings) }))
      .filter((readings) => Object.keys(readings).length > 1),
    calls: records.length,
    joined_by_relay: count(({ call }) => call.joins[0]?.by === "relay"),
    joined_by_document: count(({ call }) => call.joins[0]?.by === "document"),
    document_after_unknown: count(
      ({ call, commands }) =>
        call.joins.at(-1)?.by === "document" &&
        commands.some(({ method }) => method === "calling.join_conference") &&
        !answered.has(call.call_id),
    ),
    left: count(({ stays }) => stays.length > 0 && stays.every(({ to }) => to !== null)),
    hung_up: count(({ hung_up_at }) => hung_up_at !== null),
    dials: dials.length,
    dialled_into_room: dials.filter(({ legs }) => legs.some(({ joined_at }) => joined_at !== null)).length,
    violations: noted(played, "violation"),
    rest_requests: noted(played, "rest"),
    ...counts,
    excused: excuses.length,
    alive_in_silence_s: secondsOf(records.flatMap(aloneFor)),
    recorded: conferencesOf(projects).filter(({ recording }) => recording !== null).length,
    webhook_ms: percentiles(
      records.flatMap(({ webhooks }) => webhooks.filter(({ failed }) => failed === null).map(({ ms }) => ms)),
    ),
    recovery_ms: percentiles(recoveries(played)),
    ...(plan.operators === null ? {} : { operated: answersOf(played.operated) }),
    ...(plan.scenario === "troubles" ? waysOf(records) : {}),
    ...(seats === null
      ? {}
      : {
          turned_away: count(({ planned, stays, heard }) => {
            const wasTold = heard.heard.some(({ detail }) => detail.includes(FULL));
            return (planned.overflow?.length ?? 0) > 0 && stays.length === 0 && wasTold;
          }),
          seat_leaked_s: secondsOf(played.seats_leaked_ms),
          flagged_late: records.filter(({ call }) => flagged.has(call.call_id)).length,
          seats,
        }),
  };
  const complaints = [
    ...dials
      .filter(({ crimes }) => crimes.length > 0)
      .map(({ crimes, ...dial }) => `${crimes.join(", ")}: seed ${plan.seed}: ${JSON.stringify(dial)}`),
    ...roomsNotDone.map((one) => `room_said_and_not_done: seed ${plan.seed}: ${JSON.stringify(one)}`),
    ...cut.map(({ call_id }) => `dialled_call_cut: call ${call_id}, seed ${plan.seed}`),
    ...(["evening", "end"] as const).flatMap((when) =>
      (seats?.[when].differing ?? []).map(
        ({ name, certain, uncertain, carrier }) =>
          `seed ${plan.seed}: ${when}: the ledger has ${certain} calls in ${name} for certain, and ${uncertain} more in doubt; the carrier has ${carrier}`,
      ),
    ),
  ];
  return { figures, counts, offenders, untold, complaints, excused: excuses.slice(0, EXCUSED) };
}

/** Those that are so, and the others. */
function parted<T>(all: readonly T[], isSo: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isSo), all.filter((one) => !isSo(one))];
}

function nameOf(seed: number, { planned: { call_id, kind, project } }: CallRecord): string {
  return `excused: call ${call_id}, seed ${seed}, project ${project}, ${kind}`;
}

/** The longest silence after its last room of a call that outlived that, in ms. */
function aloneFor(record: CallRecord): number[] {
  const out_at = outAt(record);
  const { ended_at, hung_up_at } = record;
  if (out_at === null || (hung_up_at !== null && hung_up_at <= out_at)) return [];
  return ended_at !== null && ended_at <= out_at ? [] : [silenceAfter(record, out_at)];
}

function conferencesOf(projects: Played["projects"]): Conference[] {
  return projects.flatMap(({ conferences, past_conferences }) => [
    ...conferences.values(),
    ...past_conferences,
  ]);
}

/** How the calls came, and what they met before their rooms. */
function waysOf(records: readonly CallRecord[]): Record<string, unknown> {
  const count = (is: (record: CallRecord) => boolean) => records.filter(is).length;
  const says = (words: string) => (record: CallRecord) =>
    record.heard.heard.some(({ detail }) => detail.includes(words));
  const isIn = ({ stays }: CallRecord) => stays.length > 0;
  return {
    by_way: Object.fromEntries(
      ways.map((way) => {
        const mine = records.filter(({ planned }) => planned.way === way);
        return [way, { calls: mine.length, joined: mine.filter(isIn).length }];
      }),
    ),
    // Told by no event that anybody has seen.
    never_offered: count(({ planned, received_at }) => planned.way === "relay" && received_at === null),
    apologised: count(says(APOLOGY)),
    pins: {
      asked: count(({ planned, heard }) => planned.keys !== undefined && heard.heard.length > 1),
      joined: count((record) => record.planned.keys !== undefined && isIn(record)),
      turned_away: count(
        (record) =>
          record.planned.keys !== undefined &&
          record.planned.room !== null &&
          !isIn(record) &&
          record.hung_up_at === null,
      ),
    },
    line: {
      waited: count(waited),
      joined: count((record) => waited(record) && isIn(record)),
      hung_up: count((record) => waited(record) && !isIn(record) && record.hung_up_at !== null),
      wait_ms: percentiles(records.filter(waited).flatMap(waitOf)),
    },
  };
}

/** From the first of the line's music to the room, of who came there. */
function waitOf({ heard, stays: [stay], call }: CallRecord): number[] {
  const music = heard.heard.find(({ detail }) => detail === LINE);
  return music && stay ? [stay.from - (call.began_at + music.from_ms)] : [];
}

function noted({ projects }: Played, kind: string): number {
  return projects.reduce((sum, { journal }) => sum + journal.after(0, kind).length, 0);
}

/** Calls whose join was answered, for all that the carrier sent. */
function answeredJoins({ projects }: Played): Set<string> {
  const answered = new Set<string>();
  for (const project of projects) {
    const asked = new Map<string, string>();
    for (const entry of entriesOf(project)) {
      const { id, method, params } = frameOf(entry);
      if (id === undefined) continue;
      if (entry.kind === "frame_in" && method === "calling.join_conference")
        asked.set(id, params?.call_id ?? "");
      const call_id = entry.kind === "frame_out" && method === undefined ? asked.get(id) : undefined;
      if (call_id !== undefined) answered.add(call_id);
    }
  }
  return answered;
}

/**
 * From each loss of a project's socket to its next success with authenticating; where the carrier refused meanwhile, from
 * the last refusal or the end of the outage.
 */
function recoveries({ projects, outages }: Played): number[] {
  return projects.flatMap((project) => {
    const found: number[] = [];
    let lost_at: number | null = null;
    for (const entry of entriesOf(project)) {
      if (entry.kind === "session" && entry["what"] === "closed") lost_at ??= entry.at;
      else if (lost_at === null) continue;
      else if (entry.kind === "fault" && isOpening(entry["at_point"])) lost_at = entry.at;
      else if (entry.kind === "session" && entry["what"] === "authenticated") {
        const since = lost_at;
        const out = outages.filter(({ from, to }) => from <= entry.at && to > since).map(({ to }) => to);
        found.push(Math.max(0, entry.at - Math.max(since, ...out)));
        lost_at = null;
      }
    }
    return found;
  });
}

function isOpening(point: unknown): boolean {
  return point === "connect" || point === "authenticate";
}

function percentiles(values: readonly number[]): { p50: number; p99: number } | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? null : { p50: at(sorted, 0.5), p99: at(sorted, 0.99) };
}

/** From ms. */
function secondsOf(values_ms: readonly number[]): { p50: number; p99: number; max: number } | null {
  const sorted = values_ms.map((ms) => Math.round(ms / 100)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  return { p50: at(sorted, 0.5) / 10, p99: at(sorted, 0.99) / 10, max: at(sorted, 1) / 10 };
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

/** How often each act was answered with each status. */
function answersOf(operated: readonly Operated[]): Record<string, Record<string, number>> {
  const answers: Record<string, Record<string, number>> = {};
  for (const { act, status } of operated) {
    const of_act = answers[act.act] ?? {};
    const key = String(status ?? "none");
    of_act[key] = (of_act[key] ?? 0) + 1;
    answers[act.act] = of_act;
  }
  return answers;
}
